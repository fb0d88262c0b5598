// SPDX-License-Identifier: Apache-2.0
//
// Data lost once and repaired three ways, and much data: bytes are those of the applications on both sides.

#include "live/courses.hpp"

namespace tcpwitness::live {

using Retransmission = Live;
using Transfer = Live;

namespace {

void expect_repaired(const Story& story, const std::string& cause) {
  Expected client = client_completes(story.played);
  client.findings = {"retransmission certain", "time-wait"};
  Expected server = server_completes(story.played);
  server.findings = {"rx-dropped certain",
                     "retransmission likely"};  // what loses the segment is a firewall on its machine
  expect_client_closed_first(story, client, server);
  const Json mine = story.client_life();
  if (mine.empty()) return;
  const auto retransmits = story.client.retransmissions(mine["conn"]);
  ASSERT_EQ(retransmits.size(), 1u);
  EXPECT_EQ(retransmits[0]["cause"], cause);
  EXPECT_EQ(retransmits[0]["attempt"], 1);
  if (reports_failed_retransmissions()) {
    EXPECT_EQ(retransmits[0]["err"], 0);
  }
  const auto seen = story.client.analysed(mine["conn"], "retransmission");
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_EQ(seen[0]["rel_seq"], retransmits[0]["rel_seq"]);
  EXPECT_EQ(seen[0]["len"], retransmits[0]["len"]);
  EXPECT_EQ(mine["retransmits"], 1);
  const auto text = story.client.findings(mine["conn"], "retransmission").at(0)["text"].get<std::string>();
  EXPECT_NE(text.find("1 " + cause), std::string::npos) << text;
}

}  // namespace

TEST_F(Retransmission, TheTailLossProbeIsNamed) {
  const auto story = play("retransmission-tail");
  if (story) expect_repaired(*story, "tail-loss probe");
}

TEST_F(Retransmission, FastRetransmissionIsNamed) {
  const auto story = play("retransmission-fast");
  if (story) expect_repaired(*story, "fast");
}

TEST_F(Retransmission, TheTimersRetransmissionIsNamed) {
  const auto story = play("retransmission-rto");
  if (story) expect_repaired(*story, "RTO");
}

TEST_F(Transfer, BulkBytesAreEqualOnBothEnds) {
  const auto story = play("bulk");
  if (!story) return;
  const Json mine = story->client_life();
  const Json theirs = story->server_life();
  ASSERT_FALSE(mine.empty() || theirs.empty());
  Expected client = client_completes(story->played);
  Expected server = server_completes(story->played);
  // A receiver that is slower than the sender may close its window; that is no matter of this test.
  for (const auto& [printed, life, expected] :
       {std::tuple{&story->client, &mine, &client}, std::tuple{&story->server, &theirs, &server}}) {
    for (const char* rule : {"zero-window", "retransmission"}) {
      if (!printed->findings((*life)["conn"], rule).empty()) expected->findings.insert(rule);
    }
  }
  expect_life(story->client, mine, client);
  expect_life(story->server, theirs, server);
  EXPECT_GE(mine["wire"]["tx_bytes"].get<uint64_t>(), story->played.client_bytes);
  if (mine["retransmits"] == 0) {
    EXPECT_EQ(mine["wire"]["tx_bytes"], story->played.client_bytes);
    EXPECT_EQ(theirs["wire"]["rx_bytes"], story->played.client_bytes);
  }
}

}  // namespace tcpwitness::live
