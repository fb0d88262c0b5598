// SPDX-License-Identifier: Apache-2.0
// The clock of a run: somebody who sets the wall clock changes no order and no duration, and times that are printed
// afterwards are the wall's.
#include "values/run_clock.hpp"

#include <gtest/gtest.h>

#include <cstring>

#include "unit/recorded.hpp"
#include "unit/stories.hpp"

namespace tcpwitness::testing {
namespace {

constexpr TimeNs second = 1'000'000'000;
constexpr TimeNs hour = 3600 * second;

// Clocks of the test's own.
struct Clocks {
  TimeNs ns = 1000 * second;
  TimeNs slept = 3 * hour;
  TimeNs ahead = 500 * hour;  // of the wall clock

  [[nodiscard]] RunClock::Read read() {
    return [this] { return RunClock::Reading{.ns = ns, .boot_ns = ns + slept, .wall_ns = ns + ahead}; };
  }
};

std::string printed(const Report& report, const Names& names) {
  return test::captured([&](Output& output) { return make_json(output, names); }, {report});
}

}  // namespace

TEST(RunClock, LooksLikeTheWallClockAsLongAsNobodySetsIt) {
  Clocks clocks;
  RunClock clock(clocks.read());
  EXPECT_EQ(clock.now(), clocks.ns + clocks.ahead);
  clocks.ns += 7 * second;
  EXPECT_EQ(clock.now(), clocks.ns + clocks.ahead);
  EXPECT_FALSE(clock.look());
}

TEST(RunClock, GoesOnWhereTheWallClockIsSet) {
  for (const TimeNs by : {hour, -hour}) {
    Clocks clocks;
    RunClock clock(clocks.read());
    const TimeNs before = clock.now();
    clocks.ns += second;
    clocks.ahead += by;
    EXPECT_EQ(clock.now(), before + second) << "the run's time never steps";
    const auto step = clock.look();
    ASSERT_TRUE(step);
    EXPECT_EQ(step->by_ns, by);
    EXPECT_EQ(step->slept_ns, 0);
    EXPECT_EQ(step->ahead_ns, by);
    EXPECT_EQ(step->from, before);
    EXPECT_FALSE(clock.look()) << "said once";
  }
}

TEST(RunClock, ItsOwnErrorIsNoStep) {
  Clocks clocks;
  RunClock clock(clocks.read());
  clocks.ahead += 900'000;
  EXPECT_FALSE(clock.look());
  clocks.ahead += 900'000;
  const auto step = clock.look();
  ASSERT_TRUE(step) << "what was too little twice is made up for";
  EXPECT_EQ(step->by_ns, 1'800'000);
}

// A jump of CLOCK_BOOTTIME and of the wall clock against CLOCK_MONOTONIC, which the run's time does not know.
TEST(RunClock, ASuspendIsAStepOfTheWallsTimeAlone) {
  for (const TimeNs set : {TimeNs{0}, -hour}) {  // many a machine sets its clock when it wakes up
    Clocks clocks;
    RunClock clock(clocks.read());
    const TimeNs before = clock.now();
    clocks.ns += second;
    clocks.slept += 8 * hour;
    clocks.ahead += 8 * hour + set;
    EXPECT_EQ(clock.now(), before + second) << "it stood still";
    const auto step = clock.look();
    ASSERT_TRUE(step);
    EXPECT_EQ(step->slept_ns, 8 * hour);
    EXPECT_EQ(step->by_ns, 8 * hour + set);
    EXPECT_FALSE(clock.look()) << "said once";
  }
}

TEST(WallClock, ShowsATimeAsTheClockStoodThen) {
  WallClock wall;
  EXPECT_EQ(wall.of(5 * second), 5 * second);
  wall.set(10 * second, hour);
  wall.set(20 * second, -second);
  EXPECT_EQ(wall.of(9 * second), 9 * second);
  EXPECT_EQ(wall.of(10 * second), 10 * second + hour);
  EXPECT_EQ(wall.of(19 * second), 19 * second + hour);
  EXPECT_EQ(wall.of(20 * second), 19 * second);
}

TEST(WallClock, TimesThatAreSetAllTheTimeCostNoMore) {
  WallClock wall;
  for (TimeNs i = 1; i <= 100'000; ++i) wall.set(i * second, i);
  EXPECT_EQ(wall.of(100'000 * second), 100'000 * second + 100'000);
}

TEST(WallClock, EveryReportIsPrintedWithIt) {
  Names names;
  names.wall.set(100 * second, hour);
  Life life;
  life.start_ts_ns = 99 * second;
  life.ts_ns = 101 * second;
  life.duration_ns = 2 * second;
  const std::string text = printed(life, names);
  EXPECT_NE(text.find("\"start_ts_ns\":99000000000,"), std::string::npos) << text;
  EXPECT_NE(text.find("\"ts_ns\":3701000000000,"), std::string::npos) << text;
  EXPECT_NE(text.find("\"duration_ns\":2000000000"), std::string::npos) << "not the difference of the two: " << text;
  const std::string gap =
      printed(GapReport{.ts_ns = 101 * second,
                        .gap = {.lost = 1, .cpu = 0, .from_ts_ns = 99 * second, .to_ts_ns = 101 * second}},
              names);
  EXPECT_NE(gap.find("\"from_ts_ns\":3699000000000"), std::string::npos) << "it lasted as long: " << gap;
}

// The same story reported while the wall clock is set an hour forward or back, or the machine sleeps: the decoder's
// offset is the run's, and what the Correlator says does not depend on any other clock.
TEST(WallClock, NoVerdictDependsOnIt) {
  const auto lines = [](const Story& story, TimeNs by, TimeNs slept = 0) {
    Clocks clocks;
    RunClock clock(clocks.read());
    Decoder decoder(clock.offset_ns());
    Correlator correlator(trace_settings(), kernel_names());
    Reports reports;
    std::vector<Event> decoded;
    const TimeNs first = story.events.front().ts_ns;
    const TimeNs middle = (first + story.events.back().ts_ns) / 2;
    const TimeNs begun = clocks.ns;
    int steps = 0;
    for (const Event& event : story.events) {
      clocks.ns = begun + event.ts_ns - first;
      if (event.ts_ns > middle) {
        clocks.ahead = 500 * hour + by + slept;
        clocks.slept = 3 * hour + slept;
      }
      if (clock.look()) ++steps;
      Bytes record = ring_record(event, 0);
      std::memcpy(record.data(), &clocks.ns, sizeof clocks.ns);  // RecordHeader.ts_ns
      decoded.clear();
      decoder.decode(record, decoded);
      for (const Event& one : decoded) correlator.feed(one, reports);
      correlator.advance(clock.now(), reports);
    }
    clocks.ns += 20 * second;
    correlator.advance(clock.now(), reports);
    correlator.finish(clock.now(), reports);
    EXPECT_EQ(steps, by + slept == 0 ? 0 : 1);
    return as_json(reports, kernel_names());
  };
  for (const Story& story : all_stories()) {
    const std::string quiet = lines(story, 0);
    EXPECT_NE(quiet.find("\"life\""), std::string::npos) << story.name;
    EXPECT_EQ(lines(story, hour), quiet) << story.name;
    EXPECT_EQ(lines(story, -hour), quiet) << story.name;
    EXPECT_EQ(lines(story, 0, 8 * hour), quiet) << story.name;
  }
}

// Who reads a recording later sees the times that the live run printed.
TEST(WallClock, ARecordingKnowsWhenItWasSet) {
  StartMark start;
  start.started_ns = 1000 * second;
  start.ready = {
      .ts_ns = 1000 * second, .version = "9.9", .kernel = "6.18", .hooks = {}, .ring_bytes = 0, .capture = {}};
  const TempDir dir;
  Names names = kernel_names();
  RecorderSettings settings;
  settings.path = dir.file("run.pcapng");
  Recorder recorder(settings, start, names, [](const std::string&) {});
  names.wall.set(1010 * second, hour);
  recorder.clock({.from = 1010 * second, .ahead_ns = hour});
  (void)recorder.finish(EndMark{.now = 1020 * second});
  const Bytes bytes = bytes_of_file(dir.file("run.pcapng"));
  const auto file = CaptureFile::open(bytes);
  ASSERT_TRUE(file);
  Replay replay({});
  Reports reports;
  CaptureBlock block;
  while ((*file)->next(block)) ASSERT_TRUE(replay.take(block, reports));
  EXPECT_EQ(replay.names().wall.of(1009 * second), 1009 * second);
  EXPECT_EQ(replay.names().wall.of(1011 * second), 1011 * second + hour);
}

}  // namespace tcpwitness::testing
