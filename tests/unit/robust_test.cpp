// SPDX-License-Identifier: Apache-2.0
// Keys, reuse, stragglers, gaps and memory: what keeps one connection one connection.
#include <gtest/gtest.h>

#include <algorithm>

#include "correlate/table.hpp"
#include "unit/stories.hpp"

namespace tcpwitness::testing {
namespace {

TEST(Key, ANewSynWithAnotherIsnOnTheSamePortsIsAnotherConnection) {
  Stream stream;
  listens(stream);
  Side first = server_of(stream, 9);
  accepts(first);
  closes_second(first, nginx);
  Side second(stream, 11, "10.0.0.2", 80, "10.0.0.1", 40000, 9300, 9100, false);
  accepts(second);
  closes_second(second, nginx);
  const RunResult reported = run(stream.events);
  ASSERT_EQ(reported.lives().size(), 2U);
  EXPECT_EQ(reported.life(0).outcome, Outcome::completed);
  EXPECT_EQ(reported.life(1).outcome, Outcome::completed);
}

// One connection, which lacks nothing and to which the other child has added nothing.
void expect_one_child(const RunResult& reported) {
  ASSERT_EQ(reported.lives().size(), 1U);
  const Life& life = reported.life();
  EXPECT_EQ(life.outcome, Outcome::completed);
  EXPECT_EQ(life.closed_by, ClosedBy::peer);
  EXPECT_FALSE(life.incomplete);
  EXPECT_EQ(std::ranges::count(life.states, State::syn_recv), 1);
  EXPECT_EQ(std::ranges::count(life.states, State::close), 1);
  EXPECT_EQ(reported.summary.missed, 0U);
}

// Two processors have made a child of its request each. Before: the connection ended with the one that was too late,
// and what followed was another.
TEST(Key, AChildThatCameTooLateIsNotTheConnection) {
  for (const bool after_the_data : {false, true}) {
    Stream stream;
    listens(stream);
    Side c = server_of(stream);
    accepts(c);
    if (after_the_data) c.in(PA, 50);
    Side rival = c;
    rival.state = State::listen;
    rival.to(State::syn_recv);
    rival.to(State::close);
    rival.destroy();
    if (!after_the_data) c.in(PA, 50);
    c.used(nginx, OwnerSource::receive);
    closes_second(c, nginx);
    const RunResult reported = run(stream.events);
    ASSERT_NO_FATAL_FAILURE(expect_one_child(reported));
    EXPECT_EQ(reported.life().rx_bytes, 50U);
  }
}

// Likewise, while the other one is still to be established. Where LISTEN to SYN_RECV cannot be told from the listener's
// own (before 6.14 or so) the end is all that is seen of it.
TEST(Key, AChildThatCameTooLateDoesNotEndTheOtherOne) {
  for (const bool born_in_sight : {true, false}) {
    Stream stream;
    listens(stream);
    Side c = server_of(stream);
    is_asked(c);
    c.in(A, 0, TW_EVENT_HANDSHAKE_ACK);
    c.view = SocketKind::full;
    Side rival = c;
    for (Side* child : {&c, &rival}) {
      child->state = State::listen;
      if (born_in_sight) child->to(State::syn_recv);
      child->state = State::syn_recv;
    }
    rival.to(State::close, {}, [](StateChange& s) { s.port = TW_PORT_KEPT; });
    rival.destroy();
    c.to(State::established);
    c.used(nginx, OwnerSource::receive);
    closes_second(c, nginx);
    expect_one_child(run(stream.events));
  }
}

// The request of a SYN cookie is made when its ACK comes, for each child anew.
TEST(Key, ChildrenOfASynCookieHaveACookieEach) {
  for (const bool too_late_is_first : {true, false}) {
    Stream stream;
    listens(stream);
    Side c = server_of(stream);
    Side rival = server_of(stream, 10);
    for (Side* child : {too_late_is_first ? &rival : &c, too_late_is_first ? &c : &rival}) {
      child->view = SocketKind::full;
      child->state = State::listen;
      child->to(State::syn_recv);
    }
    rival.to(State::close, {}, [](StateChange& s) { s.port = TW_PORT_KEPT; });
    c.to(State::established);
    rival.destroy();
    closes_second(c, nginx);
    expect_one_child(run(stream.events));
  }
}

// The only child, before it is established: that is the end.
TEST(Key, AChildThatClosesInSynRecvEndsItsConnection) {
  Stream stream;
  listens(stream);
  Side c = server_of(stream);
  is_asked(c);
  c.in(A, 0, TW_EVENT_HANDSHAKE_ACK);
  c.view = SocketKind::full;
  c.state = State::listen;
  c.to(State::syn_recv);
  c.to(State::close);
  c.destroy();
  const RunResult reported = run(stream.events);
  ASSERT_EQ(reported.lives().size(), 1U);
  EXPECT_EQ(reported.life().states.back(), State::close);
  EXPECT_NE(reported.life().outcome, Outcome::completed);
}

TEST(Key, ARetransmittedSynIsTheSameConnection) {
  Stream stream;
  listens(stream);
  Side c = server_of(stream);
  c.view = SocketKind::listener;
  c.in(S);
  stream.wait(1 * s);
  c.peer_nxt = c.peer_isn();
  accepts(c);
  closes_second(c, nginx);
  const RunResult reported = run(stream.events);
  EXPECT_EQ(reported.lives().size(), 1U);
}

TEST(Key, AnotherConnectOnTheSameSocketIsAnotherConnection) {
  Stream stream;
  Side c = client_of(stream);
  c.to(State::syn_sent, curl);
  c.out(S);
  c.extra.sk_err = 111;
  c.to(State::close);
  Side again(stream, 7, "10.0.0.1", 40001, "10.0.0.2", 80, 500, 700, true);
  connects(again);
  const RunResult reported = run(stream.events);
  ASSERT_EQ(reported.lives().size(), 2U);
  EXPECT_EQ(reported.life(0).outcome, Outcome::refused);
  EXPECT_EQ(reported.life(1).outcome, Outcome::open);
}

TEST(Key, TheControlSocketsCookieJoinsNothing) {
  Stream stream;
  Side c = client_of(stream, 7);
  connects(c);
  Side stranger(stream, 7, "10.0.0.1", 81, "10.0.0.9", 5555, 1, 2, false);
  stranger.view = SocketKind::control;
  stranger.out(R);
  const RunResult reported = run(stream.events);
  EXPECT_EQ(reported.lives().size(), 1U);
  EXPECT_EQ(reported.life().outcome, Outcome::open);
  EXPECT_FALSE(reported.finding(Rule::reset_origin).has_value());
}

TEST(Key, StragglersDoNotResurrectAConnection) {
  Stream stream;
  Side c = client_of(stream);
  connects(c);
  closes_first(c, curl);
  stream.wait(50 * ms);
  c.used(curl, OwnerSource::receive);
  c.view = SocketKind::time_wait;
  c.in(FA, 0, TW_EVENT_RETRANSMISSION);
  c.out(A);
  c.destroy();
  stream.wait(2 * s);
  c.out(A);
  c.used(curl, OwnerSource::receive);
  c.error(104);
  EXPECT_EQ(run(stream.events).lives().size(), 1U);
}

TEST(Key, AConnectionWeNeverSawBeginIsPreexisting) {
  Stream stream;
  Side c = client_of(stream);
  c.state = State::established;
  c.out(PA, 5);
  closes_first(c, curl);
  const RunResult reported = run(stream.events);
  ASSERT_EQ(reported.lives().size(), 1U);
  EXPECT_TRUE(reported.life().preexisting);
  EXPECT_EQ(reported.life().outcome, Outcome::completed);
}

TEST(Key, AClonedChildWithoutItsPeerYetIsFoundAgain) {
  Stream stream;
  listens(stream);
  Side c = server_of(stream);
  accepts(c);
  for (Event& event : stream.events) {
    auto* change = std::get_if<StateChange>(&event.body);
    if (change == nullptr || change->new_state != State::syn_recv) continue;
    change->header.cookie = 777;
    change->tuple.remote_port = 0;
  }
  const RunResult reported = run(stream.events);
  ASSERT_EQ(reported.lives().size(), 1U);
  EXPECT_EQ(reported.life().states, states({State::new_syn_recv, State::syn_recv, State::established}));
}

TEST(Listener, HasNoLife) {
  Stream stream;
  listens(stream);
  EXPECT_TRUE(run(stream.events, trace_settings()).reports.empty());
}

TEST(Gap, MakesTheLivesItOverlapsIncompleteAndTheirFindingsInconclusive) {
  Stream stream;
  Side c = client_of(stream);
  keepalive_on(c);
  connects(c);
  sends_probe(c);
  stream.gap(4);
  closes_first(c, curl);
  const RunResult reported = run(stream.events);
  EXPECT_TRUE(reported.life().incomplete);
  for (const Finding& finding : reported.life().findings) EXPECT_EQ(finding.confidence, Confidence::inconclusive);
  EXPECT_EQ(reported.all<GapReport>().size(), 1U);
  EXPECT_EQ(reported.summary.lost, 4U);
}

TEST(Gap, LeavesLaterConnectionsAlone) {
  Stream stream;
  stream.gap();
  stream.wait(1 * s);
  Side c = client_of(stream);
  connects(c);
  closes_first(c, curl);
  EXPECT_FALSE(run(stream.events).life().incomplete);
}

TEST(Gap, ThatSwallowedTheEndGivesUnknownOrOpenNeverAGuess) {
  Story story = killed_unread_story();
  story.events.resize(story.events.size() - 4);
  Stream rest;
  rest.events = story.events;
  rest.now = story.events.back().ts_ns + ms;
  rest.gap(4);
  const Life life = run(rest.events).life();
  EXPECT_TRUE(life.incomplete);
  EXPECT_TRUE(life.outcome == Outcome::open || life.outcome == Outcome::unknown);
}

TEST(Table, FindsWhatItHoldsAfterManyInsertionsAndDeletions) {
  Table table;
  std::vector<std::pair<Slot, std::uint64_t>> held;
  std::uint64_t state = 12345;
  for (std::uint64_t i = 1; i < 20000; ++i) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    if (!held.empty() && (state >> 60) < 7) {
      const std::size_t pick = (state >> 20) % held.size();
      table.release(held[pick].first);
      EXPECT_EQ(table.find_cookie(held[pick].second), no_slot);
      held[pick] = held.back();
      held.pop_back();
      continue;
    }
    const Slot slot = table.create(0);
    table.bind_cookie(slot, i);
    Flow flow;
    flow.local.port = static_cast<std::uint16_t>(i);
    flow.remote.port = static_cast<std::uint16_t>(i >> 16);
    table.bind_flow(slot, flow);
    held.emplace_back(slot, i);
  }
  for (const auto& [slot, cookie] : held) {
    EXPECT_EQ(table.find_cookie(cookie), slot);
    EXPECT_EQ(table.find_flow(table.at(slot).flow), slot);
  }
}

TEST(Table, ExpiresInOrderAndOnlyWhatStillWaits) {
  Table table;
  const Slot a = table.create(0);
  const Slot b = table.create(0);
  const Slot c = table.create(0);
  table.wait(a, Wait::settle, 0);
  table.wait(b, Wait::settle, 1);
  table.wait(c, Wait::settle, 2);
  table.wait(b, Wait::none, 3);
  EXPECT_EQ(table.expire(1).slot, no_slot);
  EXPECT_EQ(table.expire(1 * s).slot, a);
  EXPECT_EQ(table.expire(1 * s).slot, c);
  EXPECT_EQ(table.expire(1 * s).slot, no_slot);
}

TEST(Memory, EndedConnectionsAreGivenBack) {
  static_assert(sizeof(Connection) <= 376, "a million connections are to fit in 400 MB");
  Correlator correlator({}, kernel_names());
  Reports reports;
  Stream stream;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    Side c(stream, 100 + i, "10.0.0.1", static_cast<std::uint16_t>(1000 + i), "10.0.0.2", 80, 1, 2, true);
    connects(c);
    closes_first(c, curl);
  }
  for (const Event& event : stream.events) correlator.feed(event, reports);
  correlator.advance(stream.now + 2 * s, reports);
  EXPECT_EQ(correlator.summary().connections, 1000U);
}

}  // namespace
}  // namespace tcpwitness::testing
