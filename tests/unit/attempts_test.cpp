// SPDX-License-Identifier: Apache-2.0
// What is counted second by second, and how many single reports a second has.
#include "correlate/attempts.hpp"

#include <gtest/gtest.h>

#include "unit/events.hpp"

namespace tcpwitness {
namespace {

using testing::ms;
using testing::s;

TEST(FirstOfEachSecond, TakesAsManyAsItMay) {
  FirstOfEachSecond first(2);
  EXPECT_TRUE(first.take(10 * s));
  EXPECT_TRUE(first.take(10 * s + 5 * ms));
  EXPECT_FALSE(first.take(11 * s - 1));
  EXPECT_TRUE(first.take(11 * s)) << "the next second";
}

TEST(RestOfEachSecond, IsASumWhenItsSecondIsOver) {
  RestOfEachSecond rest;
  EXPECT_TRUE(rest.empty());
  rest.add(1, 5 * s, Flow{});
  rest.add(2, 5 * s + 900 * ms, Flow{});
  EXPECT_FALSE(rest.due(6 * s - 1, false));
  const auto sum = rest.due(6 * s, false);
  ASSERT_TRUE(sum);
  EXPECT_EQ(sum->size(), 2U);
  EXPECT_TRUE(rest.empty());
}

TEST(RestOfEachSecond, IsASumWhenTheRunIsOver) {
  RestOfEachSecond rest;
  rest.add(1, 5 * s, Flow{});
  EXPECT_TRUE(rest.due(5 * s, true));
  EXPECT_FALSE(rest.due(5 * s, true));
}

TEST(AttemptsBySecond, HaveASecondMoreToComplete) {
  AttemptsBySecond attempts(false);
  attempts.begun(1, 0, Flow{});
  attempts.begun(2, 999 * ms, Flow{});
  EXPECT_FALSE(attempts.due(1 * s, false));
  attempts.begun(3, 1'100 * ms, Flow{});
  // Those that began first complete first.
  attempts.completed();
  attempts.refused();
  attempts.completed();
  EXPECT_FALSE(attempts.due(2 * s - 1, false));
  const auto first = attempts.due(2 * s, false);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->crowd.size(), 2U);
  EXPECT_EQ(first->completed, 1U);
  EXPECT_EQ(first->refused, 1U);
  const auto second = attempts.due(4 * s, false);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->crowd.size(), 1U);
  EXPECT_EQ(second->completed, 1U);
  EXPECT_TRUE(attempts.empty());
}

TEST(AttemptsBySecond, AllAreDueWhenTheRunIsOver) {
  AttemptsBySecond attempts(true);
  attempts.begun(1, 0, Flow{});
  attempts.answered(false);
  attempts.answered(true);
  EXPECT_FALSE(attempts.due(1 * s, false));
  attempts.begun(2, 1 * s, Flow{});
  const auto first = attempts.due(1 * s, true);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->answered, 1U);
  EXPECT_EQ(first->cookies, 1U);
  EXPECT_TRUE(first->forwarded);
  EXPECT_TRUE(attempts.due(1 * s, true));
  EXPECT_FALSE(attempts.due(1 * s, true));
}

// What is dropped soon behind the SYN is of the newest second; a neighbour that is given up, of the one before.
TEST(AttemptsBySecond, KnowWhyAnAnswerWasDropped) {
  AttemptsBySecond attempts(false);
  attempts.answer_dropped(7);  // of none
  EXPECT_TRUE(attempts.empty());
  attempts.begun(1, 0, Flow{});
  attempts.answer_dropped(7);
  EXPECT_FALSE(attempts.due(1 * s, false));
  attempts.answer_dropped(7);
  const auto first = attempts.due(2 * s, false);
  ASSERT_TRUE(first);
  ASSERT_EQ(first->dropped.size(), 1U);
}

}  // namespace
}  // namespace tcpwitness
