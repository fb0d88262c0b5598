// SPDX-License-Identifier: Apache-2.0
// What is no connection's: one finding each, and beyond a few in a second one for all.
#include "correlate/unmatched.hpp"

#include <gtest/gtest.h>

#include "unit/events.hpp"
#include "unit/no_rules.hpp"

namespace tcpwitness {
namespace {

using testing::s;

// Says which rule was asked, and whether something may be missing.
class AskedRules : public testing::NoRules {
 public:
  [[nodiscard]] Finding stray(const Stray& stray, const Names&, bool lost) const override {
    alike = stray.count;
    return of("stray", lost);
  }
  [[nodiscard]] Finding dropped_syn(const DroppedSyn&, const Names&, bool lost) const override {
    return of("dropped SYN", lost);
  }
  [[nodiscard]] Finding more_strays(const Crowd& more, bool lost) const override {
    added_up = more.size();
    return of("more strays", lost);
  }
  [[nodiscard]] Finding more_dropped_syns(const MoreDroppedSyns&, const Names&, bool lost) const override {
    return of("more dropped SYNs", lost);
  }

  mutable std::vector<std::string> asked;
  mutable std::uint64_t added_up = 0;
  mutable std::uint32_t alike = 0;

 private:
  [[nodiscard]] Finding of(const char* what, bool lost) const {
    asked.emplace_back(std::string(what) + (lost ? ", perhaps" : ""));
    return {};
  }
};

struct Machine {
  Machine() { settings.finding_reports = true; }

  void answered_by_rst(EventId id, TimeNs ts, std::uint32_t seq) {
    Segment g{};
    g.seq = seq;
    g.flags = tcp_flag::syn;
    unmatched.on_segment(Event{id, ts, {}}, g, flow, false);
    Reset r{};
    r.skb_seq = seq;
    unmatched.strays().reset_reported(Event{id + 1, ts, {}}, r, flow);
  }

  CorrelatorSettings settings;
  Names names;
  AskedRules rules;
  Listeners listeners;
  Losses losses;
  Table table;
  Selection selection{settings, listeners};
  Timeline timeline{false};
  Emitter emitter{settings, selection, timeline};
  Unmatched unmatched{settings, names, rules, selection, losses, table, emitter};
  Flow flow;
};

using Asked = std::vector<std::string>;

TEST(Unmatched, ASegmentIsReportedWhenTheNextOneLikeItWouldHaveCome) {
  Machine m;
  m.answered_by_rst(1, 0, 5);
  m.unmatched.expire(m.settings.hold_ns + 1);
  EXPECT_TRUE(m.rules.asked.empty());
  EXPECT_FALSE(m.unmatched.empty());
  m.unmatched.expire(s + s / 4);  // a SYN's next one comes 1 s after it, and never at once
  EXPECT_TRUE(m.rules.asked.empty());
  m.unmatched.expire(s + s / 2);
  EXPECT_EQ(m.rules.asked, Asked{"stray"});
  EXPECT_TRUE(m.unmatched.empty());
}

TEST(Unmatched, ThoseThatComeAgainAreOneFinding) {
  Machine m;
  const auto comes = [&](TimeNs ts, std::uint32_t seq) {
    m.answered_by_rst(static_cast<EventId>(ts / 1'000'000), ts, seq);
    m.unmatched.expire(ts + m.settings.hold_ns + 1);
  };
  for (const std::int64_t ts : {1000, 1200, 1600, 2400, 4000}) comes(ts * 1'000'000, 5);
  m.unmatched.expire(10 * s);
  EXPECT_TRUE(m.rules.asked.empty()) << "6 s and 1 s behind the newest one";
  m.unmatched.expire(12 * s);
  EXPECT_EQ(m.rules.asked, Asked{"stray"});
  EXPECT_EQ(m.rules.alike, 5U);
  m.flow.remote.port = 7;
  comes(20 * s, 5);
  m.flow.remote.port = 8;
  comes(20 * s + 1'000'000, 5);
  m.unmatched.expire(30 * s);
  EXPECT_EQ(m.rules.asked.size(), 3U) << "of two senders";
}

TEST(Unmatched, ASegmentWithin2MslOfALossIsNotCertain) {
  Machine m;
  Gap gap{};
  gap.to_ts_ns = s;
  m.losses.add(gap);
  m.answered_by_rst(1, 240 * s, 5);
  m.flow.remote.port = 7;
  m.answered_by_rst(3, 242 * s, 6);
  m.unmatched.finish(242 * s);
  EXPECT_EQ(m.rules.asked, (Asked{"stray, perhaps", "stray"}));
}

TEST(Unmatched, BeyondAHundredInASecondTheyAreAddedUp) {
  Machine m;
  for (std::uint32_t i = 0; i < 103; ++i) {
    m.flow.remote.port = static_cast<std::uint16_t>(i);
    m.answered_by_rst(1 + 2 * i, 0, i);
  }
  m.unmatched.finish(0);
  EXPECT_EQ(m.rules.asked.size(), 100U);
  EXPECT_FALSE(m.unmatched.empty());
  m.unmatched.report_sums(0);
  EXPECT_EQ(m.rules.asked.back(), "more strays");
  EXPECT_EQ(m.rules.added_up, 3U);
  EXPECT_TRUE(m.unmatched.empty());
}

// Packets alone: nothing shows that no socket takes it.
TEST(Unmatched, WithoutTheKernelThereAreNone) {
  Machine m;
  m.settings.has_kernel = false;
  m.answered_by_rst(1, 0, 5);
  EXPECT_TRUE(m.unmatched.empty());
}

}  // namespace
}  // namespace tcpwitness
