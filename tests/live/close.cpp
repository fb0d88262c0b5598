// SPDX-License-Identifier: Apache-2.0
//
// Situations 4 and 5: normal close in four segments and in three, from either side, and closes that meet.

#include "live/courses.hpp"

namespace tcpwitness::live {

using Close = Live;
using CloseTogether = Live;

TEST_F(Close, ActiveCloserWaitsInTimeWaitAfterFourSegments) {
  const auto story = play("close-client");
  if (!story) return;
  expect_client_closed_first(*story, client_completes(story->played), server_completes(story->played));
  const Json life = story->client_life();
  if (life.empty()) return;
  const auto finding = story->client.findings(life["conn"], "time-wait");
  ASSERT_EQ(finding.size(), 1u);
  EXPECT_NE(finding[0]["text"].get<std::string>().find("60"), std::string::npos) << finding[0]["text"];
}

TEST_F(Close, FinConsumesOneSequenceNumber) {
  const auto story = play("close-client");
  if (!story) return;
  const Json life = story->client_life();
  ASSERT_FALSE(life.empty());
  uint32_t fin_seq = 0;
  for (const Json& segment : story->client.of("segment", life["conn"])) {
    if (segment["dir"] == "out" && segment["flags"] == "FIN,ACK") fin_seq = segment["rel_seq"].get<uint32_t>();
    if (segment["dir"] == "in" && fin_seq != 0) {
      EXPECT_EQ(segment["rel_ack"], fin_seq + 1);
    }
  }
  EXPECT_EQ(fin_seq, story->played.client_bytes + 1);
}

TEST_F(Close, ServerThatClosesFirstIsTheOneThatWaits) {
  const auto story = play("close-server");
  if (!story) return;
  const uint64_t up = story->played.client_bytes;
  const uint64_t down = story->played.server_bytes;
  Expected client = client_completes(story->played);
  client.closed_by = "peer";
  client.states = {"SYN_SENT", "ESTABLISHED", "CLOSE_WAIT", "LAST_ACK", "CLOSE"};
  client.findings = {};
  Expected server = server_completes(story->played);
  server.closed_by = "local";
  server.states = {"NEW_SYN_RECV", "SYN_RECV", "ESTABLISHED", "FIN_WAIT1", "FIN_WAIT2", "TIME_WAIT"};
  server.findings = {"time-wait"};
  const Json mine = story->client_life();
  const Json theirs = story->server_life();
  expect_life(story->client, mine, client);
  expect_life(story->server, theirs, server);
  if (mine.empty() || theirs.empty()) return;
  EXPECT_EQ(story->client.transitions(mine["conn"]), client_opens() + closes_second(up, down));
  EXPECT_EQ(story->server.transitions(theirs["conn"]), server_opens() + closes_first_four(down, up));
}

TEST_F(Close, AckAndFinShareASegmentWhenThePeerClosesAtOnce) {
  const auto story = play("close-three");
  if (!story) return;
  expect_client_closed_first(*story, client_completes(story->played), server_completes(story->played));
}

TEST_F(CloseTogether, AckOfTheHandshakeArrivesBeforeTheFin) {
  const auto story = play("ack-first");
  if (!story) return;
  expect_client_closed_first(*story, client_completes(story->played), server_completes(story->played));
}

TEST_F(CloseTogether, FinThatArrivesFirstCompletesTheHandshakeAndEndsTheStream) {
  const auto story = play("fin-first");
  if (!story) return;
  const Json mine = story->client_life();
  const Json theirs = story->server_life();
  Expected client = client_completes(story->played);
  client.findings.insert("tx-not-sent");  // what loses the ACK is a firewall on its machine
  expect_life(story->client, mine, client);
  expect_life(story->server, theirs, server_completes(story->played));
  if (mine.empty() || theirs.empty()) return;
  expect_either(story->client.transitions(mine["conn"]), client_opens() + closes_first_four(0, 0),
                client_opens() + closes_first_three(0, 0));
  // One segment, three transitions.
  EXPECT_EQ(story->server.transitions(theirs["conn"]),
            server_opens("FIN,ACK 1 1") + Words({"ESTABLISHED > CLOSE_WAIT: in FIN,ACK 1 1",
                                                 "CLOSE_WAIT > LAST_ACK: close", "LAST_ACK > CLOSE: in ACK 2 2"}));
}

TEST_F(CloseTogether, SimultaneousCloseGoesThroughClosing) {
  const auto story = play("simultaneous-close");
  if (!story) return;
  const Json life = story->client_life();
  Expected client = client_completes(story->played);
  client.closed_by = "both";
  client.states = {"SYN_SENT", "ESTABLISHED", "FIN_WAIT1", "CLOSING", "TIME_WAIT"};
  client.findings = {"time-wait certain"};
  expect_life(story->client, life, client);
  if (life.empty()) return;
  EXPECT_EQ(story->client.transitions(life["conn"]),
            client_opens() + Words({"ESTABLISHED > FIN_WAIT1: close", "FIN_WAIT1 > CLOSING: in FIN,ACK 1 1",
                                    "CLOSING > TIME_WAIT: in ACK 2 2 (inferred)"}));
  EXPECT_TRUE(story->server.of("life").empty()) << "the scripted host has no socket";
}

}  // namespace tcpwitness::live
