// SPDX-License-Identifier: Apache-2.0
//
// Situation 3: one end dies. With nothing unread its kernel sends FIN, with unread data RST; a host that vanished
// sends nothing, and RST when it is back.

#include <cerrno>
#include <csignal>

#include "live/courses.hpp"

namespace tcpwitness::live {

using Crash = Live;

namespace {

const Words reset_states{"SYN_SENT", "ESTABLISHED", "CLOSE"};
const Words served_until_reset{"NEW_SYN_RECV", "SYN_RECV", "ESTABLISHED", "CLOSE"};

}  // namespace

TEST_F(Crash, ProcessKilledWithNothingUnreadEndsInFin) {
  const auto story = play("kill-clean");
  if (!story) return;
  const uint64_t up = story->played.client_bytes;
  const uint64_t down = story->played.server_bytes;
  const Json mine = story->client_life();
  const Json theirs = story->server_life();
  Expected client = client_completes(story->played);
  client.closed_by = "peer";
  client.states = {"SYN_SENT", "ESTABLISHED", "CLOSE_WAIT", "LAST_ACK", "CLOSE"};
  client.findings = {};
  Expected victim = server_completes(story->played);
  victim.process = *story->played.killed;
  victim.closed_by = "local";
  victim.states = {"NEW_SYN_RECV", "SYN_RECV", "ESTABLISHED", "FIN_WAIT1", "FIN_WAIT2", "TIME_WAIT"};
  victim.findings = {"time-wait"};
  expect_life(story->client, mine, client);
  expect_life(story->server, theirs, victim);
  if (mine.empty() || theirs.empty()) return;
  const std::string killed = "kill (signal 9)";
  expect_either(story->server.transitions(theirs["conn"]), server_opens() + closes_first_four(down, up, killed),
                server_opens() + closes_first_three(down, up, killed));
  EXPECT_EQ(story->client.transitions(mine["conn"]), client_opens() + closes_second(up, down));
  EXPECT_NE(theirs.value("explanation", "").find("lab-victim"), std::string::npos);
}

TEST_F(Crash, ProcessKilledWithUnreadDataEndsInReset) {
  const auto story = play("kill-unread");
  if (!story) return;
  const uint64_t up = story->played.client_bytes;
  const uint64_t down = story->played.server_bytes;
  const Json mine = story->client_life();
  const Json theirs = story->server_life();
  ASSERT_FALSE(mine.empty() || theirs.empty());
  // What the peer's kernel acknowledged: the last words may still have waited for their delayed ACK.
  const auto acknowledged = mine["tx_bytes"].get<uint64_t>();
  EXPECT_TRUE(acknowledged == up || acknowledged == up - 22) << acknowledged;
  EXPECT_EQ(mine["wire"]["tx_bytes"], up);
  expect_life(story->client, mine,
              {.role = "active",
               .process = story->played.client,
               .pid_source = "connect",
               .outcome = "reset-by-peer",
               .closed_by = "peer",
               .states = reset_states,
               .error = ECONNRESET,
               .tx_bytes = acknowledged,
               .rx_bytes = down,
               .findings = {"reset-origin likely"}});
  expect_life(story->server, theirs,
              {.role = "passive",
               .process = *story->played.killed,
               .pid_source = "receive",
               .outcome = "aborted",
               .closed_by = "local",
               .states = served_until_reset,
               .tx_bytes = down,
               .rx_bytes = up,
               .findings = {"reset-origin certain"}});
  EXPECT_EQ(story->server.transitions(theirs["conn"]),
            server_opens() + Words({"ESTABLISHED > CLOSE: kill (signal 9)"}));
  EXPECT_EQ(story->client.transitions(mine["conn"]),
            client_opens() + Words({fmt::format("ESTABLISHED > CLOSE: in RST,ACK {} {}", down + 1, up + 1)}));
  EXPECT_EQ(story->server.control_segments(theirs["conn"]).back(), fmt::format("out RST,ACK {} {}", down + 1, up + 1));
  const auto resets = story->server.of("reset", theirs["conn"]);
  ASSERT_EQ(resets.size(), 1u);
  EXPECT_EQ(resets[0].value("reason", "TCP_ABORT_ON_CLOSE"), "TCP_ABORT_ON_CLOSE");
}

TEST_F(Crash, HostThatVanishedAnswersWithAResetWhenItIsBack) {
  const auto story = play("vanish");
  if (!story) return;
  const uint64_t answered = story->played.client_bytes - 21;  // the question was never acknowledged
  const uint64_t down = story->played.server_bytes;
  const Json mine = story->client_life();
  expect_life(story->client, mine,
              {.role = "active",
               .process = story->played.client,
               .pid_source = "connect",
               .outcome = "reset-by-peer",
               .closed_by = "peer",
               .states = reset_states,
               .error = ECONNRESET,
               .tx_bytes = answered,
               .rx_bytes = down,
               .findings = {"reset-origin likely", "retransmission certain", "half-open likely"}});
  if (mine.empty()) return;
  EXPECT_EQ(story->client.transitions(mine["conn"]),
            client_opens() + Words({fmt::format("ESTABLISHED > CLOSE: in RST {} -", down + 1)}));
  const auto retransmits = story->client.of("retransmit", mine["conn"]);
  EXPECT_GE(retransmits.size(), 2u);
  EXPECT_EQ(mine["retransmits"], retransmits.size());
  EXPECT_EQ(story->client.analysed(mine["conn"], "retransmission").size(), retransmits.size());
}

TEST_F(Crash, HostThatForgetsSaysNothingAndIsNotSaidToHaveSentAReset) {
  const auto story = play("vanish");
  if (!story) return;
  const Json theirs = story->server_life();
  ASSERT_FALSE(theirs.empty());
  EXPECT_EQ(story->server.transitions(theirs["conn"]),
            server_opens() + Words({"ESTABLISHED > CLOSE: kill (signal 9)"}));
  EXPECT_EQ(theirs["pid"], story->played.killed->pid);
  EXPECT_EQ(theirs["comm"], "lab-victim");
  EXPECT_TRUE(story->server.of("reset", theirs["conn"]).empty());
  EXPECT_NE(theirs["outcome"], "reset-by-local") << "no RST was sent";
  const std::string explanation = theirs.value("explanation", "");
  EXPECT_EQ(explanation.find("Another process"), std::string::npos) << explanation;
  EXPECT_EQ(explanation.find("sent a RST"), std::string::npos) << explanation;
  EXPECT_EQ(theirs["rx_bytes"], story->played.client_bytes - 21);
  EXPECT_EQ(theirs["tx_bytes"], story->played.server_bytes);
}

}  // namespace tcpwitness::live
