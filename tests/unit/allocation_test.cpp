// SPDX-License-Identifier: Apache-2.0
// allocation_test.cpp: an ordinary connection, from its digests to its lives, takes no memory that was not there
// before.
#include <gtest/gtest.h>

#include <cstdlib>
#include <new>

#include "tcpwitness/pipeline.hpp"
#include "unit/churn.hpp"
#include "unit/digests.hpp"

namespace {

thread_local std::size_t allocations = 0;

}  // namespace

// A sanitizer has its own, and wants both ends of an allocation to be of one kind.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool counts = false;
#else
constexpr bool counts = true;
// NOLINTBEGIN(cppcoreguidelines-no-malloc): these are what allocates
void* operator new(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
// NOLINTEND(cppcoreguidelines-no-malloc)
#endif

namespace tcpwitness::testing {
namespace {

TEST(Allocation, AnOrdinaryConnectionTakesNoMemoryButForItsFinding) {
  if (!counts) GTEST_SKIP() << "built with a sanitizer, which allocates itself";
  constexpr std::size_t connections = 4'000;
  constexpr std::size_t of_a_finding = 3;  // time-wait, of who closed first: the list, the evidence, its growth
  const std::vector<Event> events = DigestWriter().write(lives_only(churn_events(connections)));
  const Names names;
  Correlator correlator(CorrelatorSettings{}, names);
  Reports reports;
  std::size_t lives = 0;
  std::size_t before = 0;
  for (std::size_t i = 0; i < events.size(); ++i) {
    if (i == events.size() / 2) before = allocations;
    correlator.feed(events[i], reports);
    if (reports.size() < 256) continue;
    lives += reports.size();
    reports.clear();
  }
  EXPECT_GT(lives, connections);
  const std::size_t seen = connections / 2;
  EXPECT_LE(allocations - before, of_a_finding * seen + seen / 100);
}

}  // namespace
}  // namespace tcpwitness::testing
