// SPDX-License-Identifier: Apache-2.0
//
// Somebody sets the machine's clock while it is traced. Only where that is allowed: in an emulated machine
// (scripts/vm sets TCPWITNESS_MAY_SET_CLOCK).

#include <cmath>
#include <cstdlib>
#include <ctime>
#include <set>
#include <thread>

#include "live/converse.hpp"
#include "live/courses.hpp"

namespace tcpwitness::live {
namespace {

using Clock = Live;

constexpr int64_t second = 1'000'000'000;

int64_t wall_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<int64_t>(now.tv_sec) * second + now.tv_nsec;
}

bool set_clock(int64_t by_seconds) {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  now.tv_sec += by_seconds;
  return ::clock_settime(CLOCK_REALTIME, &now) == 0;
}

}  // namespace

TEST_F(Clock, AnHourEitherWayChangesNoVerdictAndNoDuration) {
  if (std::getenv("TCPWITNESS_MAY_SET_CLOCK") == nullptr) GTEST_SKIP() << "this machine's clock is not ours to set";
  auto run = TracerRun::start({"life", "-o", "json", "--netns", lab().client_ns(), "--stuck-after", "5"});
  ASSERT_TRUE(run) << run.error();
  ASSERT_TRUE((*run)->wait_ready());
  const auto& here = lab().host(lab::Side::client);
  for (const int64_t by : {3600, -7200}) {
    // While connections are made, so that some live through it.
    std::string error;
    std::jthread load([&] {
      const auto talked = converse(here, here, {.ip = "127.0.0.1", .connections = 100, .addresses = 4});
      if (!talked) error = talked.error();
    });
    ASSERT_TRUE(set_clock(by));
    load.join();
    ASSERT_EQ(error, "");
    EXPECT_TRUE((*run)->wait_for(by > 0 ? "set forward by " : "set back by ", Millis(20000))) << (*run)->err();
    ASSERT_TRUE(converse(here, here, {.ip = "127.0.0.1", .connections = 1}));
  }
  const int64_t after = wall_ns();
  const Ended ended = (*run)->stop();
  set_clock(3600);
  const Printed printed(ended.out);
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_EQ(printed.of("life").size(), 2u * 202);
  for (const Json& life : printed.of("life")) {
    EXPECT_EQ(life["outcome"], "completed") << life.dump();
    EXPECT_LT(life["duration_ns"].get<int64_t>(), 60 * second) << life.dump();
  }
  for (const Json& finding : printed.of("finding")) {
    // An emulated machine is slow, and its processors differ by some ms: what that causes is real. Nothing lasts long.
    static const std::set<std::string> real{"time-wait", "old-timestamp", "late", "slow-handshake", "retransmission"};
    EXPECT_TRUE(real.contains(finding["rule"])) << finding.dump();
    const auto text = finding["text"].get<std::string>();
    EXPECT_EQ(text.find(" min"), std::string::npos) << text;
    EXPECT_EQ(text.find(" h "), std::string::npos) << text;
  }
  const Json last = printed.of("life").back();
  EXPECT_LT(std::abs(last["ts_ns"].get<int64_t>() - after), 60 * second) << "the wall's time, as it is now";
}

// There a process reads another CLOCK_MONOTONIC than BPF programs do. Before: every time was wrong by the difference,
// and what is due by the clock came so much too early, or too late.
TEST_F(Clock, ATimeNamespaceChangesNoTime) {
  for (const char* const offset : {"100000", "-1"}) {
    const std::vector<std::string> through{"unshare", "--time", "--monotonic", offset, "--boottime", offset, "--fork"};
    if (run_to_end({"--version"}, through).code != 0) GTEST_SKIP() << "no time namespace to be had";
    auto run = TracerRun::start({"life", "-o", "json", "-c", "2", "--netns", lab().client_ns()}, through);
    ASSERT_TRUE(run) << run.error();
    ASSERT_TRUE((*run)->wait_ready());
    const int64_t before = wall_ns();
    const auto& here = lab().host(lab::Side::client);
    ASSERT_TRUE(converse(here, here, {.ip = "127.0.0.1", .connections = 1}));
    const int64_t after = wall_ns();
    const Ended ended = (*run)->wait();
    EXPECT_EQ(ended.code, 0) << ended.err;
    const Printed printed(ended.out);
    EXPECT_EQ(printed.of("life").size(), 2u) << ended.out;
    for (const Json& life : printed.of("life")) {
      EXPECT_GT(life["ts_ns"].get<int64_t>(), before - second / 2) << offset;
      EXPECT_LT(life["ts_ns"].get<int64_t>(), after + second / 2) << offset;
    }
  }
}

}  // namespace tcpwitness::live
