// SPDX-License-Identifier: Apache-2.0
//
// The ends of a kernel's patience, resets that a process asks for, and a process that does not close.

#include <cerrno>

#include "live/courses.hpp"

namespace tcpwitness::live {

using Patience = Live;
using Reset = Live;
using CloseWait = Live;

namespace {

constexpr uint64_t question = 21;  // bytes that are never acknowledged

void expect_gave_up(const Story& story, const std::string& outcome, const std::string& timer) {
  const Json mine = story.client_life();
  std::set<std::string> findings{"retransmission certain"};
  // On a busy machine it can have been idle before.
  if (!mine.empty() && !story.client.findings(mine["conn"], "path-dead").empty()) findings.insert("path-dead likely");
  expect_life(story.client, mine,
              {.role = "active",
               .process = story.played.client,
               .pid_source = "connect",
               .outcome = outcome,
               .closed_by = "none",
               .states = {"SYN_SENT", "ESTABLISHED", "CLOSE"},
               .error = ETIMEDOUT,
               .tx_bytes = story.played.client_bytes - question,
               .rx_bytes = story.played.server_bytes,
               .findings = findings});
  if (mine.empty()) return;
  EXPECT_EQ(story.client.transitions(mine["conn"]), client_opens() + Words({"ESTABLISHED > CLOSE: " + timer}));
  EXPECT_EQ(story.client.control_segments(mine["conn"]), (Words{"out SYN 0 -", "in SYN,ACK 0 1"})) << "no RST is sent";
  const auto retransmits = story.client.retransmissions(mine["conn"]);
  EXPECT_GE(retransmits.size(), 3u);
  for (size_t i = 0; i < retransmits.size(); ++i) {
    const auto cause = retransmits[i]["cause"].get<std::string>();
    EXPECT_TRUE(cause == "RTO" || (cause == "tail-loss probe" && i == 0)) << cause;
    EXPECT_EQ(retransmits[i]["attempt"], i + 1);
    EXPECT_EQ(retransmits[i]["rel_seq"], story.played.client_bytes - question + 1);
    EXPECT_EQ(retransmits[i]["len"], question);
  }
  const auto counted = mine["retransmits"].get<size_t>();
  EXPECT_EQ(story.client.analysed(mine["conn"], "retransmission").size(), counted);
  if (retransmits.size() < counted) {  // a kernel that runs no program in some interrupts: then it is reported
    const auto text = story.client.findings(mine["conn"], "retransmission").at(0)["text"].get<std::string>();
    const auto unseen = fmt::format("{} whose cause was not seen", counted - retransmits.size());
    EXPECT_NE(text.find(unseen), std::string::npos) << text;
  }
  EXPECT_LE(retransmits.size(), counted);

  const Json theirs = story.server_life();
  Expected server = server_completes(story.played);
  server.outcome = "open";
  server.findings = {"retransmission likely", "rx-dropped certain"};  // what makes it deaf is a firewall on its machine
  server.closed_by = "none";
  server.states = {"NEW_SYN_RECV", "SYN_RECV", "ESTABLISHED"};
  server.rx_bytes = story.played.client_bytes - question;
  expect_life(story.server, theirs, server);
}

void expect_reset(const Printed& breaker, const Json& broke, const Printed& other, const Json& suffered) {
  ASSERT_FALSE(broke.empty() || suffered.empty());
  const std::string rst = breaker.control_segments(broke["conn"]).back();
  ASSERT_TRUE(rst.starts_with("out RST,ACK")) << rst;
  EXPECT_EQ(other.control_segments(suffered["conn"]).back(), "in" + rst.substr(3));
  EXPECT_EQ(breaker.transitions(broke["conn"]).back(), "ESTABLISHED > CLOSE: close");
  EXPECT_EQ(other.transitions(suffered["conn"]).back(), "ESTABLISHED > CLOSE: in" + rst.substr(3));
  EXPECT_EQ(breaker.of("reset", broke["conn"]).size(), 1u);
}

}  // namespace

TEST_F(Patience, RetransmissionsThatNobodyAnswersEndInRetransmitTimeout) {
  const auto story = play("retransmit-timeout");
  if (story) expect_gave_up(*story, "retransmit-timeout", "retransmission");
}

TEST_F(Patience, TheUsersOwnTimeoutIsTold) {
  const auto story = play("user-timeout");
  if (story) expect_gave_up(*story, "user-timeout", "user timeout");
}

TEST_F(Reset, ServerThatLingersForNoTimeResetsItsPeer) {
  const auto story = play("reset-by-peer");
  if (!story) return;
  Expected client = client_completes(story->played);
  client.outcome = "reset-by-peer";
  client.closed_by = "peer";
  client.states = {"SYN_SENT", "ESTABLISHED", "CLOSE"};
  client.error = story->played.client_errno;
  client.findings = {"reset-origin likely"};
  Expected server = server_completes(story->played);
  server.outcome = "reset-by-local";
  server.closed_by = "local";
  server.states = {"NEW_SYN_RECV", "SYN_RECV", "ESTABLISHED", "CLOSE"};
  server.error = story->played.server_errno;
  server.findings = {"reset-origin certain"};
  expect_life(story->client, story->client_life(), client);
  expect_life(story->server, story->server_life(), server);
  expect_reset(story->server, story->server_life(), story->client, story->client_life());
}

TEST_F(Reset, ClientThatLingersForNoTimeResetsItsPeer) {
  const auto story = play("reset-by-local");
  if (!story) return;
  Expected client = client_completes(story->played);
  client.outcome = "reset-by-local";
  client.closed_by = "local";
  client.states = {"SYN_SENT", "ESTABLISHED", "CLOSE"};
  client.error = story->played.client_errno;
  client.findings = {"reset-origin certain"};
  Expected server = server_completes(story->played);
  server.outcome = "reset-by-peer";
  server.closed_by = "peer";
  server.states = {"NEW_SYN_RECV", "SYN_RECV", "ESTABLISHED", "CLOSE"};
  server.error = story->played.server_errno;
  server.findings = {"reset-origin likely"};
  expect_life(story->client, story->client_life(), client);
  expect_life(story->server, story->server_life(), server);
  expect_reset(story->client, story->client_life(), story->server, story->server_life());
}

TEST_F(CloseWait, AProcessThatDoesNotCloseIsNamed) {
  const auto story = play("close-wait-stuck", {.arguments = {"--stuck-after", "1"}});
  if (!story) return;
  Expected server = server_completes(story->played);
  server.findings = {"close-wait-stuck"};
  Expected client = client_completes(story->played);
  client.findings.insert("peer-not-closing");
  expect_client_closed_first(*story, client, server);
  const Json theirs = story->server_life();
  if (theirs.empty()) return;
  const auto text = story->server.findings(theirs["conn"], "close-wait-stuck").at(0)["text"].get<std::string>();
  EXPECT_NE(text.find("lab-server"), std::string::npos) << text;
  EXPECT_NE(text.find("has not closed fd "), std::string::npos) << text;
}

TEST_F(CloseWait, ThreeSecondsAreNotStuckWhereTenAreAsked) {
  const auto story = play("close-wait-stuck");
  if (!story) return;
  expect_client_closed_first(*story, client_completes(story->played), server_completes(story->played));
}

}  // namespace tcpwitness::live
