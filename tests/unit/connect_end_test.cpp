// SPDX-License-Identifier: Apache-2.0
// How a connect() ends: unsent, ignored, or only without an answer; and who sent a RST.
#include <ranges>
#include <type_traits>

#include "unit/says.hpp"

namespace tcpwitness::testing {
namespace {

TEST(ConnectUnsent, IsToldWhenTheKernelDroppedEverySyn) {
  for (const Story& story : {unsent_story(), unsent_qdisc_story(), unsent_neighbour_story()}) {
    const Life life = run(story.events).life();
    EXPECT_EQ(life.outcome, Outcome::connect_unsent) << story.name;
    EXPECT_NE(life.explanation.find("left this machine"), std::string::npos) << life.explanation;
  }
}

TEST(ConnectUnsent, NamesTheReasonAndTheError) {
  EXPECT_EQ(run(unsent_story().events).life().explanation,
            "None of 3 SYNs left this machine: dropped by netfilter, the kernel's firewall (NETFILTER_DROP); connect() "
            "failed with "
            "ETIMEDOUT after 7.00 s.");
  EXPECT_NE(run(unsent_neighbour_story().events).life().explanation.find("EHOSTUNREACH"), std::string::npos);
}

TEST(ConnectUnsent, IsNotToldWhenOneSynLeft) {
  Stream stream;
  Side c = client_of(stream);
  c.to(State::syn_sent, curl);
  c.out(S);
  c.drop(drop_qdisc, true, S);
  sends_syn_again(c, 1 * s, 1, drop_qdisc, true);
  sends_syn_again(c, 2 * s, 0, 0, true);  // the queue had room again
  c.extra.total_retrans = 2;
  connect_times_out(c);
  const RunResult reported = run(stream.events);
  EXPECT_EQ(reported.life().outcome, Outcome::connect_timeout);
  EXPECT_TRUE(reported.finding(Rule::tx_not_sent).has_value());
}

TEST(ConnectUnsent, IsNotFoundForSynsWhoseDropWasNotSeen) {
  EXPECT_EQ(run(without<Drop>(unsent_story().events)).life().outcome, Outcome::connect_timeout);
}

// On a busy machine no program ran for one of them: neither its drop nor its retransmission is an event.
TEST(ConnectUnsent, IsFoundByTheWireWhereADropWasNotSeen) {
  std::vector<Event> events = unsent_story().events;
  const auto last = [&]<typename Body>(std::type_identity<Body>) {
    const auto at = std::ranges::find_if(events | std::views::reverse,
                                         [](const Event& e) { return std::holds_alternative<Body>(e.body); });
    events.erase(std::prev(at.base()));
  };
  last(std::type_identity<Drop>{});
  last(std::type_identity<Retransmit>{});
  const Life both = run(events).life();
  EXPECT_EQ(both.outcome, Outcome::connect_unsent);
  EXPECT_TRUE(both.explanation.starts_with("None of 3 SYNs left this machine")) << both.explanation;
  EXPECT_EQ(run(without_wire(events), kernel_settings()).life().outcome, Outcome::connect_timeout);
}

TEST(ConnectUnsent, NeedsNoWire) {
  EXPECT_EQ(run(without_wire(unsent_qdisc_story().events), kernel_settings()).life().outcome, Outcome::connect_unsent);
}

TEST(ConnectUnsent, ACopyThatStillWaitedIsNoSecondSyn) {
  const RunResult reported = run(unsent_neighbour_story().events);
  EXPECT_TRUE(says(reported.finding(Rule::retransmission), "2 more were put off"));
  EXPECT_TRUE(says(reported.finding(Rule::tx_not_sent), "the next hop did not answer for its address"));
}

TEST(ResetOrigin, ALocalFirewallThatDropsTheSynAnswersItToo) {
  for (const bool in_output : {true, false}) {
    Stream stream;
    Side c = client_of(stream);
    c.to(State::syn_sent, curl);
    if (in_output) {
      c.drop(drop_netfilter, true, S);
    } else {
      c.out(S);
    }
    c.in(RA, 0, 0, [](Segment& g) { g.seq = 0; });
    c.kernel_reset(ResetDirection::received, reset_reason_unknown);
    connect_times_out(c, 111);
    const auto finding = run(stream.events).finding(Rule::reset_origin);
    EXPECT_EQ(says(finding, "a local firewall sent the RST in the peer's place"), in_output) << finding_text(finding);
    EXPECT_EQ(finding->confidence, in_output ? Confidence::certain : Confidence::likely);
  }
}

// On a busy machine what has left on loopback waits for a processor: when it left is what counts.
TEST(ResetOrigin, ARejectsRstMayWaitOnLoopback) {
  for (const TimeNs left_after : {20 * us, 2 * ms, TimeNs{0}}) {  // of the drop; 0: it was not seen
    Stream stream;
    Side c = client_of(stream);
    Side in_its_name = server_of(stream);
    in_its_name.view = SocketKind::none;
    c.to(State::syn_sent, curl);
    c.drop(drop_netfilter, true, S);
    const auto on_loopback = [](Segment& g) {
      g.seq = 0;
      g.ifindex = 1;
    };
    if (left_after != 0) {
      stream.wait(left_after);
      in_its_name.out(RA, 0, 0, on_loopback);
    }
    stream.wait(5 * ms - left_after);
    c.in(RA, 0, 0, on_loopback);
    c.kernel_reset(ResetDirection::received, reset_reason_unknown);
    connect_times_out(c, 111);
    const bool at_once = left_after == 20 * us;
    const RunResult reported = run(stream.events);
    EXPECT_EQ(reported.life().closed_by, at_once ? ClosedBy::local : ClosedBy::peer) << left_after;
    EXPECT_EQ(reported.finding(Rule::reset_origin)->confidence, at_once ? Confidence::certain : Confidence::likely);
  }
}

// A RST for an open connection that came in on loopback, while all else of the peer comes by another interface.
TEST(ResetOrigin, ADropOfLongBeforeIsNoProofOfTheRstOnLoopback) {
  for (const TimeNs before : {TimeNs{100} * us, 5 * s}) {
    Stream stream;
    Side c = client_of(stream);
    connects(c);
    c.in(PA, 10, 0, [](Segment& g) { g.ifindex = 2; });
    c.drop(drop_netfilter, true, PA, 10);
    stream.wait(before);
    c.in(R, 0, 0, [](Segment& g) { g.ifindex = 1; });
    c.kernel_reset(ResetDirection::received, reset_reason_unknown);
    c.extra.sk_err = ECONNRESET;
    c.to(State::close);
    c.error(ECONNRESET);
    c.destroy();
    const RunResult reported = run(stream.events);
    EXPECT_EQ(reported.life().outcome, Outcome::reset_by_local);
    const auto finding = reported.finding(Rule::reset_origin);
    EXPECT_EQ(finding->confidence, before < 1 * s ? Confidence::certain : Confidence::likely) << finding_text(finding);
  }
}

TEST(ResetOrigin, AFirewallsRejectIsCertainByTheKernelsWord) {
  for (const bool reported_drop : {true, false}) {
    Stream stream;
    Side c = client_of(stream);
    connects(c);
    c.in(PA, 10);
    if (reported_drop) c.drop(drop_netfilter, false, PA, 10);
    c.view = SocketKind::none;
    c.out(RA);
    const auto finding = run(stream.events).finding(Rule::reset_origin);
    EXPECT_TRUE(says(finding, "a local firewall did")) << finding_text(finding);
    EXPECT_EQ(finding->confidence, reported_drop ? Confidence::certain : Confidence::likely);
  }
}

// What the firewall dropped long before shows nothing of it: a program can send one through a raw socket.
TEST(ResetOrigin, ARstLongBehindADropIsNotCertainlyTheFirewalls) {
  Stream stream;
  Side c = client_of(stream);
  connects(c);
  c.in(PA, 10);
  c.drop(drop_netfilter, false, PA, 10);
  stream.wait(2 * s);
  c.view = SocketKind::none;
  c.out(RA);
  EXPECT_EQ(run(stream.events).finding(Rule::reset_origin)->confidence, Confidence::likely);
}

TEST(ConnectUnsent, ARefusalByARstIsARefusal) {
  Stream stream;
  Side c = client_of(stream);
  c.to(State::syn_sent, curl);
  c.drop(drop_netfilter, true, S);
  c.in(RA, 0, 0, [](Segment& g) { g.seq = 0; });
  c.kernel_reset(ResetDirection::received, reset_reason_unknown);
  connect_times_out(c, 111);
  EXPECT_EQ(run(stream.events).life().outcome, Outcome::refused);
}

TEST(ConnectIgnored, IsToldWithTheKernelsReason) {
  const Life life = run(ignored_story().events).life();
  EXPECT_EQ(life.outcome, Outcome::connect_ignored);
  EXPECT_NE(life.explanation.find(
                "arrived, but TCP never took it: dropped by netfilter, the kernel's firewall (NETFILTER_DROP)"),
            std::string::npos)
      << life.explanation;
}

TEST(ConnectIgnored, RestsOnEitherWitness) {
  EXPECT_EQ(run(without<Drop>(ignored_story().events)).life().outcome, Outcome::connect_ignored);
  EXPECT_EQ(run(without_wire(ignored_story().events), kernel_settings()).life().outcome, Outcome::connect_ignored);
}

TEST(ConnectIgnored, ASynAckForAnotherSynIsNoAnswer) {
  Stream stream;
  Side c = client_of(stream);
  c.to(State::syn_sent, curl);
  c.out(S);
  const Side before = c;
  c.acked_by_peer = 4711;
  c.in(SA);
  c.refuses(before);
  stream.wait(3 * s);
  connect_times_out(c);
  EXPECT_EQ(run(stream.events).life().outcome, Outcome::connect_timeout);
}

TEST(Outsider, IsShownByThePeerThatGoesOn) {
  const RunResult reported = run(outsider_story().events);
  EXPECT_EQ(reported.life().outcome, Outcome::reset_by_outsider);
  EXPECT_EQ(reported.life().closed_by, ClosedBy::none);
  const auto finding = reported.finding(Rule::reset_origin);
  EXPECT_TRUE(says(
      finding, "an outsider sent the RST, not the peer's TCP: it came with TTL 57, all else from 10.0.0.2:80 with 64"))
      << finding_text(finding);
  EXPECT_EQ(finding->confidence, Confidence::certain);
  EXPECT_EQ(finding->evidence.size(), 3U);
}

// It may have been under way, over a slower path than the RST: a queue holds it back, not a pause.
TEST(Outsider, WhatComesAtOnceLeavesADoubt) {
  for (const std::int64_t pause : {199 * ms, 200 * ms}) {
    const auto finding = run(outsider_story(pause).events).finding(Rule::reset_origin);
    ASSERT_TRUE(finding);
    EXPECT_EQ(finding->confidence, pause < 200 * ms ? Confidence::likely : Confidence::certain) << pause;
    EXPECT_TRUE(says(finding, "an outsider sent the RST")) << finding_text(finding);
  }
}

// A RST with ACK has the newest number of who sends it; one without answers payload, within a round trip.
TEST(Outsider, WhatIsNoAnswerLeavesNoDoubt) {
  const auto confidence = [](std::uint32_t sent_ms, std::uint8_t flags) {
    std::vector<Event> events = outsider_story(10 * ms).events;
    for (Event& event : events) {
      if (auto* reset = std::get_if<Reset>(&event.body)) reset->sent_ms = sent_ms;
      auto* g = std::get_if<Segment>(&event.body);
      if (g != nullptr && (g->flags & rst) != 0 && !g->outgoing()) g->flags = flags;
    }
    const auto finding = run(events).finding(Rule::reset_origin);
    return finding ? finding->confidence : Confidence::inconclusive;
  };
  EXPECT_EQ(confidence(0, R), Confidence::likely);
  EXPECT_EQ(confidence(100, R), Confidence::certain);
  EXPECT_EQ(confidence(0, RA), Confidence::certain);
}

TEST(Outsider, ASilentPeerLeavesASuspicion) {
  std::vector<Event> events = outsider_story().events;
  events.resize(events.size() - 2);  // the peer's next segment and our answer
  const RunResult reported = run(events);
  EXPECT_EQ(reported.life().outcome, Outcome::reset_by_peer);
  const auto finding = reported.finding(Rule::reset_origin);
  EXPECT_TRUE(says(finding, "perhaps something on the way sent it")) << finding_text(finding);
  EXPECT_EQ(finding->confidence, Confidence::likely);
}

// Without a timeline the peer's ordinary segments are no events: the RST carries the TTL of the newest one.
TEST(Outsider, TheTtlOfWhatWasOrdinaryCounts) {
  const auto confidence = [](std::uint8_t before) {
    std::vector<Event> events = outsider_story().events;
    events.resize(events.size() - 2);  // the peer's next segment and our answer
    std::erase_if(events, [](const Event& event) {
      const auto* g = std::get_if<Segment>(&event.body);
      return g != nullptr && !g->outgoing() && g->len != 0;
    });
    for (Event& event : events) {
      auto* g = std::get_if<Segment>(&event.body);
      if (g != nullptr && (g->flags & rst) != 0) g->ttl_before = before;
    }
    const auto finding = run(events).finding(Rule::reset_origin);
    EXPECT_EQ(says(finding, "TTL"), before != 60) << finding_text(finding);
    return finding ? finding->confidence : Confidence::certain;
  };
  EXPECT_EQ(confidence(0), Confidence::inconclusive);
  EXPECT_EQ(confidence(64), Confidence::likely);
  EXPECT_EQ(confidence(60), Confidence::likely) << "the peer's TTL varies";
}

TEST(Outsider, ThePeersOwnTtlIsThePeer) {
  std::vector<Event> events = outsider_story().events;
  for (Event& event : events) {
    if (auto* g = std::get_if<Segment>(&event.body)) g->ttl = 64;
  }
  const RunResult reported = run(events);
  EXPECT_EQ(reported.life().outcome, Outcome::reset_by_peer);
  EXPECT_FALSE(says(reported.finding(Rule::reset_origin), "TTL"));
}

TEST(Outsider, ManyWaysHaveNoBaseline) {
  std::vector<Event> events = outsider_story().events;
  std::uint8_t ttl = 60;
  for (Event& event : events) {
    if (auto* g = std::get_if<Segment>(&event.body); g != nullptr && (g->flags & rst) == 0) g->ttl = ttl++;
  }
  EXPECT_EQ(run(events).life().outcome, Outcome::reset_by_peer);
}

TEST(Outsider, WhatThePeerSentBeforeItsRstIsNoLife) {
  Stream stream;
  Side c = client_of(stream);
  connects(c);
  c.in(PA, 20);
  c.in(R, 0, 0, [](Segment& g) { g.ttl = 57; });
  c.kernel_reset(ResetDirection::received, reset_reason_unknown);
  c.extra.sk_err = 104;
  c.to(State::close);
  c.view = SocketKind::none;
  c.in(PA, 20, TW_EVENT_RETRANSMISSION, [&](Segment& g) { g.seq -= 20; });  // overtaken on the way
  c.in(A);                                                                  // and a bare ACK
  EXPECT_EQ(run(stream.events).life().outcome, Outcome::reset_by_peer);
}

TEST(Outsider, AGapTakesTheCertaintyNotTheStory) {
  expect_downgraded_by_a_gap(outsider_story(), Rule::reset_origin, Confidence::certain);
}

}  // namespace
}  // namespace tcpwitness::testing
