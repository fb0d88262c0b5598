// SPDX-License-Identifier: Apache-2.0
// What rules get beside a connection.
#include "correlate/contexts.hpp"

#include <gtest/gtest.h>

namespace tcpwitness {
namespace {

struct Machine {
  Flow flow = [] {
    Flow made;
    made.local.port = 40000;
    made.remote.port = 80;
    return made;
  }();
  CorrelatorSettings settings;
  Names names;
  Table table;
  Contexts contexts{settings, names, table};

  // A connection with the initial numbers of its SYN and SYN-ACK, where they were seen.
  Slot add(const Flow& its, std::optional<std::uint32_t> local, std::optional<std::uint32_t> remote) {
    const Slot slot = table.create(0);
    table.bind_flow(slot, its);
    Connection& c = table.at(slot);
    c.isn.has_local = local.has_value();
    c.isn.has_remote = remote.has_value();
    c.isn.local = local.value_or(0);
    c.isn.remote = remote.value_or(0);
    return slot;
  }
  const Connection* other_end_of(Slot slot) { return contexts.other_end(table.at(slot)); }
};

TEST(Contexts, AnOtherEndHasTheReversedAddressesAndBothInitialNumbers) {
  Machine m;
  const Slot client = m.add(m.flow, 100, 700);
  EXPECT_EQ(m.other_end_of(client), nullptr);
  const Slot server = m.add(m.flow.reversed(), 700, 100);
  EXPECT_EQ(m.other_end_of(client), &m.table.at(server));
  EXPECT_EQ(m.other_end_of(server), &m.table.at(client));
  m.table.at(server).isn.local = 701;  // another connection's, on the same ports
  EXPECT_EQ(m.other_end_of(client), nullptr);
}

TEST(Contexts, OfASynThatNobodyAnsweredTheOtherEndHasOnlyItsNumber) {
  Machine m;
  const Slot client = m.add(m.flow, 100, std::nullopt);
  const Slot server = m.add(m.flow.reversed(), std::nullopt, 100);
  EXPECT_EQ(m.other_end_of(client), &m.table.at(server));
  EXPECT_EQ(m.other_end_of(server), &m.table.at(client));
  m.table.at(client).opening.established = true;
  EXPECT_EQ(m.other_end_of(server), nullptr) << "it has the answer to another SYN";
}

TEST(Contexts, ASocketThatIsConnectedToItselfHasNoOtherEnd) {
  Machine m;
  m.flow.remote = m.flow.local;
  EXPECT_EQ(m.other_end_of(m.add(m.flow, 100, 100)), nullptr);
}

TEST(Contexts, NeitherPacketsAloneNorAForwardedConnectionHaveAnOtherEnd) {
  Machine m;
  const Slot client = m.add(m.flow, 100, 700);
  m.add(m.flow.reversed(), 700, 100);
  m.settings.has_kernel = false;
  EXPECT_EQ(m.other_end_of(client), nullptr);
  m.settings.has_kernel = true;
  EXPECT_NE(m.other_end_of(client), nullptr);
  m.table.at(client).inferred = std::make_unique<InferredEnds>();
  m.table.at(client).inferred->forwarded = std::make_unique<ForwardedFacts>();
  EXPECT_EQ(m.other_end_of(client), nullptr);
  EXPECT_FALSE(m.contexts.of(client, {}).has_kernel) << "its segments alone judge";
}

TEST(Contexts, ACaptureThatWasCutJudgesAsIfTheRunWereOver) {
  Machine m;
  const Slot slot = m.add(m.flow, 100, 700);
  EXPECT_FALSE(m.contexts.of(slot, {5}).finished);
  EXPECT_TRUE(m.contexts.of(slot, {5, true}).finished);
  ConversationEnd end{};
  EXPECT_FALSE(m.contexts.of(slot, {5, false, &end}).finished);
  end.cut = true;
  const RuleContext cut = m.contexts.of(slot, {5, false, &end});
  EXPECT_TRUE(cut.finished);
  EXPECT_EQ(cut.conversation, &end.totals);
  EXPECT_EQ(cut.now, 5);
}

TEST(Contexts, WhatWasMeasuredIsOfTheConnectionThatHasTheSlotNow) {
  Machine m;
  const Slot slot = m.add(m.flow, 100, 700);
  EXPECT_EQ(m.contexts.of(slot, {}).measures, nullptr) << "nobody compares";
  m.settings.compare = true;
  m.contexts.measures(slot).mini_in = 3;
  EXPECT_EQ(m.contexts.of(slot, {}).measures->mini_in, 3U);
  m.table.release(slot);
  ASSERT_EQ(m.add(m.flow, 200, 800), slot);
  EXPECT_EQ(m.contexts.of(slot, {}).measures->mini_in, 0U);
}

}  // namespace
}  // namespace tcpwitness
