// SPDX-License-Identifier: Apache-2.0
// report_filter_test.cpp: which connections --problems, --finding, --outcome, --slower-than, --longer-than and
// --larger-than print, and when.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "golden/reports.hpp"
#include "sink/filtered.hpp"

namespace tcpwitness {
namespace {

Life life_of(ConnectionId conn, Outcome outcome, std::initializer_list<Rule> rules = {}) {
  Life life;
  life.conn = conn;
  life.outcome = outcome;
  for (const Rule rule : rules) {
    life.findings.emplace_back();
    life.findings.back().rule = rule;
  }
  return life;
}

FindingReport finding_of(ConnectionId conn, Rule rule) {
  FindingReport report;
  report.conn = conn;
  report.finding.rule = rule;
  return report;
}

Entry entry_of(ConnectionId conn, EventId id) {
  Entry entry;
  entry.conn = conn;
  entry.id = id;
  entry.body = SegmentEntry{};
  return entry;
}

// "L1 F2 E2.7": lives, findings and entries in the order in which they passed.
class Passed final : public Sink {
 public:
  explicit Passed(std::string& text) : text_(text) {}
  void write(const Report& report) override {
    if (!text_.empty()) text_ += ' ';
    if (const auto* life = std::get_if<Life>(&report)) text_ += fmt::format("L{}", life->conn);
    if (const auto* found = std::get_if<FindingReport>(&report)) text_ += fmt::format("F{}", found->conn);
    if (const auto* entry = std::get_if<Entry>(&report)) text_ += fmt::format("E{}.{}", entry->conn, entry->id);
    if (std::holds_alternative<GapReport>(report)) text_ += "gap";
    if (const auto* summary = std::get_if<Summary>(&report)) {
      text_ += "end";
      if (summary->chosen) text_ += fmt::format("({})", *summary->chosen);
    }
  }
  bool flush() override { return true; }

 private:
  std::string& text_;
};

std::string passed(const ReportFilter& filter, const Reports& reports, KeptLimits limits = {}) {
  std::string text;
  const auto sink = with_filter(std::make_unique<Passed>(text), filter, limits);
  for (const Report& report : reports) sink->write(report);
  return text;
}

TEST(ReportFilter, AProblemIsABadEndOrAFinding) {
  const ReportFilter problems{.problems = true};
  EXPECT_FALSE(problems.wants(life_of(1, Outcome::completed)));
  EXPECT_FALSE(problems.wants(life_of(1, Outcome::completed, {Rule::time_wait})));
  EXPECT_FALSE(problems.wants(life_of(1, Outcome::open)));
  EXPECT_FALSE(problems.wants(life_of(1, Outcome::unknown)));
  EXPECT_TRUE(problems.wants(life_of(1, Outcome::refused)));
  EXPECT_TRUE(problems.wants(life_of(1, Outcome::completed, {Rule::time_wait, Rule::retransmission})));
}

TEST(ReportFilter, AListIsAnOrAndTwoOptionsAreAnAnd) {
  const ReportFilter either{.rules = {Rule::late, Rule::keepalive}};
  EXPECT_TRUE(either.wants(life_of(1, Outcome::completed, {Rule::keepalive})));
  EXPECT_FALSE(either.wants(life_of(1, Outcome::refused, {Rule::zero_window})));
  const ReportFilter both{.rules = {Rule::late}, .outcomes = {Outcome::completed}};
  EXPECT_TRUE(both.wants(life_of(1, Outcome::completed, {Rule::late})));
  EXPECT_FALSE(both.wants(life_of(1, Outcome::refused, {Rule::late})));
  EXPECT_FALSE(both.wants(life_of(1, Outcome::completed)));
  // A bad end is none of the findings that are asked for.
  const ReportFilter narrow{.problems = true, .rules = {Rule::late}};
  EXPECT_FALSE(narrow.wants(life_of(1, Outcome::refused)));
  const ReportFilter time_wait{.rules = {Rule::time_wait}};
  EXPECT_TRUE(time_wait.wants(life_of(1, Outcome::completed, {Rule::time_wait})));
}

TEST(ReportFilter, SlowIsTheHandshakeOrAnAttemptThatWasGivenUp) {
  const ReportFilter slow{.slower_than_ns = 200'000'000};
  Life life = life_of(1, Outcome::completed);
  life.duration_ns = 9'000'000'000;
  EXPECT_FALSE(slow.wants(life));  // it lived long: nothing is known of its beginning
  life.handshake_ns = 200'000'000;
  EXPECT_FALSE(slow.wants(life));
  life.handshake_ns = 200'000'001;
  EXPECT_TRUE(slow.wants(life));
  life.handshake_ns.reset();
  life.outcome = Outcome::connect_timeout;
  EXPECT_TRUE(slow.wants(life));
}

TEST(ReportFilter, LongIsWhatLastedLongerHoweverItBegan) {
  const ReportFilter lasting{.longer_than_ns = 30'000'000'000};
  EXPECT_TRUE(lasting.any());
  Life life = life_of(1, Outcome::completed, {Rule::late});
  life.duration_ns = 30'000'000'000;
  EXPECT_FALSE(lasting.wants(life));
  life.duration_ns = 30'000'000'001;
  EXPECT_TRUE(lasting.wants(life));
  life.handshake_ns = 1;
  EXPECT_FALSE((ReportFilter{.slower_than_ns = 1'000, .longer_than_ns = 30'000'000'000}.wants(life)))
      << "both are wanted";
  EXPECT_TRUE((ReportFilter{.rules = {Rule::late}, .longer_than_ns = 30'000'000'000}.wants(life)));
}

TEST(ReportFilter, LargeIsWhatBothDirectionsCarriedTogether) {
  const ReportFilter large{.larger_than = 1'000};
  EXPECT_TRUE(large.any());
  EXPECT_FALSE(large.wants_without_connection(Rule::stray_segment));
  Life life = life_of(1, Outcome::completed);
  life.tx_bytes = 400;
  life.rx_bytes = 600;
  EXPECT_FALSE(large.wants(life));
  life.rx_bytes = 601;
  EXPECT_TRUE(large.wants(life));
}

TEST(Chosen, HowLongAnOpenConnectionWillLastIsNotKnown) {
  const ReportFilter lasting{.problems = true, .longer_than_ns = 1'000'000'000};
  EXPECT_EQ(passed(lasting, {finding_of(2, Rule::zero_window), finding_of(0, Rule::stray_segment)}), "");
}

TEST(Chosen, AFindingOfAnOpenConnectionPassesWhenItFires) {
  const ReportFilter problems{.problems = true};
  EXPECT_EQ(passed(problems, {finding_of(1, Rule::time_wait), finding_of(2, Rule::zero_window),
                              life_of(1, Outcome::completed, {Rule::time_wait}),
                              life_of(2, Outcome::completed, {Rule::zero_window})}),
            "F2 L2");
  // How it will end is not known yet.
  EXPECT_EQ(passed({.problems = true, .outcomes = {Outcome::refused}}, {finding_of(2, Rule::zero_window)}), "");
  EXPECT_EQ(passed({.rules = {Rule::late}}, {finding_of(2, Rule::zero_window), finding_of(3, Rule::late)}), "F3");
}

TEST(Chosen, WhatIsOfTheRunPasses) {
  EXPECT_EQ(passed({.outcomes = {Outcome::refused}}, {GapReport{}, finding_of(0, Rule::syn_flood), Summary{}}),
            "gap end");
  EXPECT_EQ(passed({.problems = true}, {GapReport{}, finding_of(0, Rule::syn_flood), Summary{}}), "gap F0 end");
}

// Its finding was printed while it lasted, and taken back: its life is printed, too, and counted.
TEST(Chosen, TheLastLineCountsWhatWasPrinted) {
  Summary end;
  end.chosen = 0;
  EXPECT_EQ(passed({.problems = true}, {finding_of(1, Rule::close_wait_stuck), life_of(1, Outcome::completed),
                                        life_of(2, Outcome::completed), end}),
            "F1 L1 end(1)");
}

TEST(Chosen, ATimelineIsKeptUntilItIsDecided) {
  const ReportFilter problems{.problems = true};
  EXPECT_EQ(passed(problems, {entry_of(1, 1), entry_of(2, 2), entry_of(1, 3), life_of(2, Outcome::completed),
                              life_of(1, Outcome::refused)}),
            "E1.1 E1.3 L1");
  EXPECT_EQ(passed(problems, {entry_of(1, 1), finding_of(1, Rule::late), entry_of(1, 2), entry_of(0, 3),
                              life_of(1, Outcome::completed, {Rule::late}), entry_of(1, 4)}),
            "E1.1 F1 E1.2 L1");
}

TEST(Chosen, WhatIsKeptIsBounded) {
  Reports reports;
  for (EventId id = 1; id <= 10; ++id) reports.emplace_back(entry_of(1 + id % 2, id));
  reports.emplace_back(life_of(1, Outcome::refused));
  reports.emplace_back(life_of(2, Outcome::refused));
  EXPECT_EQ(passed({.problems = true}, reports, {.of_one = 2, .of_all = 9}), "E1.8 E1.10 L1 E2.7 E2.9 L2");
  EXPECT_EQ(passed({.problems = true}, reports, {.of_one = 9, .of_all = 9}), "L1 E2.1 E2.3 E2.5 E2.7 E2.9 L2");
}

TEST(Chosen, WithoutAChoiceThereIsNothingInBetween) {
  EXPECT_EQ(passed({}, {life_of(1, Outcome::completed), finding_of(1, Rule::time_wait)}), "L1 F1");
}

}  // namespace
}  // namespace tcpwitness
