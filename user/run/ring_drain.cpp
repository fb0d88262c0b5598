// SPDX-License-Identifier: Apache-2.0
#include "run/ring_drain.hpp"

#include <sched.h>

#include <utility>

#include "decode/record.hpp"
#include "run/clock_steps.hpp"
#include "run/clocks.hpp"

namespace tcpwitness {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto slice = std::chrono::microseconds(250);  // so long without giving way
constexpr std::size_t clock_every = 16;                 // records
// What the kernel holds back of a connection that goes on.
constexpr std::int64_t release_every_ns = 500'000'000;
constexpr int backlog_rounds = 50;

}  // namespace

void RingDrain::look() {
  const TimeNs now = parts_.clock.now();
  const std::chrono::nanoseconds since(now - std::exchange(looked_ns_, now));
  const std::int64_t before = thread_cpu_ns();
  if (now - released_ns_ >= release_every_ns) {
    released_ns_ = now;
    parts_.tracer.release_digests(Tracer::Release::old);
  }
  const std::size_t records = drain();
  pace_.looked(records, std::chrono::nanoseconds(thread_cpu_ns() - before), since);
  parts_.urgency.looked();
}

std::size_t RingDrain::drain() {
  follow_clock_steps(parts_.clock, names_, feed_.recorder());
  // Before the records are read: none of them is younger than this.
  const TimeNs now = feed_.now();
  const auto begun = Clock::now();
  Backlog& backlog = parts_.backlog;
  std::size_t count = 0;
  if (!backlog.empty()) note_skipped();
  // What comes meanwhile is for the next time: under load there would be no end.
  for (std::size_t left = backlog.size(); left > 0; --left) {
    const RecordBatch batch = backlog.pop();
    batch.for_each([&](std::span<const std::byte> record) { take_one(record); });
    count += batch.places.size();
    backlog.take();
  }
  if (!backlog.empty()) {
    output_.deliver_if_begun();
    return count;
  }
  count += read_ring();
  questions_.ask();
  feed_.advance(now);
  output_.deliver_in_time(begun);
  return count;
}

std::chrono::nanoseconds RingDrain::list(const ReadList& read, const std::function<void()>& take_rest) {
  Records found;
  listing_ = true;
  const std::int64_t begun = thread_cpu_ns();
  read(collect_in(found, parts_.backlog));
  std::int64_t took = thread_cpu_ns() - begun;
  drain_backlog();
  if (take_rest) take_rest();
  const std::int64_t fed = thread_cpu_ns();
  feed_list(found);
  took += thread_cpu_ns() - fed;
  listing_ = false;
  return std::chrono::nanoseconds(took);
}

// The backlog too, as long as who fills it is not the faster one.
void RingDrain::drain_backlog() {
  drain();
  for (int round = 0; round < backlog_rounds && !parts_.backlog.empty(); ++round) drain();
}

// The ring reports an end sooner than the list does a socket.
void RingDrain::feed_list(const Records& found) {
  for (const auto& record : found) {
    if (!gone_.contains(socket_of(record))) feed_.take(record);
  }
  gone_.clear();
}

// Runs of programs that the kernel skipped since the last look: before what was drained meanwhile is judged.
void RingDrain::note_skipped() {
  const TimeNs now = feed_.now();
  if (feed_.wants_skipped(now)) feed_.skipped(parts_.tracer.skipped_runs(), now);
}

// What is in the ring when it begins: what comes meanwhile is for the next look, under load there would be no end.
std::size_t RingDrain::read_ring() {
  RingMemory& memory = parts_.ring.memory();
  std::size_t count = 0;
  const std::uint64_t until = memory.written();
  note_skipped();
  for (bool more = true; more;) {
    const auto begun = Clock::now();
    more = memory.read(until, [&](std::span<const std::byte> record) {
      take_one(record);
      return ++count % clock_every != 0 || Clock::now() - begun < slice;
    });
    if (more && !parts_.urgency.raised()) ::sched_yield();
  }
  return count;
}

void RingDrain::take_one(std::span<const std::byte> record) {
  if (listing_) {
    if (const auto socket = destroyed_socket(record)) gone_.insert(*socket);
  }
  feed_.take(record);
}

}  // namespace tcpwitness
