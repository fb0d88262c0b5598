// SPDX-License-Identifier: Apache-2.0
// ring_test.cpp: the ring's consumer: it reads where the records lie, sleeps until one comes, and is raised when the
// ring fills.
#include "source/ring.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <fstream>
#include <future>
#include <optional>
#include <set>
#include <string>
#include <thread>

#include "bpf/suite.hpp"
#include "lab/one_processor.hpp"
#include "source/urgency.hpp"

namespace tcpwitness::wire_test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Clock = std::chrono::steady_clock;

constexpr std::size_t ring_bytes = 64 << 10;
constexpr auto never = seconds(60);  // if it lasts so long, nobody was woken

// By /proc/PID/stat, "42 (name) S ...". 0: a thread that has not begun.
bool asleep(pid_t thread) {
  std::ifstream file("/proc/self/task/" + std::to_string(thread) + "/stat");
  std::string line;
  return thread != 0 && std::getline(file, line) && line.find(") S ") != std::string::npos;
}

class Ring : public WireSuite<Ring> {
 public:
  static Settings settings() {
    Settings settings{.ring_bytes = static_cast<std::uint32_t>(ring_bytes), .flows = 4096};
    settings.config.wake_bytes = static_cast<std::uint32_t>(ring_bytes / 4);
    return settings;
  }

 protected:
  void SetUp() override {
    WireSuite::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    auto ring = RingSource::open(wire->ring_fd());
    ASSERT_TRUE(ring) << ring.error().message();
    ring_ = std::move(*ring);
    read_all();
    // Numbers are a CPU's own.
    one_processor_.emplace();
    ASSERT_TRUE(one_processor_->kept());
  }
  void TearDown() override { one_processor_.reset(); }
  static void write_record() {
    const auto [from, to] = fresh_ends();
    wire->run(Hook::egress, build({}, from, to, {.flags = rst}).bytes, {}, false);
  }
  std::vector<std::uint32_t> read_all() {
    std::vector<std::uint32_t> sequence;
    ring_->memory().read(ring_->memory().written(), [&](std::span<const std::byte> record) {
      tw_header header{};
      std::memcpy(&header, record.data(), sizeof header);
      sequence.push_back(header.seq);
      return true;
    });
    return sequence;
  }
  static std::uint64_t lost_segments() {
    std::uint64_t lost = 0;
    for (const auto& cpu : wire->cpu_states()) lost += cpu.lost_by_kind[TW_KIND_SEGMENT];
    return lost;
  }
  // Writes records until so much is in the ring; false: it does not take that much.
  bool fill(std::size_t bytes) {
    for (std::size_t before = SIZE_MAX; ring_->memory().waiting() < bytes; before = ring_->memory().waiting()) {
      write_record();
      if (ring_->memory().waiting() == before) return false;
    }
    return true;
  }

  std::unique_ptr<RingSource> ring_;
  std::optional<lab::OneProcessor> one_processor_;
};

TEST_F(Ring, ReadsEachRecordOnceWhereverTheReadingStops) {
  std::size_t written = 0;
  std::vector<std::uint32_t> sequence;
  // Several times around, in steps that divide nothing.
  while (written < 1000) {
    for (int i = 0; i < 37; ++i, ++written) write_record();
    const std::uint64_t until = ring_->memory().written();
    std::size_t taken = 0;
    const auto take = [&](std::span<const std::byte> record) {
      tw_segment segment{};
      EXPECT_EQ(record.size(), sizeof segment);
      std::memcpy(&segment, record.data(), std::min(record.size(), sizeof segment));
      sequence.push_back(segment.header.seq);
      return ++taken % 5 != 0;
    };
    while (ring_->memory().read(until, take)) EXPECT_EQ(taken % 5, 0U);
    EXPECT_EQ(ring_->memory().waiting(), 0U);
    EXPECT_EQ(taken, 37U);
  }
  EXPECT_EQ(sequence.size(), written);
  EXPECT_EQ(std::set(sequence.begin(), sequence.end()).size(), written) << "on one CPU each number comes once";
}

// Segments are the first to give way: at three quarters, within the 16 records after which it looks; and as soon as
// there is room again they have it.
TEST_F(Ring, SegmentsGiveWayAtThreeQuartersAndRecover) {
  constexpr std::size_t record = sizeof(tw_segment) + 8;
  ASSERT_FALSE(fill(2 * ring_bytes));
  const std::size_t filled = ring_->memory().waiting();
  EXPECT_GT(filled, ring_bytes / 4 * 3);
  EXPECT_LE(filled, ring_bytes / 4 * 3 + 17 * record);
  const std::uint64_t lost = lost_segments();
  EXPECT_GT(lost, 0U);
  // One that is read is not enough, the half is.
  std::size_t read = 0;
  const auto take = [&](std::span<const std::byte> /*record*/) { return ++read < filled / record / 2; };
  EXPECT_TRUE(ring_->memory().read(ring_->memory().written(), take));
  const std::size_t half = ring_->memory().waiting();
  EXPECT_LT(half, filled);
  write_record();
  EXPECT_EQ(ring_->memory().waiting(), half + record);
  EXPECT_EQ(lost_segments(), lost);
}

TEST_F(Ring, TheFirstRecordEndsASleep) {
  const auto begun = Clock::now();
  std::atomic<bool> over = false;
  std::jthread sleeper([&] {
    static_cast<void>(ring_->sleep(never, -1));
    over = true;
  });
  // The first one can come before it sleeps, which keeps it from sleeping.
  write_record();
  sleeper.join();
  EXPECT_LT(Clock::now() - begun, never / 2);
  read_all();
  // And surely here.
  over = false;
  std::atomic<pid_t> id = 0;
  sleeper = std::jthread([&] {
    id = ::gettid();
    static_cast<void>(ring_->sleep(never, -1));
    over = true;
  });
  while (!over && !asleep(id)) std::this_thread::sleep_for(milliseconds(1));
  EXPECT_FALSE(over) << "what was read wakes nobody again";
  write_record();
  sleeper.join();
  EXPECT_LT(Clock::now() - begun, never / 2);
}

TEST_F(Ring, ASleepDoesNotBeginWhereARecordWaits) {
  write_record();
  const auto begun = Clock::now();
  static_cast<void>(ring_->sleep(never, -1));
  EXPECT_LT(Clock::now() - begun, never / 2);
}

TEST_F(Ring, ARecordDoesNotEndAWaitAndHurryDoes) {
  constexpr auto a_while = milliseconds(300);
  const auto begun = Clock::now();
  auto waited = std::async(std::launch::async, [&] {
    static_cast<void>(ring_->wait(a_while, -1));
    return Clock::now();
  });
  while (Clock::now() - begun < a_while / 2) {
    write_record();
    read_all();
  }
  EXPECT_GE(waited.get() - begun, a_while);
  ring_->hurry();
  static_cast<void>(ring_->wait(never, -1));
  EXPECT_LT(Clock::now() - begun, never / 2);
  const auto again = Clock::now();
  static_cast<void>(ring_->wait(milliseconds(50), -1));
  EXPECT_GE(Clock::now() - again, milliseconds(50)) << "once is once";
}

TEST_F(Ring, AFillingRingRaisesItsReaderAndAnEmptyOneLowersIt) {
  auto urgency = Urgency::of_this_thread(*ring_, wire->ring_fd(), [] {});
  ASSERT_TRUE(urgency) << urgency.error().message();
  const auto nice = [] { return getpriority(PRIO_PROCESS, 0); };
  EXPECT_EQ(nice(), Urgency::raised_nice) << "until it has looked";
  (*urgency)->looked();
  ASSERT_EQ(nice(), Urgency::ordinary_nice);
  const auto raised_within = [&](Clock::duration patience) {
    const auto begun = Clock::now();
    while (!(*urgency)->raised() && Clock::now() - begun < patience) write_record();
    return (*urgency)->raised();
  };
  // Nearly a quarter is no reason.
  ASSERT_TRUE(fill(ring_bytes / 4 - 2 * sizeof(tw_segment)));
  EXPECT_FALSE((*urgency)->raised());
  EXPECT_TRUE(raised_within(never));
  const auto begun = Clock::now();
  while (nice() != Urgency::raised_nice && Clock::now() - begun < never) std::this_thread::yield();
  EXPECT_EQ(nice(), Urgency::raised_nice);
  (*urgency)->looked();
  EXPECT_EQ(nice(), Urgency::raised_nice) << "it is full still";
  read_all();
  (*urgency)->looked();
  EXPECT_EQ(nice(), Urgency::ordinary_nice);
}

}  // namespace
}  // namespace tcpwitness::wire_test
