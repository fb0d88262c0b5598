// SPDX-License-Identifier: Apache-2.0
// allocation_test.cpp: an ordinary connection, from its records to its lines, takes no memory that was not there
// before.
#include <fcntl.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "sink/sinks.hpp"
#include "tcpwitness/pipeline.hpp"
#include "unit/churn.hpp"
#include "unit/digests.hpp"
#include "unit/failing_memory.hpp"

namespace {

thread_local std::size_t allocations = 0;
thread_local std::atomic<int> failing = 0;

}  // namespace

std::atomic<int>& tcpwitness::testing::failing_allocation() { return failing; }

// NOLINTBEGIN(cppcoreguidelines-no-malloc): these are what allocates
void* operator new(std::size_t size) {
  ++allocations;
  if (failing > 0 && --failing == 0) throw std::bad_alloc();
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
// NOLINTEND(cppcoreguidelines-no-malloc)

namespace tcpwitness::testing {
namespace {

constexpr std::size_t connections = 4'000;
constexpr std::size_t of_a_finding = 3;  // time-wait, of who closed first: the list, the evidence, its growth

void expect_only_findings_to_take_memory(Output& output, Sink& sink) {
  const std::vector<Event> digests = DigestWriter().write(no_timeline(churn_events(connections)));
  const Names names;
  Decoder decoder(0);
  Correlator correlator(CorrelatorSettings{}, names);
  std::vector<Event> events;
  Reports reports;
  std::size_t lives = 0;
  std::size_t before = 0;
  for (std::size_t i = 0; i < digests.size(); ++i) {
    if (i == digests.size() / 2) before = allocations;
    if (const auto* digest = std::get_if<SocketDigest>(&digests[i].body)) {
      events.clear();
      decoder.decode(std::as_bytes(std::span(digest, 1)), events);
    } else {
      events.assign(1, digests[i]);
    }
    for (const Event& event : events) correlator.feed(event, reports);
    if (reports.size() < 256) continue;
    lives += reports.size();
    for (const Report& report : reports) sink.write(report);
    reports.clear();
  }
  EXPECT_GT(lives, connections);
  EXPECT_EQ(decoder.malformed(), 0U);
  EXPECT_TRUE(output.flush());
  const std::size_t seen = connections / 2;
  EXPECT_LE(allocations - before, of_a_finding * seen + seen / 100);
}

TEST(Allocation, AnOrdinaryConnectionTakesNoMemoryButForItsFindingWithATable) {
  Output output(::open("/dev/null", O_WRONLY | O_CLOEXEC));
  expect_only_findings_to_take_memory(output, *make_life_text(output, TextStyle{}));
}

TEST(Allocation, AnOrdinaryConnectionTakesNoMemoryButForItsFindingWithJson) {
  const Names names;
  Output output(::open("/dev/null", O_WRONLY | O_CLOEXEC));
  expect_only_findings_to_take_memory(output, *make_json(output, names));
}

}  // namespace
}  // namespace tcpwitness::testing
