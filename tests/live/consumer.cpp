// SPDX-License-Identifier: Apache-2.0
//
// The tracer's own behaviour as a program among others: it sleeps while nothing happens, is there at once when
// something does, and works at ordinary priority.

#include <sys/resource.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <map>

#include "live/converse.hpp"
#include "live/courses.hpp"

namespace tcpwitness::live {
namespace {

using Consumer = Live;
using Clock = std::chrono::steady_clock;

struct Thread {
  int nice = 0;
  uint64_t waits = 0;  // voluntary context switches
};

// By thread id; the process' own is the one that reads the ring.
std::map<pid_t, Thread> threads_of(pid_t pid) {
  std::map<pid_t, Thread> threads;
  std::error_code gone;
  for (const auto& task : std::filesystem::directory_iterator(fmt::format("/proc/{}/task", pid), gone)) {
    const pid_t id = std::stoi(task.path().filename());
    Thread thread{.nice = ::getpriority(PRIO_PROCESS, static_cast<id_t>(id)), .waits = 0};
    std::ifstream status(task.path() / "status");
    for (std::string line; std::getline(status, line);) {
      if (line.starts_with("voluntary_ctxt_switches:")) thread.waits = std::stoull(line.substr(line.find('\t')));
    }
    threads.emplace(id, thread);
  }
  return threads;
}

uint64_t waits_of(pid_t pid) {
  uint64_t waits = 0;
  for (const auto& [id, thread] : threads_of(pid)) waits += thread.waits;
  return waits;
}

}  // namespace

TEST_F(Consumer, SleepsWhileNothingHappens) {
  auto watch = Watch::start(lab().client_ns(), {}, {}, "life");
  ASSERT_TRUE(watch);
  ASSERT_TRUE(watch->run().wait_ready());
  // IPv6 may still look for its neighbours: the quietest of some stretches counts.
  constexpr unsigned seconds = 2;
  uint64_t least = UINT64_MAX;
  for (int stretch = 0; stretch < 4 && least > uint64_t{2} * seconds; ++stretch) {
    const uint64_t before = waits_of(watch->run().pid());
    lab::pause_for(Millis(1000 * seconds));
    least = std::min(least, waits_of(watch->run().pid()) - before);
  }
  EXPECT_LE(least, uint64_t{2} * seconds) << "wake-ups in " << seconds << " s";
  watch->stop();
}

TEST_F(Consumer, TheFirstConnectionAfterALongSilenceIsReportedAtOnce) {
  auto watch = Watch::start(lab().client_ns(), {}, {}, "life");
  ASSERT_TRUE(watch);
  ASSERT_TRUE(watch->run().wait_ready());
  const auto& here = lab().host(lab::Side::client);
  // A machine that is busy otherwise can be late: the best of some tries.
  auto best = Clock::duration::max();
  for (int i = 0; i < 5 && best > Millis(300); ++i) {
    lab::pause_for(Millis(700));  // it sleeps for a second at a time by now
    const auto ports = converse(here, here, {.ip = "127.0.0.1"});
    ASSERT_TRUE(ports) << ports.error();
    const auto begun = Clock::now();
    ASSERT_TRUE(watch->run().wait_for(fmt::format("\"port\":{}", ports->front()), Millis(20'000)));
    best = std::min(best, Clock::now() - begun);
  }
  EXPECT_LE(best, Millis(300));
  watch->stop();
}

TEST_F(Consumer, WorksAtOrdinaryPriority) {
  auto watch = Watch::start(lab().client_ns(), {}, {}, "life");
  ASSERT_TRUE(watch);
  ASSERT_TRUE(watch->run().wait_ready());
  const pid_t pid = watch->run().pid();
  // Raised until its first look at the ring is over.
  for (int i = 0; i < 500 && threads_of(pid)[pid].nice != 0; ++i) lab::pause_for(Millis(10));
  const auto threads = threads_of(pid);
  ASSERT_TRUE(threads.contains(pid));
  EXPECT_EQ(threads.at(pid).nice, 0);
  // And somebody is there who raises it.
  EXPECT_TRUE(std::ranges::any_of(threads, [](const auto& one) { return one.second.nice == -20; }));
  watch->stop();
}

// What gives way first: segments, then the rest, and of each connection its end last. The numbers: 2 MiB is full to
// seven eighths after about 250 connections, and the rest has room for the ends of 500.
TEST_F(Consumer, StoppedUnderLoadItLosesEndsLastCountsAllAndRecovers) {
  auto watch = Watch::start(lab().client_ns(), {"--ring-size", "2M"});
  ASSERT_TRUE(watch);
  ASSERT_TRUE(watch->run().wait_ready());
  const auto& here = lab().host(lab::Side::client);
  const Conversation some{.ip = "127.0.0.1", .connections = 450, .addresses = 8};
  const pid_t pid = watch->run().pid();
  ASSERT_EQ(::kill(pid, SIGSTOP), 0);
  const auto lost_ones = converse(here, here, some);
  lab::pause_for(Millis(1000));
  ASSERT_EQ(::kill(pid, SIGCONT), 0);
  ASSERT_TRUE(lost_ones) << lost_ones.error();
  ASSERT_TRUE(watch->run().wait_for("\"gap\"", Millis(20'000)));
  lab::pause_for(Millis(3000));  // and it has listed the sockets again
  const auto whole_ones = converse(here, here, {.ip = "127.0.0.1", .port = 9100, .connections = 50, .addresses = 8});
  ASSERT_TRUE(whole_ones) << whole_ones.error();
  lab::pause_for(Millis(300));
  const Printed printed = watch->stop({.losses_allowed = true});
  const Json summary = printed.summary();
  EXPECT_GT(summary["lost"], 0);
  EXPECT_EQ(summary["unaccounted"], 0);
  EXPECT_EQ(summary["events"]["destroy"], 2 * (450 + 50) + 2) << "no end is lost, nor the two listeners'";
  EXPECT_LT(summary["events"]["segment"], 16 * 450) << "segments are";
  int64_t gaps = 0;
  for (const Json& gap : printed.of("gap")) gaps += gap["lost"].get<int64_t>();
  EXPECT_EQ(gaps, summary["lost"]);
  int after = 0;
  for (const Json& life : printed.of("life")) {
    const bool late = life["local"]["port"] == 9100 || life["remote"]["port"] == 9100;
    if (!late) continue;
    ++after;
    EXPECT_EQ(life["outcome"], "completed") << life.dump();
    EXPECT_EQ(life["incomplete"], false) << life.dump();
    EXPECT_EQ(life["wire"]["complete"], true) << life.dump();
  }
  EXPECT_EQ(after, 2 * 50);
}

}  // namespace tcpwitness::live
