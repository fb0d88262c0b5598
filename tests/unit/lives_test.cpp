// SPDX-License-Identifier: Apache-2.0
// How a connection begins in the table, and gets its addresses and its process.
#include "correlate/lives.hpp"

#include <gtest/gtest.h>

#include "unit/correlation_parts.hpp"

namespace tcpwitness::testing {
namespace {

Gap gap_until(TimeNs ts) {
  Gap gap{};
  gap.to_ts_ns = ts;
  return gap;
}

TEST(Lives, WhatBeginsBehindALossIsWholeAndWhatIsFoundBehindOneMayNotBe) {
  Parts parts;
  parts.in.losses.add(gap_until(1 * s));
  const auto incomplete = [&](TimeNs ts, bool begun) {
    return parts.in.table.at(parts.lives.create(ts, begun)).incomplete;
  };
  EXPECT_TRUE(incomplete(1 * s, true));
  EXPECT_FALSE(incomplete(1 * s + 1, true));
  EXPECT_TRUE(incomplete(1 * s + 1, false));
}

TEST(Lives, AConnectionIsFoundByItsAddressesOnceItHasBothPorts) {
  Parts parts;
  const Slot slot = parts.lives.create(0, true);
  Flow half = to_flow(Parts::tuple());
  half.local.port = 0;
  parts.lives.adopt_flow(slot, half);
  EXPECT_EQ(parts.in.table.at(slot).flow, half) << "it is shown";
  EXPECT_EQ(parts.in.table.find_flow(half), no_slot);
  const Flow whole = to_flow(Parts::tuple());
  parts.lives.adopt_flow(slot, whole);
  EXPECT_EQ(parts.in.table.find_flow(whole), slot);
  const Flow other = to_flow(Parts::tuple(40001));
  parts.lives.adopt_flow(slot, other);
  EXPECT_EQ(parts.in.table.at(slot).flow, whole) << "it has its addresses for good";
  EXPECT_EQ(parts.in.table.find_flow(other), no_slot);
}

TEST(Lives, AnIcmpErrorFromJustBeforeItsAddressesAreKnownIsItsOwn) {
  for (const std::int64_t later : {1 * s - 10 * us, 2 * s}) {
    Parts parts;
    Stream stream;
    Side c = client_of(stream);
    c.icmp(3, 1, "10.0.0.9", c.isn());
    parts.feed(parts.icmp, stream);
    EXPECT_FALSE(parts.icmp.none_early());
    parts.in.now += later;
    const Slot slot = parts.lives.create(parts.in.now, true);
    parts.in.table.at(slot).state = State::syn_sent;
    parts.lives.adopt_flow(slot, to_flow(c.tuple()));
    const Connection& found = parts.in.table.at(slot);
    EXPECT_EQ(found.anomalies && found.anomalies->icmp_in_mark, later < 1 * s) << later;
    EXPECT_TRUE(parts.icmp.none_early());
  }
}

TEST(Lives, AProcessIsAnEntryAndNoProcessIsNone) {
  Parts parts(trace_settings());
  Connection& c = parts.in.table.at(parts.lives.create(0, true));
  parts.lives.owner_changed(c, Event{1, 0, {}});
  EXPECT_TRUE(parts.entries_of<OwnerEntry>().empty());
  c.owner.pid = 42;
  parts.lives.owner_changed(c, Event{2, 0, {}});
  ASSERT_EQ(parts.entries_of<OwnerEntry>().size(), 1U);
}

TEST(Lives, ATransitionIsMissingWhereEveryOneShouldHaveBeenSeen) {
  Parts parts;
  Connection& followed = parts.in.table.at(parts.lives.create(0, true));
  followed.transitions.in_step = true;
  Connection& found = parts.in.table.at(parts.lives.create(0, true));
  found.seen_by.kernel = true;
  found.opening.preexisting = true;
  parts.lives.note_missing(found);
  EXPECT_FALSE(found.incomplete) << "it can have come before the run";
  parts.lives.note_missing(followed);
  EXPECT_TRUE(followed.incomplete);
  EXPECT_EQ(parts.in.summary.missed, 1U);
}

TEST(Lives, WhatALossExplainsIsNotMissing) {
  Parts parts;
  Connection& c = parts.in.table.at(parts.lives.create(0, true));
  c.transitions.in_step = true;
  parts.in.losses.add(gap_until(1 * s));
  parts.lives.note_missing(c);
  EXPECT_EQ(parts.in.summary.missed, 0U);
}

TEST(Lives, HalfOpenOnesHaveALimitOfTheirOwn) {
  CorrelatorSettings settings;
  settings.half_open_limit = 2;
  Parts parts(settings);
  for (const Wait wait : {Wait::unanswered_syn, Wait::request}) {
    EXPECT_FALSE(parts.lives.crowded(true));
    parts.in.table.wait(parts.lives.create(0, true), wait, 0);
  }
  EXPECT_TRUE(parts.lives.crowded(true));
  EXPECT_FALSE(parts.lives.crowded(false));
}

TEST(Lives, WithoutTheKernelAllOfThemHaveALimit) {
  for (const bool kernel : {false, true}) {
    CorrelatorSettings settings;
    settings.has_kernel = kernel;
    settings.wire_alone_limit = 1;
    Parts parts(settings);
    EXPECT_FALSE(parts.lives.crowded(false));
    parts.lives.create(0, true);
    EXPECT_EQ(parts.lives.crowded(false), !kernel);
  }
}

}  // namespace
}  // namespace tcpwitness::testing
