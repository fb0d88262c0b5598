// SPDX-License-Identifier: Apache-2.0
//
// connect() that fails for want of a port, or by an ICMP message; an orphan that its kernel forgets.

#include <cerrno>

#include "live/courses.hpp"

namespace tcpwitness::live {

using Connect = Live;
using FinWait2 = Live;

TEST_F(Connect, WithoutAFreePortMakesNoSynAndNamesTheHolder) {
  const auto story = play("no-local-port");
  if (!story) return;
  std::vector<Json> failed, made;
  for (const Json& life : story->client.of("life"))
    (life["outcome"] == "no-local-port" ? failed : made).push_back(life);
  ASSERT_EQ(failed.size(), 1u);
  ASSERT_EQ(made.size(), 1u);
  EXPECT_EQ(made[0]["outcome"], "completed");
  EXPECT_EQ(failed[0]["error"], "EADDRNOTAVAIL");
  EXPECT_EQ(failed[0]["pid"], story->played.client.pid);
  EXPECT_TRUE(story->client.of("segment", failed[0]["conn"]).empty()) << "no SYN was made";
  const auto found = story->client.findings(failed[0]["conn"], "port-exhaustion");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0]["confidence"], "certain");
  const auto text = found[0]["text"].get<std::string>();
  EXPECT_NE(text.find("1 port in 40000-40000"), std::string::npos) << text;
  EXPECT_NE(text.find("1 by lab-client"), std::string::npos) << text;
  EXPECT_TRUE(story->client.findings(made[0]["conn"], "port-exhaustion").empty());
}

TEST_F(Connect, FromABoundPortThatIsInUseSaysSo) {
  const auto story = play("port-in-use");
  if (!story) return;
  std::vector<Json> failed;
  for (const Json& life : story->client.of("life")) {
    if (life["outcome"] == "no-local-port") failed.push_back(life);
  }
  ASSERT_EQ(failed.size(), 1u);
  const auto found = story->client.findings(failed[0]["conn"], "port-exhaustion");
  ASSERT_EQ(found.size(), 1u);
  const auto text = found[0]["text"].get<std::string>();
  EXPECT_NE(text.find("had bound port 40001"), std::string::npos) << text;
  EXPECT_NE(text.find("1 by lab-client"), std::string::npos) << text;
}

TEST_F(Connect, ThatARouterRefusesNamesTheRouter) {
  const auto story = play("unreachable");
  if (!story) return;
  const Json life = story->client_life();
  ASSERT_FALSE(life.empty());
  EXPECT_EQ(life["outcome"], "unreachable");
  EXPECT_EQ(life["error"], "EHOSTUNREACH");
  EXPECT_EQ(life["closed_by"], "none");
  std::vector<Json> messages;
  for (const Json& error : story->client.of("error", life["conn"])) {
    if (error.value("icmp", false)) messages.push_back(error);
  }
  ASSERT_FALSE(messages.empty());
  EXPECT_EQ(messages[0]["icmp_sender"], lab::third_ip);
  EXPECT_EQ(messages[0]["icmp_name"], "administratively prohibited");
  EXPECT_NE(life["explanation"].get<std::string>().find("sent by 10.99.0.254, on the way"), std::string::npos)
      << life["explanation"];
}

TEST_F(Connect, ThatIsRefusedByARstHasNoIcmpMessage) {
  const auto story = play("refused");
  if (!story) return;
  for (const Json& error : story->client.of("error")) EXPECT_FALSE(error.value("icmp", false)) << error.dump();
}

TEST_F(FinWait2, AnOrphanWhosePeerNeverClosesIsForgottenInTime) {
  const auto story = play("fin-wait2-timeout");
  if (!story) return;
  const Json mine = story->client_life();
  ASSERT_FALSE(mine.empty());
  EXPECT_EQ(mine["outcome"], "fin-wait2-timeout");
  EXPECT_EQ(mine["closed_by"], "local");
  EXPECT_NEAR(mine["duration_ns"].get<double>() / 1e9, 2.0, 0.6);
  const Json theirs = story->server_life();
  ASSERT_FALSE(theirs.empty());
  EXPECT_EQ(theirs["outcome"], "reset-by-peer");
  EXPECT_EQ(story->server.findings(theirs["conn"], "write-after-peer-closed").size(), 1u);
}

}  // namespace tcpwitness::live
