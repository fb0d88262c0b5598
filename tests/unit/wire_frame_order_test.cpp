// SPDX-License-Identifier: Apache-2.0
// FrameOrder: captures whose segments do not stand in the order of their timestamps.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "unit/wire_talk.hpp"
#include "wire/frame_order.hpp"

namespace tcpwitness::testing {
namespace {

std::vector<std::uint64_t> ordered(const std::vector<TcpFrame>& frames) {
  FrameOrder order;
  std::vector<std::uint64_t> numbers;
  const auto take = [&](const TcpFrame& frame) { numbers.push_back(frame.number); };
  for (const TcpFrame& frame : frames) order.put(frame, take);
  order.finish(take);
  return numbers;
}

// Requests and their acknowledgements, 10 us apart; numbered in the true order.
std::vector<TcpFrame> true_order(unsigned pairs) {
  Talk talk;
  std::vector<TcpFrame> frames;
  for (unsigned i = 0; i < pairs; ++i) {
    frames.push_back(talk.frame({0, 1 + 100 * i, 1, 100}));
    frames.push_back(talk.frame({1, 1, 101 + 100 * i}));
  }
  for (std::size_t i = 0; i < frames.size(); ++i) {
    frames[i].number = i + 1;
    frames[i].ts_ns = 1'000'000'000'000 + static_cast<TimeNs>(i) * 10'000;
  }
  return frames;
}

TEST(FrameOrder, WhatTwoQueuesWroteIsPutInOrder) {
  for (const unsigned pairs : {4U, 100U, 1000U}) {
    std::vector<TcpFrame> frames = true_order(pairs);
    for (std::size_t i = 0; i + 8 <= frames.size(); i += 8) {
      std::ranges::sort(frames.begin() + static_cast<std::ptrdiff_t>(i),
                        frames.begin() + static_cast<std::ptrdiff_t>(i + 8), {},
                        [](const TcpFrame& frame) { return std::pair(frame.number % 2, frame.number); });
    }
    const std::vector<std::uint64_t> numbers = ordered(frames);
    EXPECT_EQ(numbers.size(), frames.size());
    EXPECT_TRUE(std::ranges::is_sorted(numbers)) << pairs;
  }
}

TEST(FrameOrder, WrongTimestampsMoveNothing) {
  std::vector<TcpFrame> frames = true_order(1000);
  for (TcpFrame& frame : frames) {
    if (frame.number % 2 == 0) frame.ts_ns -= 50'000;  // another clock
  }
  EXPECT_TRUE(std::ranges::is_sorted(ordered(frames)));
}

TEST(FrameOrder, AClockThatWasSetBackIsNoDisorder) {
  std::vector<TcpFrame> frames = true_order(1000);
  for (TcpFrame& frame : frames) {
    if (frame.number > 700) frame.ts_ns -= 3'600'000'000'000;
  }
  EXPECT_TRUE(std::ranges::is_sorted(ordered(frames)));
}

TEST(FrameOrder, ADisorderLaterOnIsSeen) {
  std::vector<TcpFrame> frames = true_order(1000);
  std::swap(frames[900], frames[901]);  // the first one shows it
  for (std::size_t i = 910; i < 1200; i += 2) std::swap(frames[i], frames[i + 1]);
  const std::vector<std::uint64_t> numbers = ordered(frames);
  EXPECT_EQ(numbers.size(), frames.size());
  EXPECT_TRUE(std::is_sorted(numbers.begin() + 902, numbers.end()));
}

}  // namespace
}  // namespace tcpwitness::testing
