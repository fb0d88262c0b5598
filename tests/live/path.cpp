// SPDX-License-Identifier: Apache-2.0
//
// What the retransmissions show of the path, and two kernels that wait for each other; each with its near miss.

#include "live/courses.hpp"

namespace tcpwitness::live {

using Path = Live;

namespace {

std::string text_of(const Printed& printed, const Json& life, const std::string& rule) {
  const auto findings = printed.findings(life["conn"], rule);
  return findings.empty() ? "" : findings[0]["text"].get<std::string>();
}

bool found(const Printed& printed, const Json& life, const std::string& rule) {
  return !printed.findings(life["conn"], rule).empty();
}

}  // namespace

TEST_F(Path, TheFirstDataOfAnIdleConnectionFindsItDead) {
  const auto story = play("path-dead");
  if (!story) return;
  const Json mine = story->client_life();
  ASSERT_FALSE(mine.empty());
  EXPECT_EQ(mine["outcome"], "retransmit-timeout");
  const std::string text = text_of(story->client, mine, "path-dead");
  EXPECT_NE(text.find("idle for 3"), std::string::npos) << text;
  EXPECT_FALSE(found(story->client, mine, "path-mtu-black-hole"));
}

// A pause before it is no condition where the kernel has given up.
TEST_F(Path, AConnectionInUseThatIsCutIsNotIdle) {
  const auto story = play("retransmit-timeout");
  if (!story) return;
  const Json mine = story->client_life();
  ASSERT_FALSE(mine.empty());
  const std::string text = text_of(story->client, mine, "path-dead");
  EXPECT_FALSE(text.empty());
  EXPECT_EQ(text.find("idle for 3"), std::string::npos) << text;
}

TEST_F(Path, SmallSegmentsPassAndFullOnesDoNot) {
  const auto story = play("path-mtu-black-hole");
  if (!story) return;
  const Json mine = story->client_life();
  ASSERT_FALSE(mine.empty());
  const std::string text = text_of(story->client, mine, "path-mtu-black-hole");
  EXPECT_NE(text.find("no ICMP message"), std::string::npos) << text;
  EXPECT_FALSE(found(story->client, mine, "path-dead"));
}

TEST_F(Path, LossOfOneFullSegmentIsNoBlackHole) {
  const auto story = play("retransmission-fast");
  if (!story) return;
  const Json mine = story->client_life();
  ASSERT_FALSE(mine.empty());
  EXPECT_FALSE(found(story->client, mine, "path-mtu-black-hole"));
}

TEST_F(Path, TwoSmallWritesWaitForADelayedAcknowledgement) {
  const auto story = play("delayed-ack-stall");
  if (!story) return;
  const Json mine = story->client_life();
  ASSERT_FALSE(mine.empty());
  const std::string text = text_of(story->client, mine, "delayed-ack-stall");
  EXPECT_NE(text.find("TCP_NODELAY is not set"), std::string::npos) << text;
  EXPECT_FALSE(found(story->server, story->server_life(), "delayed-ack-stall")) << "it sends one write a turn";
}

TEST_F(Path, WithNodelayNothingWaits) {
  const auto story = play("delayed-ack-nodelay");
  if (!story) return;
  const Json mine = story->client_life();
  ASSERT_FALSE(mine.empty());
  EXPECT_FALSE(found(story->client, mine, "delayed-ack-stall"));
}

}  // namespace tcpwitness::live
