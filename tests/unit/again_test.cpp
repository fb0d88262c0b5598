// SPDX-License-Identifier: Apache-2.0
// again_test.cpp: which connection it is, where a socket connects again, both ends connect at once, or a drop shows
// neither its namespace nor its socket.
#include <gtest/gtest.h>

#include "unit/run.hpp"
#include "unit/says.hpp"

namespace tcpwitness::testing {
namespace {

TEST(ConnectAgain, EachRefusedTryOfOneSocketIsALifeWithItsOwnPort) {
  Stream stream;
  for (std::uint16_t i = 0; i < 4; ++i) {
    Side c(stream, 7, "10.0.0.1", static_cast<std::uint16_t>(40000 + i), "10.0.0.2", 80, 100U + i, 0, true);
    c.to(State::syn_sent, curl);
    c.out(S);
    c.in(RA, 0, 0, [](Segment& g) { g.seq = 0; });
    c.kernel_reset(ResetDirection::received, reset_reason_unknown);
    c.extra.sk_err = 111;
    c.to(State::close);
    c.error(111);
  }
  const RunResult reported = run(stream.events);
  ASSERT_EQ(reported.lives().size(), 4U);
  for (std::uint16_t i = 0; i < 4; ++i) {
    EXPECT_EQ(reported.life(i).outcome, Outcome::refused);
    EXPECT_EQ(reported.life(i).flow.local.port, 40000 + i);
    EXPECT_TRUE(reported.life(i).has_wire);
  }
}

// Both SYNs cross; each is answered by a SYN-ACK.
struct Simultaneous {
  RunResult reported;
  EventId syn_in = 0;
  EventId syn_ack_in = 0;
};
Simultaneous simultaneous_open() {
  Stream stream;
  Side c = client_of(stream);
  Simultaneous s;
  c.to(State::syn_sent, curl);
  c.out(S);
  s.syn_in = c.in(S);
  const std::uint32_t taken = c.rcv_nxt;
  c.rcv_nxt = 0;  // set behind the state
  c.to(State::syn_recv);
  c.rcv_nxt = taken;
  c.out(SA, 0, 0, [&](Segment& g) { g.seq = c.isn(); });
  s.syn_ack_in = c.in(SA, 0, 0, [&](Segment& g) { g.seq = c.peer_isn(); });
  c.rcv_nxt = c.peer_nxt = taken;
  c.to(State::established);
  closes_first(c, curl);
  s.reported = run(stream.events, trace_settings());
  return s;
}

TEST(SimultaneousOpen, IsNoRetransmissionAndItsCausesAreSeen) {
  const Simultaneous s = simultaneous_open();
  ASSERT_EQ(s.reported.lives().size(), 1U);
  EXPECT_EQ(s.reported.life().outcome, Outcome::completed);
  EXPECT_EQ(s.reported.life().role, Role::active);
  EXPECT_FALSE(s.reported.finding(Rule::retransmission));
  EXPECT_FALSE(s.reported.finding(Rule::slow_accept));
  const auto received = s.reported.transition(State::syn_sent, State::syn_recv);
  ASSERT_TRUE(received);
  EXPECT_EQ(received->cause.id, s.syn_in);
  EXPECT_EQ(received->cause.what, "SYN");
  const auto open = s.reported.transition(State::syn_recv, State::established);
  ASSERT_TRUE(open);
  EXPECT_EQ(open->cause.id, s.syn_ack_in);
  EXPECT_EQ(open->cause.what, "SYN-ACK");
}

// A drop of neither namespace nor socket, so far behind what this connection has received.
std::size_t drops_reported(std::int64_t off, bool known) {
  Stream stream;
  Side c = client_of(stream);
  connects(c);
  c.in(PA, 10);
  c.drop(drop_old_data, false, PA, 10);
  Drop& drop = std::get<Drop>(stream.events.back().body);
  drop.seq += static_cast<std::uint32_t>(off);
  if (!known) drop.header.netns = 0;
  closes_first(c, curl);
  const RunResult reported = run(stream.events, trace_settings());
  return reported.entries_of<DropEntry>().size();
}

TEST(DropOfNobody, WithNumbersThatCannotBeItsOwnIsAnotherConnections) {
  EXPECT_EQ(drops_reported(0, false), 1U);
  EXPECT_EQ(drops_reported(2'000'000'000, false), 0U);
  EXPECT_EQ(drops_reported(-1'000'000'000, false), 0U);
  // The namespace is known: it is this address pair's, out of its window as it may be.
  EXPECT_EQ(drops_reported(2'000'000'000, true), 1U);
}

// The socket that was to take it shows whose it is, whatever its numbers.
TEST(DropOfNobody, WithItsSocketsCookieIsThatConnections) {
  Stream stream;
  Side c = client_of(stream);
  connects(c);
  c.drop(drop_sequence, false, PA, 10);
  Drop& drop = std::get<Drop>(stream.events.back().body);
  drop.header.netns = 0;
  drop.header.cookie = 7;
  drop.seq += 2'000'000'000;
  closes_first(c, curl);
  const RunResult reported = run(stream.events, trace_settings());
  ASSERT_EQ(reported.entries_of<DropEntry>().size(), 1U);
  EXPECT_EQ(reported.entries_of<DropEntry>()[0].first.conn, reported.life().conn);
}

// Fast Open: the child is there before the SYN-ACK.
TEST(FastOpen, TheChildIsCausedByTheSyn) {
  Stream stream;
  listens(stream);
  Side c = server_of(stream);
  c.view = SocketKind::listener;
  const EventId syn = c.in(S, 20);
  c.view = SocketKind::full;
  c.state = State::listen;
  c.to(State::syn_recv);
  c.out(SA);
  c.in(A, 0, TW_EVENT_HANDSHAKE_ACK);
  c.to(State::established);
  closes_first(c, nginx);
  const auto begun = run(stream.events, trace_settings()).transition(State::listen, State::syn_recv);
  ASSERT_TRUE(begun);
  EXPECT_EQ(begun->cause.id, syn);
  EXPECT_EQ(begun->cause.what, "SYN");
}

// Its SYN-ACK has left, so an ACK made the child, which nobody saw.
TEST(FastOpen, AnOrdinaryChildIsNotCausedByTheSyn) {
  Stream stream;
  listens(stream);
  Side c = server_of(stream);
  is_asked(c);
  c.view = SocketKind::full;
  c.state = State::listen;
  c.to(State::syn_recv);
  c.to(State::established);
  closes_first(c, nginx);
  const auto begun = run(stream.events, trace_settings()).transition(State::listen, State::syn_recv);
  ASSERT_TRUE(begun);
  EXPECT_EQ(begun->cause.kind, Cause{}.kind);
}

// The request beside the child sends the SYN-ACK again, under a cookie of its own, until the kernel gives up.
struct FastOpenEnd {
  std::uint32_t another = 0;  // added to the number of the SYN-ACK: it is a new connection's
  std::uint16_t error = ETIMEDOUT;
  bool accepted = true;
  bool closed = false;     // by its process, before
  bool keepalive = false;  // ended by that, with a RST that has no reason yet (before Linux 6.10)
};

RunResult fast_open_ends(const FastOpenEnd& how) {
  Stream stream;
  listens(stream);
  Side c = server_of(stream);
  c.view = SocketKind::listener;
  c.in(S, 20);
  c.view = SocketKind::full;
  c.state = State::listen;
  c.to(State::syn_recv);
  c.out(SA);
  c.snd_una = c.snd_nxt;  // what the child sends begins behind it
  stream.wait(1000 * ms);
  const std::uint32_t number = c.isn() + how.another;
  c.out(SA, 0, TW_EVENT_RETRANSMISSION, [&](Segment& g) {
    g.header.cookie = 77;
    g.socket.type = SocketKind::request;
    g.seq = number;
  });
  c.retransmit(0, 0, 0, [&](Retransmit& r) {
    r.header.cookie = 77;
    r.synack = 1;
    r.seq = number;
  });
  if (how.closed) c.to(State::fin_wait1, nginx);
  if (how.keepalive) c.kernel_reset(ResetDirection::sent, reset_reason_unknown);
  c.extra.sk_err = how.error;
  if (!how.accepted) c.extra.details = TW_CB_UNACCEPTED;
  c.to(State::close);
  c.error(how.error);
  c.destroy();
  return run(stream.events);
}

constexpr std::string_view no_answer_to_syn_ack =
    "The SYN-ACK waited for an acknowledgement that did not come after 1 retransmission. The kernel gave up, and ";

TEST(FastOpen, ItsSynAckAgainIsTheChilds) {
  const RunResult one = fast_open_ends({});
  ASSERT_EQ(one.lives().size(), 1U);
  EXPECT_EQ(one.life().outcome, Outcome::retransmit_timeout);
  EXPECT_EQ(one.life().explanation, std::string(no_answer_to_syn_ack) + "the process gets ETIMEDOUT.");
  EXPECT_TRUE(says(one.finding(Rule::retransmission), "1 SYN-ACK"));
}

TEST(FastOpen, AnotherSynAckIsNot) { EXPECT_EQ(fast_open_ends({.another = 5000}).lives().size(), 2U); }

TEST(FastOpen, ThePathsErrorEndsWhatWasAccepted) {
  EXPECT_EQ(fast_open_ends({.error = EHOSTUNREACH}).life().outcome, Outcome::retransmit_timeout);
  EXPECT_EQ(fast_open_ends({.error = EHOSTUNREACH, .accepted = false}).life().outcome, Outcome::unknown);
}

// The FIN waits behind the SYN-ACK.
TEST(FastOpen, ItsSynAckIsWhatWaitedAlsoWhereTheProcessHadClosed) {
  const Life life = fast_open_ends({.closed = true}).life();
  EXPECT_EQ(life.outcome, Outcome::retransmit_timeout);
  EXPECT_EQ(life.explanation.find(no_answer_to_syn_ack), 0U) << life.explanation;
}

TEST(FastOpen, KeepAliveEndsOneByARst) {
  EXPECT_EQ(fast_open_ends({.keepalive = true}).life().outcome, Outcome::keepalive_timeout);
}

// TPROXY: the SYN was addressed to somebody else; the request that has taken it comes with it.
TEST(TransparentProxy, TheSynOfARequestBeginsItsConnection) {
  for (const SocketKind view : {SocketKind::request, SocketKind::none}) {
    Stream stream;
    Side c = server_of(stream);
    c.view = view;
    c.in(S);
    c.view = SocketKind::request;
    c.state = State::new_syn_recv;
    c.out(SA);
    c.in(A, 0, TW_EVENT_HANDSHAKE_ACK);
    c.view = SocketKind::full;
    c.state = State::listen;
    c.to(State::syn_recv);
    c.to(State::established);
    closes_second(c, nginx);
    const RunResult reported = run(stream.events);
    ASSERT_EQ(reported.lives().size(), 1U);
    EXPECT_EQ(reported.life().role, Role::passive);
    EXPECT_EQ(reported.life().wire->complete, view == SocketKind::request);
  }
}

Life whole_wire(std::uint32_t received, std::uint16_t event_flags) {
  Stream stream;
  Side c = client_of(stream);
  connects(c);
  c.in(PA, 10, event_flags);
  c.extra.segs_in = received;
  closes_first(c, curl);
  return run(stream.events).life();
}

// Headers that nobody could follow: the wire has no number of them, the socket has.
TEST(WireTotals, AreNotCompleteWhereTheSocketGotMore) {
  const Life life = whole_wire(4, 0);  // SYN-ACK, payload, ACK of the FIN, FIN
  EXPECT_EQ(life.wire->rx_segments, 4U);
  EXPECT_TRUE(life.wire->complete);
  EXPECT_FALSE(whole_wire(5, 0).wire->complete);
}

TEST(WireTotals, AreNotCompleteBehindAFragment) { EXPECT_FALSE(whole_wire(4, TW_EVENT_FRAGMENT).wire->complete); }

// The same link-local addresses and ports on two links, in one namespace.
TEST(Scope, TwoLinksAreTwoConnections) {
  Stream stream;
  Side first(stream, 7, "fe80::1", 40000, "fe80::2", 80, 100, 200, true);
  Side second(stream, 8, "fe80::1", 40000, "fe80::2", 80, 100, 200, true);
  first.set_scope(4);
  second.set_scope(5);
  connects(first);
  connects(second);
  first.in(PA, 10);
  second.in(PA, 1000);
  closes_first(first, curl);
  closes_first(second, curl);
  const RunResult reported = run(stream.events);
  ASSERT_EQ(reported.lives().size(), 2U);
  EXPECT_EQ(reported.life(0).wire->rx_bytes, 10U);
  EXPECT_EQ(reported.life(1).wire->rx_bytes, 1000U);
  EXPECT_EQ(reported.life(0).flow.scope, 4U);
}

}  // namespace
}  // namespace tcpwitness::testing
