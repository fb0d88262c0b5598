// SPDX-License-Identifier: Apache-2.0
// Expiry: each timer ends its conversation when it is over, and not a moment before; without timers nothing does.
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "unit/wire_talk.hpp"

namespace tcpwitness::testing {
namespace {

// How many conversations were reported.
std::uint64_t conversations(const std::vector<Say>& said, std::optional<Expiry> expiry = Expiry::zeek()) {
  ConversationSettings settings;
  settings.expiry = expiry;
  Conversations wire(settings);
  Talk talk;
  std::vector<Event> events;
  for (const Say& one : said) wire.observe(talk.frame(one), events);
  wire.finish(events);
  return static_cast<std::uint64_t>(
      std::ranges::count_if(events, [](const Event& e) { return std::holds_alternative<ConversationEnd>(e.body); }));
}

std::vector<Say> shaken(const std::vector<Say>& then) {
  std::vector<Say> said{{0, 0, 0, 0, syn_flag}, {1, 0, 1, 0, syn_ack}, {0, 1, 1}};
  said.insert(said.end(), then.begin(), then.end());
  return said;
}

// `last` comes so many ms after the segments before it.
std::vector<Say> and_then(std::vector<Say> said, int after_ms, Say last) {
  last.after_ms = after_ms;
  said.push_back(last);
  return said;
}

constexpr Say a_says{0, 1, 1, 10};

TEST(Expiry, AnAttemptEndsWhenNothingCameBackForLong) {
  const std::vector<Say> asked{{0, 0, 0, 0, syn_flag}};
  EXPECT_EQ(conversations(and_then(asked, 5000, a_says)), 2U);
  EXPECT_EQ(conversations(and_then(asked, 4999, a_says)), 1U);
  // Counted from the first SYN, and what its sender sends meanwhile is no answer.
  const std::vector<Say> again{
      {0, 0, 0, 0, syn_flag}, {0, 0, 0, 0, syn_flag, 9, 1000}, {0, 1, 1, 5, ack_flag, 9, 1000}};
  EXPECT_EQ(conversations(and_then(again, 3000, a_says)), 2U);
  EXPECT_EQ(conversations(and_then(again, 2999, a_says)), 1U);
  EXPECT_EQ(conversations(and_then(shaken({}), 5000, a_says)), 1U);
}

TEST(Expiry, AClosedConversationEndsSoonAfterTheSegmentThatClosedIt) {
  const Say late{0, 2, 2};
  const std::vector<Say> closed = shaken({{0, 1, 1, 0, fin_ack}, {1, 1, 2, 0, fin_ack}});
  EXPECT_EQ(conversations(and_then(closed, 5000, late)), 2U);
  EXPECT_EQ(conversations(and_then(closed, 4999, late)), 1U);
  // What comes behind does not put the end off.
  const std::vector<Say> more = and_then(closed, 4000, late);
  EXPECT_EQ(conversations(and_then(more, 1000, late)), 2U);
  EXPECT_EQ(conversations(and_then(more, 999, late)), 1U);
  const std::vector<Say> half = shaken({{0, 1, 1, 0, fin_ack}, {1, 1, 2}});
  EXPECT_EQ(conversations(and_then(half, 60'000, late)), 1U);
}

TEST(Expiry, AFinToNobodyClosesToo) {
  const std::vector<Say> alone{{0, 1, 1, 0, fin_ack}};
  EXPECT_EQ(conversations(and_then(alone, 5000, {1, 1, 2})), 2U);
  EXPECT_EQ(conversations(and_then(alone, 4999, {1, 1, 2})), 1U);
  const std::vector<Say> both{{1, 1, 1}, {0, 1, 1, 0, fin_ack}};
  EXPECT_EQ(conversations(and_then(both, 5000, {1, 1, 2})), 1U);
}

TEST(Expiry, AResetConversationEndsSoon) {
  const std::vector<Say> reset = shaken({{0, 1, 1, 0, rst_ack}});
  EXPECT_EQ(conversations(and_then(reset, 5000, {1, 1, 1, 0, rst_ack})), 2U);
  EXPECT_EQ(conversations(and_then(reset, 4999, {1, 1, 1, 0, rst_ack})), 1U);
  const std::vector<Say> refused{{0, 0, 0, 0, syn_flag}, {1, 0, 1, 0, rst_ack}};
  EXPECT_EQ(conversations(and_then(refused, 5000, {1, 0, 1, 0, rst_ack})), 2U);
  EXPECT_EQ(conversations(and_then(refused, 4999, {1, 0, 1, 0, rst_ack})), 1U);
}

TEST(Expiry, ARstBehindOnesOwnFinEndsItAtOnceWhereThePeerIsStillOpen) {
  const Say late{1, 1, 2, 10};
  const std::vector<Say> reset = shaken({{0, 1, 1, 0, fin_ack}, {0, 2, 1, 0, rst_ack}});
  EXPECT_EQ(conversations(and_then(reset, 100, late)), 2U);
  EXPECT_EQ(conversations(and_then(reset, 99, late)), 1U);
  const std::vector<Say> both = shaken({{0, 1, 1, 0, fin_ack}, {1, 1, 2, 0, fin_ack}, {0, 2, 1, 0, rst_ack}});
  EXPECT_EQ(conversations(and_then(both, 100, late)), 1U);
  // The peer's end in time is an end like others.
  const std::vector<Say> in_time = and_then(reset, 99, {1, 1, 2, 0, fin_ack});
  EXPECT_EQ(conversations(and_then(in_time, 4999, late)), 1U);
  EXPECT_EQ(conversations(and_then(in_time, 5000, late)), 2U);
}

TEST(Expiry, ASilentConversationEndsAfterMinutes) {
  EXPECT_EQ(conversations(and_then(shaken({}), 300'000, a_says)), 2U);
  EXPECT_EQ(conversations(and_then(shaken({}), 299'999, a_says)), 1U);
}

TEST(Expiry, ThereIsNoneWhereNobodyAskedForIt) {
  const std::vector<Say> closed = shaken({{0, 1, 1, 0, rst_ack}});
  EXPECT_EQ(conversations(and_then(closed, 999'000, a_says), std::nullopt), 1U);
  EXPECT_EQ(conversations(and_then(closed, 999'000, a_says), Expiry{}), 1U);
}

// What follows is seen like any conversation that was open before.
TEST(Expiry, WhatFollowsBeginsAnotherConversation) {
  ConversationSettings settings;
  settings.expiry = Expiry::zeek();
  Conversations wire(settings);
  Talk talk;
  std::vector<Event> events;
  wire.observe(talk.frame({0, 0, 0, 0, syn_flag}), events);
  wire.observe(talk.frame({1, 1, 1, 10, ack_flag, 9, 5000}), events);
  ASSERT_EQ(events.size(), 3U);
  EXPECT_FALSE(std::get<ConversationEnd>(events[1].body).cut);
  const auto& segment = std::get<Segment>(events[2].body);
  EXPECT_EQ(segment.event_flags, TW_EVENT_UNKNOWN_FLOW);
  EXPECT_EQ(to_flow(segment.tuple).local, Talk::end(1, 40000));
  EXPECT_EQ(wire.stream(), 1U);
  EXPECT_EQ(wire.analysis().flags, 0U);
  wire.finish(events);
  EXPECT_TRUE(std::get<ConversationEnd>(events[3].body).cut);
}

// At the end of the file a conversation that is over was not cut by it.
TEST(Expiry, TheEndOfTheFileCutsOnlyWhatWasStillOpen) {
  const auto cut = [](int until_ms) {
    ConversationSettings settings;
    settings.expiry = Expiry::zeek();
    Conversations wire(settings);
    Talk talk;
    std::vector<Event> events;
    wire.observe(talk.frame({0, 0, 0, 0, syn_flag}), events);
    wire.observe(talk.frame({0, 0, 0, 0, syn_flag, 9, until_ms}, 50000), events);
    events.clear();
    wire.finish(events);
    return std::get<ConversationEnd>(events[0].body).cut;
  };
  EXPECT_FALSE(cut(5000));
  EXPECT_TRUE(cut(4999));
}

}  // namespace
}  // namespace tcpwitness::testing
