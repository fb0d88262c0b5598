// SPDX-License-Identifier: Apache-2.0
// sink_life_text.cpp: each column of the life table, and the table as a whole.
#include <gtest/gtest.h>

#include <algorithm>

#include "golden/reports.hpp"
#include "sink/format.hpp"
#include "sink/life_columns.hpp"
#include "unit/sink_capture.hpp"

namespace tcpwitness {
namespace {

Life a_life() {
  Life life;
  life.ts_ns = golden::midnight;
  life.flow = golden::flow("10.0.0.1", 40000, "10.0.0.2", 80);
  life.kernel_heard = life.wire_heard = true;
  return life;
}

std::string cell(LifeColumn column, const Life& life, const TextStyle& style = {}) {
  Cell cell;
  fill(cell, column, life, style);
  return cell.text;
}

std::vector<std::string> table(const Reports& reports, const TextStyle& style = {}) {
  return test::lines_of(test::captured([&](Output& output) { return make_life_text(output, style); }, reports));
}

// A flood belongs to no connection: the table has no other place for it.
TEST(LifeText, AFindingOfNoConnectionIsALine) {
  FindingReport report{.conn = 0, .ts_ns = golden::midnight, .flow = a_life().flow, .finding = {}};
  report.finding.rule = Rule::syn_flood;
  report.finding.confidence = Confidence::likely;
  report.finding.text = "many";
  EXPECT_EQ(table({report}), (std::vector<std::string>{"-- syn-flood (likely): many"}));
  report.conn = 1;  // its row names it
  EXPECT_TRUE(table({report}).empty());
}

TEST(LifeText, AnUnknownProcessIsAQuestionMark) {
  EXPECT_EQ(cell(LifeColumn::pid, a_life()), "?");
  EXPECT_EQ(cell(LifeColumn::comm, a_life()), "?");
}

TEST(LifeText, RolesAreArrows) {
  Life life = a_life();
  EXPECT_EQ(cell(LifeColumn::role, life), "--");
  life.role = Role::active;
  EXPECT_EQ(cell(LifeColumn::role, life), "->");
  EXPECT_EQ(cell(LifeColumn::role, life, {.utf8 = true}), "\u2192");
  life.role = Role::passive;
  EXPECT_EQ(cell(LifeColumn::role, life), "<-");
}

TEST(LifeText, WhatIsNotKnownIsADash) {
  EXPECT_EQ(cell(LifeColumn::handshake, a_life()), "-");
  EXPECT_EQ(cell(LifeColumn::rtt, a_life()), "-");
  EXPECT_EQ(cell(LifeColumn::closed_by, a_life()), "-");
  EXPECT_EQ(cell(LifeColumn::notes, a_life()), "");
}

TEST(LifeText, TimesAreMilliseconds) {
  Life life = a_life();
  life.duration_ns = 12'345'678;
  life.handshake_ns = 1'234'567;
  life.srtt_us = 420;
  EXPECT_EQ(cell(LifeColumn::ms, life), "12.3");
  EXPECT_EQ(cell(LifeColumn::handshake, life), "1.23");
  EXPECT_EQ(cell(LifeColumn::rtt, life), "0.42");
}

TEST(LifeText, AConnectionOpenBeforeUsIsAtLeastSoOldAndMarked) {
  Life life = a_life();
  life.preexisting = true;
  life.duration_ns = 5'000'000;
  EXPECT_EQ(cell(LifeColumn::ms, life), ">5.00");
  EXPECT_EQ(cell(LifeColumn::notes, life), "(open before start)");
}

TEST(LifeText, WhoWasHeardIsShown) {
  Life life = a_life();
  EXPECT_EQ(cell(LifeColumn::seen, life), "K+W");
  life.wire_heard = false;
  EXPECT_EQ(cell(LifeColumn::seen, life), "K");
  EXPECT_EQ(cell(LifeColumn::notes, life), "(kernel only)");
  std::swap(life.kernel_heard, life.wire_heard);
  EXPECT_EQ(cell(LifeColumn::seen, life), "W");
  EXPECT_EQ(cell(LifeColumn::notes, life), "(packets only)");
}

TEST(LifeText, FindingsAreNamedOnceEach) {
  Life life = a_life();
  for (const Rule rule : {Rule::zero_window, Rule::retransmission, Rule::zero_window}) {
    life.findings.push_back({.rule = rule, .confidence = Confidence::certain, .text = "", .evidence = {}});
  }
  EXPECT_EQ(cell(LifeColumn::notes, life), "zero-window,retransmission");
  life.incomplete = true;
  EXPECT_EQ(cell(LifeColumn::notes, life), "zero-window,retransmission (events lost)");
}

TEST(LifeText, AnErrnoThatTheOutcomeImpliesIsNotRepeated) {
  Life life = a_life();
  life.outcome = Outcome::connect_timeout;
  life.error = 110;
  EXPECT_EQ(cell(LifeColumn::notes, life), "");
  life.error = 113;
  EXPECT_EQ(cell(LifeColumn::notes, life), "(EHOSTUNREACH)");
}

TEST(LifeText, BadEndsAreRedAndOpenOnesDim) {
  for (const Outcome outcome : {Outcome::refused, Outcome::connect_timeout, Outcome::reset_by_peer, Outcome::aborted,
                                Outcome::keepalive_timeout, Outcome::retransmit_timeout, Outcome::user_timeout}) {
    EXPECT_EQ(colour_of(outcome), Colour::bad) << name(outcome);
  }
  EXPECT_EQ(colour_of(Outcome::open), Colour::dim);
  EXPECT_EQ(colour_of(Outcome::completed), Colour::none);
}

TEST(LifeText, WithoutColourThereIsNoEscape) {
  for (const std::string& line : table(golden::run())) EXPECT_EQ(line.find('\x1b'), std::string::npos) << line;
}

TEST(LifeText, ColourChangesNothingButColour) {
  std::vector<std::string> plain = table(golden::run(), {.width = 160});
  std::vector<std::string> painted = table(golden::run(), {.colour = true, .width = 160});
  ASSERT_EQ(plain.size(), painted.size());
  for (std::size_t i = 0; i < plain.size(); ++i) {
    for (std::size_t at = 0; (at = painted[i].find('\x1b')) != std::string::npos;) {
      painted[i].erase(at, painted[i].find('m', at) - at + 1);
    }
    EXPECT_EQ(plain[i], painted[i]);
  }
}

TEST(LifeText, TheHeaderComesOnceInAFile) {
  const std::vector<std::string> lines = table(golden::run());
  EXPECT_EQ(std::ranges::count_if(lines, [](const std::string& line) { return line.contains("OUTCOME"); }), 1);
  EXPECT_TRUE(lines.at(0).starts_with("TIME"));
}

TEST(LifeText, OnATerminalTheHeaderComesAgainWhereAddressesOutgrowIt) {
  const std::vector<std::string> lines = table(golden::run(), {.width = 130});
  EXPECT_EQ(std::ranges::count_if(lines, [](const std::string& line) { return line.contains("OUTCOME"); }), 2);
}

TEST(LifeText, ColumnsOfIpv4LinesAreAlignedInAFile) {
  const std::vector<std::string> lines = table({a_life(), golden::one_witness()[0], golden::one_witness()[1]});
  const std::size_t remote = lines.at(0).find("REMOTE");
  const std::size_t outcome = lines.at(0).find("OUTCOME");
  EXPECT_EQ(lines.at(1).substr(remote, 8), "10.0.0.2");
  EXPECT_EQ(lines.at(2).substr(remote, 13), "203.0.113.200");
  EXPECT_EQ(lines.at(2).substr(outcome, 13), "reset-by-peer");
  EXPECT_EQ(lines.at(3).substr(outcome, 7), "unknown");
}

TEST(LifeText, NoLineEndsInASpace) {
  for (const unsigned width : {0U, 80U, 100U, 130U, 160U}) {
    for (const std::string& line : table(golden::run(), {.width = width})) {
      EXPECT_FALSE(line.ends_with(' ')) << "'" << line << "'";
    }
  }
}

TEST(LifeText, TheCommonCaseFitsTheTerminal) {
  Life life = std::get<Life>(golden::curl().back());
  for (unsigned width = 80; width <= 200; ++width) {
    for (const std::string& line : table({life}, {.width = width})) EXPECT_LE(columns(line), width) << line;
  }
}

TEST(LifeText, NarrowTerminalsKeepWhoWhereHowLongAndHowItEnded) {
  const LifeWidths widths = columns_that_fit({.width = 40});
  for (const LifeColumn column : {LifeColumn::pid, LifeColumn::comm, LifeColumn::local, LifeColumn::role,
                                  LifeColumn::remote, LifeColumn::ms, LifeColumn::outcome, LifeColumn::notes}) {
    EXPECT_NE(widths[static_cast<std::size_t>(column)], 0U);
  }
  EXPECT_EQ(widths[static_cast<std::size_t>(LifeColumn::tx)], 0U);
}

TEST(LifeText, TheClockCanBeLeftAway) { EXPECT_FALSE(table({a_life()}, {.clock = false}).at(0).contains("TIME")); }

TEST(LifeText, AGapIsALineOfItsOwn) {
  const std::vector<std::string> lines = table({golden::gap()});
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_TRUE(lines[0].contains("1,234 events lost on CPU 3 within 20.0 ms"));
}

TEST(LifeText, ANameCannotControlTheTerminal) {
  for (const std::string& line : table(golden::zero_window())) EXPECT_FALSE(line.contains('\x1b'));
}

}  // namespace
}  // namespace tcpwitness
