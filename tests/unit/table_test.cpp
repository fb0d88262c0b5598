// SPDX-License-Identifier: Apache-2.0
#include "correlate/table.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace tcpwitness {
namespace {

std::vector<Slot> in_their_order(Table& table, TimeNs now) {
  std::vector<Slot> slots;
  for (auto due = table.expire(now); due.slot != no_slot; due = table.expire(now)) slots.push_back(due.slot);
  return slots;
}

TEST(Waiting, WhatBeganEarlierIsDueEarlierThoughItCameLater) {
  Table table;
  table.set_delay(Wait::close_wait, 100);
  const Slot first = table.create(1);
  const Slot last = table.create(2);
  const Slot late = table.create(3);
  const Slot earliest = table.create(4);
  table.wait(first, Wait::close_wait, 50);
  table.wait(last, Wait::close_wait, 70);
  table.wait(late, Wait::close_wait, 60);
  table.wait(earliest, Wait::close_wait, 10);
  EXPECT_EQ(table.waiting(Wait::close_wait), 4U);
  EXPECT_EQ(in_their_order(table, 109), (std::vector<Slot>{}));
  EXPECT_EQ(in_their_order(table, 160), (std::vector<Slot>{earliest, first, late}));
  EXPECT_EQ(in_their_order(table, 170), (std::vector<Slot>{last}));
}

TEST(Waiting, WhatBeganAtOneTimeIsDueAsItCame) {
  Table table;
  table.set_delay(Wait::close_wait, 100);
  const Slot one = table.create(1);
  const Slot other = table.create(2);
  table.wait(one, Wait::close_wait, 50);
  table.wait(other, Wait::close_wait, 50);
  table.wait(one, Wait::none, 60);
  table.wait(one, Wait::close_wait, 50);
  EXPECT_EQ(in_their_order(table, 150), (std::vector<Slot>{other, one}));
}

}  // namespace
}  // namespace tcpwitness
