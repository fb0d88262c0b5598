// SPDX-License-Identifier: Apache-2.0
// listeners_test.cpp: whose child a connection is, by the time at which it began.
#include "correlate/listeners.hpp"

#include <gtest/gtest.h>

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

TEST(Listeners, OneThatWasOpenBeforeTheRunHasNoBeginning) {
  Listeners listeners;
  listeners.opened(1, at("10.0.0.1", 80), owner(42), 0);
  EXPECT_EQ(owner_of(listeners, at("10.0.0.1", 80), 1), 42U);
}

}  // namespace
}  // namespace tcpwitness
