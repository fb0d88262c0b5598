// SPDX-License-Identifier: Apache-2.0
// nat_test.cpp: connections whose segments have other addresses on the wire than their socket, and those that only
// pass.
#include <gtest/gtest.h>

#include "unit/run.hpp"

namespace tcpwitness::testing {
namespace {

constexpr std::uint64_t cookie = 9;

// The kernel's word that `socket` has the addresses of `wire` on the wire; ack: of the segment that shows it.
EventId translated(Stream& stream, const Side& socket, const Side& wire, std::uint32_t ack, Caller by = nobody) {
  Translation event{};
  event.header = socket.header(TW_KIND_NAT);
  event.tuple = socket.tuple();
  event.wire = wire.tuple();
  event.ack = ack;
  if (by.pid != 0) {
    event.actor = Side::actor(by);
    event.actor.flags |= TW_ACTOR_OWNED;
  }
  return stream.add(event);
}

void by_nat(Segment& g) { g.nat = 1; }

// Port 80 leads to nginx, which listens on port 8080.
Side server(Stream& stream) { return {stream, cookie, "10.0.0.2", 8080, "10.0.0.1", 40000, 300, 100, false}; }
Side as_on_the_wire(Stream& stream) { return {stream, 0, "10.0.0.2", 80, "10.0.0.1", 40000, 300, 100, false}; }

void listens_on(Stream& stream, std::uint16_t port, Caller by, std::uint64_t listener = 3) {
  Side(stream, listener, "0.0.0.0", port, "0.0.0.0", 0, 0, 0, false).to(State::listen, by);
}

EventId syn_on_the_wire(Stream& stream, SocketKind found, std::uint32_t isn = 100) {
  Side wire = as_on_the_wire(stream);
  wire.view = found;
  return wire.in(S, 0, found == SocketKind::none ? TW_EVENT_NO_SOCKET : 0, [&](Segment& g) { g.seq = isn; });
}

// From the SYN-ACK on.
void answers_and_closes(Stream& stream, Side& c) {
  c.peer_nxt = c.rcv_nxt = 101;
  translated(stream, c, as_on_the_wire(stream), 101);
  c.view = SocketKind::request;
  c.state = State::new_syn_recv;
  c.out(SA, 0, 0, by_nat);
  c.in(A, 0, TW_EVENT_HANDSHAKE_ACK, by_nat);
  c.view = SocketKind::full;
  c.state = State::listen;
  c.to(State::syn_recv);
  c.to(State::established);
  closes_second(c, nginx);
}

TEST(Nat, ADestinationThatIsTranslatedIsOneConnectionWithTheSocketsAddresses) {
  Stream stream;
  Side c = client_of(stream);
  const Side wire(stream, 0, "10.0.0.1", 40000, "192.0.2.7", 8080, 100, 300, true);
  c.to(State::syn_sent, curl);
  translated(stream, c, wire, 0, curl);
  c.out(S, 0, 0, by_nat);
  c.in(SA, 0, 0, by_nat);
  c.to(State::established);
  closes_first(c, curl);
  const RunResult reported = run(stream.events, trace_settings());
  ASSERT_EQ(reported.lives().size(), 1U);
  const Life life = reported.life();
  EXPECT_EQ(life.flow, to_flow(c.tuple()));
  EXPECT_EQ(life.nat, to_flow(wire.tuple()));
  EXPECT_EQ(life.outcome, Outcome::completed);
  EXPECT_TRUE(life.has_kernel && life.has_wire);
  for (const auto& [entry, body] : reported.entries_of<SegmentEntry>()) {
    EXPECT_EQ(entry.conn, life.conn);
    EXPECT_EQ(entry.nat, life.nat);
  }
}

// What is asked of the addresses is asked of both forms: one is enough, but both must meet a negation.
TEST(Nat, AConditionIsOfBothForms) {
  Stream stream;
  Side c = client_of(stream);
  const Side wire(stream, 0, "10.0.0.1", 40000, "192.0.2.7", 8080, 100, 300, true);
  c.to(State::syn_sent, curl);
  translated(stream, c, wire, 0, curl);
  c.out(S, 0, 0, by_nat);
  c.in(SA, 0, 0, by_nat);
  c.to(State::established);
  closes_first(c, curl);
  const std::uint16_t own = to_flow(c.tuple()).remote.port;
  ASSERT_NE(own, 8080);
  const auto lives = [&](std::uint16_t port, bool excludes) {
    CorrelatorSettings settings = trace_settings();
    settings.of_flow = [=](const Flow& flow) { return (flow.remote.port == port) != excludes; };
    settings.flow_excludes = excludes;
    const RunResult reported = run(stream.events, settings);
    EXPECT_EQ(reported.entries_of<SegmentEntry>().empty(), reported.lives().empty()) << port << excludes;
    return reported.lives().size();
  };
  EXPECT_EQ(lives(8080, false), 1U);
  EXPECT_EQ(lives(own, false), 1U);
  EXPECT_EQ(lives(22, false), 0U);
  EXPECT_EQ(lives(8080, true), 0U);
  EXPECT_EQ(lives(own, true), 0U);
  EXPECT_EQ(lives(22, true), 1U);
}

TEST(Nat, WithoutATranslationThereIsNone) {
  Stream stream;
  Side c = client_of(stream);
  connects(c);
  closes_first(c, curl);
  EXPECT_FALSE(run(stream.events).life().nat);
}

TEST(Nat, WhereTheKernelDidNotShowTheConnectTheSynSaysWhoConnects) {
  Stream stream;
  Side c = client_of(stream);  // its own addresses do not pass a filter that wants the backend's
  const Side wire(stream, 0, "10.0.0.1", 40000, "192.0.2.7", 8080, 100, 300, true);
  translated(stream, c, wire, 0, curl);
  c.state = State::syn_sent;
  c.out(S, 0, 0, by_nat);
  c.in(SA, 0, 0, by_nat);
  c.to(State::established);
  closes_first(c, curl);
  const RunResult reported = run(stream.events);
  ASSERT_EQ(reported.lives().size(), 1U);
  EXPECT_EQ(reported.life().process.pid, curl.pid);
  EXPECT_EQ(reported.life().process.source, PidSource::connect);
  EXPECT_EQ(reported.life().nat, to_flow(wire.tuple()));
}

TEST(Nat, TheSynThatCameWithTheServicesAddressIsTheServers) {
  Stream stream;
  listens_on(stream, 8080, nginx);
  const EventId syn = syn_on_the_wire(stream, SocketKind::none);
  Side c = server(stream);
  answers_and_closes(stream, c);
  const RunResult reported = run(stream.events, trace_settings());
  ASSERT_EQ(reported.lives().size(), 1U);
  const Life life = reported.life();
  EXPECT_EQ(life.flow, to_flow(c.tuple()));
  EXPECT_EQ(life.nat, to_flow(as_on_the_wire(stream).tuple()));
  EXPECT_EQ(life.process.comm, "nginx");
  EXPECT_EQ(life.outcome, Outcome::completed);
  EXPECT_TRUE(life.handshake_ns);
  const auto cause = reported.transition(State::listen, State::new_syn_recv);
  ASSERT_TRUE(cause);
  EXPECT_EQ(cause->cause.id, syn);
  for (const auto& [entry, body] : reported.entries_of<SegmentEntry>()) EXPECT_EQ(entry.conn, life.conn) << entry.id;
  EXPECT_FALSE(reported.finding(Rule::stray_segment));
}

TEST(Nat, ASynWithAnotherNumberIsNotTheServers) {
  Stream stream;
  listens_on(stream, 8080, nginx);
  const EventId syn = syn_on_the_wire(stream, SocketKind::none, 77);
  Side c = server(stream);
  answers_and_closes(stream, c);
  const RunResult reported = run(stream.events, trace_settings());
  ASSERT_EQ(reported.lives().size(), 1U);
  EXPECT_FALSE(reported.life().handshake_ns);
  for (const auto& [entry, body] : reported.entries_of<SegmentEntry>()) {
    EXPECT_EQ(entry.conn, entry.id == syn ? 0 : reported.life().conn) << entry.id;
  }
}

TEST(Nat, WhatListensOnTheServicesPortIsNotTheConnectionsProcess) {
  Stream stream;
  listens_on(stream, 80, worker, 4);
  listens_on(stream, 8080, nginx);
  syn_on_the_wire(stream, SocketKind::listener);
  Side c = server(stream);
  answers_and_closes(stream, c);
  const RunResult reported = run(stream.events, trace_settings());
  ASSERT_EQ(reported.lives().size(), 1U);
  EXPECT_EQ(reported.life().process.comm, "nginx");
  EXPECT_EQ(reported.life().flow, to_flow(c.tuple()));
}

TEST(Nat, AConnectionThatPassesIsNoneOfTheListenerOnItsPort) {
  Stream stream;
  listens_on(stream, 80, worker, 4);
  syn_on_the_wire(stream, SocketKind::listener);
  Side wire = as_on_the_wire(stream);
  wire.view = SocketKind::listener;
  wire.in(A, 0, TW_EVENT_NO_SOCKET, [](Segment& g) { g.forwarding = Forwarding::sent_on; });
  EXPECT_TRUE(run(stream.events).lives().empty());
}

// A refused one shows nothing but its SYN.
TEST(Nat, ASynThatNothingTookIsNoConnection) {
  Stream stream;
  listens_on(stream, 80, worker, 4);
  syn_on_the_wire(stream, SocketKind::listener);
  EXPECT_TRUE(run(stream.events, life_settings(), 80 * s).lives().empty());
}

TEST(Nat, ASynThatAFullListenerDidNotTakeIsOne) {
  Stream stream;
  listens_on(stream, 80, worker, 4);
  Side wire = as_on_the_wire(stream);
  wire.view = SocketKind::listener;
  wire.in(S, 0, 0, [](Segment& g) {
    g.socket.ack_backlog = 2;
    g.socket.max_ack_backlog = 1;
  });
  const RunResult reported = run(stream.events, life_settings(), 80 * s);
  ASSERT_EQ(reported.lives().size(), 1U);
  EXPECT_TRUE(reported.finding(Rule::accept_queue_full));
}

// Reused after a connection whose socket is gone: the newest cookie's.
TEST(Nat, EachConnectionHasItsOwnTranslation) {
  Stream stream;
  for (std::uint16_t i = 0; i < 2; ++i) {
    const auto port = static_cast<std::uint16_t>(40000 + i);
    Side c(stream, 20U + i, "10.0.0.1", port, "10.0.0.2", 80, 100, 300, true);
    const Side wire(stream, 0, "10.0.0.1", port, "192.0.2.7", static_cast<std::uint16_t>(8080 + i), 100, 300, true);
    c.to(State::syn_sent, curl);
    translated(stream, c, wire, 0, curl);
    c.out(S, 0, 0, by_nat);
    c.in(SA, 0, 0, by_nat);
    c.to(State::established);
    closes_first(c, curl);
  }
  const RunResult reported = run(stream.events);
  ASSERT_EQ(reported.lives().size(), 2U);
  EXPECT_EQ(reported.life(0).nat->remote.port, 8080);
  EXPECT_EQ(reported.life(1).nat->remote.port, 8081);
}

}  // namespace
}  // namespace tcpwitness::testing
