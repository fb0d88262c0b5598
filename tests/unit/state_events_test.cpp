// SPDX-License-Identifier: Apache-2.0
// What one transition of a socket writes of its connection, and whose it is.
#include "correlate/state_events.hpp"

#include <gtest/gtest.h>

#include <cerrno>

#include "unit/correlation_parts.hpp"

namespace tcpwitness::testing {
namespace {

// A socket and the part alone: no segment, and no other part takes an event.
struct Socket {
  explicit Socket(bool active, const CorrelatorSettings& settings = life_settings())
      : parts(settings), side(active ? client_of(stream) : server_of(stream)), cookie(active ? 7 : 9) {}

  Socket& to(State next, Caller by = nobody, const Side::EditState& edit = {}) {
    side.to(next, by, edit);
    parts.feed(parts.states, stream);
    return *this;
  }
  Socket& connects() { return to(State::syn_sent, curl).to(State::established); }
  Socket& accepts() {
    side.state = State::listen;
    return to(State::syn_recv).to(State::established);
  }
  // The connection that has the cookie by now.
  [[nodiscard]] Connection& c() { return *parts.of(cookie); }
  [[nodiscard]] Wait wait() const { return parts.wait_of(cookie); }
  [[nodiscard]] std::size_t connections() const { return parts.in.table.size(); }

  Parts parts;
  Stream stream;
  Side side;
  std::uint64_t cookie;
};

void read_nothing(StateChange& change) { change.cb.flags = 0; }

// ---- Beginning ----

TEST(StateEvents, ConnectBeginsAConnectionOfItsProcess) {
  Socket one(true);
  one.to(State::syn_sent, curl);
  EXPECT_EQ(one.c().role, Role::active);
  EXPECT_EQ(one.c().owner.pid, curl.pid);
  EXPECT_EQ(one.c().owner.source, PidSource::connect);
  EXPECT_FALSE(one.c().opening.preexisting);
  one.to(State::established);
  EXPECT_TRUE(one.c().opening.established);
  EXPECT_GT(one.c().handshake_ns, 0);
}

TEST(StateEvents, ListeningIsNoConnection) {
  Socket one(false);
  one.to(State::listen, nginx);
  EXPECT_EQ(one.connections(), 0U);
  EXPECT_TRUE(one.parts.in.listeners.has(to_flow(one.side.tuple()).local));
  one.to(State::close);
  EXPECT_EQ(one.connections(), 0U);
  EXPECT_FALSE(one.parts.in.listeners.has(to_flow(one.side.tuple()).local));
}

TEST(StateEvents, AChildBelongsToItsListenersProcess) {
  Socket one(false);
  one.parts.in.listeners.opened(3, to_flow(one.side.tuple()).local,
                                present_process(Side::actor(nginx), PidSource::listen), 0);
  one.accepts();
  EXPECT_EQ(one.c().role, Role::passive);
  EXPECT_EQ(one.c().owner.pid, nginx.pid);
  EXPECT_EQ(one.c().owner.source, PidSource::listen);
}

// Before 6.14 or so.
TEST(StateEvents, AChildWithoutItsPeerBeginsAtItsNextTransition) {
  Socket one(false);
  one.side.state = State::listen;
  one.to(State::syn_recv, nobody, [](StateChange& change) { change.tuple.remote_port = 0; });
  EXPECT_EQ(one.connections(), 0U);
  one.to(State::established);
  ASSERT_EQ(one.connections(), 1U);
  EXPECT_EQ(one.c().role, Role::passive);
}

TEST(StateEvents, ARequestOfTheseAddressesBecomesTheChild) {
  for (const std::uint64_t has_cookie : {0U, 1U}) {
    Socket one(false);
    const Slot request = one.parts.lives.create(one.stream.now, true);
    one.parts.lives.adopt_flow(request, to_flow(one.side.tuple()));
    one.parts.in.table.at(request).enter(State::established);
    if (has_cookie != 0) one.parts.in.table.bind_cookie(request, 77);
    one.accepts();
    EXPECT_EQ(one.connections(), 1 + has_cookie) << "with a cookie of its own it is another connection";
  }
}

TEST(StateEvents, WhatIsFirstSeenOpenIsOlderThanTheRunOrBehindALoss) {
  for (const bool lost : {false, true}) {
    Socket one(true);
    if (lost) one.parts.in.losses.add(Gap{});
    one.side.state = State::established;
    one.to(State::fin_wait1, curl);
    EXPECT_EQ(one.c().opening.preexisting, !lost);
    EXPECT_EQ(one.c().incomplete, lost);
    EXPECT_EQ(one.c().states[0], State::established) << "the state before is its first";
  }
}

TEST(StateEvents, TheEndOfASocketThatNobodyKnowsIsNoConnection) {
  Socket one(true);
  one.to(State::close);
  EXPECT_EQ(one.connections(), 0U);
}

TEST(StateEvents, ConnectAgainOnTheSameSocketIsAnotherConnection) {
  Socket one(true);
  one.connects().to(State::close);
  const ConnectionId first = one.c().id;
  one.to(State::syn_sent, curl);
  EXPECT_NE(one.c().id, first);
  EXPECT_EQ(one.parts.in.summary.connections, 1U) << "the first one is reported";
}

// ---- Two children of one request ----

TEST(StateEvents, ASecondChildOfOneRequestChangesNothing) {
  Socket one(false);
  one.accepts();
  one.side.state = State::listen;
  one.to(State::syn_recv);
  EXPECT_EQ(one.c().state, State::established);
  EXPECT_FALSE(one.c().transitions.rival);
  one.to(State::close);
  EXPECT_EQ(one.c().state, State::established);
  EXPECT_TRUE(one.c().transitions.rival) << "its destruction comes next";
  EXPECT_FALSE(one.c().ended());
}

TEST(StateEvents, AChildThatNeverOpensEnds) {
  Socket one(false);
  one.side.state = State::listen;
  one.to(State::syn_recv).to(State::close);
  EXPECT_TRUE(one.c().ended());
  EXPECT_FALSE(one.c().transitions.rival);
}

// ---- What is missing ----

TEST(StateEvents, ATransitionThatDoesNotFollowShowsThatOneIsMissing) {
  for (const bool lost : {false, true}) {
    Socket one(true);
    one.connects();
    if (lost) one.parts.in.losses.add(Gap{});
    one.side.state = State::fin_wait1;
    one.to(State::fin_wait2);
    EXPECT_TRUE(one.c().transitions.inconsistent);
    EXPECT_EQ(one.parts.in.summary.missed, lost ? 0U : 1U) << "a gap can have it";
    EXPECT_EQ(one.c().state, State::fin_wait2);
  }
}

TEST(StateEvents, TheListOfSocketsCanBeNewerThanTheNextTransition) {
  Socket one(true);
  const Slot slot = one.parts.lives.create(one.stream.now, false);
  one.parts.in.table.bind_cookie(slot, one.cookie);
  Connection& c = one.parts.in.table.at(slot);
  c.enter(State::fin_wait1);
  c.transitions.from_snapshot = true;
  one.side.state = State::established;
  one.to(State::fin_wait1, curl);
  EXPECT_FALSE(c.transitions.inconsistent);
  EXPECT_EQ(c.state_count, 2) << "ESTABLISHED, FIN_WAIT1";
}

TEST(StateEvents, TheHiddenBeginningOfAChildIsInferred) {
  Socket one(false, trace_settings());
  const Slot request = one.parts.lives.create(one.stream.now, true);
  one.parts.in.table.at(request).enter(State::new_syn_recv);
  one.parts.lives.adopt_flow(request, to_flow(one.side.tuple()));
  one.side.state = State::syn_recv;
  one.to(State::established);
  const auto entries = one.parts.entries_of<StateEntry>();
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(entries[0].from, State::listen);
  EXPECT_TRUE(entries[0].inferred);
  EXPECT_EQ(entries[1].from, State::syn_recv);
  EXPECT_FALSE(entries[1].inferred);
}

// inet_csk_listen_stop(): the listener's transition comes right before those of its children.
TEST(StateEvents, AChildEndsWithItsListener) {
  const auto ended = [](bool listener, bool unaccepted, std::int64_t later) {
    Socket one(false, trace_settings());
    one.accepts();
    if (listener) {
      Side listening(one.stream, 3, "0.0.0.0", 80, "0.0.0.0", 0, 0, 0, false);
      listening.state = State::listen;
      listening.to(State::close, nginx);
      one.parts.feed(one.parts.states, one.stream);
    }
    one.stream.wait(later);
    one.to(State::close, nobody, [&](StateChange& change) {
      if (unaccepted) change.cb.details |= TW_CB_UNACCEPTED;
    });
    return one.parts.entries_of<StateEntry>().back();
  };
  const StateEntry with = ended(true, true, 0);
  EXPECT_EQ(with.cause.kind, Cause::Kind::call);
  EXPECT_EQ(with.cause.what, "listener closed");
  EXPECT_EQ(with.process.pid, nginx.pid);
  EXPECT_EQ(ended(false, true, 0).cause.kind, Cause::Kind::unknown) << "its listener is open";
  EXPECT_EQ(ended(true, false, 0).cause.kind, Cause::Kind::unknown) << "a process has it";
  EXPECT_EQ(ended(true, true, 5 * s).cause.kind, Cause::Kind::unknown) << "long before";
}

// ---- connect() that makes no SYN ----

// The same control block as at connect(), and the process holds the socket.
void made_nothing(StateChange& change) { change.cb.sk_err = 0; }

TEST(StateEvents, AConnectWithoutALocalPortMadeNoSyn) {
  for (const std::uint16_t port : {std::uint16_t{0}, std::uint16_t{40074}}) {
    Socket one(true);
    one.to(State::syn_sent, curl).to(State::close, curl, [&](StateChange& change) {
      made_nothing(change);
      change.tuple.local_port = port;
      change.first_port = 32768;
      change.last_port = 60999;
    });
    ASSERT_TRUE(one.c().teardown->no_syn);
    EXPECT_EQ(one.c().teardown->found_no_port(), port == 0);
    EXPECT_EQ(one.c().teardown->first_port, 32768);
    EXPECT_EQ(one.wait() == Wait::ports, port == 0) << "who has them is asked";
  }
}

TEST(StateEvents, AConnectThatMadeItsSynOrIsClosedHadAPort) {
  const Side::EditState sent = [](StateChange& change) { ++change.cb.write_seq; };
  const Side::EditState shut = [](StateChange& change) { change.cb.sk_shutdown = 3; };
  const Side::EditState failed = [](StateChange& change) { change.cb.sk_err = ECONNREFUSED; };
  for (const Side::EditState& edit : {sent, shut, failed, Side::EditState(read_nothing)}) {
    Socket one(true);
    one.to(State::syn_sent, curl).to(State::close, curl, edit);
    EXPECT_FALSE(one.c().teardown->no_syn);
    EXPECT_EQ(one.wait(), Wait::settle);
  }
  Socket by_timer(true);
  by_timer.to(State::syn_sent, curl).to(State::close, nobody, made_nothing);
  EXPECT_FALSE(by_timer.c().teardown->no_syn);
}

TEST(StateEvents, AConnectGivenUpUnsentWaitsForTheReason) {
  for (const bool shown : {false, true}) {
    Socket one(true);
    one.to(State::syn_sent, curl);
    if (shown) one.c().syn = {99, one.stream.now};
    one.to(State::close, curl, [](StateChange& change) { change.cb.segs_out = 1; });
    EXPECT_EQ(one.wait(), shown ? Wait::settle : Wait::unsent_syn);
  }
}

// ---- Closing ----

TEST(StateEvents, WhoClosesFirstIsByTheFirstTransition) {
  Socket local(true);
  local.connects().to(State::fin_wait1, curl);
  EXPECT_EQ(local.c().closed_by, ClosedBy::local);
  local.to(State::closing);
  EXPECT_EQ(local.c().closed_by, ClosedBy::both);
  Socket waits(true);
  waits.connects().to(State::fin_wait1, curl).to(State::closing, nobody, [](StateChange& e) { ++e.cb.write_seq; });
  EXPECT_EQ(waits.c().closed_by, ClosedBy::peer) << "its FIN has not left";
  Socket peer(true);
  peer.connects().to(State::close_wait);
  EXPECT_EQ(peer.c().closed_by, ClosedBy::peer);
  EXPECT_EQ(peer.wait(), Wait::close_wait);
  peer.to(State::last_ack, curl);
  EXPECT_EQ(peer.wait(), Wait::none);
  EXPECT_TRUE(peer.c().teardown->left_close_wait);
  EXPECT_EQ(peer.c().teardown->closer.pid, curl.pid);
}

// SO_LINGER 0 behind both FINs: tcp_disconnect().
TEST(StateEvents, ACloseThatGivesTheFinUpIsTheProcesss) {
  for (const State state : {State::last_ack, State::closing}) {
    for (const bool acknowledged : {false, true}) {
      Socket one(true, trace_settings());
      one.connects();
      one.to(state == State::closing ? State::fin_wait1 : State::close_wait, curl).to(state, curl);
      one.to(State::close, curl, [&](StateChange& e) {
        if (!acknowledged) ++e.cb.write_seq;
      });
      const StateEntry entry = one.parts.entries_of<StateEntry>().back();
      EXPECT_EQ(entry.cause.kind == Cause::Kind::call, !acknowledged);
      EXPECT_EQ(entry.to, acknowledged && state == State::closing ? State::time_wait : State::close);
    }
  }
}

TEST(StateEvents, ASignalThatEndsTheProcessIsKept) {
  Socket one(true);
  one.connects().to(State::fin_wait1, Caller{42, "curl", 9});
  EXPECT_EQ(one.c().teardown->signal, 9);
  Socket other(true);
  other.connects().to(State::fin_wait1, curl);
  EXPECT_EQ(other.c().teardown->signal, 0);
}

void fin_taken(StateChange& change) { change.cb.flags |= TW_CB_DONE; }

TEST(StateEvents, BehindThePeersFinTimeWaitIsInferred) {
  Socket one(true, trace_settings());
  one.connects().to(State::fin_wait1, curl).to(State::fin_wait2).to(State::close, nobody, fin_taken);
  EXPECT_EQ(one.c().state, State::time_wait);
  EXPECT_EQ(one.wait(), Wait::settle);
  const auto entries = one.parts.entries_of<StateEntry>();
  EXPECT_EQ(entries.back().to, State::time_wait);
  EXPECT_TRUE(entries.back().inferred);
}

TEST(StateEvents, WithoutThePeersFinAMiniSocketWaitsForIt) {
  Socket one(true, trace_settings());
  one.connects().to(State::fin_wait1, curl).to(State::fin_wait2).to(State::close);
  EXPECT_TRUE(one.c().teardown->mini_fin_wait2);
  EXPECT_EQ(one.c().state, State::fin_wait2);
  EXPECT_EQ(one.wait(), Wait::fin_wait2);
  EXPECT_EQ(one.parts.entries_of<StateEntry>().back().to, State::fin_wait2) << "it is no transition";
}

// The hook on the wire is before TCP.
TEST(StateEvents, AFinThatIsSeenAndNotYetTakenIsTheMiniSockets) {
  Socket one(true);
  one.connects().to(State::fin_wait1, curl).to(State::fin_wait2);
  FinFacts& fin = one.c().teardown->fin_in;
  fin.sent = {50, one.stream.now};
  fin.end = one.side.rcv_nxt + 1;
  one.to(State::close);
  EXPECT_EQ(one.c().state, State::time_wait);
}

TEST(StateEvents, WhereTheKernelAllowsNoMoreThereIsNoTimeWait) {
  Socket one(true);
  one.connects().to(State::fin_wait1, curl).to(State::fin_wait2).to(State::close, nobody, [](StateChange& change) {
    fin_taken(change);
    change.cb.details |= TW_CB_TIME_WAIT_FULL;
  });
  EXPECT_EQ(one.c().state, State::close);
  EXPECT_TRUE(one.c().teardown->time_wait_full);
}

TEST(StateEvents, AResetLeavesNoMiniSocket) {
  Socket one(true);
  one.connects().to(State::fin_wait1, curl).to(State::fin_wait2);
  one.c().ensure_anomalies().reset_received.mark = {50, one.stream.now};
  one.to(State::close);
  EXPECT_FALSE(one.c().teardown->mini_fin_wait2);
  EXPECT_EQ(one.c().state, State::close);
}

// ---- The timeline ----

TEST(StateEvents, ConnectWaitsInTheTimelineForItsPort) {
  for (const bool wire : {true, false}) {
    CorrelatorSettings settings = trace_settings();
    settings.has_wire = wire;
    Socket one(true, settings);
    one.to(State::syn_sent, curl);
    Reports out;
    one.parts.in.timeline.release(one.parts.in.now, out);
    EXPECT_EQ(out.size(), wire ? 0U : 1U) << "no SYN will show it";
  }
}

TEST(StateEvents, EntriesOfTransitionsAloneLeaveAtOnce) {
  CorrelatorSettings settings = life_settings();
  settings.states = true;
  for (const bool wanted : {false, true}) {
    settings.states = wanted;
    Socket one(true, settings);
    one.to(State::syn_sent, curl);
    EXPECT_EQ(one.parts.reports.size(), wanted ? 1U : 0U);
  }
}

}  // namespace
}  // namespace tcpwitness::testing
