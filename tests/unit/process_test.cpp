// SPDX-License-Identifier: Apache-2.0
// Whose connection it is, and where we know it from.
#include <gtest/gtest.h>

#include <cerrno>

#include "unit/says.hpp"

namespace tcpwitness::testing {
namespace {

TEST(Process, ChildThatServesIsTheOwnerNotTheListener) {
  Stream stream;
  listens(stream);
  Side c = server_of(stream);
  accepts(c);
  c.used(worker, OwnerSource::receive);
  closes_second(c, worker);
  const Life life = run(stream.events).life();
  EXPECT_EQ(life.process.pid, worker.pid);
  EXPECT_EQ(life.process.source, PidSource::receive);
}

TEST(Process, UnusedChildBelongsToItsListener) {
  Stream stream;
  listens(stream);
  Side c = server_of(stream);
  accepts(c);
  const Life life = run(stream.events).life();
  EXPECT_EQ(life.process.pid, nginx.pid);
  EXPECT_EQ(life.process.source, PidSource::listen);
}

TEST(Process, CurrentInSoftirqIsNeverTheOwner) {
  Stream stream;
  Side c = server_of(stream);  // its listener was never seen
  is_asked(c);
  c.in(A, 0, TW_EVENT_HANDSHAKE_ACK);
  c.state = State::listen;
  const auto interrupted = [](StateChange& e) { e.actor = Side::actor(curl); };
  c.to(State::syn_recv, nobody, interrupted);
  c.to(State::established, nobody, interrupted);
  const Life life = run(stream.events).life();
  EXPECT_EQ(life.process.pid, 0U);
  EXPECT_EQ(life.process.source, PidSource::unknown);
}

TEST(Process, CloserIsTheOwnerWhenNobodyBetterIsKnown) {
  Stream stream;
  Side c = server_of(stream);
  accepts(c);
  closes_second(c, worker);
  const Life life = run(stream.events).life();
  EXPECT_EQ(life.process.pid, worker.pid);
  EXPECT_EQ(life.process.source, PidSource::close);
}

TEST(Process, ConnectIsNotReplacedByAnotherUser) {
  Stream stream;
  Side c = client_of(stream);
  connects(c);
  c.used(worker, OwnerSource::send);
  closes_first(c, worker);
  EXPECT_EQ(run(stream.events).life().process.pid, curl.pid);
}

TEST(Process, SockDestroyIsNotTheOwner) {
  Stream stream;
  Side c = server_of(stream);
  accepts(c);
  c.extra.sk_err = 103;
  c.to(State::close, {99, "ss"});
  EXPECT_EQ(run(stream.events).life().process.pid, 0U);
}

TEST(Process, KernelThreadsOwnNothing) {
  Stream stream;
  Side c = client_of(stream);
  c.to(State::syn_sent, {5, "kworker"}, [](StateChange& e) { e.actor.flags |= TW_ACTOR_KTHREAD; });
  c.out(S);
  EXPECT_EQ(run(stream.events).life().process.pid, 0U);
}

TEST(Process, SnapshotNamesTheOnlyProcessThatHasItOpen) {
  Stream stream;
  Side c = client_of(stream);
  c.found(SocketKind::full, State::established);
  c.used(curl, OwnerSource::snapshot);
  const Life life = run(stream.events).life();
  EXPECT_TRUE(life.preexisting);
  EXPECT_EQ(life.outcome, Outcome::open);
  EXPECT_EQ(life.process.pid, curl.pid);
  EXPECT_EQ(life.process.source, PidSource::snapshot);
}

TEST(Process, SnapshotWithTwoProcessesNamesNoneUntilOneUsesIt) {
  Stream stream;
  Side c = client_of(stream);
  c.found(SocketKind::full, State::established);
  c.used(nginx, OwnerSource::snapshot);
  c.used(worker, OwnerSource::snapshot);
  EXPECT_EQ(run(stream.events).life().process.pid, 0U);
  c.used(worker, OwnerSource::send);
  EXPECT_EQ(run(stream.events).life().process.pid, worker.pid);
}

TEST(Process, SnapshotListenerGivesItsOwnerToChildren) {
  Stream stream;
  Side listener(stream, 3, "0.0.0.0", 80, "0.0.0.0", 0, 0, 0, false);
  listener.found(SocketKind::listener, State::listen);
  listener.used(nginx, OwnerSource::snapshot);
  Side c = server_of(stream);
  accepts(c);
  const RunResult reported = run(stream.events);
  ASSERT_EQ(reported.lives().size(), 1U);
  EXPECT_EQ(reported.life().process.pid, nginx.pid);
}

// The sockets are listed before the descriptors: who listens is known behind its children.
TEST(Process, WhatTheSnapshotFindsUnacceptedIsItsListeners) {
  for (const bool accepted : {false, true}) {
    Stream stream;
    Side listener(stream, 3, "0.0.0.0", 80, "0.0.0.0", 0, 0, 0, false);
    listener.found(SocketKind::listener, State::listen);
    Side c = server_of(stream);
    if (!accepted) c.extra.details = TW_CB_UNACCEPTED;
    c.found(SocketKind::full, State::established);
    listener.used(nginx, OwnerSource::snapshot);
    const Life life = run(stream.events).life();
    EXPECT_EQ(life.process.pid, accepted ? 0U : nginx.pid);
    EXPECT_EQ(life.role, accepted ? Role::unknown : Role::passive);
  }
}

TEST(Process, PreforkListenerInTheSnapshotNamesNobody) {
  Stream stream;
  Side listener(stream, 3, "0.0.0.0", 80, "0.0.0.0", 0, 0, 0, false);
  listener.found(SocketKind::listener, State::listen);
  listener.used(nginx, OwnerSource::snapshot);
  listener.used(worker, OwnerSource::snapshot);
  Side c = server_of(stream);
  accepts(c);
  EXPECT_EQ(run(stream.events).life().process.pid, 0U);
}

// A forked child has the socket open, too: what closes it is the last close.
TEST(Closer, IsTheProcessThatClosedAndNotTheOneThatServed) {
  const auto closed_by = [](Caller who, std::uint16_t error) {
    Stream stream;
    listens(stream);
    Side c = server_of(stream);
    accepts(c);
    c.used(nginx, OwnerSource::receive);
    c.to(State::fin_wait1, who, [&](StateChange& e) { e.cb.sk_err = error; });
    c.out(FA);
    c.in(FA, 0, TW_EVENT_FIN_ACK);
    c.to(State::fin_wait2);
    c.to(State::close);
    return run(stream.events).finding(Rule::time_wait);
  };
  EXPECT_TRUE(says(closed_by(worker, 0), "nginx-worker[81] closed first")) << finding_text(closed_by(worker, 0));
  EXPECT_TRUE(says(closed_by(nginx, 0), "nginx[80] closed first"));
  EXPECT_TRUE(says(closed_by(nobody, 0), "nginx[80] closed first")) << "who did is not known";
  EXPECT_FALSE(says(closed_by(worker, ECONNABORTED), "worker")) << "ss -K is nobody's close()";
}

TEST(Snapshot, TimeWaitSocketsHaveNoLife) {
  Stream stream;
  Side c = client_of(stream);
  c.found(SocketKind::time_wait, State::time_wait);
  EXPECT_TRUE(run(stream.events).lives().empty());
}

TEST(Snapshot, AnEventThatTellsTheBeginningMakesItOurs) {
  Stream stream;
  Side c = client_of(stream);
  c.found(SocketKind::full, State::established);
  c.state = State::close;
  connects(c);
  const RunResult reported = run(stream.events);
  ASSERT_EQ(reported.lives().size(), 1U);
  EXPECT_FALSE(reported.life().preexisting);
  EXPECT_EQ(reported.life().states, states({State::syn_sent, State::established}));
}

TEST(Snapshot, AConnectionThatIsClosedLaterStaysPreexisting) {
  Stream stream;
  Side c = client_of(stream);
  c.snd_una = c.snd_nxt = c.write_seq = 101;
  c.rcv_nxt = c.copied_seq = c.peer_nxt = 301;
  c.found(SocketKind::full, State::established);
  closes_first(c, curl);
  const Life life = run(stream.events).life();
  EXPECT_TRUE(life.preexisting);
  EXPECT_EQ(life.outcome, Outcome::completed);
  EXPECT_EQ(life.states, states({State::established, State::fin_wait1, State::fin_wait2, State::time_wait}));
}

}  // namespace
}  // namespace tcpwitness::testing
