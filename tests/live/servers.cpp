// SPDX-License-Identifier: Apache-2.0
//
// Whose connection it is and under which address; queues of a listener; connections older than the tracer.

#include "live/courses.hpp"

namespace tcpwitness::live {

using Servers = Live;
using Listener = Live;
using Preexisting = Live;

TEST_F(Servers, TheChildThatServesIsNamedAndNotItsParent) {
  const auto story = play("fork-server");
  if (!story) return;
  ASSERT_TRUE(story->played.forked);
  Expected server = server_completes(story->played);
  server.process = *story->played.forked;
  server.closed_by = "local";
  server.states = {"NEW_SYN_RECV", "SYN_RECV", "ESTABLISHED", "FIN_WAIT1", "FIN_WAIT2", "TIME_WAIT"};
  server.findings = {"time-wait"};
  Expected client = client_completes(story->played);
  client.closed_by = "peer";
  client.states = {"SYN_SENT", "ESTABLISHED", "CLOSE_WAIT", "LAST_ACK", "CLOSE"};
  client.findings = {};
  expect_life(story->server, story->server_life(), server);
  expect_life(story->client, story->client_life(), client);
}

TEST_F(Servers, IPv4OnADualStackListenerIsShownAsPlainIPv4) {
  const auto story = play("mapped");
  if (!story) return;
  expect_client_closed_first(*story, client_completes(story->played), server_completes(story->played));
  for (const Json& line : story->server.all()) {
    EXPECT_EQ(line.dump().find("ffff:"), std::string::npos) << line.dump();
  }
}

TEST_F(Servers, IPv6IsToldLikeIPv4) {
  const auto story = play("ipv6");
  if (!story) return;
  expect_client_closed_first(*story, client_completes(story->played), server_completes(story->played));
}

TEST_F(Servers, EveryProcessThatIsNamedSaysHowItIsKnown) {
  const auto story = play("kill-unread");
  if (!story) return;
  for (const Printed* printed : {&story->client, &story->server}) {
    for (const Json& line : printed->all()) {
      if (!line.contains("pid") || line["pid"].is_null()) continue;
      EXPECT_TRUE(line.contains("pid_source") && line["pid_source"] != "unknown") << line.dump();
    }
  }
}

TEST_F(Listener, ASynAckThatIsNeverAnsweredIsToldAsRetransmittedAndStillOpen) {
  const auto story = play("half-open-synack");
  if (!story) return;
  const Json theirs = story->server_life();
  expect_life(story->server, theirs,
              {.role = "passive",
               .process = story->played.server,
               .pid_source = "listen",
               .outcome = "open",
               .closed_by = "none",
               .states = {"NEW_SYN_RECV"},
               .findings = {"retransmission certain"}});
  if (theirs.empty()) return;
  EXPECT_EQ(story->server.transitions(theirs["conn"]), (Words{"LISTEN > NEW_SYN_RECV: in SYN 0 - (inferred)"}));
  EXPECT_EQ(story->server.control_segments(theirs["conn"]),
            (Words{"in SYN 0 -", "out SYN,ACK 0 1", "out SYN,ACK 0 1", "out SYN,ACK 0 1"}));
  const auto retransmits = story->server.of("retransmit", theirs["conn"]);
  ASSERT_EQ(retransmits.size(), 2u);
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(retransmits[i]["cause"], "SYN-ACK");
    EXPECT_EQ(retransmits[i]["attempt"], i + 1);
  }
  EXPECT_EQ(theirs["retransmits"], 2);
}

TEST_F(Listener, TheSynThatAFullQueueIgnoresBelongsToTheConnectionThatComesOfIt) {
  const auto story = play("accept-queue-full");
  if (!story) return;
  ASSERT_EQ(story->played.more_clients.size(), 2u);
  EXPECT_EQ(story->server.of("life").size(), 3u);
  EXPECT_EQ(story->client.of("life").size(), 3u);
  const lab::Endpoint third = story->played.more_clients[1];
  const Json mine = story->client.life(third, story->played.server_at);
  const Json theirs = story->server.life(story->played.server_at, third);
  ASSERT_FALSE(mine.empty() || theirs.empty());
  Expected client = client_completes(story->played);
  client.tx_bytes = client.rx_bytes = 0;
  client.findings = {"retransmission certain", "slow-handshake certain", "time-wait"};
  Expected server = server_completes(story->played);
  server.findings = {"slow-handshake", "accept-queue-full certain"};
  server.tx_bytes = server.rx_bytes = 0;
  expect_life(story->client, mine, client);
  expect_life(story->server, theirs, server);
  EXPECT_EQ(mine["retransmits"], 1);
  EXPECT_EQ(story->server.control_segments(theirs["conn"]),
            (Words{"in SYN 0 -", "in SYN 0 -", "out SYN,ACK 0 1", "in FIN,ACK 1 1", "out FIN,ACK 1 2"}));
  for (const Json& life : story->server.of("life")) EXPECT_EQ(life["outcome"], "completed");
}

TEST_F(Preexisting, AConnectionOlderThanTheTracerGetsItsLineAndIsMarked) {
  const auto story = play("preexisting");
  if (!story) return;
  const Json mine = story->client_life();
  const Json theirs = story->server_life();
  ASSERT_FALSE(mine.empty() || theirs.empty());
  Expected client = client_completes(story->played);
  client.states = {"ESTABLISHED", "FIN_WAIT1", "FIN_WAIT2", "TIME_WAIT"};
  client.pid_source = mine["pid_source"];  // the snapshot, or a call since then
  client.role = mine["role"];              // a snapshot does not show who called
  Expected server = server_completes(story->played);
  server.states = {"ESTABLISHED", "CLOSE_WAIT", "LAST_ACK", "CLOSE"};
  server.pid_source = theirs["pid_source"];
  server.role = theirs["role"];
  expect_life(story->client, mine, client);
  expect_life(story->server, theirs, server);
  for (const Json& life : {mine, theirs}) {
    EXPECT_EQ(life["preexisting"], true);
    EXPECT_NE(life["pid_source"], "unknown");
    EXPECT_FALSE(life.contains("handshake_ns")) << "nobody saw it";
    EXPECT_EQ(life["wire"]["complete"], false);
  }
}

TEST_F(Preexisting, AConnectionThatWeSawOpenIsNotMarked) {
  const auto story = play("handshake");
  if (!story) return;
  EXPECT_EQ(story->client_life().value("preexisting", true), false);
  EXPECT_EQ(story->server_life().value("preexisting", true), false);
}

}  // namespace tcpwitness::live
