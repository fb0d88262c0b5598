// SPDX-License-Identifier: Apache-2.0
// open_findings_test.cpp: findings of a connection that is still open, with --problems or --finding.
#include "correlate/open_findings.hpp"

#include <gtest/gtest.h>

#include "unit/no_rules.hpp"
#include "unit/run.hpp"
#include "unit/stories.hpp"

namespace tcpwitness::testing {
namespace {

// Feeds everything, and lets time pass in steps of 100 ms.
struct Watched {
  Reports while_open;
  Reports at_end;
};

Watched watch(const std::vector<Event>& events, std::int64_t after_ns, bool early) {
  CorrelatorSettings settings = life_settings();
  settings.open_findings = early;
  Correlator correlator(settings, kernel_names());
  Watched watched;
  TimeNs now = 0;
  for (const Event& event : events) {
    correlator.feed(event, watched.while_open);
    now = std::max(now, event.ts_ns);
  }
  for (const TimeNs until = now + after_ns; now < until; now += 100 * ms) correlator.advance(now, watched.while_open);
  correlator.finish(now, watched.at_end);
  return watched;
}

int count(const Reports& reports, Rule rule) {
  return static_cast<int>(std::ranges::count_if(reports, [&](const Report& report) {
    const auto* found = std::get_if<FindingReport>(&report);
    return found != nullptr && found->finding.rule == rule;
  }));
}

std::vector<Event> closed_window() {
  Stream stream;
  Side c = client_of(stream);
  keepalive_on(c);
  connects(c);
  c.write_seq += 10;
  sends_probe(c);
  return stream.events;
}

TEST(OpenFindings, AreReportedOnceAndSoon) {
  const Watched watched = watch(closed_window(), 5 * s, true);
  EXPECT_EQ(count(watched.while_open, Rule::zero_window), 1);
  EXPECT_EQ(count(watched.at_end, Rule::zero_window), 0);
  const auto life =
      std::ranges::find_if(watched.at_end, [](const Report& r) { return std::holds_alternative<Life>(r); });
  ASSERT_NE(life, watched.at_end.end());
  const auto& findings = std::get<Life>(*life).findings;
  EXPECT_EQ(std::ranges::count(findings, Rule::zero_window, &Finding::rule), 1);
}

TEST(OpenFindings, ComeAtTheEndWhereNobodyAsksOrItComesFirst) {
  const Watched unasked = watch(closed_window(), 5 * s, false);
  EXPECT_EQ(count(unasked.while_open, Rule::zero_window), 0);
  EXPECT_EQ(count(unasked.at_end, Rule::zero_window), 1);
  // One look is none: what explains it may come yet.
  const Watched short_one = watch(closed_window(), 500 * ms, true);
  EXPECT_EQ(count(short_one.while_open, Rule::zero_window), 0);
  EXPECT_EQ(count(short_one.at_end, Rule::zero_window), 1);
}

// What was certain is not any more where events were lost since.
TEST(OpenFindings, ComeAgainAtTheEndIfTheyReadOtherwiseByThen) {
  CorrelatorSettings settings = life_settings();
  settings.open_findings = true;
  Correlator correlator(settings, kernel_names());
  Reports reports;
  const auto events = closed_window();
  for (const Event& event : events) correlator.feed(event, reports);
  TimeNs now = events.back().ts_ns;
  for (const TimeNs until = now + 3 * s; now < until; now += 100 * ms) correlator.advance(now, reports);
  ASSERT_EQ(count(reports, Rule::zero_window), 1);
  Gap gap;
  gap.lost = 1;
  gap.from_ts_ns = now;
  gap.to_ts_ns = now + ms;
  correlator.feed(Event{events.back().id + 1, gap.to_ts_ns, gap}, reports);
  correlator.finish(now + 2 * ms, reports);
  EXPECT_EQ(count(reports, Rule::zero_window), 2);
}

TEST(OpenFindings, AWitnessThatSleepsIsWokenForTheNextLook) {
  CorrelatorSettings settings = life_settings();
  settings.open_findings = true;
  Correlator correlator(settings, kernel_names());
  Reports reports;
  const auto events = closed_window();
  for (const Event& event : events) correlator.feed(event, reports);
  TimeNs now = events.back().ts_ns;
  for (int i = 0; i < 4 && count(reports, Rule::zero_window) == 0; ++i) {
    now = std::max(now + ms, correlator.due());
    ASSERT_LE(now, events.back().ts_ns + 3 * s);
    correlator.advance(now, reports);
  }
  EXPECT_EQ(count(reports, Rule::zero_window), 1);
}

// The class alone: rules that find what a test sets.
struct FoundRules : NoRules {
  std::vector<Finding> found;
  [[nodiscard]] std::vector<Finding> findings(const Connection&, const RuleContext&) const override { return found; }
};

struct Looks {
  CorrelatorSettings settings;
  Names names;
  FoundRules rules;
  Listeners listeners;
  Losses losses;
  Table table;
  Selection selection{settings, listeners};
  Timeline timeline{false};
  Emitter emitter{settings, selection, timeline};
  Contexts contexts{settings, names, table};
  OpenFindings open{settings, rules, alike, selection, losses, table, contexts, emitter};

  static bool alike(const Finding& one, const Finding& other) { return one.evidence == other.evidence; }
  static Finding finding(Rule rule) {
    Finding made;
    made.rule = rule;
    return made;
  }
  void add_connections(int count) {
    for (int i = 0; i < count; ++i) table.at(table.create(0)).ensure_anomalies();
  }
  std::size_t reports_of_a_look(TimeNs now) {
    Reports out;
    const Emitter::Call call(emitter, out);
    open.look(now);
    return emitter.waiting();
  }
};

TEST(OpenFindings, AreReportedWhereTwoLooksJudgeTheSame) {
  Looks m;
  m.add_connections(1);
  m.rules.found = {Looks::finding(Rule::zero_window)};
  EXPECT_EQ(m.reports_of_a_look(m.open.due() - 1), 0U) << "not yet";
  EXPECT_EQ(m.reports_of_a_look(1 * s), 0U);
  EXPECT_EQ(m.open.due(), 2 * s);
  EXPECT_EQ(m.reports_of_a_look(2 * s), 1U);
  EXPECT_EQ(m.reports_of_a_look(3 * s), 0U) << "once";
  Finding at_end = Looks::finding(Rule::zero_window);
  EXPECT_TRUE(m.open.reported(m.table.at(0), at_end));
  at_end.evidence = {7};
  EXPECT_TRUE(m.settings.reworded);
  EXPECT_FALSE(m.open.reported(m.table.at(0), at_end)) << "it reads otherwise";
  m.settings.reworded = false;
  EXPECT_TRUE(m.open.reported(m.table.at(0), at_end));
}

TEST(OpenFindings, WhatTheNextLookExplainsIsNotReported) {
  Looks m;
  m.add_connections(1);
  m.rules.found = {Looks::finding(Rule::zero_window)};
  EXPECT_EQ(m.reports_of_a_look(1 * s), 0U);
  m.rules.found = {};
  EXPECT_EQ(m.reports_of_a_look(2 * s), 0U);
  EXPECT_FALSE(m.open.reported(m.table.at(0), Looks::finding(Rule::zero_window)));
}

TEST(OpenFindings, NeitherOfConnectionsThatAreOverNorOfHalfOpenOnes) {
  Looks m;
  m.add_connections(3);
  m.table.at(0).reported = true;
  m.table.at(1).ensure_teardown().end = {1, 1};
  m.table.at(2).role = Role::passive;  // only a SYN
  m.rules.found = {Looks::finding(Rule::zero_window)};
  EXPECT_EQ(m.reports_of_a_look(1 * s) + m.reports_of_a_look(2 * s), 0U);
}

TEST(OpenFindings, AreLookedForInPartsWhereThereAreManyConnections) {
  Looks m;
  m.add_connections(5'000);
  m.rules.found = {Looks::finding(Rule::zero_window)};
  EXPECT_EQ(m.reports_of_a_look(1 * s) + m.reports_of_a_look(1 * s), 0U);
  EXPECT_EQ(m.reports_of_a_look(2 * s), 4'096U);
  EXPECT_EQ(m.reports_of_a_look(2 * s), 904U);
}

}  // namespace
}  // namespace tcpwitness::testing
