// SPDX-License-Identifier: Apache-2.0
// How far the kernel's clock is ahead, where no program can read it.
#include "probe/kernel_clock.hpp"

#include <gtest/gtest.h>

#include <sstream>

namespace tcpwitness {
namespace {

std::int64_t ahead_by(const char* lines) {
  std::istringstream stream(lines);
  return ahead_by_offsets(stream);
}

TEST(KernelClock, IsAheadByWhatTheNamespaceTakesAway) {
  EXPECT_EQ(ahead_by("monotonic           0         0\nboottime            0         0\n"), 0);
  EXPECT_EQ(ahead_by("monotonic       86400        10\nboottime            7         0\n"), -86'400'000'000'010);
  // timens_offsets normalizes as the kernel's timespec64 does: nanoseconds are never below 0.
  EXPECT_EQ(ahead_by("monotonic          -2 500000000\nboottime            0         0\n"), 1'500'000'000);
  EXPECT_EQ(ahead_by("boottime            7         0\nmonotonic           5         0\n"), -5'000'000'000);
  EXPECT_EQ(ahead_by("boottime            7         0\n"), 0);
  EXPECT_EQ(ahead_by(""), 0) << "a kernel without time namespaces";
}

}  // namespace
}  // namespace tcpwitness
