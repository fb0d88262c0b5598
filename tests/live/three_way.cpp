// SPDX-License-Identifier: Apache-2.0
//
// Situation 2: the three-way handshake, and segments for which there was none.

#include "live/courses.hpp"

namespace tcpwitness::live {

using ThreeWay = Live;

TEST_F(ThreeWay, HandshakeExchangeAndCloseAreToldAlikeByBothEnds) {
  const auto story = play("handshake");
  if (!story) return;
  expect_client_closed_first(*story, client_completes(story->played), server_completes(story->played));
}

TEST_F(ThreeWay, EachEndNamesTheOthersSegmentsByTheSameNumbers) {
  const auto story = play("handshake");
  if (!story) return;
  const Json mine = story->client_life();
  const Json theirs = story->server_life();
  ASSERT_FALSE(mine.empty() || theirs.empty());
  Words mirrored = story->server.control_segments(theirs["conn"]);
  for (std::string& line : mirrored) {
    line = line.starts_with("in ") ? "out " + line.substr(3) : "in " + line.substr(4);
  }
  EXPECT_EQ(story->client.control_segments(mine["conn"]), mirrored);
}

TEST_F(ThreeWay, AStrayAckAndStrayDataAreAnsweredByResetsForWantOfASocket) {
  if (!reports_every_reset()) GTEST_SKIP() << "this kernel does not report a RST that no full socket sends";
  const auto story = play("stray");
  if (!story) return;
  EXPECT_TRUE(story->server.of("life").empty());
  const auto resets = story->server.of("reset");
  ASSERT_EQ(resets.size(), 2u);
  for (const Json& reset : resets) {
    EXPECT_EQ(reset["dir"], "out");
    EXPECT_EQ(reset["has_socket"], false);
    EXPECT_EQ(reset.value("reason", "NO_SOCKET"), "NO_SOCKET");
  }
  const auto findings = story->server.of("finding");
  ASSERT_EQ(findings.size(), 1u) << "of both";
  EXPECT_EQ(findings[0]["rule"], "stray-segment");
  EXPECT_EQ(findings[0]["confidence"], "certain");
  EXPECT_GE(findings[0]["evidence"].size(), 4u) << "both segments and their answers";
  Words segments;
  for (const Json& one : story->server.of("segment")) {
    segments.push_back(one["dir"].get<std::string>() + " " + one["flags"].get<std::string>());
  }
  EXPECT_EQ(segments, (Words{"in ACK", "out RST", "in PSH,ACK", "out RST"}));
  EXPECT_TRUE(story->server.pids(nullptr).empty());
}

TEST_F(ThreeWay, AStrayAckToAListenerIsResetByTheListenerAndMakesNoConnection) {
  const auto story = play("stray-listener");
  if (!story) return;
  EXPECT_TRUE(story->server.of("life").empty());
  const auto resets = story->server.of("reset");
  ASSERT_EQ(resets.size(), 1u);
  EXPECT_EQ(resets[0]["dir"], "out");
  EXPECT_EQ(resets[0].value("reason", "TCP_FLAGS"), "TCP_FLAGS");
  const auto findings = story->server.of("finding");
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0]["rule"], "stray-segment");
  EXPECT_NE(findings[0]["confidence"], "inconclusive");
  const auto segments = story->server.of("segment");
  ASSERT_EQ(segments.size(), 2u);
  EXPECT_EQ(segments[0]["kernel_state"], "LISTEN");
  EXPECT_EQ(segments[1]["flags"], "RST");
}

}  // namespace tcpwitness::live
