// SPDX-License-Identifier: Apache-2.0
// forwarded_test.cpp: connections of two other machines, through a router: a life of two hops each.
#include <gtest/gtest.h>

#include "unit/router.hpp"
#include "unit/says.hpp"

namespace tcpwitness::testing {
namespace {

TEST(Forwarded, AConnectionIsOneLifeOfTwoHopsWithoutAProcess) {
  Stream stream;
  Router r(stream, false);
  r.handshake();
  r.client({PA, 100, TW_EVENT_RETRANSMISSION & 0});
  r.server({PA, 1000});
  r.closes();
  const RunResult reported = reported_of(stream);
  ASSERT_EQ(reported.lives().size(), 1U);
  const Life life = reported.life();
  EXPECT_EQ(life.outcome, Outcome::completed);
  EXPECT_EQ(life.closed_by, ClosedBy::local);
  EXPECT_EQ(life.role, Role::active);
  EXPECT_EQ(life.process.pid, 0U);
  EXPECT_FALSE(life.has_kernel);
  EXPECT_TRUE(life.has_wire);
  EXPECT_EQ(to_string(life.flow.local), "10.8.0.1:40000");
  EXPECT_EQ(to_string(life.flow.remote), "10.9.0.2:80");
  EXPECT_FALSE(life.nat);
  EXPECT_EQ(life.tx_bytes, 100U);
  EXPECT_EQ(life.rx_bytes, 1000U);
  EXPECT_TRUE(life.findings.empty());
  ASSERT_TRUE(life.forwarded);
  const Forwarded& f = *life.forwarded;
  EXPECT_TRUE(f.joined);
  EXPECT_EQ(f.client.interface, "eth0");
  EXPECT_EQ(f.server.interface, "eth1");
  EXPECT_EQ(f.client.in.syn, 1U);
  EXPECT_EQ(f.server.out.syn, 1U);
  EXPECT_EQ(f.server.in.syn_ack, 1U);
  EXPECT_EQ(f.client.out.fin, 1U);
  EXPECT_EQ(f.client.in.bytes, 100U);
  EXPECT_EQ(f.server.in.bytes, 1000U);
  EXPECT_EQ(f.lost_to_server + f.lost_to_client, 0U);
  EXPECT_TRUE(f.client.rtt_ns && f.server.rtt_ns);
}

TEST(Forwarded, EachSegmentIsGivenOnceToTheTimeline) {
  Stream stream;
  Router r(stream, false);
  r.handshake();
  r.closes();
  const RunResult reported = reported_of(stream);
  EXPECT_EQ(reported.entries_of<SegmentEntry>().size(), 6U);
  for (const auto& [entry, body] : reported.entries_of<SegmentEntry>()) EXPECT_EQ(entry.conn, reported.life().conn);
}

TEST(Forwarded, ATranslatedOneHasBothForms) {
  Stream stream;
  Router r(stream, true);
  r.handshake();
  r.closes();
  const Life life = reported_of(stream).life();
  EXPECT_EQ(to_string(life.flow.local), "10.8.0.1:40000");
  ASSERT_TRUE(life.nat);
  EXPECT_EQ(to_string(life.nat->local), "10.9.0.254:51000");
  EXPECT_EQ(to_string(life.nat->remote), "10.9.0.2:80");
  EXPECT_EQ(life.outcome, Outcome::completed);
}

TEST(Forwarded, WhereTheFirstArrivalSeemedToBeForThisMachineTheJoinBeginsIt) {
  Stream stream;
  Router r(stream, true);
  r.arrivals_seen = false;
  r.client({S});
  r.arrivals_seen = true;
  r.server({SA});
  r.client({A, 0, TW_EVENT_HANDSHAKE_ACK});
  r.closes();
  const RunResult reported = reported_of(stream);
  ASSERT_EQ(reported.lives().size(), 1U);
  EXPECT_EQ(reported.life().outcome, Outcome::completed);
  EXPECT_TRUE(reported.life().forwarded->joined);
  EXPECT_EQ(to_string(reported.life().flow.local), "10.8.0.1:40000");
  EXPECT_TRUE(reported.life().findings.empty());
}

// DNAT of an address of the router itself: its first SYN seems to be for the router.
TEST(Forwarded, ASynToTheRoutersOwnAddressIsTheFirstOfItsConnection) {
  for (const SocketKind type : {SocketKind::none, SocketKind::listener}) {
    Stream stream;
    if (type == SocketKind::listener) listens(stream);
    Router r(stream, true);
    r.mss_in = 1400;
    r.first_seems_for = type;
    const EventId syn_id = stream.events.size() + 1;
    r.handshake();
    r.closes();
    stream.wait(100 * ms);
    const RunResult reported = run(stream.events, router_settings(), 200 * ms, router_names());
    ASSERT_EQ(reported.lives().size(), 1U) << static_cast<int>(type);
    const Life life = reported.life();
    EXPECT_EQ(life.outcome, Outcome::completed);
    EXPECT_EQ(life.forwarded->client.in.syn, 1U);
    EXPECT_EQ(life.forwarded->client.in.segments, 4U);
    EXPECT_EQ(life.forwarded->client.mss_in, 1400);
    EXPECT_TRUE(life.findings.empty());
    const auto segments = reported.entries_of<SegmentEntry>();
    ASSERT_EQ(segments.size(), 6U) << "each segment once";
    for (const auto& [entry, body] : segments) {
      EXPECT_EQ(entry.conn, life.conn) << entry.id;
      EXPECT_EQ(body.segment.forwarding, Forwarding::hop);
    }
    EXPECT_EQ(segments[0].first.id, syn_id);
    EXPECT_EQ(segments[0].second.segment.hook, HookPoint::egress) << "the client's, as every one of it";
  }
}

// What shows the join is a later segment: the SYN on these addresses was another one's, which the router refused.
TEST(Forwarded, AnEarlierSynToTheRouterThatWasRefusedStaysAStray) {
  Stream stream;
  Router refused(stream, true);
  refused.first_seems_for = SocketKind::none;
  refused.client_lost({S});
  Router r(stream, true);
  r.client_sent_unseen({S});
  r.server({SA});
  r.client({A, 0, TW_EVENT_HANDSHAKE_ACK});
  r.closes();
  const RunResult reported = run(stream.events, router_settings(), 200 * ms, router_names());
  ASSERT_EQ(reported.lives().size(), 1U);
  EXPECT_EQ(reported.life().forwarded->client.in.syn, 0U);
  EXPECT_EQ(reported.segment(1)->segment.forwarding, Forwarding::none);
}

// Without a join there is no telling: each hop for itself.
TEST(Forwarded, HopsThatNothingJoinsAreTwoLives) {
  Stream stream;
  Router r(stream, true);
  r.untie();
  r.handshake();
  r.closes();
  const RunResult reported = reported_of(stream);
  ASSERT_EQ(reported.lives().size(), 2U);
  for (const Life& life : reported.lives()) {
    ASSERT_TRUE(life.forwarded);
    EXPECT_FALSE(life.forwarded->joined);
    EXPECT_TRUE(life.findings.empty()) << sentence(life.findings[0]);
  }
}

TEST(Forwarded, RetransmissionsAreCountedBySide) {
  Stream stream;
  Router r(stream, false);
  r.handshake();
  r.client({PA, 100});
  r.client({PA, 100, TW_EVENT_RETRANSMISSION});
  r.server({PA, 100});
  r.server({PA, 100, TW_EVENT_RETRANSMISSION});
  r.server({PA, 100, TW_EVENT_RETRANSMISSION});
  r.closes();
  const RunResult reported = reported_of(stream);
  EXPECT_EQ(reported.life().retransmits, 1U);
  EXPECT_EQ(reported.life().retransmits_in, 2U);
  EXPECT_EQ(reported.finding(Rule::retransmission)->confidence, Confidence::likely);
  EXPECT_FALSE(reported.finding(Rule::forward_dropped)) << "they all left";
}

// tc's mirred shows a copy to a monitor, which nobody sent and which is no way to the server.
TEST(Forwarded, ACopyForAMirrorPortIsNobodys) {
  Stream stream;
  Router r(stream, false);
  r.mirrored = true;
  r.handshake();
  r.client({PA, 100});
  r.server({PA, 1000});
  r.closes();
  const RunResult reported = reported_of(stream);
  EXPECT_EQ(reported.life().retransmits, 0U);
  EXPECT_FALSE(reported.finding(Rule::retransmission).has_value());
  EXPECT_EQ(reported.life().wire->tx_bytes, 100U);
  EXPECT_EQ(reported.life().forwarded->client.interface, "eth0");
  EXPECT_EQ(reported.life().forwarded->server.interface, "eth1");
}

TEST(Forwarded, AChangedMssIsAFactOfBothHops) {
  Stream stream;
  Router r(stream, false);
  r.mss_out = 1412;
  r.handshake();
  r.closes();
  const Life life = reported_of(stream).life();
  EXPECT_EQ(life.forwarded->client.mss_in, 1460);
  EXPECT_EQ(life.forwarded->server.mss_out, 1412);
  EXPECT_NE(life.explanation.find("1460 to 1412"), std::string::npos) << life.explanation;
}

TEST(Forwarded, TheSamePortsAgainAreAnotherConnection) {
  Stream stream;
  Router r(stream, false);
  r.handshake();
  r.closes();
  stream.wait(300 * ms);
  Router again(stream, false);
  again.client({S});
  // The numbers of another connection.
  for (std::size_t i = stream.events.size() - 3; i < stream.events.size(); ++i) {
    if (auto* g = std::get_if<Segment>(&stream.events[i].body)) g->seq = 7000;
  }
  const RunResult reported = reported_of(stream);
  ASSERT_EQ(reported.lives().size(), 2U);
  EXPECT_EQ(reported.life(0).outcome, Outcome::completed);
  EXPECT_EQ(reported.life(1).outcome, Outcome::open);
}

// A proxy on the router takes what was for another machine (REDIRECT, TPROXY): its own connection, and no forwarded
// one.
TEST(Forwarded, WhatAProxyHereTakesIsTheProxys) {
  Stream stream;
  Router r(stream, false);
  listens(stream);
  const EventId asked = r.client_lost({S});
  Side c = {stream, 9, "10.9.0.2", 80, "10.8.0.1", 40000, 300, 100, false};
  c.peer_nxt = c.rcv_nxt = 101;
  c.view = SocketKind::request;
  c.state = State::new_syn_recv;
  c.out(SA);
  c.in(A, 0, TW_EVENT_HANDSHAKE_ACK);
  c.view = SocketKind::full;
  c.state = State::listen;
  c.to(State::syn_recv);
  c.to(State::established);
  closes_second(c, nginx);
  const RunResult reported = reported_of(stream);
  ASSERT_EQ(reported.lives().size(), 1U);
  EXPECT_FALSE(reported.life().forwarded);
  EXPECT_EQ(reported.life().outcome, Outcome::completed);
  EXPECT_EQ(reported.life().process.comm, "nginx");
  for (const auto& [entry, body] : reported.entries_of<SegmentEntry>()) {
    if (entry.id == asked) {
      EXPECT_EQ(entry.conn, reported.life().conn);
    }
  }
}

// conntrack has forgotten the connection: its RST leaves with the client's own address.
TEST(Forwarded, AResetThatNatDoesNotKnowLeftUntranslated) {
  Stream stream;
  Router r(stream, true);
  r.handshake();
  r.client_lost({R});
  Router plain(stream, false);
  plain.untie();
  plain.leaves_with_numbers_of(r);
  plain.client_leaves({R});
  stream.wait(100 * ms);
  const RunResult reported = reported_of(stream);
  ASSERT_EQ(reported.lives().size(), 1U);
  EXPECT_EQ(reported.life().forwarded->untranslated, 1U);
  EXPECT_EQ(reported.life().forwarded->lost_to_server, 0U);
  EXPECT_FALSE(reported.finding(Rule::forward_dropped));
}

TEST(Forwarded, AStrayResetBeginsNoLife) {
  Stream stream;
  Router r(stream, false);
  r.client({R});
  EXPECT_TRUE(reported_of(stream).lives().empty());
}

}  // namespace
}  // namespace tcpwitness::testing
