// SPDX-License-Identifier: Apache-2.0
//
// Plays the cases of expectations.cpp, and those with more than one connection.

#include <algorithm>

#include "live/expectations.hpp"

namespace tcpwitness::live {
namespace {

std::string test_name(const ::testing::TestParamInfo<Expectation>& info) {
  std::string name = info.param.name + (info.param.variant.empty() ? "" : " " + info.param.variant);
  std::ranges::replace_if(name, [](char letter) { return letter == '-' || letter == ' '; }, '_');
  return name;
}

// Whose connection it is, and that nobody else is named anywhere in it.
void expect_owner(const Printed& printed, const Json& life, const lab::Identity& process) {
  if (life.empty()) return;
  EXPECT_EQ(life["pid"], process.pid);
  EXPECT_EQ(life["comm"], process.comm);
  for (const int64_t pid : printed.pids(life["conn"])) EXPECT_EQ(pid, process.pid) << "an innocent process is named";
}

}  // namespace

class Verdicts : public Live, public ::testing::WithParamInterface<Expectation> {};

TEST_P(Verdicts, AreThese) {
  const Expectation& expected = GetParam();
  if (expected.needs != nullptr && !expected.needs()) GTEST_SKIP() << "this kernel " << expected.lacks;
  const auto story = play(expected.name, {.client_arguments = expected.arguments});
  if (!story) return;
  expect_verdict(story->client, story->client_life(), expected.client, "client");
  expect_verdict(story->server, story->server_life(), expected.server, "server");
  expect_owner(story->client, story->client_life(), story->played.client);
  expect_owner(story->server, story->server_life(), story->played.server);
}

INSTANTIATE_TEST_SUITE_P(Cases, Verdicts, ::testing::ValuesIn(expectations()), test_name);

using Queues = Live;

TEST_F(Queues, AnAcceptQueueThatIsFullAtTheLastAckIsFoundOnThatConnectionAlone) {
  const Verdict overflowed{"completed",
                           {{"accept-queue-full", "certain", {"lab-server"}},
                            {"retransmission", "certain", {"SYN-ACK"}}}};  // its ACK came at once: no slow handshake
  const auto story = play("accept-overflow");
  if (!story) return;
  const lab::Endpoint& scripted = story->played.more_clients.at(0);
  expect_verdict(story->server, story->server.life(story->played.server_at, scripted), overflowed, "the second");
  const Json first = story->server_life();
  ASSERT_FALSE(first.empty());
  EXPECT_EQ(story->server.findings(first["conn"], "accept-queue-full").size(), 0u) << "it got the last place";
}

TEST_F(Queues, AnAcceptQueueThatIsFullAtTheSynIsFoundOnThatConnectionAlone) {
  const Verdict ignored{"completed", {{"accept-queue-full", "certain", {"lab-server"}}, {"slow-handshake"}}};
  const auto story = play("accept-queue-full");
  if (!story) return;
  const lab::Endpoint& second = story->played.more_clients.at(0);
  const lab::Endpoint& third = story->played.more_clients.at(1);
  expect_verdict(story->server, story->server.life(story->played.server_at, third), ignored, "the third");
  for (const Json& life : {story->server_life(), story->server.life(story->played.server_at, second)}) {
    ASSERT_FALSE(life.empty());
    EXPECT_EQ(story->server.findings(life["conn"], "accept-queue-full").size(), 0u) << "it found room";
  }
}

TEST_F(Queues, ASynBacklogThatIsFullIsFoundOnTheConnectionThatWaited) {
  const Verdict waited{"completed", {{"syn-backlog-full", "certain", {"lab-server"}}, {"slow-handshake"}}};
  const Verdict caller{"completed", {{"slow-handshake"}, {"retransmission", "certain", {"SYN"}}, {"time-wait"}}};
  const auto story = play("syn-backlog-full");
  if (!story) return;
  expect_verdict(story->server, story->server_life(), waited, "server");
  expect_verdict(story->client, story->client_life(), caller, "client");
  const Json other = story->server.life(story->played.server_at, story->played.more_clients.at(0));
  ASSERT_FALSE(other.empty());
  EXPECT_EQ(story->server.findings(other["conn"], "syn-backlog-full").size(), 0u) << "it had the only place";
}

TEST_F(Queues, APortThatIsUsedAgainIsTwoConnections) {
  const auto story = play("port-reuse");
  if (!story) return;
  for (const Printed* printed : {&story->client, &story->server}) {
    const auto lives = printed->of("life");
    ASSERT_EQ(lives.size(), 2u);
    const bool server = printed == &story->server;
    for (const Json& life : lives) {
      EXPECT_EQ(life["outcome"], "completed");
      EXPECT_EQ(printed->findings(life["conn"]),
                server ? std::set<std::string>{"time-wait certain"} : std::set<std::string>{});
      EXPECT_EQ(life["local"], lives[0]["local"]);
      EXPECT_EQ(life["remote"], lives[0]["remote"]);
    }
  }
}

}  // namespace tcpwitness::live
