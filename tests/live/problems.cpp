// SPDX-License-Identifier: Apache-2.0
//
// Which connections are printed, and what they come to: --problems and `summary`, beside connections that end well.

#include <algorithm>
#include <fstream>
#include <iterator>

#include "live/converse.hpp"
#include "live/courses.hpp"
#include "values/container.hpp"

namespace tcpwitness::live {
namespace {

class Problems : public Live {
 protected:
  void talk(int connections, std::uint16_t port) {
    const auto talked = converse(lab().host(lab::Side::client), lab().host(lab::Side::server),
                                 {.ip = lab::server_ip, .port = port, .connections = connections});
    EXPECT_TRUE(talked) << talked.error();
  }
};

TEST_F(Problems, OneThatIsRefusedIsPrintedWithItsTimelineAndTheOthersAreNot) {
  const auto story =
      play("refused", {.client_arguments = {"--problems"}, .when_ready = [&](const auto&) { talk(5, 9001); }});
  if (!story) return;
  const auto lives = story->client.of("life");
  ASSERT_EQ(lives.size(), 1u);
  EXPECT_EQ(lives[0]["outcome"], "refused");
  EXPECT_EQ(story->client.summary()["connections"], 6);
  EXPECT_EQ(story->client.summary()["chosen"], 1);
  EXPECT_EQ(story->client.control_segments(lives[0]["conn"]), (Words{"out SYN 0 -", "in RST,ACK 0 1"}));
  for (const Json& line : story->client.all()) {
    EXPECT_EQ(line.value("conn", lives[0]["conn"]), lives[0]["conn"]) << line.dump();
  }
}

TEST_F(Problems, AFindingIsPrintedWhileTheConnectionIsOpen) {
  const auto story = play("zero-window", {.arguments = {"--finding", "zero-window"}});
  if (!story) return;
  for (const Printed* printed : {&story->client, &story->server}) {
    const auto& all = printed->all();
    const auto finding = std::ranges::find_if(all, [](const Json& line) { return line["type"] == "finding"; });
    const auto life = std::ranges::find_if(all, [](const Json& line) { return line["type"] == "life"; });
    ASSERT_NE(finding, all.end());
    ASSERT_NE(life, all.end());
    EXPECT_LT(finding, life);
    EXPECT_LT((*finding)["ts_ns"].get<int64_t>(), (*life)["ts_ns"].get<int64_t>());
    for (const Json& line : printed->of("finding")) EXPECT_EQ(line["rule"], "zero-window");
  }
}

TEST_F(Problems, ASummaryAddsUpBothEndsByWhatTheyHaveInCommon) {
  for (const lab::Side side : {lab::Side::client, lab::Side::server}) {
    const auto& netns = side == lab::Side::client ? lab().client_ns() : lab().server_ns();
    auto watch = Watch::start(netns, {"--by", "listener,outcome"}, {}, "summary");
    ASSERT_TRUE(watch);
    ASSERT_TRUE(watch->run().wait_ready());
    talk(20, 9000);
    talk(10, 9001);
    lab::pause_for(Millis(200));
    const Ended ended = watch->run().stop();
    const Printed printed(ended.out);
    EXPECT_EQ(ended.code, 0) << ended.err;
    EXPECT_TRUE(printed.of("life").empty());
    const auto groups = printed.of("group");
    ASSERT_EQ(groups.size(), 2u) << ended.out;
    for (int i = 0; i < 2; ++i) {
      const Json& group = groups[static_cast<std::size_t>(i)];
      const int connections = i == 0 ? 20 : 10;
      EXPECT_EQ(group["by"]["listener"], fmt::format("{}:{}", lab::server_ip, 9000 + i));
      EXPECT_EQ(group["by"]["outcome"], "completed");
      EXPECT_EQ(group["connections"], connections);
      EXPECT_EQ(group["problems"], 0);
      const int sent = side == lab::Side::client ? 100 : 1000;
      EXPECT_EQ(group["tx"]["bytes"], connections * sent);
      EXPECT_EQ(group["rx"]["bytes"], connections * (1100 - sent));
      EXPECT_EQ(group["lifetime"]["count"], connections);
      EXPECT_EQ(group["connect"]["count"], connections);
      EXPECT_LE(group["connect"]["p50_ns"], group["lifetime"]["p50_ns"]);
    }
    EXPECT_EQ(printed.of("total").size(), 1u);
    EXPECT_EQ(printed.of("total")[0]["connections"], 30);
    EXPECT_EQ(printed.summary()["lost"], 0);
  }
}

// The test itself and what it starts are of one cgroup, and a process that is gone was asked while it lived.
TEST_F(Problems, ASummaryByContainerNamesTheCgroupOfTheProcess) {
  std::ifstream own("/proc/self/cgroup");
  const std::string file((std::istreambuf_iterator<char>(own)), std::istreambuf_iterator<char>());
  ASSERT_FALSE(file.empty());
  auto watch = Watch::start(lab().client_ns(), {"--by", "container"}, {}, "summary");
  ASSERT_TRUE(watch);
  ASSERT_TRUE(watch->run().wait_ready());
  talk(5, 9000);
  lab::pause_for(Millis(200));
  const Ended ended = watch->run().stop();
  EXPECT_EQ(ended.code, 0) << ended.err;
  const auto groups = Printed(ended.out).of("group");
  ASSERT_EQ(groups.size(), 1u) << ended.out;
  EXPECT_EQ(groups[0]["connections"], 5);
  EXPECT_EQ(groups[0]["by"]["container"], container_name(cgroup_path(file)));
}

}  // namespace
}  // namespace tcpwitness::live
