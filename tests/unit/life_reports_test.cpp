// SPDX-License-Identifier: Apache-2.0
// When a life is reported, and what a list of the sockets ends.
#include "correlate/life_reports.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "unit/correlation_parts.hpp"

namespace tcpwitness {
namespace {

using testing::Parts;

Slot open(Parts& parts, std::uint16_t port) {
  const Slot slot = parts.lives.create(parts.in.now, true);
  Connection& c = parts.in.table.at(slot);
  parts.in.table.bind_cookie(slot, port);
  parts.in.table.bind_flow(slot, to_flow(Parts::tuple(port)));
  c.seen_by.kernel = true;
  c.opening.established = true;
  c.enter(TcpState::established);
  return slot;
}

TEST(LifeReports, AConnectionThatIsOverIsReportedAndItsLateEventsAreKnown) {
  Parts parts;
  const Slot slot = open(parts, 40000);
  {
    const Emitter::Call call(parts.in.emitter, parts.reports);
    parts.life_reports.conclude(slot);
  }
  ASSERT_EQ(parts.reports.size(), 1U);
  EXPECT_TRUE(std::holds_alternative<Life>(parts.reports.front()));
  EXPECT_EQ(parts.in.summary.connections, 1U);
  EXPECT_TRUE(parts.in.table.at(slot).reported);
  EXPECT_EQ(parts.in.table.wait_of(slot), Wait::tombstone);
}

TEST(LifeReports, OfManyHalfOpenOnesOfASecondTheFirstHundredAreListed) {
  Parts parts;
  const Emitter::Call call(parts.in.emitter, parts.reports);
  for (std::uint16_t i = 0; i < 130; ++i) {
    const Slot slot = parts.lives.create(0, true);
    Connection& c = parts.in.table.at(slot);
    c.role = Role::passive;
    c.seen_by.kernel = true;
    c.enter(TcpState::new_syn_recv);
    parts.life_reports.conclude(slot);
  }
  EXPECT_EQ(parts.in.summary.connections, 100U);
  EXPECT_EQ(parts.in.summary.unlisted, 30U);
}

TEST(LifeReports, OneThatGoesOnIsJudgedAndStaysOpen) {
  Parts parts;
  const Slot slot = open(parts, 40000);
  int taken = 0;
  parts.life_reports.so_far(0, [&](const Life&) { ++taken; });
  EXPECT_EQ(taken, 1);
  EXPECT_FALSE(parts.in.table.at(slot).reported);
  EXPECT_TRUE(parts.life_reports.so_far_of(parts.in.table.at(slot).id, 0));
  EXPECT_FALSE(parts.life_reports.so_far_of(4711, 0));
}

TEST(SocketList, BehindALossAConnectionThatIsNotListedIsOver) {
  Parts parts;
  const Slot kept = open(parts, 40000);
  const Slot gone = open(parts, 40001);
  const Emitter::Call call(parts.in.emitter, parts.reports);
  parts.in.losses.add(Gap{});
  parts.in.listed_ns = 99;
  parts.sockets.finish(100);
  EXPECT_FALSE(parts.in.table.at(gone).reported) << "it was no whole list";
  parts.in.listed_ns = 100;
  parts.in.table.at(kept).last_ts_ns = 100;  // it was on the list
  parts.sockets.finish(100);
  EXPECT_EQ(parts.in.table.wait_of(kept), Wait::none);
  EXPECT_EQ(parts.in.table.wait_of(gone), Wait::gone);
  parts.sockets.conclude_gone();
  EXPECT_FALSE(parts.in.table.at(kept).reported);
  EXPECT_TRUE(parts.in.table.at(gone).reported);
  EXPECT_TRUE(parts.in.table.at(gone).expired);
}

// A list lacks it, and it is seen before its turn comes.
void is_missed_and_seen_again(Parts& parts, Slot slot) {
  parts.in.losses.add(Gap{});
  parts.in.listed_ns = 100;
  parts.sockets.finish(100);
  ASSERT_EQ(parts.in.table.wait_of(slot), Wait::gone);
  parts.in.table.at(slot).last_ts_ns = 101;
  parts.sockets.conclude_gone();
}

TEST(SocketList, WhatIsSeenBeforeItsTurnGoesOn) {
  Parts parts;
  const Slot slot = open(parts, 40000);
  const Emitter::Call call(parts.in.emitter, parts.reports);
  ASSERT_NO_FATAL_FAILURE(is_missed_and_seen_again(parts, slot));
  EXPECT_FALSE(parts.in.table.at(slot).reported);
  EXPECT_EQ(parts.in.table.wait_of(slot), Wait::none);
}

TEST(SocketList, WhatGoesOnWaitsForWhatItsStateWaitsFor) {
  for (const auto& [state, wait] : {std::pair{TcpState::close_wait, Wait::close_wait},
                                    {TcpState::fin_wait2, Wait::fin_wait2},
                                    {TcpState::new_syn_recv, Wait::request}}) {
    Parts parts;
    const Slot slot = open(parts, 40000);
    parts.in.table.at(slot).state = state;
    parts.in.table.wait(slot, wait, 0);
    ASSERT_NO_FATAL_FAILURE(is_missed_and_seen_again(parts, slot));
    EXPECT_EQ(parts.in.table.wait_of(slot), wait) << static_cast<int>(state);
  }
}

TEST(SocketList, WhatIsReportedInCloseWaitNeedsNoMoreTime) {
  Parts parts;
  const Slot slot = open(parts, 40000);
  Connection& c = parts.in.table.at(slot);
  c.state = TcpState::close_wait;
  c.ensure_anomalies().while_open.reported.push_back({.rule = Rule::close_wait_stuck});
  ASSERT_NO_FATAL_FAILURE(is_missed_and_seen_again(parts, slot));
  EXPECT_EQ(parts.in.table.wait_of(slot), Wait::none);
}

TEST(SocketList, OfManyThatAreOverAPartIsConcludedAtATime) {
  constexpr int many = 2000;
  Parts parts;
  const Emitter::Call call(parts.in.emitter, parts.reports);
  for (int i = 0; i < many; ++i) open(parts, static_cast<std::uint16_t>(10'000 + i));
  parts.in.losses.add(Gap{});
  parts.in.listed_ns = 100;
  parts.sockets.finish(100);
  parts.sockets.finish(100);  // none has to wait for longer, as a list comes again
  EXPECT_TRUE(parts.reports.empty());
  EXPECT_EQ(parts.in.table.waiting(Wait::gone), static_cast<std::size_t>(many));
  const auto due_by = [&](TimeNs now) {
    int due = 0;
    while (parts.in.table.expire(now).slot != no_slot) ++due;
    return due;
  };
  for (int left = many; left > 0; left -= 256) {
    EXPECT_EQ(due_by(parts.in.now), std::min(left, 256));
    parts.in.now += 1'000'000;
  }
}

// Connections that are over and in TIME_WAIT, one behind the other; how many are remembered.
std::size_t remembered(int ended, CorrelatorSettings settings) {
  Parts parts(std::move(settings));
  const Emitter::Call call(parts.in.emitter, parts.reports);
  for (int i = 0; i < ended; ++i) {
    const Slot slot = open(parts, static_cast<std::uint16_t>(10'000 + i));
    Connection& c = parts.in.table.at(slot);
    c.ensure_teardown().end = {1, 1};
    c.enter(TcpState::time_wait);
    parts.life_reports.conclude(slot);
    parts.reports.clear();
  }
  EXPECT_EQ(parts.in.table.waiting(Wait::time_wait) + parts.in.table.waiting(Wait::tombstone),
            static_cast<std::size_t>(ended));
  return parts.in.table.waiting(Wait::time_wait);
}

TEST(LifeReports, OfManyInTimeWaitTheNewestAreForgotten) {
  constexpr int limit = static_cast<int>(LifeReports::time_wait_limit);
  EXPECT_EQ(remembered(limit - 1, testing::trace_settings()), LifeReports::time_wait_limit - 1);
  EXPECT_EQ(remembered(limit + 50, testing::trace_settings()), LifeReports::time_wait_limit);
  EXPECT_EQ(remembered(50, testing::life_settings()), 0U) << "nothing is shown of it any more";
}

}  // namespace
}  // namespace tcpwitness
