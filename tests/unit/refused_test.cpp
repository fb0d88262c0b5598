// SPDX-License-Identifier: Apache-2.0
// What TCP refuses changes nothing: SYN, ACK, FIN, RST and payload of somebody who knows the ports alone, a challenge
// ACK and the RST it asks for, and what comes behind the end.
#include "unit/both_ends.hpp"
#include "unit/says.hpp"

namespace tcpwitness::testing {
namespace {

// Comes in with numbers that the socket refuses, and leaves it as it was.
EventId refused(Side& c, std::uint8_t flags, Refusal why, const Side::EditSegment& edit = {}) {
  const Side before = c;
  const EventId id = c.in(flags, 0, 0, [&](Segment& g) {
    g.seq = c.rcv_nxt + 300'000'000;
    g.refused = why;
    if (edit) edit(g);
  });
  c.refuses(before);
  return id;
}

void answers_with_reset(Side& c) {
  c.kernel_reset(ResetDirection::sent, reset_reason_unknown, nobody, true);
  c.view = SocketKind::control;
  c.out(R);
  c.view = SocketKind::full;
}

TEST(Refused, FiveSpoofedSegmentsChangeNoVerdictButOutOfWindow) {
  Stream stream;
  Side c = client_of(stream);
  connects(c);
  c.out(PA, 50);
  refused(c, S, Refusal::syn);
  refused(c, A, Refusal::beyond_window, [](Segment& g) {
    g.window = 0;
    g.event_flags = TW_EVENT_ZERO_WINDOW;
  });
  refused(c, FA, Refusal::beyond_window);
  refused(c, R, Refusal::beyond_window);
  refused(c, PA, Refusal::unsent_ack);
  stream.wait(500 * ms);
  c.in(PA, 70);
  closes_first(c, curl);
  const RunResult reported = run(stream.events, trace_settings());
  ASSERT_EQ(reported.lives().size(), 1U);
  EXPECT_EQ(reported.life().outcome, Outcome::completed);
  for (const Finding& finding : reported.life().findings) {
    EXPECT_TRUE(finding.rule == Rule::out_of_window || finding.rule == Rule::time_wait) << sentence(finding);
  }
  ASSERT_TRUE(reported.finding(Rule::out_of_window).has_value());
  // The numbers are still those of the handshake.
  const auto fin = reported.transition(State::established, State::fin_wait1);
  ASSERT_TRUE(fin.has_value());
  EXPECT_EQ(reported.segment(stream.events.back().id - 6)->relative, true);
}

// Almost: the same RST at the one number that it must have.
TEST(Refused, ARstThatFitsEndsIt) { EXPECT_EQ(run(peer_reset_story().events).life().outcome, Outcome::reset_by_peer); }

// RFC 5961, 4 and RFC 9293, 3.10.7.3: the server still holds the connection of before.
TEST(Refused, AChallengeAckAndItsRstAreNoEndOfTheAttempt) {
  Stream stream;
  Side c = client_of(stream);
  c.to(State::syn_sent, curl);
  c.out(S);
  refused(c, A, Refusal::unsent_ack);
  answers_with_reset(c);
  stream.wait(1 * s);
  c.out(S, 0, TW_EVENT_RETRANSMISSION, [&](Segment& g) { g.seq = c.isn(); });
  c.retransmit(4, 0, 1);
  c.in(SA);
  c.to(State::established);
  c.out(A, 0, TW_EVENT_HANDSHAKE_ACK);
  closes_first(c, curl);
  const RunResult reported = run(stream.events);
  EXPECT_EQ(reported.life().outcome, Outcome::completed);
  EXPECT_FALSE(reported.finding(Rule::reset_origin).has_value());
}

// Almost: data for an orphan closes the socket before the RST leaves.
TEST(Refused, ARstThatAnswersDataForAnOrphanIsTheEnd) {
  EXPECT_EQ(run(abort_on_data_story().events).life().outcome, Outcome::reset_by_local);
}

TEST(Refused, ARstBehindTheEndIsNone) {
  Stream stream;
  Side c = client_of(stream);
  connects(c);
  closes_second(c, curl);
  c.view = SocketKind::none;
  c.in(R);
  Reset late{};
  late.header = c.header(TW_KIND_RESET);
  late.tuple = c.tuple();
  late.direction = ResetDirection::sent;
  late.answers_segment = 1;
  late.reason = reason_no_socket;
  stream.add(late);
  c.out(R);
  const RunResult reported = run(stream.events);
  EXPECT_EQ(reported.life().outcome, Outcome::completed);
  EXPECT_FALSE(reported.finding(Rule::reset_origin).has_value());
}

TEST(Refused, ASecondRstHidesNotTheOneThatWasTaken) {
  Stream stream;
  Side c = client_of(stream);
  connects(c);
  const EventId taken = c.in(RA);
  c.in(R, 0, 0, [](Segment& g) { g.seq += 500; });
  c.kernel_reset(ResetDirection::received, reset_reason_unknown);
  c.extra.sk_err = 104;
  c.to(State::close);
  const RunResult reported = run(stream.events);
  EXPECT_EQ(reported.life().outcome, Outcome::reset_by_peer);
  ASSERT_TRUE(reported.finding(Rule::reset_origin).has_value());
  EXPECT_EQ(reported.finding(Rule::reset_origin)->evidence.at(0), taken);
}

TEST(Refused, ARstThatARequestRefusesLeavesItHalfOpen) {
  for (const bool taken : {true, false}) {
    Stream stream;
    listens(stream);
    Side c = server_of(stream);
    is_asked(c);
    if (taken) {
      c.in(R);
    } else {
      refused(c, R, Refusal::beyond_window);
    }
    EXPECT_EQ(run(stream.events).life().outcome == Outcome::reset_by_peer, taken);
  }
}

TEST(Keepalive, AByteThatLeavesAgainIsARetransmission) {
  Stream stream;
  Side c = client_of(stream);
  keepalive_on(c);
  connects(c);
  c.out(PA, 1);
  stream.wait(300 * ms);
  c.out(PA, 1, TW_EVENT_KEEPALIVE | TW_EVENT_RETRANSMISSION, [&](Segment& g) { g.seq = c.snd_una; });
  c.in(A);
  closes_first(c, curl);
  EXPECT_FALSE(run(stream.events).finding(Rule::keepalive).has_value());
}

TEST(Cause, ASegmentThatWasDroppedCausedNothing) {
  for (const bool dropped : {true, false}) {
    Stream stream;
    listens(stream);
    Side c = server_of(stream);
    is_asked(c);
    const Side before = c;
    c.in(A, 0, TW_EVENT_HANDSHAKE_ACK);
    if (dropped) c.drop(drop_listen_overflow, false, A);
    c.refuses(before);
    c.view = SocketKind::full;
    c.state = State::listen;
    c.to(State::syn_recv);
    c.to(State::established);
    const auto made = run(stream.events, trace_settings()).transition(State::syn_recv, State::established);
    ASSERT_TRUE(made.has_value());
    EXPECT_EQ(made->cause.kind == Cause::Kind::segment, !dropped);
  }
}

TEST(ZeroWindow, AMomentIsFlowControlWhateverCameInIt) {
  for (const std::int64_t closed : {40 * us, 300 * ms}) {
    Stream stream;
    Side c = client_of(stream);
    connects(c);
    c.in(A, 0, TW_EVENT_ZERO_WINDOW, [](Segment& g) { g.window = 0; });
    c.out(PA, 100, TW_EVENT_WINDOW_PROBE);
    stream.wait(closed);
    c.in(A, 0, TW_EVENT_WINDOW_OPEN);
    closes_first(c, curl);
    EXPECT_EQ(run(stream.events).finding(Rule::zero_window).has_value(), closed == 300 * ms);
  }
}

// since_received_ms: since when the kernel had taken nothing of the peer. refused: it has refused an answer in between.
std::optional<Finding> reset_after_retransmission(std::uint32_t since_received_ms, bool before, bool refused = false) {
  Stream stream;
  Side c = client_of(stream);
  connects(c);
  c.out(PA, 10);
  const auto again = [&] {
    c.out(PA, 10, TW_EVENT_RETRANSMISSION, [&](Segment& g) { g.seq = c.snd_una; });
    c.retransmit(4, 0, 1);
  };
  stream.wait(200 * ms);
  if (before) again();
  stream.wait(200 * ms);
  if (refused) {
    const Side as_it_was = c;
    c.in(A);
    c.drop(drop_paws, false, A);
    c.refuses(as_it_was);
  }
  stream.wait(200 * ms);
  c.acked_by_peer = c.snd_una;
  c.extra.since_received_ms = since_received_ms;
  c.in(R);
  if (!before) again();
  c.kernel_reset(ResetDirection::received, reset_reason_unknown);
  c.extra.sk_err = 104;
  c.to(State::close);
  return run(stream.events).finding(Rule::half_open);
}

TEST(HalfOpen, NeedsASilenceBeforeTheRst) {
  EXPECT_TRUE(reset_after_retransmission(600, true).has_value());
  EXPECT_FALSE(reset_after_retransmission(600, false).has_value()) << "sent again only behind the RST";
  EXPECT_FALSE(reset_after_retransmission(100, true).has_value()) << "the peer spoke in between";
  EXPECT_FALSE(reset_after_retransmission(600, true, true).has_value()) << "it answered, and TCP refused that";
}

TEST(SynBacklogFull, WithCookiesOnAFullQueueRefusesNothing) {
  Stream stream;
  listens(stream);
  Side c = server_of(stream);
  c.view = SocketKind::listener;
  for (int i = 0; i < 2; ++i) {
    const Side before = c;
    c.in(S, 0, i == 0 ? 0 : TW_EVENT_RETRANSMISSION, [](Segment& g) {
      g.socket.syn_qlen = 9;
      g.socket.max_ack_backlog = 8;
      g.socket.syncookies = 1;
    });
    c.refuses(before);
    stream.wait(1 * s);
  }
  EXPECT_FALSE(run(stream.events).finding(Rule::syn_backlog_full).has_value());
}

TEST(SynBacklogFull, LessThanAQuarterOfTheSysctlLeftIsLikely) {
  for (const std::uint32_t half_open : {97U, 96U}) {
    Stream stream;
    listens(stream);
    Side c = server_of(stream);
    c.view = SocketKind::listener;
    for (int i = 0; i < 2; ++i) {
      const Side before = c;
      c.in(S, 0, i == 0 ? 0 : TW_EVENT_RETRANSMISSION, [&](Segment& g) {
        g.socket.syn_qlen = half_open;
        g.socket.max_ack_backlog = 4096;
        g.socket.max_syn_backlog = 128;
      });
      c.refuses(before);
      stream.wait(1 * s);
    }
    const auto finding = run(stream.events).finding(Rule::syn_backlog_full);
    ASSERT_EQ(finding.has_value(), half_open == 97);
    EXPECT_TRUE(!finding || finding->confidence == Confidence::likely);
    EXPECT_TRUE(!finding || says(finding, "tcp_max_syn_backlog is 128")) << finding_text(finding);
  }
}

TEST(SlowHandshake, AnAckThatWaitsInTheKernelIsNotLate) {
  for (const bool acked : {true, false}) {
    Stream stream;
    listens(stream);
    Side c = server_of(stream);
    is_asked(c);
    stream.wait(3 * s);
    c.out(SA, 0, TW_EVENT_RETRANSMISSION, [&](Segment& g) { g.seq = c.isn(); });
    c.retransmit(0, 0, 0, [&](Retransmit& r) {
      r.synack = 1;
      r.seq = c.isn();
      r.acked = acked ? 1 : 0;
    });
    c.in(A, 0, TW_EVENT_HANDSHAKE_ACK);
    c.view = SocketKind::full;
    c.state = State::listen;
    c.to(State::syn_recv);
    c.to(State::established);
    EXPECT_EQ(run(stream.events).finding(Rule::slow_handshake).has_value(), !acked);
  }
}

TEST(SlowHandshake, IsNotOverwrittenByALaterCopyOfTheSynAck) {
  Stream stream;
  Side c = client_of(stream);
  c.to(State::syn_sent, curl);
  c.out(S);
  stream.wait(1100 * ms);
  const Side before = c;
  c.in(SA);
  c.refuses(before);
  stream.wait(2900 * ms);
  c.in(SA, 0, TW_EVENT_RETRANSMISSION);
  c.to(State::established);
  const auto finding = run(stream.events).finding(Rule::slow_handshake);
  ASSERT_TRUE(finding.has_value());
  EXPECT_EQ(finding->confidence, Confidence::likely) << sentence(*finding);
  const auto slow = found<arguments::SlowHandshake>(finding);
  EXPECT_EQ(slow.leg, arguments::SlowHandshake::Leg::taking_a_copy);
  EXPECT_EQ(slow.leg_ns / (10 * ms), 290);
}

TEST(Retransmission, OfARequestThatIsOlderThanTheRunIsSeenByBoth) {
  Stream stream;
  Side c = server_of(stream);
  c.view = SocketKind::request;
  c.found(SocketKind::request, State::new_syn_recv);
  stream.wait(1 * s);
  c.out(SA, 0, 0, [&](Segment& g) { g.seq = c.isn(); });
  c.retransmit(0, 0, 0, [&](Retransmit& r) {
    r.synack = 1;
    r.seq = c.isn();
  });
  const auto finding = run(stream.events).finding(Rule::retransmission);
  EXPECT_FALSE(says(finding, "did not show")) << finding_text(finding);
}

// One end of a loopback connection closes with data unread. forged: a RST in its name had ended the other one before.
std::vector<Event> both_ends(std::uint32_t other_isn, bool forged = false) {
  Ends ends(other_isn);
  auto& [stream, client, server] = ends;
  ends.open();
  ends.establish();
  server.out(PA, 4096);
  client.in(PA, 4096);
  const auto reset = [](Side& end) {
    end.in(RA);
    end.kernel_reset(ResetDirection::received, reset_reason_unknown);
    end.extra.sk_err = 104;
    end.to(State::close);
    end.error(104);
    end.destroy();
  };
  if (forged) reset(server);
  client.leave_unread(4096);
  client.to(State::close, curl);
  client.out(RA);
  client.kernel_reset(ResetDirection::sent, reason_abort_on_close, curl);
  client.destroy();
  if (!forged) reset(server);
  return stream.events;
}

TEST(Peer, TheResetNamesTheProcessAtTheOtherEndAndWhy) {
  const auto lives = run(both_ends(300)).lives();
  const Life* server = life_at(lives, 80);
  const Life* client = life_at(lives, 40000);
  ASSERT_TRUE(server != nullptr && client != nullptr);
  EXPECT_EQ(server->outcome, Outcome::reset_by_peer);
  ASSERT_TRUE(server->peer.has_value());
  EXPECT_EQ(server->peer->conn, client->conn);
  EXPECT_EQ(server->peer->pid, curl.pid);
  ASSERT_TRUE(client->peer.has_value());
  EXPECT_EQ(client->peer->conn, server->conn);
  const auto origin = std::ranges::find(server->findings, Rule::reset_origin, &Finding::rule);
  ASSERT_NE(origin, server->findings.end());
  EXPECT_EQ(sentence(*origin), "RST by curl[42]: closed with 4.0 KiB unread");
  EXPECT_EQ(origin->confidence, Confidence::certain);
}

TEST(Peer, AResetThatLeftBehindTheOneThatCameDidNotEndIt) {
  const auto lives = run(both_ends(300, true)).lives();
  const Life* server = life_at(lives, 80);
  ASSERT_NE(server, nullptr);
  const auto origin = std::ranges::find(server->findings, Rule::reset_origin, &Finding::rule);
  ASSERT_NE(origin, server->findings.end());
  EXPECT_EQ(origin->confidence, Confidence::likely) << sentence(*origin);
}

TEST(Peer, TheSameAddressesWithOtherNumbersAreAnotherConnection) {
  const auto lives = run(both_ends(301)).lives();
  const Life* server = life_at(lives, 80);
  ASSERT_NE(server, nullptr);
  EXPECT_FALSE(server->peer.has_value());
  const auto origin = std::ranges::find(server->findings, Rule::reset_origin, &Finding::rule);
  ASSERT_NE(origin, server->findings.end());
  EXPECT_EQ(origin->confidence, Confidence::likely);
}

TEST(HonestWords, WhatLeavesAnAlternativeIsNeverCertain) {
  std::size_t certain = 0;
  for (const Story& story : all_stories()) {
    for (const CorrelatorSettings& settings : {life_settings(), trace_settings(), kernel_settings(), wire_settings()}) {
      auto events = story.events;
      if (!settings.has_wire) events = without_wire(events);
      if (!settings.has_kernel) events = wire_alone(events);
      for (const auto& report : run(events, settings).all<FindingReport>()) {
        if (report.finding.confidence != Confidence::certain) continue;
        ++certain;
        EXPECT_EQ(sentence(report.finding).find(" or "), std::string::npos)
            << story.name << ": " << sentence(report.finding);
        EXPECT_EQ(sentence(report.finding).find("perhaps"), std::string::npos)
            << story.name << ": " << sentence(report.finding);
      }
    }
  }
  EXPECT_GT(certain, 20U);
}

}  // namespace
}  // namespace tcpwitness::testing
