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

TEST(Waiting, TheFirstKindComesFirstAndEachIsDueInItsTurn) {
  Table table;
  table.set_delay(Wait::settle, 100);
  table.set_delay(Wait::time_wait, 10);
  const Slot settles = table.create(1);
  const Slot waits = table.create(2);
  const Slot stops = table.create(3);
  table.wait(settles, Wait::settle, 0);
  table.wait(waits, Wait::time_wait, 0);
  table.wait(stops, Wait::close_wait, 0);
  table.wait(stops, Wait::none, 0);
  EXPECT_EQ(in_their_order(table, 9), (std::vector<Slot>{}));
  EXPECT_EQ(table.due(), 10);
  EXPECT_EQ(in_their_order(table, 10), (std::vector<Slot>{waits}));
  EXPECT_EQ(table.due(), 100);
  table.wait(waits, Wait::time_wait, 50);
  EXPECT_EQ(in_their_order(table, 100), (std::vector<Slot>{settles, waits}));
}

// One that has it no longer is not found by it, nor is it taken out of the index for another one.
TEST(Table, AFlowThatChangesHandsIsFoundOnce) {
  Table table;
  const Flow flow{{{}, 1}, {{}, 2}};
  const Flow other{{{}, 3}, {{}, 4}};
  const Slot older = table.create(1);
  const Slot newer = table.create(2);
  table.bind_new(older, 7, flow, Table::hash_of(flow));
  table.bind_flow(newer, other);
  EXPECT_EQ(table.find_flow(flow), older);
  table.bind_flow(newer, flow);
  EXPECT_EQ(table.find_flow(flow), newer);
  EXPECT_EQ(table.find_flow(other), no_slot);
  table.release(older);
  EXPECT_EQ(table.find_flow(flow), newer);
  table.release(newer);
  EXPECT_EQ(table.find_flow(flow), no_slot);
  EXPECT_EQ(table.find_cookie(7), no_slot);
}

}  // namespace
}  // namespace tcpwitness
