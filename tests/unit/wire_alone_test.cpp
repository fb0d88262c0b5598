// SPDX-License-Identifier: Apache-2.0
// The six cases as the wire alone tells them: outcomes by direction and silence, bytes by sequence number.
#include <gtest/gtest.h>

#include <map>

#include "unit/stories.hpp"

namespace tcpwitness::testing {
namespace {

TEST(WireAlone, EveryStoryHasTheOutcomeThatItsSegmentsShow) {
  // Where the wire cannot show what the kernel has: who was killed, what gave up, whether anybody still waits.
  const std::map<std::string, Outcome> other = {
      {"gives up connecting", Outcome::unknown},
      {"killed with unread data", Outcome::reset_by_local},
      {"administratively prohibited", Outcome::unknown},
      {"keep-alive unanswered", Outcome::reset_by_local},
      {"retransmission gives up", Outcome::open},
      {"user timeout", Outcome::open},
      {"SYN dropped by the qdisc", Outcome::connect_timeout},
      {"SYN-ACK dropped on its way in", Outcome::unknown},
      {"SYN queue full", Outcome::unknown},
  };
  for (const Story& story : all_stories()) {
    const std::vector<Event> segments = wire_alone(story.events);
    if (segments.empty()) continue;  // nothing ever left
    const RunResult reported = run(segments, wire_settings(), 140 * s);
    const auto found = other.find(story.name);
    const Outcome expected = found != other.end() ? found->second : story.outcome;
    ASSERT_EQ(reported.lives().size(), 1U) << story.name;
    EXPECT_EQ(reported.life().outcome, expected) << story.name << ": " << name(reported.life().outcome);
    EXPECT_FALSE(reported.life().has_kernel) << story.name;
    for (const Finding& finding : reported.life().findings) {
      // The closed window and the legs of the handshake are the wire's own word.
      if (finding.rule == Rule::zero_window || finding.rule == Rule::slow_handshake) continue;
      EXPECT_NE(finding.confidence, Confidence::certain) << story.name << ": " << name(finding.rule);
    }
  }
}

TEST(WireAlone, UnansweredProbesBeforeTheRstAreALikelyKeepalive) {
  const RunResult reported = run(wire_alone(keepalive_death_story().events), wire_settings());
  const auto finding = reported.finding(Rule::keepalive);
  ASSERT_TRUE(finding.has_value());
  EXPECT_EQ(finding->confidence, Confidence::likely);
  EXPECT_NE(sentence(*finding).find("3 unanswered"), std::string::npos) << sentence(*finding);
  EXPECT_EQ(reported.life().explanation, "This side ended the connection with a RST.");
}

TEST(WireAlone, AnIcmpErrorAnswersTheSyn) {
  for (const bool again : {false, true}) {
    Stream stream;
    Side c = client_of(stream);
    c.out(S);
    c.icmp(3, 3, "10.0.0.254", c.isn());
    if (again) stream.wait(1 * s);
    if (again) c.out(S, 0, TW_EVENT_RETRANSMISSION, [&](Segment& g) { g.seq = c.isn(); });
    const Life life = run(wire_alone(stream.events), wire_settings()).life();
    EXPECT_EQ(life.outcome, again ? Outcome::open : Outcome::refused);
    EXPECT_EQ(life.closed_by, ClosedBy::none);
  }
}

TEST(WireAlone, ASynThatThisMachineRefusesIsClosedByIt) {
  Stream stream;
  Side c = server_of(stream);
  c.in(S);
  c.out(RA, 0, 0, [](Segment& g) { g.seq = 0; });
  const Life life = run(wire_alone(stream.events), wire_settings()).life();
  EXPECT_EQ(life.outcome, Outcome::refused);
  EXPECT_EQ(life.closed_by, ClosedBy::local);
}

// The look-up found no socket: it is this machine's if its own RST answers it.
TEST(WireAlone, ASynThatFindsNoSocketIsRefusedByARst) {
  const auto reported = [](std::uint32_t beside, std::int64_t later, bool own = true) {
    Stream stream;
    Side c = server_of(stream);
    c.in(S, 0, TW_EVENT_NO_SOCKET);
    stream.wait(later);
    c.out(RA, 0, 0, [&](Segment& g) {
      g.seq = 0;
      g.ack += beside;
    });
    std::vector<Event> events = wire_alone(stream.events);
    if (own) std::get<Segment>(events.back().body).socket.type = SocketKind::control;
    return run(events, wire_settings());
  };
  const RunResult refused = reported(0, 0);
  ASSERT_EQ(refused.lives().size(), 1U);
  EXPECT_EQ(refused.life().outcome, Outcome::refused);
  EXPECT_EQ(refused.life().closed_by, ClosedBy::local);
  EXPECT_EQ(refused.entries_of<SegmentEntry>().size(), 2U);
  // Almost: it acknowledges something else; nobody answers at once.
  EXPECT_TRUE(reported(1, 0).lives().empty());
  EXPECT_TRUE(reported(0, 1 * s).lives().empty());
  EXPECT_TRUE(reported(0, 0, false).lives().empty()) << "it passes through";
}

// TCP's answer to what finds no socket has a socket over IPv4 alone; what passes through over IPv6 is no such segment.
TEST(WireAlone, OverIpv6ItsOwnRstHasNoSocket) {
  for (const bool ipv6 : {true, false}) {
    Stream stream;
    Side c = server_of(stream);
    c.in(S, 0, TW_EVENT_NO_SOCKET);
    c.out(RA, 0, 0, [](Segment& g) { g.seq = 0; });
    std::vector<Event> events = wire_alone(stream.events);
    for (Event& event : events) {
      Segment& g = std::get<Segment>(event.body);
      g.socket.type = SocketKind::none;
      if (ipv6) g.tuple.local_addr[0] = g.tuple.remote_addr[0] = 0x20;
    }
    EXPECT_EQ(run(events, wire_settings()).lives().size(), ipv6 ? 1U : 0U);
  }
}

TEST(WireAlone, AnUnansweredSynIsNotSaidToHaveGotASynAck) {
  Stream stream;
  Side c = server_of(stream);
  c.in(S);
  const Life life = run(wire_alone(stream.events), wire_settings(), 140 * s).life();
  EXPECT_EQ(life.outcome, Outcome::unknown);
  EXPECT_NE(life.explanation.find("no SYN-ACK"), std::string::npos) << life.explanation;
}

TEST(WireAlone, BytesAreCountedOnceByTheFinsSequenceNumber) {
  Stream stream;
  Side c = client_of(stream);
  connects(c);
  c.out(PA, 50);
  c.out(PA, 50, TW_EVENT_RETRANSMISSION, [&](Segment& g) { g.seq = 101; });
  closes_first(c, curl);
  std::vector<Event> events = wire_alone(stream.events);
  EXPECT_EQ(run(events, wire_settings()).life().tx_bytes, 50U);
  // A reordered segment looks like one that was sent again; the FIN's number shows it.
  for (Event& event : events) std::get<Segment>(event.body).wire.retrans_bytes_out = 100;
  EXPECT_EQ(run(events, wire_settings()).life().tx_bytes, 50U);
}

// The kernel behind the hook did not get the last ACK, or the peer that forgot answers each repeated FIN by a RST.
// RFC 5961, 4.2: an open connection answers a SYN by an ACK, and goes on.
TEST(WireAlone, AForeignSynDoesNotChangeTheNumbers) {
  Stream stream;
  Side c = client_of(stream);
  connects(c);
  c.in(PA, 5);
  const Side before = c;
  c.in(S, 0, 0, [](Segment& g) { g.seq = 900'000; });
  c.refuses(before);
  closes_first(c, curl);
  EXPECT_EQ(run(wire_alone(stream.events), wire_settings()).life().rx_bytes, 5U);
}

// Both FINs passed, and the RST of who had closed refuses the data before the second one.
TEST(WireAlone, AFinWithDataThatARstRefusesIsNoClose) {
  for (const std::uint32_t len : {8U, 0U}) {
    Stream stream;
    Side c = client_of(stream);
    connects(c);
    c.out(FA);
    c.in(A, 0, TW_EVENT_FIN_ACK);
    stream.wait(500 * ms);
    c.in(FA, len);
    c.out(R);
    const Outcome found = run(wire_alone(stream.events), wire_settings()).life().outcome;
    EXPECT_EQ(found, len != 0 ? Outcome::reset_by_local : Outcome::completed) << name(found);
  }
}

TEST(WireAlone, WhatComesBehindTheEndIsNoOtherConnection) {
  const auto lives = [](const std::function<void(Side&)>& later) {
    Stream stream;
    Side c = client_of(stream);
    connects(c);
    closes_first(c, curl);
    stream.wait(6 * s);
    later(c);
    return run(wire_alone(stream.events), wire_settings(), 1 * s).lives().size();
  };
  const auto again = [](Side& c) {
    c.in(FA, 0, TW_EVENT_RETRANSMISSION, [&](Segment& g) { g.seq = c.rcv_nxt - 1; });
    c.stream().wait(1 * s);
    c.out(R);
  };
  EXPECT_EQ(lives(again), 1U);
  const auto syn = [](Side& c) { c.out(S, 0, 0, [](Segment& g) { g.seq += 100'000; }); };
  EXPECT_EQ(lives(syn), 2U) << "the port is used again";
  const auto syn_ack = [](Side& c) { c.in(SA, 0, 0, [](Segment& g) { g.seq += 100'000; }); };
  EXPECT_EQ(lives(syn_ack), 2U) << "and its SYN was not seen";
}

TEST(WireAlone, ASynThatGoesOnBehindARstIsTheSameConnection) {
  const auto lives = [](std::uint32_t apart) {
    Stream stream;
    Side c = client_of(stream);
    c.out(S);
    c.in(RA, 0, 0, [](Segment& g) { g.seq = 0; });
    stream.wait(1 * s);
    c.out(S, 0, 0, [&](Segment& g) { g.seq = c.isn() + apart; });
    c.in(RA, 0, 0, [](Segment& g) { g.seq = 0; });
    return run(wire_alone(stream.events), wire_settings(), 1 * s).lives().size();
  };
  EXPECT_EQ(lives(0), 1U);
  EXPECT_EQ(lives(70'000), 2U) << "another connect() from that port";
}

// This side closed and was never seen; the peer closes by itself, and its FIN finds nobody.
TEST(WireAlone, FinsThatCrossByAccidentAreNotBothTheFirst) {
  const auto life = [](std::int64_t apart, bool acked) {
    Stream stream;
    Side c = client_of(stream);
    connects(c);
    c.out(FA);
    stream.wait(apart);
    if (!acked) c.acked_by_peer = c.snd_nxt - 1;
    c.in(FA);
    c.out(R, 0, 0, [&](Segment& g) { g.seq = c.snd_nxt - 1; });
    return run(wire_alone(stream.events), wire_settings(), 5 * s).life();
  };
  EXPECT_EQ(life(9 * s, false).outcome, Outcome::reset_by_local);
  EXPECT_EQ(life(9 * s, true).outcome, Outcome::completed) << "it was seen";
  EXPECT_EQ(life(50 * ms, false).outcome, Outcome::completed) << "FINs that cross on their way";
  EXPECT_EQ(life(50 * ms, false).closed_by, ClosedBy::both);
}

// RFC 5961, 3.2. The socket's own number stood beside the RST.
TEST(WireAlone, ARstThatAChallengeAckAnswersEndsNothing) {
  struct Rst {
    std::uint32_t apart = 0;  // from the number that the socket waits for
    bool beyond_all = false;  // of what its sender was seen to send
    Refusal refused = Refusal::none;
    SocketKind socket = SocketKind::full;
  };
  const auto outcome = [](const Rst& rst) {
    Stream stream;
    Side c = client_of(stream);
    connects(c);
    c.in(PA, 500);
    c.in(R, 0, rst.beyond_all ? TW_EVENT_OUT_OF_ORDER : 0, [&](Segment& g) { g.seq += rst.apart; });
    std::vector<Event> events = wire_alone(stream.events);
    Segment& g = std::get<Segment>(events.back().body);
    g.socket.type = rst.socket;
    g.socket.state = State::established;
    g.socket.rcv_nxt = c.rcv_nxt;
    g.refused = rst.refused;
    return run(events, wire_settings(), 5 * s).life().outcome;
  };
  EXPECT_EQ(outcome({.apart = 1000, .beyond_all = true}), Outcome::open);
  EXPECT_EQ(outcome({.apart = 0U - 100}), Outcome::open) << "before it";
  EXPECT_EQ(outcome({.apart = 300'000'000, .beyond_all = true, .refused = Refusal::beyond_window}), Outcome::open);
  // Almost.
  EXPECT_EQ(outcome({}), Outcome::reset_by_peer);
  EXPECT_EQ(outcome({.beyond_all = true}), Outcome::reset_by_peer) << "what is before it came by another interface";
  EXPECT_EQ(outcome({.apart = 1000}), Outcome::reset_by_peer) << "what is before it may wait to be processed";
  EXPECT_EQ(outcome({.apart = 1000, .beyond_all = true, .socket = SocketKind::unknown}), Outcome::reset_by_peer);
}

TEST(WireAlone, OneSynWithoutAnswerIsNoTimeout) {
  const auto outcome = [](bool again) {
    Stream stream;
    Side c = client_of(stream);
    c.out(S);
    stream.wait(1 * s);
    if (again) c.out(S, 0, TW_EVENT_RETRANSMISSION, [&](Segment& g) { g.seq = c.isn(); });
    return run(wire_alone(stream.events), wire_settings(), 140 * s).life().outcome;
  };
  EXPECT_EQ(outcome(true), Outcome::connect_timeout);
  EXPECT_EQ(outcome(false), Outcome::unknown);
}

// Nobody looks at the sockets: the flow map has the newest counts.
TEST(WireAlone, AnOpenConnectionIsCountedByTheFlowMap) {
  const auto counted = [](bool looked, const std::function<void(SocketFound&)>& edit = {}) {
    Stream stream;
    Side c = client_of(stream);
    connects(c);
    std::vector<Event> events = wire_alone(stream.events);
    c.out(PA, 22);
    c.in(PA, 1000);
    SocketFound found{};
    found.tuple = c.tuple();
    found.type = SocketKind::none;
    found.has_wire = 1;
    found.wire = c.counted();
    if (edit) edit(found);
    if (looked) events.push_back(Event{stream.events.size() + 1, stream.now, found});
    return run(events, wire_settings(), 1 * s).life();
  };
  const Life life = counted(true);
  EXPECT_EQ(life.outcome, Outcome::open);
  EXPECT_EQ(life.tx_bytes, 22U);
  EXPECT_EQ(life.rx_bytes, 1000U);
  EXPECT_TRUE(life.wire->complete);
  EXPECT_FALSE(counted(false).wire->complete);
  EXPECT_EQ(counted(true, [](SocketFound& f) { ++f.tuple.local_port; }).rx_bytes, 0U) << "another connection's";
  EXPECT_FALSE(counted(true, [](SocketFound& f) { f.wire.segs_in = f.wire.segs_out = 1; }).wire->complete)
      << "it was begun anew";
}

TEST(WireTotals, AreCompleteOnlyAtAKnownEnd) {
  const auto complete = [](const Story& story) { return run(story.events).life().wire->complete; };
  EXPECT_TRUE(complete(close_first_story()));
  EXPECT_TRUE(complete(peer_reset_story()));
  EXPECT_FALSE(complete(still_open_story()));
}

TEST(WireTotals, OfAnOpenConnectionComeWithTheLastLook) {
  Stream stream;
  Side c = client_of(stream);
  connects(c);
  c.out(PA, 22);
  stream.events.pop_back();  // an ordinary segment is counted, not reported
  c.snd_una = c.snd_nxt;
  c.found(SocketKind::full, State::established);
  const Life life = run(stream.events).life();
  EXPECT_EQ(life.outcome, Outcome::open);
  EXPECT_EQ(life.tx_bytes, 22U);
  EXPECT_EQ(life.wire->tx_bytes, 22U);
  EXPECT_TRUE(life.wire->complete);
}

TEST(WireTotals, AreNotCompleteWhereOneDirectionWasNotWatched) {
  Story story = close_first_story();
  std::erase_if(story.events, [](const Event& e) {
    const auto* segment = std::get_if<Segment>(&e.body);
    return segment != nullptr && segment->hook == HookPoint::egress;
  });
  for (Event& event : story.events) {
    if (auto* segment = std::get_if<Segment>(&event.body)) segment->wire.segs_out = 0;
    if (auto* gone = std::get_if<SocketDestroyed>(&event.body)) gone->wire.segs_out = 0;
  }
  EXPECT_FALSE(run(story.events).life().wire->complete);
}

TEST(WireTotals, AStragglerOfAFlowThatIsOverDoesNotReplaceThem) {
  Story story = close_first_story();
  Segment late = std::get<Segment>(story.events[story.events.size() - 4].body);
  late.event_flags = TW_EVENT_FIN | TW_EVENT_UNKNOWN_FLOW;
  late.wire = {};
  late.wire.segs_in = 1;
  story.events.push_back(Event{story.events.size() + 1, story.events.back().ts_ns + ms, late});
  const Life life = run(story.events).life();
  EXPECT_EQ(life.wire->tx_bytes, 50U);
  EXPECT_TRUE(life.wire->complete);
}

TEST(Window, IsInBytesOnlyWhereBothScalesAreKnown) {
  const auto window = [](std::uint8_t ours, std::uint8_t theirs, bool syns) {
    Stream stream;
    Side c = client_of(stream);
    const auto scale = [](std::uint8_t shift) {
      return [shift](Segment& g) {
        if (shift == 0) return;
        g.options |= TW_OPT_WSCALE;
        g.wscale = shift;
      };
    };
    if (syns) {
      c.to(State::syn_sent, curl);
      c.out(S, 0, 0, scale(ours));
      c.in(SA, 0, 0, scale(theirs));
      c.to(State::established);
    } else {
      c.found(SocketKind::full, State::established);
    }
    const EventId last = c.in(PA, 5);
    return run(stream.events, trace_settings()).segment(last)->window_bytes;
  };
  EXPECT_EQ(window(7, 3, true), 500U << 3);
  EXPECT_EQ(window(7, 0, true), 500U);
  EXPECT_FALSE(window(0, 0, false).has_value());
}

TEST(Flood, OfSynsCostsABoundedNumberOfConnections) {
  CorrelatorSettings settings = life_settings();
  settings.half_open_limit = 100;
  for (const bool kernel : {true, false}) {
    settings.has_kernel = kernel;
    Stream stream;
    listens(stream);
    for (std::uint32_t i = 0; i < 1000; ++i) {
      Side c(stream, 0, "10.0.0.2", 80, "10.0.0.9", static_cast<std::uint16_t>(1000 + i), 1, i, false);
      c.view = SocketKind::listener;
      c.in(S);
    }
    Side real = server_of(stream);
    if (kernel) {
      accepts(real);
      closes_second(real, nginx);
    }
    const RunResult reported = run(stream.events, settings);
    // Of a SYN that nothing shows to have been taken there is no life.
    EXPECT_EQ(reported.summary.connections, kernel ? 1U : 100U);
    EXPECT_GE(reported.summary.untracked, 900U);
    // Who gets through is reported all the same, from the kernel's first word on.
    if (kernel) {
      EXPECT_EQ(std::ranges::count(reported.lives(), Outcome::completed, &Life::outcome), 1);
    }
  }
}

TEST(Flood, JustBelowTheLimitDropsNothing) {
  CorrelatorSettings settings = life_settings();
  settings.half_open_limit = 100;
  Stream stream;
  listens(stream);
  for (std::uint16_t i = 0; i < 100; ++i) {
    Side c(stream, 0, "10.0.0.2", 80, "10.0.0.9", static_cast<std::uint16_t>(1000 + i), 1, i, false);
    c.view = SocketKind::listener;
    c.in(S);
  }
  EXPECT_EQ(run(stream.events, settings).summary.untracked, 0U);
}

}  // namespace
}  // namespace tcpwitness::testing
