// SPDX-License-Identifier: Apache-2.0
//
// How often the ring is looked at, by what the looks took; and before which time the Correlator has nothing to do.
#include "source/pace.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>

#include "pipeline/live_correlator.hpp"
#include "unit/churn.hpp"
#include "unit/digests.hpp"
#include "unit/events.hpp"
#include "unit/recorded.hpp"

namespace tcpwitness::testing {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

// A load that costs so much work for each millisecond of it.
Pace under(nanoseconds work_per_ms, int looks = 20) {
  Pace pace;
  for (int i = 0; i < looks; ++i) {
    const auto since = pace.interval();
    pace.looked(1, work_per_ms * since.count() / 1'000'000, since);
  }
  return pace;
}

TEST(Pace, ALookIsOnePieceOfWorkUnderAnyLoad) {
  for (const int us_per_ms : {10, 50, 100, 200}) {
    const Pace pace = under(microseconds(us_per_ms));
    const auto work = microseconds(us_per_ms) * pace.interval().count() / 1'000'000;
    EXPECT_LE(work, Pace::piece * 11 / 10) << us_per_ms;
    EXPECT_GE(work, Pace::piece * 9 / 10) << us_per_ms;
  }
}

TEST(Pace, LittleLoadIsLookedAtRarelyAndMuchNotAllTheTime) {
  EXPECT_EQ(under(microseconds(1)).interval(), Pace::longest);
  EXPECT_EQ(under(microseconds(900)).interval(), Pace::shortest);
}

TEST(Pace, AJumpShortensTheIntervalAtOnceAndItsEndLengthensItStepByStep) {
  Pace pace;
  pace.looked(1'000, milliseconds(10), Pace::longest);
  EXPECT_EQ(pace.interval(), nanoseconds(milliseconds(50)) / 20);
  pace.looked(1, microseconds(10), pace.interval());
  EXPECT_EQ(pace.interval(), nanoseconds(milliseconds(50)) / 10);
}

TEST(Pace, OnlySomeLooksInARowThatFindNothingAreIdleness) {
  Pace pace;
  for (std::size_t i = 0; i < Pace::quiet_looks; ++i) {
    EXPECT_FALSE(pace.idle());
    pace.looked(0, microseconds(5), Pace::longest);
  }
  EXPECT_TRUE(pace.idle());
  pace.looked(1, microseconds(5), Pace::longest);
  EXPECT_FALSE(pace.idle());
}

TEST(Due, ConnectionsThatAreMerelyOpenWaitForNothing) {
  Stream stream;
  Side client(stream, 1, "10.0.0.1", 40'000, "10.0.0.2", 80, 1'000, 2'000, true);
  const Names names;
  LiveCorrelator correlator({}, names);
  Reports reports;
  const TimeNs before = stream.now + 3'600'000'000'000;
  EXPECT_GT(correlator.due(), before);
  client.to(State::syn_sent, curl);
  client.to(State::established, curl);
  for (const Event& event : stream.events) correlator.feed(event, reports);
  EXPECT_GT(correlator.due(), before);
}

TEST(Due, WhatEndedIsReportedWhenItIsDueAndNotBefore) {
  Stream stream;
  Side client(stream, 1, "10.0.0.1", 40'000, "10.0.0.2", 80, 1'000, 2'000, true);
  client.to(State::syn_sent, curl);
  client.to(State::established, curl);
  client.to(State::fin_wait1, curl);
  client.to(State::close);
  client.destroy();
  const Names names;
  LiveCorrelator correlator({}, names);
  Reports reports;
  for (const Event& event : stream.events) correlator.feed(event, reports);
  ASSERT_TRUE(reports.empty());
  const TimeNs due = correlator.due();
  ASSERT_GT(due, stream.now);
  ASSERT_LT(due, stream.now + 1'000'000'000);
  correlator.advance(due - 1, reports);
  EXPECT_TRUE(reports.empty());
  EXPECT_EQ(correlator.due(), due);
  correlator.advance(due, reports);
  EXPECT_EQ(reports.size(), 1U);
}

Stream into_close_wait() {
  Stream stream;
  Side server(stream, 1, "10.0.0.2", 80, "10.0.0.1", 40'000, 1'000, 2'000, false);
  server.to(State::syn_recv);
  server.to(State::established);
  server.to(State::close_wait);
  return stream;
}

// Somebody must look for its descriptor a second before.
TEST(Due, ASocketInCloseWaitIsAskedAboutInTime) {
  const Stream stream = into_close_wait();
  const Names names;
  LiveCorrelator correlator({}, names);
  Reports reports;
  for (const Event& event : stream.events) correlator.feed(event, reports);
  EXPECT_FALSE(correlator.wants_descriptors());
  const TimeNs due = correlator.due();
  correlator.advance(due - 1, reports);
  EXPECT_FALSE(correlator.wants_descriptors());
  correlator.advance(due, reports);
  EXPECT_TRUE(correlator.wants_descriptors());
  EXPECT_GT(correlator.due(), due) << "asked once, it waits for the time when it is stuck";
}

// Where open connections are looked at every second (--problems), too.
TEST(Due, ASocketInCloseWaitIsAskedAboutInTimeBesideOtherLooks) {
  const Stream stream = into_close_wait();
  const Names names;
  CorrelatorSettings settings;
  settings.open_findings = true;
  LiveCorrelator correlator(settings, names);
  Reports reports;
  for (const Event& event : stream.events) correlator.feed(event, reports);
  const TimeNs stuck = stream.events.back().ts_ns + settings.close_wait_stuck_ns;
  bool asked = false;
  for (TimeNs now = correlator.due(); now < stuck && !asked; now = correlator.due()) {
    correlator.advance(now, reports);
    asked = correlator.wants_descriptors();
  }
  EXPECT_TRUE(asked);
}

// Reports are taken a few at a time, or when all are there: they are the same ones.
TEST(Due, WhatIsOverIsTheSameInParts) {
  const std::vector<Event> events = DigestWriter().write(no_timeline(churn_events(300)));
  const Names names;
  Correlator at_once({}, names);
  LiveCorrelator in_parts({}, names);
  Reports all;
  Reports parts;
  Reports some;
  std::size_t calls = 0;
  const auto take = [&] {
    std::ranges::move(some, std::back_inserter(parts));
    some.clear();
  };
  for (std::size_t i = 0; i < events.size(); ++i) {
    if (i % 50 != 49) continue;  // of these some are over at a time
    for (std::size_t of = i - 49; of <= i; ++of) {
      Event event = events[of];
      event.ts_ns = events[i].ts_ns;
      at_once.feed(event, all);
      for (; in_parts.report_over(event.ts_ns, some, 3); ++calls) {
        EXPECT_EQ(some.size(), 3U);
        take();
      }
      in_parts.feed(event, some);
    }
  }
  at_once.finish(events.back().ts_ns, all);
  in_parts.finish(events.back().ts_ns, some);
  take();
  EXPECT_GT(calls, 50U);
  ASSERT_EQ(all.size(), parts.size());
  EXPECT_EQ(as_json(all, names), as_json(parts, names));
}

}  // namespace
}  // namespace tcpwitness::testing
