// SPDX-License-Identifier: Apache-2.0
// forwarded_end_test.cpp: when a router gives a connection up, and what comes after its end.
#include <gtest/gtest.h>

#include "correlate/ended_hops.hpp"
#include "pipeline/live_correlator.hpp"
#include "unit/router.hpp"
#include "unit/says.hpp"

namespace tcpwitness::testing {
namespace {

// Idle for days: as long as conntrack keeps an open connection. One that is closing: two minutes.
RunResult idle_for(std::int64_t time, bool closing, bool counted_on) {
  Stream stream;
  Router r(stream, false);
  r.handshake();
  if (closing) r.client({FA});
  RunResult reported;
  LiveCorrelator correlator(router_settings(), router_names());
  TimeNs now = 0;
  for (const Event& event : stream.events) {
    correlator.feed(event, reported.reports);
    now = event.ts_ns;
  }
  now += time;
  correlator.advance(now, reported.reports);
  if (correlator.wants_hops() && counted_on) {
    SocketFound found{};
    found.header.kind = TW_KIND_SOCKET;
    found.header.version = TW_ABI_VERSION;
    found.tuple = r.near();
    found.has_wire = 1;
    found.wire.segs_in = 1000;
    correlator.feed(Event{1000, now, found}, reported.reports);
  }
  correlator.advance(now + 25 * s, reported.reports);
  for (const FlowToDelete& hop : correlator.flows_to_delete())
    EXPECT_TRUE(hop.key.local.port == 80 || hop.key.remote.port == 80);
  reported.summary = correlator.summary();
  return reported;
}

TEST(ForwardedIdle, AnOpenOneIsFollowedForFiveDays) {
  constexpr std::int64_t day = 86'400 * s;
  EXPECT_TRUE(idle_for(5 * day - s, false, false).lives().empty());
  const RunResult reported = idle_for(5 * day, false, false);
  ASSERT_EQ(reported.lives().size(), 1U);
  EXPECT_EQ(reported.life().outcome, Outcome::unknown);
  EXPECT_EQ(reported.summary.given_up, 1U);
}

TEST(ForwardedIdle, AClosingOneForTwoMinutes) {
  EXPECT_TRUE(idle_for(119 * s, true, false).lives().empty());
  EXPECT_EQ(idle_for(120 * s, true, false).lives().size(), 1U);
}

// Segments that are no events have passed meanwhile.
TEST(ForwardedIdle, OneWhoseCountersGrewIsNotIdle) {
  const RunResult reported = idle_for(120 * s, true, true);
  EXPECT_TRUE(reported.lives().empty());
  EXPECT_EQ(reported.summary.given_up, 0U);
}

// Until the end is reported the last counters are asked for; answer() plays the flow map.
struct Ended {
  RunResult reported;
  std::vector<Flow> asked;
  std::vector<FlowToDelete> forgotten;
};
template <typename Answer>
Ended ended(const Stream& stream, Answer answer) {
  Ended result;
  LiveCorrelator correlator(trace_settings(), router_names());
  TimeNs now = 0;
  for (const Event& event : stream.events) {
    correlator.feed(event, result.reported.reports);
    now = event.ts_ns;
  }
  EventId id = 1000;
  for (int i = 0; i < 12; ++i) {
    now += 30 * ms;
    for (const Flow& hop : correlator.ended_hops()) {
      result.asked.push_back(hop);
      if (const auto found = answer(hop)) correlator.feed(Event{id++, now, *found}, result.reported.reports);
    }
    for (const FlowToDelete& hop : correlator.flows_to_delete()) result.forgotten.push_back(hop);
    correlator.advance(now, result.reported.reports);
  }
  return result;
}

TEST(ForwardedEnd, CountersThatHadNoEventAreAskedFor) {
  Stream stream;
  Router r(stream, false);
  r.handshake();
  r.server_sends_unseen(5000);
  r.made(true, {R});
  const auto all = [&](const Flow& hop) { return std::optional(r.counted(hop.local.port == 80)); };
  const Ended right = ended(stream, all);
  ASSERT_EQ(right.reported.lives().size(), 1U);
  EXPECT_EQ(right.asked.size(), 2U);
  EXPECT_EQ(right.reported.life().rx_bytes, 5000U);
  ASSERT_TRUE(right.reported.life().wire);
  EXPECT_TRUE(right.reported.life().wire->complete);
  ASSERT_EQ(right.forgotten.size(), 2U);
  // By these a SYN of the next connection on the same ports is known.
  const bool near_first = right.forgotten[0].key.local.port == 80;
  const FlowToDelete& near = right.forgotten[near_first ? 0 : 1];
  const FlowToDelete& far = right.forgotten[near_first ? 1 : 0];
  ASSERT_TRUE(near.isn_in && near.isn_out);
  EXPECT_NE(near.isn_in, near.isn_out);
  EXPECT_EQ(near.isn_in, far.isn_out);
  EXPECT_EQ(near.isn_out, far.isn_in);
  // Nobody answers: then they are not all.
  const Ended almost = ended(stream, [](const Flow&) { return std::optional<SocketFound>{}; });
  ASSERT_EQ(almost.reported.lives().size(), 1U);
  EXPECT_EQ(almost.reported.life().rx_bytes, 0U);
  EXPECT_FALSE(almost.reported.life().wire->complete);
}

TEST(ForwardedEnd, WhereEachHopShowedItNobodyAsks) {
  Stream stream;
  Router r(stream, false);
  r.handshake();
  r.server({PA, 10});
  r.closes();
  const Ended closed = ended(stream, [](const Flow&) { return std::optional<SocketFound>{}; });
  ASSERT_EQ(closed.reported.lives().size(), 1U);
  EXPECT_TRUE(closed.asked.empty());
  EXPECT_TRUE(closed.reported.life().wire->complete);
  EXPECT_EQ(closed.forgotten.size(), 2U);
}

// Its flow is out of the map, so what comes late looks like an unknown connection.
TEST(ForwardedEnd, WhatComesLateBeginsNothing) {
  const auto lives = [](std::int64_t later, bool begun_again, bool late) {
    Stream stream;
    Router r(stream, false);
    r.handshake();
    r.closes();
    stream.wait(1 * s);
    Router(stream, false, 41000).client({S});  // time passes
    stream.wait(later);
    if (begun_again) Router(stream, false).client({S});
    if (late) r.server_lost({FA, 0, TW_EVENT_UNKNOWN_FLOW});
    return run(stream.events, flood_settings(), 200 * ms, router_names()).lives().size() - 1;
  };
  EXPECT_EQ(lives(1 * s, false, false), 1U);
  EXPECT_EQ(lives(1 * s, false, true), 1U);
  EXPECT_EQ(lives(1 * s, true, true), 2U) << "a SYN has begun another one";
  EXPECT_EQ(lives(121 * s, false, true), 2U) << "it was open before";
}

TEST(EndedHops, AreBounded) {
  EndedHops hops(3);
  const auto key = [](std::uint16_t port) { return Flow{{{}, port}, {{}, 80}, 0}; };
  for (std::uint16_t port = 1; port <= 5; ++port) hops.add(key(port), port);
  EXPECT_EQ(hops.size(), 3U);
  EXPECT_FALSE(hops.contains(key(2), 5));
  EXPECT_TRUE(hops.contains(key(3), 5));
  hops.begun_again(key(3));
  EXPECT_FALSE(hops.contains(key(3), 5));
  EXPECT_TRUE(hops.contains(key(5), EndedHops::lasts_ns + 5));
  EXPECT_FALSE(hops.contains(key(5), EndedHops::lasts_ns + 6));
}

}  // namespace
}  // namespace tcpwitness::testing
