// SPDX-License-Identifier: Apache-2.0
// sink_progress.cpp: the line of a progress bar fits its terminal and never shows nonsense.
#include <gtest/gtest.h>

#include "sink/progress.hpp"

namespace tcpwitness {
namespace {

using namespace std::chrono_literals;

TEST(Progress, SaysHowFarHowFastAndHowLongStill) {
  EXPECT_EQ(progress_line(250, 1000, 5'000'000, 1s, 80),
            " 25 %  [==========>                             ]  5.0 M packets/s, 3 s left");
}

TEST(Progress, EndsFull) {
  EXPECT_EQ(progress_line(1000, 1000, 1'500, 2s, 70),
            "100 %  [===================================]  750 packets/s, 0 s left");
}

TEST(Progress, LeavesOutWhatDoesNotFit) {
  EXPECT_EQ(progress_line(500, 1000, 20'000, 2s, 40), " 50 %  10 k packets/s, 2 s left");
  EXPECT_EQ(progress_line(500, 1000, 20'000, 2s, 20), " 50 %");
  EXPECT_EQ(progress_line(500, 1000, 20'000, 2s, 3), "");
}

TEST(Progress, NeverWrapsTheLine) {
  for (unsigned columns = 1; columns < 200; ++columns) {
    for (const std::uint64_t done : {0U, 1U, 500U, 999U, 1000U, 2000U}) {
      EXPECT_LT(progress_line(done, 1000, 123'456'789, 77s, columns).size(), columns);
    }
  }
}

TEST(Progress, NothingReadYetHasNoEnd) { EXPECT_FALSE(progress_line(0, 1000, 0, 1s, 80).contains("left")); }

TEST(Progress, ALongTimeIsToldInMinutes) {
  EXPECT_TRUE(progress_line(1, 1000, 1000, 1s, 100).contains("16 min 39 s left"));
}

TEST(Progress, AFileThatGrewIsAtMostAllOfIt) { EXPECT_TRUE(progress_line(2000, 1000, 9, 1s, 80).starts_with("100 %")); }

}  // namespace
}  // namespace tcpwitness
