// SPDX-License-Identifier: Apache-2.0
// forwarded_drops_test.cpp: segments that came in at a router and did not leave.
#include <gtest/gtest.h>

#include "unit/router.hpp"
#include "unit/says.hpp"

namespace tcpwitness::testing {
namespace {

TEST(ForwardDropped, ByTheKernelsWord) {
  Stream stream;
  Router r(stream, false);
  r.client_lost({S});
  const EventId dropped = r.drop(drop_netfilter, true, S, 100);
  stream.wait(1 * s);
  r.client_lost({S, 0, TW_EVENT_RETRANSMISSION});
  r.drop(drop_netfilter, true, S, 100);
  const RunResult reported = reported_of(stream);
  ASSERT_EQ(reported.lives().size(), 1U);
  const auto finding = reported.finding(Rule::forward_dropped);
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->confidence, Confidence::certain);
  EXPECT_NE(std::ranges::find(finding->evidence, dropped), finding->evidence.end());
  EXPECT_EQ(reported.life().forwarded->lost_to_server, 2U);
  EXPECT_FALSE(reported.life().has_kernel);
}

TEST(ForwardDropped, WithoutAReasonItIsNeverCertain) {
  Stream stream;
  Router r(stream, false);
  r.handshake();
  r.server_lost({FA});
  stream.wait(1 * s);
  const auto finding = reported_of(stream).finding(Rule::forward_dropped);
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->confidence, Confidence::likely);
}

TEST(ForwardDropped, IsCertainOnlyWhereTheKernelReportsEachOfThem) {
  for (const int reports : {1, 2}) {
    Stream stream;
    Router r(stream, false);
    r.client_lost({S});
    r.drop(drop_netfilter, true, S, 100);
    stream.wait(1 * s);
    r.client_lost({S, 0, TW_EVENT_RETRANSMISSION});
    if (reports == 2) r.drop(drop_netfilter, true, S, 100);
    const auto finding = reported_of(stream).finding(Rule::forward_dropped);
    ASSERT_TRUE(finding);
    EXPECT_EQ(finding->confidence, reports == 2 ? Confidence::certain : Confidence::likely);
    EXPECT_EQ(says(finding, "(the kernel reported 1 of them)"), reports == 1) << sentence(*finding);
  }
}

// What the other end acknowledges has left, seen or not.
TEST(ForwardDropped, WhatIsAnsweredDidLeave) {
  Stream stream;
  Router r(stream, false);
  r.client_lost({S});
  r.server({SA});
  r.client({A, 0, TW_EVENT_HANDSHAKE_ACK});
  r.closes();
  const auto finding = reported_of(stream).finding(Rule::forward_dropped);
  EXPECT_FALSE(finding) << sentence(*finding);
  EXPECT_EQ(reported_of(stream).lives().size(), 1U) << "the hop of the SYN-ACK is the other one of it";
}

TEST(ForwardDropped, WhatJustCameInMayLeaveYet) {
  Stream stream;
  Router r(stream, false);
  r.handshake();
  r.client_lost({FA});
  EXPECT_FALSE(reported_of(stream, 1 * ms).finding(Rule::forward_dropped));
}

// A segment without a mark is an event on one hop and not on the other: only the counters show that it stayed.
TEST(ForwardDropped, DataByTheCountersOfBothHops) {
  Stream stream;
  Router r(stream, false);
  r.handshake();
  r.client_lost({PA, 100});
  r.client({PA, 100, TW_EVENT_RETRANSMISSION});
  r.closes();
  const RunResult reported = reported_of(stream);
  EXPECT_EQ(reported.life().forwarded->lost_to_server, 1U);
  EXPECT_EQ(reported.life().retransmits, 1U);
  EXPECT_TRUE(reported.finding(Rule::forward_dropped));
}

// -i names one of two interfaces: what leaves on the other one is not traced.
RunResult one_side(bool every_interface, bool dropped, bool passes_again = false) {
  Stream stream;
  Router r(stream, false);
  r.near_seen = false;
  r.untie();
  r.client({S});
  r.server({SA});
  r.client({A, 0, TW_EVENT_HANDSHAKE_ACK});
  stream.wait(10 * ms);
  if (dropped) r.drop(drop_netfilter, true, PA, 101);
  stream.wait(10 * ms);
  if (passes_again) r.client({PA, 10, TW_EVENT_RETRANSMISSION});
  CorrelatorSettings settings = router_settings();
  settings.every_interface = every_interface;
  return run(stream.events, settings, 200 * ms, router_names());
}

TEST(ForwardedOneSide, WhatAFirewallDroppedMayHaveBeenAnsweredUnseen) {
  EXPECT_EQ(one_side(false, true).life().outcome, Outcome::unknown);
  EXPECT_EQ(one_side(false, false).life().outcome, Outcome::open);
  EXPECT_EQ(one_side(false, true, true).life().outcome, Outcome::open) << "it goes on";
  EXPECT_EQ(one_side(true, true).life().outcome, Outcome::open);
}

TEST(ForwardedOneSide, WhatLeavesUnseenDidNotStayHere) {
  Stream stream;
  Router r(stream, false);
  r.client_lost({S});
  stream.wait(1 * s);
  r.client_lost({S, 0, TW_EVENT_RETRANSMISSION});
  CorrelatorSettings settings = router_settings();
  EXPECT_TRUE(run(stream.events, settings, 200 * ms, router_names()).finding(Rule::forward_dropped));
  settings.every_interface = false;
  EXPECT_FALSE(run(stream.events, settings, 200 * ms, router_names()).finding(Rule::forward_dropped));
}

// A bridge that does not know the address sends a copy to each port, and one of those is full.
TEST(ForwardDropped, TheDropOfACopyIsNoLoss) {
  for (const bool again : {false, true}) {
    Stream stream;
    Router r(stream, false);
    r.handshake();
    r.client({PA, 100});
    r.drop(drop_qdisc, true, PA, 101);
    if (again) r.client({PA, 100, TW_EVENT_RETRANSMISSION});  // the hook is in front of the queue that was full
    r.closes();
    const auto finding = reported_of(stream).finding(Rule::forward_dropped);
    EXPECT_EQ(finding.has_value(), again) << finding_text(finding);
  }
}

}  // namespace
}  // namespace tcpwitness::testing
