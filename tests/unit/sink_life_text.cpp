// SPDX-License-Identifier: Apache-2.0
// sink_life_text.cpp: each column of the life table, and the table as a whole.
#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <sstream>

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
  life.has_kernel = life.has_wire = true;
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
std::vector<std::string> words_of(const std::string& line) {
  std::istringstream in(line);
  return {std::istream_iterator<std::string>(in), {}};
}

TEST(LifeText, AFindingOfNoConnectionIsALine) {
  FindingReport report{.conn = 0, .ts_ns = golden::midnight, .flow = a_life().flow, .finding = {}};
  report.finding.rule = Rule::syn_flood;
  report.finding.confidence = Confidence::likely;
  report.finding.arguments = arguments::OwnWords{"many"};
  EXPECT_EQ(table({report}),
            (std::vector<std::string>{"-- " + clock_seconds(golden::midnight) + " syn-flood (likely): many"}));
  report.conn = 1;  // its row names it
  EXPECT_TRUE(table({report}).empty());
}

// Whether a connection is over can show seconds later (the client may ask again).
TEST(LifeText, WhatEndedBeforeTheRowsAboveSaysSo) {
  Life first = a_life();
  Life held = a_life();
  first.ts_ns += 2'900'000'000;
  EXPECT_TRUE(table({first, held})[2].ends_with("(reported 2.90 s late)")) << table({first, held})[2];
  EXPECT_FALSE(table({held, first})[2].contains("late"));
  held.ts_ns = first.ts_ns - 200'000'000;
  EXPECT_FALSE(table({first, held})[2].contains("late")) << "they were reported together";
  EXPECT_FALSE(table({first, a_life()}, {.clock = false})[2].contains("late")) << "there is no time to be out of order";
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

TEST(LifeText, TimesHaveTheirUnit) {
  Life life = a_life();
  life.duration_ns = 749'399'000'000;
  life.handshake_ns = 1'234'000;
  life.srtt_us = 420;
  EXPECT_EQ(cell(LifeColumn::ms, life), "12m29s");
  EXPECT_EQ(cell(LifeColumn::handshake, life), "1.23ms");
  EXPECT_EQ(cell(LifeColumn::rtt, life), "420us");
}

TEST(LifeText, AConnectionOpenBeforeUsIsAtLeastSoOldAndMarked) {
  Life life = a_life();
  life.preexisting = true;
  life.duration_ns = 5'000'000;
  EXPECT_EQ(cell(LifeColumn::ms, life), ">5.00ms");
  EXPECT_EQ(cell(LifeColumn::notes, life), "(open before start)");
}

TEST(LifeText, WhatWasWatchedIsShown) {
  Life life = a_life();
  EXPECT_EQ(cell(LifeColumn::seen, life), "K+W");
  life.has_wire = false;
  EXPECT_EQ(cell(LifeColumn::seen, life), "K");
  EXPECT_EQ(cell(LifeColumn::notes, life), "(kernel only)");
  std::swap(life.has_kernel, life.has_wire);
  EXPECT_EQ(cell(LifeColumn::seen, life), "W");
  EXPECT_EQ(cell(LifeColumn::notes, life), "(packets only)");
}

TEST(LifeText, FindingsAreNamedOnceEach) {
  Life life = a_life();
  for (const Rule rule : {Rule::zero_window, Rule::retransmission, Rule::zero_window}) {
    life.findings.push_back({.rule = rule, .confidence = Confidence::certain, .evidence = {}});
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

TEST(LifeText, TimeWaitIsNoFindingUnlessItIsAskedFor) {
  Life life = a_life();
  for (const Rule rule : {Rule::time_wait, Rule::zero_window}) {
    life.findings.push_back({.rule = rule, .confidence = Confidence::certain, .evidence = {}});
  }
  EXPECT_EQ(cell(LifeColumn::notes, life), "zero-window");
  EXPECT_EQ(cell(LifeColumn::notes, life, {.time_wait = true}), "zero-window,time-wait");
}

TEST(LifeText, TheCauseStandsFirst) {
  Life life = a_life();
  for (const Rule rule : {Rule::retransmission, Rule::late, Rule::rx_dropped, Rule::reset_origin}) {
    life.findings.push_back({.rule = rule, .confidence = Confidence::certain, .evidence = {}});
  }
  EXPECT_EQ(cell(LifeColumn::notes, life), "rx-dropped,retransmission,late,reset-origin");
}

// Long addresses, a long name, a long outcome, many findings: none of them makes a line too long, or moves another row.
Life an_awkward_life() {
  Life life = a_life();
  life.flow =
      golden::flow("2001:db8:1234:5678:9abc:def0:1234:5678", 40000, "2001:db8:1234:5678:9abc:def0:1234:9999", 8443);
  life.process = {.pid = 4'194'303, .comm = "fifteen-letters"};
  life.outcome = Outcome::reset_by_outsider;
  life.preexisting = true;
  life.duration_ns = 749'399'000'000;
  for (const Rule rule : {Rule::retransmission, Rule::rx_dropped, Rule::path_mtu_black_hole}) {
    life.findings.push_back({.rule = rule, .confidence = Confidence::certain, .evidence = {}});
  }
  return life;
}

TEST(LifeText, NoLineIsWiderThanTheTerminal) {
  Reports reports = golden::run();
  reports.insert(reports.end(), {an_awkward_life(), a_life()});
  for (unsigned width = 20; width <= 250; ++width) {
    for (const bool utf8 : {false, true}) {
      for (const std::string& line : table(reports, {.utf8 = utf8, .width = width})) {
        EXPECT_LE(columns(line), width) << line;
      }
    }
  }
}

// Nobody takes a part of a row for the whole of it.
TEST(LifeText, WhatIsCutSaysSo) {
  for (const bool utf8 : {false, true}) {
    const std::string header = table({a_life()}, {.utf8 = utf8, .width = 25}).front();
    EXPECT_TRUE(header.ends_with(utf8 ? "\u2026" : "~")) << header;
    EXPECT_LE(columns(header), 25U);
    for (const std::string& line : table({a_life()}, {.utf8 = utf8, .width = 100}))
      EXPECT_FALSE(line.ends_with(utf8 ? "\u2026" : "~")) << line;
  }
}

TEST(LifeText, ALongRowMovesNoLaterOne) {
  for (const unsigned width : {0U, 80U, 100U, 132U, 200U}) {
    const auto after = table({a_life(), an_awkward_life(), a_life()}, {.width = width});
    ASSERT_EQ(after.size(), 4U);
    EXPECT_EQ(after[1], after[3]) << width;
  }
}

TEST(LifeText, ARowThatIsTooLongKeepsItsPortsAndItsCause) {
  for (const unsigned width : {80U, 100U, 132U}) {
    const std::string line = table({an_awkward_life()}, {.width = width}).at(1);
    EXPECT_TRUE(line.contains(":40000") && line.contains(":8443")) << line;
    EXPECT_TRUE(line.contains("reset-by-outsider rx-dropped,+")) << line;
  }
}

TEST(LifeText, InAFileNothingIsLeftOut) {
  const std::string line = table({an_awkward_life()}).at(1);
  EXPECT_TRUE(line.contains("[2001:db8:1234:5678:9abc:def0:1234:9999]:8443")) << line;
  EXPECT_TRUE(line.ends_with("rx-dropped,path-mtu-black-hole,retransmission (open before start)")) << line;
}

TEST(LifeText, WhatDoesNotFitIsCounted) {
  const CellList list{.names = {"zero-window", "retransmission"}, .limits = {"kernel only"}};
  EXPECT_EQ(folded(list, 0), "zero-window,retransmission (kernel only)");
  EXPECT_EQ(folded(list, 40), "zero-window,retransmission (kernel only)");
  EXPECT_EQ(folded(list, 39), "zero-window,retransmission,+1");
  EXPECT_EQ(folded(list, 28), "zero-window,+2");
  EXPECT_EQ(folded(list, 13), "+3");
  EXPECT_EQ(folded({.names = {}, .limits = {"kernel only", "events lost"}}, 20), "(kernel only, +1)");
  EXPECT_EQ(folded({}, 5), "");
}

// Of a recording they are what the file says.
TEST(LifeText, TheInterfacesOfAForwardedConnectionAreNoOrders) {
  const auto notes = [](const std::string& client, const TextStyle& style) {
    Life life = a_life();
    Forwarded forwarded;
    forwarded.client.interface = client;
    forwarded.server.interface = "eth1";
    life.forwarded = forwarded;
    return cell(LifeColumn::notes, life, style);
  };
  EXPECT_EQ(notes("e\x1b[31m\nth0", {.utf8 = true}), "(e?[31m?th0 | eth1)");
  EXPECT_EQ(notes("\u00e9th0", {.utf8 = true}), "(\u00e9th0 | eth1)");
  EXPECT_EQ(notes("\u00e9th0", {}), "(?th0 | eth1)");
  EXPECT_EQ(notes("", {}), "(? | eth1)");
}

TEST(LifeText, AFindingsSentenceIsOneLine) {
  FindingReport report{.conn = 0, .ts_ns = golden::midnight, .flow = a_life().flow, .finding = {}};
  report.finding.arguments = arguments::OwnWords{"through e\x1b[31m\n-- fake"};
  for (const unsigned width : {0U, 200U, 40U}) {
    for (const std::string& line : table({report}, {.utf8 = true, .width = width})) {
      EXPECT_FALSE(line.contains('\x1b')) << line;
      EXPECT_FALSE(line.starts_with("-- fake")) << line;
    }
  }
}

// A process may call itself so.
TEST(LifeText, AnEastAsianNameKeepsTheColumnsAndTheWidth) {
  for (const char* comm : {"\u6f22\u5b57\u6f22\u5b57\u6f22", "\U0001F600\U0001F600", "e\u0301e\u0301"}) {
    Life life = a_life();
    life.process = golden::process(42, comm, PidSource::connect);
    for (unsigned width = 40; width <= 200; ++width) {
      const auto lines = table({life}, {.utf8 = true, .width = width});
      for (const std::string& line : lines) EXPECT_LE(columns(line), width) << line;
    }
    for (const unsigned width : {0U, 160U}) {
      const auto lines = table({life}, {.utf8 = true, .width = width});
      const std::string& row = lines.at(1);
      EXPECT_EQ(columns(row.substr(0, row.find("10.0.0.1:"))), lines.at(0).find("LOCAL")) << row;
    }
  }
}

TEST(LifeText, AWideCharacterIsNeverHalved) {
  EXPECT_EQ(elided("\u6f22\u5b57\u6f22\u5b57", 8, true), "\u6f22\u5b57\u6f22\u5b57");
  EXPECT_EQ(elided("\u6f22\u5b57\u6f22\u5b57", 7, true), "\u6f22\u2026\u6f22\u5b57");
  EXPECT_EQ(elided("\u6f22\u5b57\u6f22\u5b57", 4, true), "\u2026\u5b57");
  EXPECT_EQ(elided("\u6f22\u5b57", 1, true), "");
}

TEST(LifeText, TheMiddleOfAnAddressIsLeftOut) {
  EXPECT_EQ(elided("[2001:db8::1234:1]:40000", 24, false), "[2001:db8::1234:1]:40000");
  EXPECT_EQ(elided("[2001:db8::1234:1]:40000", 17, false), "[2001..4:1]:40000");
  EXPECT_EQ(columns(elided("[2001:db8::1234:1]:40000", 17, true)), 17U);
  EXPECT_TRUE(elided("[2001:db8::1234:1]:40000", 11, false).ends_with(":40000"));
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

TEST(LifeText, EightyColumnsKeepWhoWhereHowLongAndHowItEnded) {
  const LifeLayout layout = life_layout({.width = 80});
  for (const LifeColumn column : {LifeColumn::pid, LifeColumn::comm, LifeColumn::local, LifeColumn::role,
                                  LifeColumn::remote, LifeColumn::ms, LifeColumn::outcome, LifeColumn::notes}) {
    EXPECT_TRUE(layout.shows(column));
  }
  EXPECT_FALSE(layout.shows(LifeColumn::tx));
}

TEST(LifeText, ColumnsAreThoseThatAreAskedForInTheirOrder) {
  Life life = a_life();
  life.phases.first_byte = 1'500 * 1'000'000LL;
  const TextStyle style{.width = 80, .columns = {LifeColumn::remote, LifeColumn::first_byte, LifeColumn::server}};
  const std::vector<std::string> lines = table({life}, style);
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(words_of(lines[0]), (std::vector<std::string>{"REMOTE", "1ST-BYTE", "SERVER"}));
  const std::vector<std::string> row = words_of(lines[1]);
  ASSERT_EQ(row.size(), 3U);
  EXPECT_EQ(row[1], "1.50s");
  EXPECT_EQ(row[2], "-") << "a phase that is not known";
}

TEST(LifeText, FindingsNeedNotBeTheLastColumn) {
  Life life = a_life();
  life.outcome = Outcome::refused;
  const TextStyle style{.columns = {LifeColumn::notes, LifeColumn::outcome}};
  EXPECT_TRUE(table({life}, style).at(1).ends_with("refused"));
}

TEST(LifeText, WideHasEveryColumnAndItsPhasesHoweverNarrowTheTerminal) {
  const LifeLayout wide = life_layout({.width = 60, .wide = true});
  for (const LifeColumn column : {LifeColumn::tx, LifeColumn::rtt, LifeColumn::first_byte, LifeColumn::closing})
    EXPECT_TRUE(wide.shows(column));
  EXPECT_FALSE(wide.shows(LifeColumn::stream)) << "of a capture";
  EXPECT_FALSE(life_layout({.width = 250}).shows(LifeColumn::first_byte));
}

TEST(LifeText, TheClockCanBeLeftAway) { EXPECT_FALSE(table({a_life()}, {.clock = false}).at(0).contains("TIME")); }

TEST(LifeText, AGapIsALineOfItsOwn) {
  const std::vector<std::string> lines = table({golden::gap()});
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_TRUE(lines[0].contains("1,234 events lost on CPU 3 within 20 ms"));
}

TEST(LifeText, ANameCannotControlTheTerminal) {
  for (const std::string& line : table(golden::zero_window())) EXPECT_FALSE(line.contains('\x1b'));
}

// A row that nothing narrows is written at once: as from cells, on a terminal that is wide enough.
TEST(LifeText, AWideRowIsTheRowOfItsCells) {
  Life plain = a_life();
  Life full = a_life();
  full.process = {.pid = 1234567, .comm = "a name \xc3\xa4\x1b", .source = PidSource::connect};
  full.role = Role::active;
  full.flow = golden::flow("2001:db8:1111:2222:3333:4444:5555:6666", 40000, "10.255.0.99", 65535);
  full.outcome = Outcome::reset_by_peer;
  full.closed_by = ClosedBy::peer;
  full.duration_ns = 123'456'789;
  full.handshake_ns = 1;
  full.srtt_us = 99'999;
  full.tx_bytes = 123'456'789;
  full.rx_bytes = 999;
  full.retransmits = 12;
  full.retransmits_in = 3;
  full.phases.server = 5;
  full.zeek_state = "SF";
  Life short_one = a_life();
  short_one.flow = golden::flow("1.2.3.4", 1, "1.2.3.4", 0);
  short_one.has_wire = false;
  CellList list;
  list.names = {"zero-window", "late"};
  list.limits = {"events lost"};
  for (const bool colour : {false, true}) {
    for (const bool wide : {false, true}) {
      TextStyle style{.colour = colour, .utf8 = wide, .wide = wide};
      const LifeLayout layout = life_layout(style);
      for (const Life& life : {plain, full, short_one}) {
        Buffer at_once;
        write_wide(at_once, layout, life, &list, style);
        std::vector<Cell> cells(layout.columns.size());
        for (std::size_t i = 0; i + 1 < cells.size(); ++i) fill(cells[i], layout.columns[i], life, style);
        fill(cells.back(), list, life);
        Buffer by_cells;
        style.width = 2000;
        write_row(by_cells, layout.table, layout.widths, cells, &list, style);
        style.width = 0;
        EXPECT_EQ(fmt::to_string(at_once), fmt::to_string(by_cells));
      }
    }
  }
}

}  // namespace
}  // namespace tcpwitness
