// SPDX-License-Identifier: Apache-2.0
// Attempts and refusals beyond those that are reported one by one: when they are added up, and what is asked of the
// rules.
#include "correlate/crowds.hpp"

#include <gtest/gtest.h>

#include "unit/correlation_parts.hpp"

namespace tcpwitness::testing {
namespace {

// Notes what it is asked about, and whether something may be missing.
class RulesOfCrowds : public NoRules {
 public:
  [[nodiscard]] std::optional<Finding> attempts(const Attempts& attempts, const Names&, bool lost) const override {
    asked.push_back({attempts.forwarded ? "forwarded" : "here", attempts.crowd.size(), lost});
    if (attempts.crowd.size() < 2) return std::nullopt;
    return Finding{};
  }
  [[nodiscard]] Finding more_refused(const Crowd& more, bool lost) const override {
    asked.push_back({"refused", more.size(), lost});
    return {};
  }

  struct Asked {
    std::string_view what;
    std::uint64_t size;
    bool lost;

    bool operator==(const Asked&) const = default;
  };
  mutable std::vector<Asked> asked;
};

struct Crowded {
  explicit Crowded(CorrelatorSettings settings = life_settings()) : parts(std::move(settings), rules) {}

  void attempt(EventId id, TimeNs ts) { parts.crowds.note_attempt(id, ts, to_flow(Parts::tuple())); }
  void report(TimeNs now) {
    const Emitter::Call call(parts.in.emitter, parts.reports);
    parts.crowds.report(now);
  }

  RulesOfCrowds rules;
  Parts parts;
};

using Asked = std::vector<RulesOfCrowds::Asked>;

TEST(Crowds, ASecondsAttemptsAreJudgedWhenTheyHadASecondToComplete) {
  Crowded one;
  one.attempt(1, 0);
  one.attempt(2, 999 * ms);
  one.report(2 * s - 1);
  EXPECT_TRUE(one.rules.asked.empty());
  EXPECT_FALSE(one.parts.crowds.empty());
  one.report(2 * s);
  EXPECT_EQ(one.rules.asked, (Asked{{"here", 2, false}}));
  EXPECT_EQ(one.parts.reports.size(), 1U);
  EXPECT_TRUE(one.parts.crowds.empty());
}

TEST(Crowds, WhereTheRuleFindsNothingNothingIsReported) {
  Crowded one;
  one.attempt(1, 0);
  one.report(2 * s);
  EXPECT_EQ(one.rules.asked, (Asked{{"here", 1, false}}));
  EXPECT_TRUE(one.parts.reports.empty());
}

TEST(Crowds, AttemptsWithinALossAreNotAll) {
  Crowded one;
  Gap gap{};
  gap.to_ts_ns = 5 * s;
  one.parts.in.losses.add(gap);
  one.attempt(1, 5 * s);
  one.report(7 * s);
  one.attempt(2, 8 * s);
  one.report(10 * s);
  EXPECT_EQ(one.rules.asked, (Asked{{"here", 1, true}, {"here", 1, false}}));
}

// A part of the attempts shows nothing of how many there are.
TEST(Crowds, WhereNotAllIsSeenAttemptsAreNotCounted) {
  CorrelatorSettings packets = life_settings();
  packets.has_kernel = false;
  CorrelatorSettings of_process = life_settings();
  of_process.pid = 42;
  for (const CorrelatorSettings& settings : {packets, of_process}) {
    Crowded one(settings);
    one.attempt(1, 0);
    EXPECT_TRUE(one.parts.crowds.empty());
  }
}

TEST(Crowds, ForwardedAttemptsAreJudgedApart) {
  Crowded one;
  one.attempt(1, 0);
  one.parts.forwarded.attempts().begun(2, 0, to_flow(Parts::tuple()));
  one.report(2 * s);
  EXPECT_EQ(one.rules.asked, (Asked{{"here", 1, false}, {"forwarded", 1, false}}));
}

TEST(Crowds, RefusalsThatAreNotListedAreOneFindingASecond) {
  Crowded one;
  for (EventId id = 1; id <= 3; ++id) one.parts.crowds.note_refused(id, 0, to_flow(Parts::tuple()));
  one.report(1 * s - 1);
  EXPECT_TRUE(one.parts.reports.empty());
  EXPECT_FALSE(one.parts.crowds.empty()) << "one is due";
  one.report(1 * s);
  EXPECT_TRUE(one.parts.crowds.empty());
  EXPECT_EQ(one.rules.asked, (Asked{{"refused", 3, false}}));
  EXPECT_EQ(one.parts.reports.size(), 1U);
}

TEST(Crowds, AtTheEndOfTheRunNothingWaits) {
  Crowded one;
  one.attempt(1, 0);
  one.parts.crowds.note_refused(2, 0, to_flow(Parts::tuple()));
  one.parts.in.finished = true;
  one.report(0);
  EXPECT_EQ(one.rules.asked, (Asked{{"here", 1, false}, {"refused", 1, false}}));
}

}  // namespace
}  // namespace tcpwitness::testing
