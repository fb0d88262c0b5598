// SPDX-License-Identifier: Apache-2.0
// A segment that the kernel dropped: whose it is, whether it is counted, and what of the wire's facts it takes back.
#include "correlate/drop_events.hpp"

#include <gtest/gtest.h>

#include "unit/correlation_parts.hpp"

namespace tcpwitness::testing {
namespace {

// An open connection of a client here, as other parts have written it.
struct Dropping {
  explicit Dropping(const CorrelatorSettings& settings = life_settings())
      : parts(settings), slot(parts.lives.create(stream.now, true)) {
    parts.in.table.bind_cookie(slot, 7);
    parts.in.table.bind_flow(slot, to_flow(side.tuple()));
    side.state = State::established;
    c().enter(State::established);
    c().isn = {side.isn(), side.peer_isn(), true, true};
  }

  [[nodiscard]] Connection& c() { return parts.in.table.at(slot); }
  void drop(std::uint32_t reason, bool out, std::uint8_t flags, std::uint32_t len = 0,
            const std::function<void(Drop&)>& edit = {}) {
    side.drop(reason, out, flags, len);
    if (edit) edit(std::get<Drop>(stream.events.back().body));
    parts.feed(parts.drops, stream);
  }
  [[nodiscard]] std::span<const DropSeen> seen() {
    return c().anomalies ? std::as_const(c().anomalies->drops).seen() : std::span<const DropSeen>{};
  }
  [[nodiscard]] std::uint64_t faults() const { return parts.in.summary.drops; }

  Parts parts;
  Stream stream;
  Side side = client_of(stream);
  Slot slot;
};

// The kernel shows neither namespace nor socket.
void nobodys(Drop& d) {
  d.header.netns = 0;
  d.header.cookie = 0;
}
void of_another_port(Drop& d) {
  d.header.cookie = 0;
  d.tuple.local_port = 81;
}

TEST(DropEvents, ADropIsCountedByReasonAndDirection) {
  Dropping one;
  one.drop(drop_netfilter, true, PA, 100, [](Drop& d) { d.segments = 3; });
  one.drop(drop_netfilter, true, PA, 50);
  one.drop(drop_netfilter, false, A);
  ASSERT_EQ(one.seen().size(), 2U);
  EXPECT_EQ(one.seen()[0].count, 2U);
  EXPECT_EQ(one.seen()[0].segments, 4U);
  EXPECT_EQ(one.seen()[0].bytes, 150U);
  EXPECT_TRUE(one.seen()[0].out);
  EXPECT_EQ(one.seen()[1].empty, 1U);
  EXPECT_EQ(one.faults(), 3U);
}

TEST(DropEvents, WhatAHealthyConnectionMeetsIsNoFault) {
  Dropping one;
  one.drop(drop_old_sequence, false, A);
  EXPECT_EQ(one.seen().size(), 1U);
  EXPECT_EQ(one.faults(), 0U);
}

TEST(DropEvents, BeyondFourReasonsTheyAreAddedUp) {
  Dropping one;
  for (const std::uint32_t reason : {drop_netfilter, drop_qdisc, drop_csum, drop_paws, drop_rcvbuff, drop_neighbour})
    one.drop(reason, false, PA, 10);
  EXPECT_EQ(one.seen().size(), Drops::limit);
  EXPECT_EQ(one.c().anomalies->drops.further, 2U);
}

// ---- Whose it is ----

// A firewall drops it, and its port shows nowhere else.
TEST(DropEvents, ADroppedSynShowsThePortOfItsSocket) {
  Dropping one;
  const Slot connecting = one.parts.lives.create(one.stream.now, true);
  one.parts.in.table.bind_cookie(connecting, 8);
  Side c(one.stream, 8, "10.0.0.1", 41000, "10.0.0.2", 80, 100, 300, true);
  c.drop(drop_netfilter, true, S);
  one.parts.feed(one.parts.drops, one.stream);
  EXPECT_EQ(one.parts.in.table.find_flow(to_flow(c.tuple())), connecting);
  EXPECT_EQ(one.parts.in.table.at(connecting).anomalies->drops.syns_out, 1U);
}

TEST(DropEvents, WithoutANamespaceItsNumbersMustFit) {
  constexpr std::uint32_t near = 1U << 24U;
  constexpr std::uint32_t far = 1U << 31U;
  for (const std::uint32_t ahead : {near, far}) {
    Dropping one;
    one.drop(drop_netfilter, false, PA, 10, [&](Drop& d) {
      nobodys(d);
      d.seq = one.side.peer_isn() + ahead;
    });
    EXPECT_EQ(one.seen().size(), ahead == near ? 1U : 0U) << "the same addresses in another namespace";
  }
}

TEST(DropEvents, OfNoConnectionItCountsWhereThisNamespaceHadIt) {
  Dropping one;
  const auto elsewhere = [](Drop& d) {
    nobodys(d);
    d.tuple.local_port = 81;
  };
  one.drop(drop_netfilter, false, PA, 10, elsewhere);
  EXPECT_EQ(one.faults(), 0U);
  one.drop(drop_netfilter, false, PA, 10, of_another_port);
  EXPECT_EQ(one.faults(), 1U) << "the namespace is known";
  Endpoint local = to_flow(one.side.tuple()).local;
  local.port = 81;
  one.parts.in.listeners.opened(3, local, {}, 0);
  one.drop(drop_netfilter, false, PA, 10, elsewhere);
  EXPECT_EQ(one.faults(), 2U) << "something listens there";
}

// Its segment was seen right before.
TEST(DropEvents, ASynOfNoConnectionIsReportedAlone) {
  for (const std::uint8_t flags : {S, PA}) {
    Dropping one;
    one.parts.add_stray(one.stream, one.side, 81, 77, flags);
    one.drop(drop_netfilter, false, flags, 0, [](Drop& d) {
      of_another_port(d);
      d.seq = 77;
    });
    EXPECT_EQ(one.parts.strays.empty(), flags == S) << "it is a dropped SYN by now, and no stray";
    EXPECT_FALSE(one.parts.unmatched.empty());
  }
}

// The SYN seemed to be for a listener here, until NAT gave it another destination.
TEST(DropEvents, ASynThatIsDroppedWithAnotherDestinationWasNotForHere) {
  for (const std::uint32_t number : {5U, 6U}) {
    Dropping one;
    const Slot asked = one.parts.lives.create(one.stream.now, true);
    Connection& c = one.parts.in.table.at(asked);
    c.role = Role::passive;
    c.isn = {0, 5, false, true};
    Flow flow = to_flow(one.side.tuple());
    flow.local.port = 8080;
    one.parts.in.table.bind_flow(asked, flow);
    one.parts.in.table.wait(asked, Wait::unanswered_syn, one.stream.now);
    one.drop(drop_netfilter, false, S, 0, [&](Drop& d) {
      of_another_port(d);
      d.seq = number;
    });
    EXPECT_EQ(one.parts.in.table.find_flow(flow) == no_slot, number == 5);
  }
}

TEST(DropEvents, ADroppedAnswerIsOneOfTheAttempts) {
  for (const std::uint8_t flags : {SA, A}) {
    Dropping one;
    one.parts.in.attempts.begun(1, one.stream.now, to_flow(one.side.tuple()));
    one.drop(drop_neighbour, true, flags);
    EXPECT_EQ(one.parts.in.attempts.due(0, true)->dropped.size(), flags == SA ? 1U : 0U);
  }
}

TEST(DropEvents, AConnectWhoseSynIsDroppedWaitsForNoOtherReason) {
  Dropping one;
  one.parts.in.table.wait(one.slot, Wait::unsent_syn, one.stream.now);
  one.drop(drop_neighbour, true, S);
  EXPECT_EQ(one.parts.in.table.wait_of(one.slot), Wait::settle);
}

// ---- What is no drop of the connection ----

// Before 6.6 TCP_INVALID_SEQUENCE is the reason for these, too.
TEST(DropEvents, AKeepAliveThatWasAnsweredIsNone) {
  for (const bool same : {true, false}) {
    Dropping one;
    one.c().ensure_anomalies().received_before = one.side.peer_nxt - (same ? 1 : 2);
    one.drop(drop_sequence, false, A, 0, [&](Drop& d) { d.seq = one.side.peer_nxt - 1; });
    EXPECT_EQ(one.seen().size(), same ? 0U : 1U);
    EXPECT_EQ(one.faults(), same ? 0U : 1U);
  }
}

// A firewall that answers for the listener.
TEST(DropEvents, WhatThisMachineMadeItselfIsNoneOfThePeers) {
  for (const bool elsewhere : {true, false}) {
    Dropping one;
    one.c().from_peer.elsewhere = elsewhere;
    one.drop(drop_sequence, false, PA, 10, [](Drop& d) { d.ifindex = loopback_ifindex; });
    EXPECT_EQ(one.seen().size(), elsewhere ? 0U : 1U) << "loopback is where its peer is";
  }
}

// Windows and BSD probe a closed window with the next byte; what was on its way as it closed meets it, too.
TEST(DropEvents, WhatMeetsAClosedWindowIsNoFault) {
  struct Case {
    bool closed;
    std::uint32_t reason;
    bool fault;
    bool packets = true;  // without any no window is seen closed
  };
  for (const Case& of : {Case{true, drop_end_sequence, false}, Case{false, drop_end_sequence, true},
                         Case{true, drop_sequence, true}, Case{false, drop_end_sequence, false, false}}) {
    Dropping one;
    one.c().seen_by.wire = of.packets;
    if (of.closed) one.c().ensure_anomalies().local_window.since = {3, one.stream.now};
    one.drop(of.reason, false, PA, 1);
    EXPECT_EQ(one.seen().size(), of.fault ? 1U : 0U) << of.reason;
    EXPECT_EQ(one.faults(), of.fault ? 1U : 0U) << of.reason;
  }
}

// ---- The wire has seen it, TCP has not ----

void fin_seen(Dropping& one) {
  FinFacts& fin = one.c().ensure_teardown().fin_in;
  fin.sent = {3, one.stream.now};
  fin.end = one.side.peer_nxt;
}

TEST(DropEvents, AFinThatNeverReachedTcpIsTakenBack) {
  Dropping one;
  fin_seen(one);
  one.drop(drop_netfilter, false, FA);
  EXPECT_FALSE(one.c().teardown->fin_in.sent);
}

TEST(DropEvents, AFinThatTcpHasTakenStays) {
  Dropping taken;
  fin_seen(taken);
  taken.c().teardown->close_wait = {4, taken.stream.now};
  taken.drop(drop_netfilter, false, FA);
  EXPECT_TRUE(taken.c().teardown->fin_in.sent);
  Dropping late;
  fin_seen(late);
  late.stream.wait(11 * ms);
  late.drop(drop_netfilter, false, FA);
  EXPECT_TRUE(late.c().teardown->fin_in.sent) << "another one";
  Dropping behind;
  fin_seen(behind);
  behind.drop(drop_rcvbuff, false, FA);
  EXPECT_TRUE(behind.c().teardown->fin_in.sent) << "TCP had looked at it";
}

TEST(DropEvents, AWindowThatNeverReachedTcpIsTakenBack) {
  for (const std::uint16_t window : {std::uint16_t{0}, std::uint16_t{500}}) {
    Dropping one;
    ZeroWindowFacts& closed = one.c().ensure_anomalies().peer_window;
    closed.since = {3, one.stream.now};
    closed.periods = 1;
    one.drop(drop_netfilter, false, A, 0, [&](Drop& d) { d.window = window; });
    EXPECT_EQ(one.c().anomalies->peer_window.periods, window == 0 ? 0U : 1U);
  }
}

TEST(DropEvents, AnAnswerToAKeepAliveThatNeverReachedTcpIsNone) {
  const auto dropped = [](std::uint32_t reason, std::uint32_t len, std::uint32_t other) {
    Dropping one;
    KeepaliveFacts& k = one.c().ensure_anomalies().keepalive;
    k.answered = 1;
    k.unanswered_before = 3;
    k.last_answer = {3, one.stream.now};
    k.answer_seq = one.side.peer_nxt;
    k.answer_ack = one.side.snd_nxt;
    one.drop(reason, false, A, len, [&](Drop& d) {
      d.window = 500;
      d.ack += other;
    });
    EXPECT_EQ(k.unanswered, k.answered == 0 ? 3U : 0U);
    return k;
  };
  EXPECT_EQ(dropped(drop_netfilter, 0, 0).answers_dropped, 1U);
  EXPECT_EQ(dropped(drop_csum, 0, 0).answers_dropped, 0U);
  EXPECT_EQ(dropped(drop_csum, 0, 0).answers_refused, 1U) << "TCP itself has seen it";
  EXPECT_EQ(dropped(drop_netfilter, 1, 0).answered, 1U);
  EXPECT_EQ(dropped(drop_netfilter, 0, 1).answered, 1U) << "another one, in the same moment";
}

// ---- Entries ----

TEST(DropEvents, AnEntryNamesTheSegmentAndCountsFromTheFirstNumber) {
  Dropping one(trace_settings());
  one.c().recent = std::make_unique<Recent>();
  Candidate candidate;
  candidate.id = 3;
  candidate.seq = one.side.snd_nxt;
  candidate.flags = PA;
  candidate.out = true;
  one.c().recent->push(candidate);
  one.drop(drop_qdisc, true, PA, 10);
  one.drop(drop_qdisc, true, PA, 10, [](Drop& d) { ++d.seq; });
  const auto entries = one.parts.entries_of<DropEntry>();
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(entries[0].segment, 3U);
  EXPECT_TRUE(entries[0].relative);
  EXPECT_EQ(entries[0].rel_seq, one.side.snd_nxt - one.side.isn());
  EXPECT_EQ(entries[1].segment, 0U) << "another one";
  EXPECT_TRUE(one.c().recent->segments[0].dropped) << "it caused nothing";
}

TEST(DropEvents, WhereDropsAreCountedFaultsAreEntries) {
  CorrelatorSettings settings = life_settings();
  settings.counted = true;
  Dropping one(settings);
  one.drop(drop_old_sequence, false, A);
  EXPECT_TRUE(one.parts.reports.empty());
  one.drop(drop_netfilter, false, A);
  EXPECT_EQ(one.parts.reports.size(), 1U);
}

}  // namespace
}  // namespace tcpwitness::testing
