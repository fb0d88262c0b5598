// SPDX-License-Identifier: Apache-2.0
// A reset that the kernel reports: whose it is, and what it ends.
#include "correlate/reset_events.hpp"

#include <gtest/gtest.h>

#include "unit/correlation_parts.hpp"

namespace tcpwitness::testing {
namespace {

// A connection of a client here, as other parts have written it.
struct Resetting {
  explicit Resetting(State state) : parts(trace_settings()), slot(parts.lives.create(stream.now, true)) {
    side.state = state;
    parts.in.table.bind_cookie(slot, 7);
    parts.in.table.bind_flow(slot, to_flow(side.tuple()));
    c().enter(state);
  }

  [[nodiscard]] Connection& c() { return parts.in.table.at(slot); }
  // edit: of the record.
  void reset(ResetDirection direction, std::uint32_t reason, bool answers, Caller by = nobody,
             const std::function<void(Reset&)>& edit = {}) {
    side.kernel_reset(direction, reason, by, answers);
    if (edit) edit(std::get<Reset>(stream.events.back().body));
    parts.feed(parts.resets, stream);
  }
  [[nodiscard]] ResetEntry entry() {
    const auto entries = parts.entries_of<ResetEntry>();
    return entries.empty() ? ResetEntry{} : entries.back();
  }
  [[nodiscard]] bool noted(ResetDirection direction) {
    if (!c().anomalies) return false;
    const Anomalies& a = *c().anomalies;
    return static_cast<bool>(direction == ResetDirection::sent ? a.reset_sent.mark : a.reset_received.mark);
  }

  Parts parts;
  Stream stream;
  Side side = client_of(stream);
  Slot slot;
};

void no_socket(Reset& r) {
  r.has_socket = 0;
  r.header.cookie = 0;
}

TEST(ResetEvents, OneThatAProcessSendsIsItsConnections) {
  Resetting one(State::established);
  one.reset(ResetDirection::sent, reason_abort_on_close, false, curl);
  ASSERT_TRUE(one.noted(ResetDirection::sent));
  EXPECT_EQ(one.c().anomalies->reset_sent.reason, reason_abort_on_close);
  EXPECT_EQ(one.entry().kind, ResetReason::abort_on_close);
  EXPECT_EQ(one.entry().process.pid, curl.pid);
}

TEST(ResetEvents, TheFirstOneIsKept) {
  Resetting one(State::established);
  one.reset(ResetDirection::sent, reason_abort_on_close, false, curl);
  one.reset(ResetDirection::sent, reason_tcp_state, false, curl);
  EXPECT_EQ(one.c().anomalies->reset_sent.reason, reason_abort_on_close);
}

TEST(ResetEvents, WithoutASocketItIsOfTheConnectionOfTheseAddresses) {
  Resetting one(State::established);
  one.reset(ResetDirection::sent, reason_no_socket, true, nobody, no_socket);
  EXPECT_TRUE(one.noted(ResetDirection::sent));
  EXPECT_FALSE(one.entry().has_socket);
}

TEST(ResetEvents, BehindTheEndItEndsNothing) {
  Resetting one(State::close);
  one.c().ensure_teardown().end = {5, one.stream.now};
  one.reset(ResetDirection::sent, reason_no_socket, true, nobody, no_socket);
  EXPECT_FALSE(one.noted(ResetDirection::sent));
}

TEST(ResetEvents, TheAnswerToASegmentLeavesAnOpenSocketAsItIs) {
  Resetting open(State::syn_sent);
  open.reset(ResetDirection::sent, reason_tcp_state, true);
  EXPECT_FALSE(open.noted(ResetDirection::sent));
  Resetting closed(State::close);
  closed.reset(ResetDirection::sent, reason_abort_on_data, true);
  EXPECT_TRUE(closed.noted(ResetDirection::sent)) << "the socket was closed before it";
}

TEST(ResetEvents, OfNoConnectionItIsAnEntryAlone) {
  Resetting one(State::established);
  one.reset(ResetDirection::sent, reason_no_socket, true, nobody, [](Reset& r) {
    no_socket(r);
    r.tuple.local_port = 1;
  });
  EXPECT_FALSE(one.noted(ResetDirection::sent));
  EXPECT_EQ(one.parts.entries_of<ResetEntry>().size(), 1U);
}

// ---- Taken ----

TEST(ResetEvents, ATakenOneIsTheOneOfTheWireByItsNumber) {
  for (const std::uint32_t behind : {0U, 1U}) {
    Resetting one(State::established);
    one.c().seen_by.wire = true;
    one.c().ensure_anomalies().rst_in = {.mark = {3, one.stream.now}, .seq = one.side.rcv_nxt - behind};
    one.reset(ResetDirection::received, 0, false);
    EXPECT_TRUE(one.noted(ResetDirection::received));
    EXPECT_EQ(one.entry().segment, behind == 0 ? 3U : 0U);
    EXPECT_EQ(one.entry().wire, behind == 0 ? ResetEntry::Wire::shows_it : ResetEntry::Wire::shows_none);
  }
}

TEST(ResetEvents, WherePacketsAreNotSeenNoneIsMissing) {
  for (const bool watched : {false, true}) {
    Resetting one(State::established);
    one.parts.in.settings.has_wire = watched;
    one.reset(ResetDirection::received, 0, false);
    // Through NAT whose other addresses are not known its segments are not seen as its own.
    EXPECT_EQ(one.entry().wire, watched ? ResetEntry::Wire::shows_none : ResetEntry::Wire::not_watched);
  }
}

TEST(ResetEvents, AnOrphanTakesDataForAReset) {
  for (const State state : {State::fin_wait2, State::close_wait}) {
    Resetting one(state);
    one.side.extra.flags = TW_CB_DEAD;
    one.c().seen_by.wire = true;
    one.reset(ResetDirection::received, 0, false);
    const bool orphan = state == State::fin_wait2;
    EXPECT_EQ(one.entry().wire, orphan ? ResetEntry::Wire::shows_data_after_close : ResetEntry::Wire::shows_none);
  }
}

// ---- Requests and mini-sockets ----

TEST(ResetEvents, ARequestThatIsAskedAgainInItsWindowEnds) {
  for (const std::uint32_t reason : {reason_invalid_syn, reason_no_socket}) {
    Resetting one(State::new_syn_recv);
    one.side.state = State::listen;  // the reset comes with the listener's socket
    one.reset(ResetDirection::sent, reason, true);
    const bool ends = reason == reason_invalid_syn;
    EXPECT_EQ(one.c().ended(), ends);
    EXPECT_EQ(one.noted(ResetDirection::sent), ends);
    EXPECT_EQ(one.parts.in.table.wait_of(one.slot), ends ? Wait::settle : Wait::none);
  }
}

// It expired, or ss -K removed it: what acknowledges the SYN-ACK meets the listener itself.
TEST(ResetEvents, ARequestThatIsGoneIsReset) {
  for (const std::uint32_t ahead : {0U, 1U}) {
    Resetting one(State::new_syn_recv);
    one.side.state = State::listen;
    one.c().isn = {300, 0, true, false};
    constexpr std::uint32_t tcp_flags = 20;
    one.reset(ResetDirection::sent, tcp_flags, true, nobody, [&](Reset& r) {
      r.skb_flags = PA;
      r.skb_ack = 301 + ahead;
    });
    EXPECT_EQ(one.c().ended(), ahead == 0) << "a request stays where the segment is not its own";
    EXPECT_EQ(one.noted(ResetDirection::sent), ahead == 0);
  }
}

// MPTCP closes what it had made of a subflow's last ACK; the RST comes with the listener's socket.
TEST(ResetEvents, ASubflowThatIsRefusedIsResetByItsListener) {
  for (const std::uint32_t behind : {0U, 1U}) {
    Resetting one(State::syn_recv);
    Connection& c = one.c();
    c.ensure_teardown().end = {5, one.stream.now};
    c.teardown->end_from = State::syn_recv;
    c.isn.has_remote = true;
    c.isn.remote = 1000;
    one.side.state = State::listen;
    constexpr std::uint32_t of_mptcp = 20;
    one.reset(ResetDirection::sent, of_mptcp, true, nobody, [&](Reset& r) {
      r.header.cookie = 99;
      r.skb_seq = 1001 + behind;  // the ACK's
    });
    EXPECT_EQ(one.noted(ResetDirection::sent), behind == 0);
  }
}

TEST(ResetEvents, AMiniSocketThatIsResetWaitsForNoFin) {
  for (const bool mini : {true, false}) {
    Resetting one(State::fin_wait2);
    Teardown& teardown = one.c().ensure_teardown();
    teardown.mini_fin_wait2 = mini;
    teardown.end = {5, one.stream.now - 1};
    one.parts.in.table.wait(one.slot, Wait::fin_wait2, one.stream.now);
    one.reset(ResetDirection::received, 0, false);
    EXPECT_EQ(one.parts.in.table.wait_of(one.slot), mini ? Wait::settle : Wait::fin_wait2);
    EXPECT_EQ(teardown.end.id, mini ? 1U : 5U);
  }
}

// ---- Both ends on this machine ----

// The server's host answers what the client of the same machine sent.
void of_the_other_end(Reset& r) {
  no_socket(r);
  std::swap(r.tuple.local_addr, r.tuple.remote_addr);
  std::swap(r.tuple.local_port, r.tuple.remote_port);
}

TEST(ResetEvents, WhatAConnectionHereSentIsAnsweredHere) {
  constexpr std::uint32_t far = (1U << 24U) + 2;
  for (const std::uint32_t ahead : {0U, far}) {
    Resetting one(State::syn_sent);
    one.c().isn.has_local = true;
    one.c().isn.local = one.side.isn();
    one.reset(ResetDirection::sent, reason_no_socket, true, nobody, [&](Reset& r) {
      of_the_other_end(r);
      r.skb_seq = one.side.isn() + ahead;
    });
    const bool answered = one.c().anomalies && one.c().anomalies->answered_here.mark;
    EXPECT_EQ(answered, ahead == 0) << "a number that it never sent";
    EXPECT_FALSE(one.noted(ResetDirection::received)) << "the client's own report says that";
  }
}

TEST(ResetEvents, ItIsTheAnswerToAStray) {
  Resetting one(State::established);
  one.parts.add_stray(one.stream, one.side, 1, 77, ack);
  for (const std::uint32_t number : {76U, 77U}) {
    one.reset(ResetDirection::sent, reason_no_socket, true, nobody, [&](Reset& r) {
      no_socket(r);
      r.tuple.local_port = 1;
      r.skb_seq = number;
    });
    EXPECT_EQ(one.entry().segment, number == 77 ? 40U : 0U);
  }
}

}  // namespace
}  // namespace tcpwitness::testing
