// SPDX-License-Identifier: Apache-2.0
// What waits for an event that may never come is bounded, and taken once.
#include "correlate/newest.hpp"

#include <gtest/gtest.h>

namespace tcpwitness {
namespace {

TEST(Newest, KeepsNoMoreThanItsLimit) {
  Newest<int, 3> newest;
  for (int i = 1; i <= 4; ++i) newest.push(i);
  EXPECT_FALSE(newest.take_oldest([](int i) { return i == 1; }));
  EXPECT_TRUE(newest.take_oldest([](int i) { return i == 2; }));
  EXPECT_FALSE(newest.take_oldest([](int i) { return i == 2; })) << "once";
}

TEST(Newest, TakesFromEitherEnd) {
  Newest<int, 8> newest;
  for (int i = 1; i <= 4; ++i) newest.push(i);
  const auto even = [](int i) { return i % 2 == 0; };
  EXPECT_EQ(newest.take_newest(even), 4);
  newest.push(6);
  EXPECT_EQ(newest.take_oldest(even), 2);
  ASSERT_NE(newest.find(even), nullptr);
  EXPECT_EQ(*newest.find(even), 6);
  EXPECT_FALSE(newest.take_newest([](int i) { return i > 6; }));
}

TEST(Newest, ForgetsTheOldestOnes) {
  Newest<int, 8> newest;
  for (const int i : {1, 2, 5, 1}) newest.push(i);
  newest.expire([](int i) { return i < 3; });
  EXPECT_EQ(newest.take_oldest([](int) { return true; }), 5);
  EXPECT_EQ(newest.take_oldest([](int) { return true; }), 1);
  EXPECT_TRUE(newest.empty());
}

}  // namespace
}  // namespace tcpwitness
