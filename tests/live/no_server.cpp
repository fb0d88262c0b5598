// SPDX-License-Identifier: Apache-2.0
//
// Situation 1: there is no server. Refused at once by a RST, or never answered.

#include <cerrno>

#include "live/courses.hpp"

namespace tcpwitness::live {

using NoServer = Live;

TEST_F(NoServer, RefusedConnectIsToldAsRefusedWithItsRst) {
  const auto story = play("refused");
  if (!story) return;
  const Json life = story->client_life();
  expect_life(story->client, life,
              {.role = "active",
               .process = story->played.client,
               .pid_source = "connect",
               .outcome = "refused",
               .closed_by = "peer",
               .states = {"SYN_SENT", "CLOSE"},
               .error = ECONNREFUSED,
               .findings = {"reset-origin likely"}});
  if (life.empty()) return;
  EXPECT_EQ(story->client.transitions(life["conn"]),
            (Words{"CLOSE > SYN_SENT: connect", "SYN_SENT > CLOSE: in RST,ACK 0 1"}));
  EXPECT_EQ(story->client.control_segments(life["conn"]), (Words{"out SYN 0 -", "in RST,ACK 0 1"}));
}

TEST_F(NoServer, TheRefusingHostSaysThatNoSocketWantedTheSyn) {
  if (!reports_every_reset()) GTEST_SKIP() << "this kernel does not report a RST that no full socket sends";
  const auto story = play("refused");
  if (!story) return;
  EXPECT_TRUE(story->server.of("life").empty()) << "a SYN to a closed port makes no connection there";
  const auto resets = story->server.of("reset");
  ASSERT_EQ(resets.size(), 1u);
  EXPECT_EQ(resets[0]["dir"], "out");
  EXPECT_EQ(resets[0]["has_socket"], false);
  EXPECT_EQ(resets[0].value("reason", "NO_SOCKET"), "NO_SOCKET");
  const auto findings = story->server.of("finding");
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0]["rule"], "stray-segment");
  EXPECT_EQ(findings[0]["confidence"], "certain");
  EXPECT_TRUE(story->server.pids(nullptr).empty()) << "softirq work belongs to no process";
}

TEST_F(NoServer, UnansweredSynsAreToldWithTheirGrowingGapsUntilTheTimeout) {
  const auto story = play("no-answer");
  if (!story) return;
  const Json life = story->client_life();
  expect_life(story->client, life,
              {.role = "active",
               .process = story->played.client,
               .pid_source = "connect",
               .outcome = "connect-timeout",
               .closed_by = "none",
               .states = {"SYN_SENT", "CLOSE"},
               .error = ETIMEDOUT,
               .findings = {"retransmission certain"}});
  if (life.empty()) return;
  EXPECT_EQ(life["retransmits"], 2);
  EXPECT_EQ(story->client.transitions(life["conn"]),
            (Words{"CLOSE > SYN_SENT: connect", "SYN_SENT > CLOSE: retransmission"}));
  const auto syns = story->client.of("segment", life["conn"]);
  ASSERT_EQ(syns.size(), 3u);
  for (const Json& syn : syns) EXPECT_EQ(in_words(syn), "out SYN 0 -");
  const auto gap_ms = [&](size_t i) {
    return static_cast<double>(syns[i + 1]["ts_ns"].get<int64_t>() - syns[i]["ts_ns"].get<int64_t>()) / 1e6;
  };
  EXPECT_NEAR(gap_ms(0), 1000, 300);
  EXPECT_NEAR(gap_ms(1), 2000, 500);
  EXPECT_EQ(story->client.analysed(life["conn"], "retransmission").size(), 2u);
  const auto retransmits = story->client.of("retransmit", life["conn"]);
  ASSERT_EQ(retransmits.size(), 2u);
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(retransmits[i]["cause"], "SYN");
    EXPECT_EQ(retransmits[i]["attempt"], i + 1);
  }
  EXPECT_NEAR(life["duration_ns"].get<double>() / 1e6, std::stod(story->played.fact("connect_ms")), 500);
  EXPECT_TRUE(story->server.of("life").empty());
}

}  // namespace tcpwitness::live
