// SPDX-License-Identifier: Apache-2.0
// How reports leave: to the caller of the call that runs, at once or through the timeline.
#include "correlate/emitter.hpp"

#include <gtest/gtest.h>

namespace tcpwitness {
namespace {

struct Emitting {
  explicit Emitting(CorrelatorSettings with) : settings(std::move(with)) {}

  CorrelatorSettings settings;
  Listeners listeners;
  Selection selection{settings, listeners};
  Timeline timeline{selection.any(), [this](const Flow& flow) { return selection.wants_alone(flow); }};
  Emitter emitter{settings, selection, timeline};
};

DropEntry a_drop() { return {}; }

TEST(Emitter, AppendsToTheCallersReportsAndKeepsNone) {
  Emitting one{{}};
  Reports out;
  out.emplace_back(GapReport{});
  {
    const Emitter::Call call(one.emitter, out);
    EXPECT_EQ(one.emitter.waiting(), 1U);
    one.emitter.report(GapReport{}, 0);
    one.emitter.finding(Flow{}, 5, Finding{});
    EXPECT_EQ(one.emitter.waiting(), 3U);
  }
  EXPECT_EQ(one.emitter.waiting(), 0U);
  ASSERT_EQ(out.size(), 3U);
  EXPECT_EQ(std::get<FindingReport>(out.back()).ts_ns, 5);
}

TEST(Emitter, MakesEntriesOnlyForATimeline) {
  Emitting one{{}};
  Reports out;
  {
    const Emitter::Call call(one.emitter, out);
    one.emitter.entry(nullptr, Event{}, Flow{}, a_drop());
    one.emitter.release(0);
  }
  EXPECT_TRUE(out.empty());
  CorrelatorSettings settings;
  settings.timeline = true;
  Emitting other{settings};
  {
    const Emitter::Call call(other.emitter, out);
    other.emitter.entry(nullptr, Event{}, Flow{}, a_drop());
    EXPECT_EQ(other.emitter.waiting(), 0U) << "in order, with what is held before it";
    other.emitter.release(0);
  }
  EXPECT_EQ(out.size(), 1U);
}

// Metrics count them.
TEST(Emitter, MakesEntriesOfDropsWhereTheyAreCounted) {
  CorrelatorSettings settings;
  settings.counted = true;
  settings.of_flow = [](const Flow& flow) { return flow.local.port == 80; };
  Emitting one{settings};
  Flow web;
  web.local.port = 80;
  Reports out;
  {
    const Emitter::Call call(one.emitter, out);
    one.emitter.entry(nullptr, Event{}, web, a_drop());
    one.emitter.entry(nullptr, Event{}, Flow{}, a_drop());
    one.emitter.entry(nullptr, Event{}, web, SampleEntry{});
  }
  EXPECT_EQ(out.size(), 1U);
}

TEST(Emitter, MakesALifeWhereItStays) {
  Emitting one{{}};
  Reports out;
  {
    const Emitter::Call call(one.emitter, out);
    const Life& life = one.emitter.life_at_once([] {
      Life made;
      made.ts_ns = 9;
      return made;
    });
    EXPECT_EQ(life.ts_ns, 9);
  }
  EXPECT_EQ(out.size(), 1U);
}

}  // namespace
}  // namespace tcpwitness
