// SPDX-License-Identifier: Apache-2.0
// listeners_test.cpp: whose child a connection is, by the time at which it began.
#include "correlate/listeners.hpp"

#include <gtest/gtest.h>

#include <array>

#include "golden/reports.hpp"

namespace tcpwitness {
namespace {

Endpoint at(const char* address, std::uint16_t port) { return golden::flow(address, port, "10.0.0.9", 1).local; }

Owner owner(std::uint32_t pid) {
  Owner made;
  made.pid = pid;
  return made;
}

std::uint32_t owner_of(const Listeners& listeners, const Endpoint& local, TimeNs then) {
  const Listener* found = listeners.find(local, then);
  return found == nullptr ? 0 : found->owner.pid;
}

TEST(Listeners, OneThatHasClosedIsFoundForWhatBeganBefore) {
  Listeners listeners;
  listeners.opened(1, at("0.0.0.0", 80), owner(42), 100);
  listeners.closed(1, 200);
  EXPECT_EQ(owner_of(listeners, at("10.0.0.1", 80), 150), 42U);
  EXPECT_EQ(owner_of(listeners, at("10.0.0.1", 80), 99), 0U);
  EXPECT_EQ(owner_of(listeners, at("10.0.0.1", 80), 200), 0U);
  EXPECT_EQ(owner_of(listeners, at("10.0.0.1", 81), 150), 0U);
  EXPECT_EQ(owner_of(listeners, at("10.0.0.1", 80), Listeners::now), 0U);
}

TEST(Listeners, OneThatOpenedLaterIsNotOf) {
  Listeners listeners;
  listeners.opened(1, at("0.0.0.0", 80), owner(42), 100);
  listeners.closed(1, 200);
  listeners.opened(2, at("0.0.0.0", 80), owner(43), 201);
  EXPECT_EQ(owner_of(listeners, at("10.0.0.1", 80), 150), 42U);
  EXPECT_EQ(owner_of(listeners, at("10.0.0.1", 80), 250), 43U);
}

TEST(Listeners, OfTwoProcessesAtThatTimeNeitherIsNamed) {
  Listeners listeners;
  listeners.opened(1, at("0.0.0.0", 80), owner(42), 100);
  listeners.opened(2, at("0.0.0.0", 80), owner(43), 110);
  listeners.closed(1, 200);
  EXPECT_EQ(owner_of(listeners, at("10.0.0.1", 80), 105), 42U);
  EXPECT_EQ(owner_of(listeners, at("10.0.0.1", 80), 150), 0U);
  EXPECT_EQ(owner_of(listeners, at("10.0.0.1", 80), 250), 43U);
}

TEST(Listeners, WhoCalledListenIsNamedWhileItHasTheSocket) {
  for (const bool first : {true, false}) {
    Listeners listeners;
    listeners.opened(1, at("0.0.0.0", 80), owner(42), 100);
    for (const std::uint32_t pid : first ? std::array{42U, 43U, 44U} : std::array{43U, 44U, 42U})
      EXPECT_TRUE(listeners.owned(1, owner(pid), 500));
    EXPECT_EQ(owner_of(listeners, at("10.0.0.1", 80), 600), 42U);
  }
  Listeners none;
  EXPECT_FALSE(none.owned(1, owner(42), 500));
}

TEST(Listeners, WhenItIsGoneAChildThatAloneHasTheSocketIs) {
  constexpr TimeNs s = 1'000'000'000;
  Listeners listeners;
  listeners.opened(1, at("0.0.0.0", 80), owner(42), 100);
  const auto gone = [](std::uint32_t pid) { return pid == 42; };
  EXPECT_FALSE(listeners.any_left_behind([](std::uint32_t) { return false; }));
  EXPECT_TRUE(listeners.any_left_behind(gone));
  EXPECT_FALSE(listeners.any_left_behind(gone)) << "asked once";
  listeners.owned(1, owner(43), 5 * s);
  EXPECT_EQ(owner_of(listeners, at("10.0.0.1", 80), 6 * s), 43U);
  listeners.owned(1, owner(44), 5 * s + 1);
  EXPECT_EQ(owner_of(listeners, at("10.0.0.1", 80), 6 * s), 0U) << "two have it";
  listeners.owned(1, owner(44), 9 * s);
  EXPECT_EQ(owner_of(listeners, at("10.0.0.1", 80), 9 * s), 44U) << "a later look: one is left";
  EXPECT_TRUE(listeners.any_left_behind([](std::uint32_t pid) { return pid == 44; })) << "that one is gone, too";
}

TEST(Listeners, OneThatWasOpenBeforeTheRunHasNoBeginning) {
  Listeners listeners;
  listeners.opened(1, at("10.0.0.1", 80), owner(42), 0);
  EXPECT_EQ(owner_of(listeners, at("10.0.0.1", 80), 1), 42U);
}

}  // namespace
}  // namespace tcpwitness
