// SPDX-License-Identifier: Apache-2.0
// The queue in front of the sinks: what waits in it is found again, however much waits.
#include <gtest/gtest.h>

#include <ctime>
#include <vector>

#include "correlate/timeline.hpp"

namespace tcpwitness {
namespace {

Entry segment_entry(EventId id, ConnectionId conn, std::uint16_t port = 80) {
  Entry entry;
  entry.id = id;
  entry.conn = conn;
  entry.flow.local.port = port;
  entry.body = SegmentEntry{};
  return entry;
}

Entry state_entry(EventId id, ConnectionId conn, std::uint16_t port) {
  Entry entry = segment_entry(id, conn, port);
  entry.body = StateEntry{};
  return entry;
}

std::vector<EventId> released(Timeline& timeline, TimeNs now) {
  Reports out;
  timeline.release(now, out);
  std::vector<EventId> ids;
  for (const Report& report : out) ids.push_back(std::get<Entry>(report).id);
  return ids;
}

using Ids = std::vector<EventId>;

std::int64_t thread_cpu_ns() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

TEST(TimelineQueue, WhatWaitsHoldsBackTheRest) {
  Timeline timeline(false);
  timeline.push_held(segment_entry(1, 7), 100);
  timeline.push(segment_entry(2, 7), 7);
  timeline.push_held(segment_entry(3, 8), 100);
  EXPECT_EQ(released(timeline, 99), Ids{});
  timeline.transition_of(3, {});
  EXPECT_EQ(released(timeline, 99), Ids{});
  timeline.transition_of(1, {});
  EXPECT_EQ(released(timeline, 99), (Ids{1, 2, 3}));
  EXPECT_TRUE(timeline.empty());
  timeline.push_held(segment_entry(4, 8), 200);
  timeline.transition_of(1, {});  // has left
  EXPECT_EQ(released(timeline, 200), Ids{4}) << "its time is up";
}

TEST(TimelineQueue, WhatIsTakenOutLeavesNoPlace) {
  Timeline timeline(false);
  timeline.push_held(segment_entry(1, 7), 100);
  EXPECT_TRUE(timeline.take_out(1));
  EXPECT_TRUE(timeline.empty());
  EXPECT_FALSE(timeline.take_out(1));
  timeline.push_held(segment_entry(2, 7), 100);
  timeline.push_held(segment_entry(3, 7), 100);
  timeline.push_held(segment_entry(4, 7), 100);
  EXPECT_TRUE(timeline.take_out(3));
  timeline.push_held(segment_entry(3, 9), 100);  // anew, as another one's
  timeline.transition_of(2, {});
  timeline.transition_of(4, {});
  EXPECT_EQ(released(timeline, 0), (Ids{2, 4}));
  timeline.transition_of(3, {});
  EXPECT_EQ(released(timeline, 0), Ids{3});
}

TEST(TimelineQueue, AnEntryWithoutAPortGetsIt) {
  Timeline timeline(false);
  timeline.push_held(state_entry(1, 7, 0), 100);
  timeline.push_held(state_entry(2, 8, 0), 100);
  Flow flow;
  flow.local.port = 4000;
  timeline.flow_of(9, flow);
  timeline.flow_of(7, flow);
  Reports out;
  timeline.release(0, out);
  ASSERT_EQ(out.size(), 1U);
  EXPECT_EQ(std::get<Entry>(out[0]).flow.local.port, 4000);
  timeline.flow_of(7, flow);  // has left
  EXPECT_EQ(released(timeline, 0), Ids{});
}

TEST(TimelineQueue, AStateIsAddedToTheNewestSegment) {
  Timeline timeline(false);
  timeline.infer(1, {});
  timeline.push(segment_entry(1, 7), 7);
  timeline.push(state_entry(1, 7, 80), 7);
  timeline.infer(1, {});
  timeline.infer(2, {});
  Reports out;
  timeline.release(0, out);
  ASSERT_EQ(out.size(), 2U);
  EXPECT_EQ(std::get<SegmentEntry>(std::get<Entry>(out[0]).body).inferred.size(), 1U);
  timeline.infer(1, {});  // has left
}

// An overload: whatever is asked for is looked up, not searched for. All of them, one by one, were 10 s and more.
TEST(TimelineQueue, ManyThatWaitCostNoSearch) {
  constexpr EventId many = 50'000;
  Timeline timeline(false);
  for (EventId id = 1; id <= many; ++id) timeline.push_held(state_entry(id, id, 0), 100);
  const std::int64_t begun = thread_cpu_ns();
  Flow flow;
  flow.local.port = 4000;
  for (EventId id = 2; id <= many; ++id) {
    timeline.transition_of(many + id, {});
    timeline.cause_of(many + id, "");
    timeline.flow_of(many + id, flow);
    timeline.infer(many + id, {});
    if (id % 2 == 0) {
      timeline.flow_of(id, flow);
    } else {
      EXPECT_TRUE(timeline.take_out(id));
    }
  }
  EXPECT_LT(thread_cpu_ns() - begun, 2'000'000'000);
  EXPECT_EQ(released(timeline, 0), Ids{});
  timeline.transition_of(1, {});
  EXPECT_EQ(released(timeline, 0).size(), 1 + many / 2);
}

}  // namespace
}  // namespace tcpwitness
