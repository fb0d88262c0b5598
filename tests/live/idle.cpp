// SPDX-License-Identifier: Apache-2.0
//
// Situation 6: keep-alive, answered and not, and the zero window that resembles it on the wire.

#include <cerrno>

#include "live/courses.hpp"

namespace tcpwitness::live {

using Idle = Live;

namespace {

std::vector<Json> keepalives(const Printed& printed, const Json& conn, const std::string& what) {
  std::vector<Json> found;
  for (const Json& one : printed.of("keepalive", conn)) {
    if (one["what"] == what) found.push_back(one);
  }
  return found;
}

// Idle 1 s, interval 1 s, count 3, as the lab sets them.
void expect_timers(const Json& keepalive) {
  EXPECT_EQ(keepalive["probes"], 3);
  EXPECT_EQ(keepalive["time_ms"], 1000);
  EXPECT_EQ(keepalive["intvl_ms"], 1000);
}

double seconds_between(const Json& from, const Json& to) {
  return static_cast<double>(to["ts_ns"].get<int64_t>() - from["ts_ns"].get<int64_t>()) / 1e9;
}

}  // namespace

TEST_F(Idle, AnsweredKeepalivesAreCountedFromOneEachTime) {
  const auto story = play("keepalive-answered");
  if (!story) return;
  Expected client = client_completes(story->played);
  client.findings = {"keepalive certain", "time-wait"};
  Expected server = server_completes(story->played);
  server.findings = {"keepalive"};
  expect_client_closed_first(*story, client, server);
  const Json mine = story->client_life();
  const Json theirs = story->server_life();
  if (mine.empty() || theirs.empty()) return;
  const auto sent = keepalives(story->client, mine["conn"], "sent");
  ASSERT_EQ(sent.size(), 3u);
  EXPECT_EQ(keepalives(story->client, mine["conn"], "answered").size(), 3u);
  for (size_t i = 0; i < sent.size(); ++i) {
    EXPECT_EQ(sent[i]["probe"], 1) << "the one before was answered";
    expect_timers(sent[i]);
    if (i > 0) {
      EXPECT_GT(seconds_between(sent[i - 1], sent[i]), 0.9) << "a timer can be late, and not early";
    }
  }
  const auto probes = story->client.analysed(mine["conn"], "keep-alive");
  ASSERT_EQ(probes.size(), 3u);
  for (const Json& probe : probes) {
    EXPECT_EQ(in_words(probe),
              fmt::format("out ACK {} {}", story->played.client_bytes, story->played.server_bytes + 1));
    EXPECT_EQ(probe["len"], 0);
  }
  EXPECT_EQ(story->client.analysed(mine["conn"], "keep-alive ACK").size(), 3u);
  EXPECT_EQ(keepalives(story->server, theirs["conn"], "received").size(), 3u);
  EXPECT_TRUE(story->client.of("retransmit").empty());
}

TEST_F(Idle, UnansweredKeepalivesEndInTheirPredictedDeath) {
  const auto story = play("keepalive-death");
  if (!story) return;
  const Json mine = story->client_life();
  expect_life(story->client, mine,
              {.role = "active",
               .process = story->played.client,
               .pid_source = "connect",
               .outcome = "keepalive-timeout",
               .closed_by = "none",
               .states = {"SYN_SENT", "ESTABLISHED", "CLOSE"},
               .error = ETIMEDOUT,
               .tx_bytes = story->played.client_bytes,
               .rx_bytes = story->played.server_bytes,
               .findings = {"keepalive certain", "reset-origin certain"}});
  if (mine.empty()) return;
  EXPECT_EQ(story->client.transitions(mine["conn"]), client_opens() + Words({"ESTABLISHED > CLOSE: keep-alive"}));
  const auto sent = keepalives(story->client, mine["conn"], "sent");
  ASSERT_EQ(sent.size(), 3u);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(sent[i]["probe"], i + 1);
    expect_timers(sent[i]);
  }
  const auto dead = keepalives(story->client, mine["conn"], "gave-up");
  ASSERT_EQ(dead.size(), 1u);
  for (const Json& probe : sent) {
    const double until = (probe["dead_at_ns"].get<double>() - probe["ts_ns"].get<double>()) / 1e9;
    EXPECT_NEAR(until, 4 - probe["probe"].get<double>(), 0.1) << "an interval for each probe that is left";
    EXPECT_GT(seconds_between(probe, dead[0]), until - 0.1) << "the timers can be late, and not early";
  }
  EXPECT_EQ(story->client.control_segments(mine["conn"]).back(),
            fmt::format("out RST,ACK {} {}", story->played.client_bytes + 1, story->played.server_bytes + 1));
  const auto resets = story->client.of("reset", mine["conn"]);
  ASSERT_EQ(resets.size(), 1u);
  EXPECT_EQ(resets[0].value("reason", "TCP_KEEPALIVE_TIMEOUT"), "TCP_KEEPALIVE_TIMEOUT");
  const auto text = story->client.findings(mine["conn"], "keepalive").at(0)["text"].get<std::string>();
  EXPECT_NE(text.find("3 of 3 keep-alive probes left "), std::string::npos) << text;
}

TEST_F(Idle, ThePeerOfADeadConnectionStaysOpenThoughTheResetReachedItsInterface) {
  const auto story = play("keepalive-death");
  if (!story) return;
  const Json theirs = story->server_life();
  Expected server = server_completes(story->played);
  server.outcome = "open";
  server.closed_by = "none";
  server.states = {"NEW_SYN_RECV", "SYN_RECV", "ESTABLISHED"};
  server.findings = {"keepalive", "rx-dropped"};  // what makes it deaf is a firewall on its machine
  expect_life(story->server, theirs, server);
}

TEST_F(Idle, AClosedWindowIsProbedAndNeverCalledKeepalive) {
  const auto story = play("zero-window");
  if (!story) return;
  Expected client = client_completes(story->played);
  client.findings = {"zero-window certain", "time-wait"};
  Expected server = server_completes(story->played);
  server.findings = {"zero-window certain"};
  const Json mine = story->client_life();
  const Json theirs = story->server_life();
  expect_life(story->client, mine, client);
  expect_life(story->server, theirs, server);
  if (mine.empty() || theirs.empty()) return;
  const auto probes = story->client.of("probe", mine["conn"]);
  EXPECT_EQ(std::to_string(probes.size()), story->played.fact("window_probes"));
  for (size_t i = 0; i < probes.size(); ++i) {
    EXPECT_EQ(probes[i]["probe"], i + 1);
    EXPECT_GT(probes[i]["unsent_bytes"].get<uint64_t>(), 0u);
    if (i > 0) {
      // From 200 ms (TCP_RTO_MIN) on they double; a timer can be late, and not early.
      EXPECT_GT(seconds_between(probes[i - 1], probes[i]), 0.9 * 0.2 * (1U << i));
    }
  }
  EXPECT_EQ(story->client.analysed(mine["conn"], "zero-window probe").size(), probes.size());
  EXPECT_FALSE(story->client.analysed(mine["conn"], "zero window").empty());
  EXPECT_FALSE(story->client.analysed(mine["conn"], "window update").empty());
  for (const Printed* printed : {&story->client, &story->server}) {
    EXPECT_TRUE(printed->of("keepalive").empty());
    for (const Json& life : printed->of("life")) EXPECT_TRUE(printed->analysed(life["conn"], "keep-alive").empty());
  }
  const auto text = story->server.findings(theirs["conn"], "zero-window").at(0)["text"].get<std::string>();
  EXPECT_NE(text.find("lab-server"), std::string::npos) << "who stopped reading: " << text;
}

}  // namespace tcpwitness::live
