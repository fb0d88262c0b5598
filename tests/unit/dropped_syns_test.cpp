// SPDX-License-Identifier: Apache-2.0
// A SYN that was dropped before TCP had it is one attempt, however often it comes.
#include "correlate/dropped_syns.hpp"

#include <gtest/gtest.h>

#include "unit/events.hpp"

namespace tcpwitness {
namespace {

using testing::s;

Stray syn_of(std::uint32_t seq, TimeNs ts) {
  Stray stray;
  stray.seq = seq;
  stray.ts_ns = ts;
  stray.evidence.add(seq + 1);
  return stray;
}

Drop drop_of(std::uint32_t seq) {
  Drop d{};
  d.seq = seq;
  d.reason = 8;
  return d;
}

TEST(DroppedSyns, AreOneAttemptUntilTheNextOneWouldHaveCome) {
  DroppedSyns syns;
  EXPECT_FALSE(syns.add(syn_of(1, 0), Event{}, drop_of(1)));
  EXPECT_FALSE(syns.add(syn_of(1, 1 * s), Event{}, drop_of(1)));
  EXPECT_FALSE(syns.due(5 * s - 1, false)) << "2 s + 2 s behind the newest one";
  const auto attempt = syns.due(5 * s, false);
  ASSERT_TRUE(attempt);
  EXPECT_EQ(attempt->count, 2U);
  EXPECT_EQ(attempt->first_ns, 0);
  EXPECT_EQ(attempt->stray.ts_ns, 1 * s);
  EXPECT_TRUE(syns.empty());
}

TEST(DroppedSyns, AreOverWithTheRun) {
  DroppedSyns syns;
  EXPECT_FALSE(syns.add(syn_of(1, 0), Event{}, drop_of(1)));
  EXPECT_FALSE(syns.add(syn_of(2, 0), Event{}, drop_of(2)));
  EXPECT_FALSE(syns.due(1 * s, false));
  EXPECT_TRUE(syns.due(1 * s, true));
  EXPECT_TRUE(syns.due(1 * s, true));
  EXPECT_FALSE(syns.due(1 * s, true));
}

TEST(DroppedSyns, TheOldestGivesWay) {
  DroppedSyns syns;
  for (std::uint32_t i = 0; i < DroppedSyns::limit; ++i) EXPECT_FALSE(syns.add(syn_of(i, 0), Event{}, drop_of(i)));
  const auto oldest = syns.add(syn_of(900, 0), Event{}, drop_of(900));
  ASSERT_TRUE(oldest);
  EXPECT_EQ(oldest->stray.seq, 0U);
}

TEST(DroppedSyns, TheRestOfASecondIsAddedUp) {
  DroppedSyns syns;
  DroppedSyn attempt;
  attempt.stray = syn_of(1, 0);
  attempt.count = 3;
  add_reason(attempt.reasons, 8, 3);
  syns.add_up(attempt, 0);
  syns.add_up(attempt, s / 2);
  EXPECT_FALSE(syns.empty());
  EXPECT_FALSE(syns.sum_due(s - 1, false));
  const auto sum = syns.sum_due(s, false);
  ASSERT_TRUE(sum);
  EXPECT_EQ(sum->crowd.size(), 6U);
  EXPECT_EQ(sum->reasons, (ByReason{{8, 6}}));
  EXPECT_TRUE(syns.empty());
}

}  // namespace
}  // namespace tcpwitness
