// SPDX-License-Identifier: Apache-2.0
// sink_csv.cpp: tables that any reader of RFC 4180 takes apart again, whatever names processes give themselves.
#include <gtest/gtest.h>

#include <algorithm>

#include "golden/capture_reports.hpp"
#include "unit/sink_capture.hpp"

namespace tcpwitness {
namespace {

using Row = std::vector<std::string>;

// A reader by the book: quoted fields, doubled quotes.
std::vector<Row> parsed(const std::string& text) {
  std::vector<Row> rows;
  Row row(1);
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted && c == '"' && i + 1 < text.size() && text[i + 1] == '"') {
      row.back() += text[++i];
    } else if (c == '"') {
      quoted = !quoted;
    } else if (!quoted && c == ',') {
      row.emplace_back();
    } else if (!quoted && c == '\n') {
      rows.push_back(std::exchange(row, Row(1)));
    } else {
      row.back() += c;
    }
  }
  EXPECT_FALSE(quoted);
  EXPECT_EQ(row, Row(1)) << "no newline at the end";
  return rows;
}

std::string lives(const Reports& reports) { return test::captured(make_life_csv, reports); }
std::string entries(const Reports& reports, bool wire_alone = false) {
  const Names names = golden::names();
  return test::captured([&](Output& output) { return make_trace_csv(output, names, wire_alone); }, reports);
}

std::string cell(const std::vector<Row>& rows, std::size_t row, std::string_view column) {
  const auto at = std::ranges::find(rows.at(0), column);
  if (at == rows[0].end()) ADD_FAILURE() << "no column " << column;
  return rows.at(row).at(static_cast<std::size_t>(at - rows[0].begin()));
}

Life named(const std::string& comm) {
  Life life;
  life.process = {.pid = 7, .comm = comm, .source = PidSource::connect};
  return life;
}

std::string comm_of(const std::string& comm) { return cell(parsed(lives({named(comm)})), 1, "comm"); }

TEST(Csv, EveryRowHasTheColumnsOfTheHeader) {
  for (const std::string& text :
       {lives(golden::run()), lives(golden::capture()), entries(golden::run()), entries(golden::capture(), true)}) {
    const std::vector<Row> rows = parsed(text);
    EXPECT_GT(rows.size(), 3U);
    for (const Row& row : rows) EXPECT_EQ(row.size(), rows[0].size()) << row[0];
  }
}

TEST(Csv, NothingToldIsStillATable) {
  EXPECT_EQ(parsed(lives({})).size(), 1U);
  EXPECT_EQ(parsed(entries({})).size(), 1U);
}

TEST(Csv, ColumnNamesAreUnique) {
  for (const std::string& text : {lives({}), entries({})}) {
    Row header = parsed(text).at(0);
    std::ranges::sort(header);
    EXPECT_EQ(std::ranges::adjacent_find(header), header.end());
  }
}

TEST(Csv, NamesWithCommasAndQuotesComeBackWhole) {
  EXPECT_EQ(comm_of("a,b"), "a,b");
  EXPECT_EQ(comm_of("say \"hi\""), "say \"hi\"");
  EXPECT_EQ(comm_of("plain"), "plain");
  EXPECT_EQ(comm_of("\u00e4\u00f6"), "\u00e4\u00f6");
}

TEST(Csv, ARowIsOneLineWhateverTheName) {
  const std::string text = lives({named("a\nb\r\x1b[31m\x01\xff")});
  EXPECT_EQ(std::ranges::count(text, '\n'), 2);
  EXPECT_EQ(cell(parsed(text), 1, "comm"), "a?b??[31m??");
}

TEST(Csv, ANameIsNoFormula) {
  for (const char first : {'=', '+', '-', '@'}) {
    const std::string name = std::string(1, first) + "cmd|' /C calc'!A0";
    EXPECT_EQ(comm_of(name), "'" + name);
  }
  EXPECT_EQ(comm_of("a=b"), "a=b");
  EXPECT_EQ(comm_of("=a,b"), "'=a,b");
}

TEST(Csv, WhatIsNotKnownIsEmpty) {
  const std::vector<Row> rows = parsed(lives({Life{}}));
  for (const char* column : {"pid", "comm", "netns", "error", "handshake_s", "srtt_s", "wire_tx_bytes", "stream",
                             "tx_frames", "zeek_state", "peer_states", "findings", "witnesses", "lost"}) {
    EXPECT_EQ(cell(rows, 1, column), "") << column;
  }
  EXPECT_EQ(cell(rows, 1, "tx_bytes"), "0");
  EXPECT_EQ(cell(rows, 1, "preexisting"), "false");
}

TEST(Csv, ACaptureHasBothDirectionsInFull) {
  const std::vector<Row> rows = parsed(lives(golden::capture()));
  EXPECT_EQ(cell(rows, 1, "stream"), "0");
  EXPECT_EQ(cell(rows, 1, "completeness"), "31");
  EXPECT_EQ(cell(rows, 1, "tx_frames"), "22");
  EXPECT_EQ(cell(rows, 1, "rx_retransmitted_bytes"), "1460");
  EXPECT_EQ(cell(rows, 2, "rx_missing_bytes"), "2999");
  EXPECT_EQ(cell(rows, 1, "zeek_state"), "SF");
  EXPECT_EQ(cell(rows, 1, "states"), "SYN_SENT ESTABLISHED FIN_WAIT1 FIN_WAIT2 TIME_WAIT");
  EXPECT_EQ(cell(rows, 1, "peer_states"), "NEW_SYN_RECV ESTABLISHED CLOSE_WAIT LAST_ACK CLOSE");
  EXPECT_EQ(cell(rows, 1, "local_ip"), "2001:db8::10");
  EXPECT_EQ(cell(rows, 1, "start"), "2025-10-09T08:53:20.000000000Z");
  EXPECT_EQ(cell(rows, 1, "handshake_s"), "0.020190000");
  EXPECT_EQ(cell(rows, 1, "witnesses"), "wire");
}

TEST(Csv, FindingsAreNamedOnceEach) {
  Life life;
  for (const Rule rule : {Rule::zero_window, Rule::retransmission, Rule::zero_window}) {
    life.findings.push_back({.rule = rule, .confidence = Confidence::likely, .evidence = {}});
  }
  EXPECT_EQ(cell(parsed(lives({life})), 1, "findings"), "zero-window retransmission");
}

TEST(Csv, AGapIsARow) {
  const std::vector<Row> rows = parsed(lives({golden::gap()}));
  EXPECT_EQ(cell(rows, 1, "type"), "gap");
  EXPECT_EQ(cell(rows, 1, "lost"), "1234");
  EXPECT_EQ(cell(rows, 1, "duration_s"), "0.020000000");
  const std::vector<Row> timeline = parsed(entries({golden::gap()}));
  EXPECT_EQ(cell(timeline, 1, "type"), "gap");
  EXPECT_EQ(cell(timeline, 1, "text"), "1,234 events lost on CPU 3 within 20 ms");
}

TEST(Csv, ASegmentHasItsNumbersInColumns) {
  const std::vector<Row> rows = parsed(entries(golden::capture(), true));
  EXPECT_EQ(cell(rows, 6, "type"), "segment");
  EXPECT_EQ(cell(rows, 6, "id"), "10485");
  EXPECT_EQ(cell(rows, 6, "witness"), "wire");
  EXPECT_EQ(cell(rows, 6, "dir"), "out");
  EXPECT_EQ(cell(rows, 6, "flags"), "ACK");
  EXPECT_EQ(cell(rows, 6, "rel_seq"), "518");
  EXPECT_EQ(cell(rows, 6, "rel_ack"), "13141");
  EXPECT_EQ(cell(rows, 6, "len"), "0");
  EXPECT_EQ(cell(rows, 6, "win"), "502");
  EXPECT_EQ(cell(rows, 6, "win_bytes"), "64256");
  EXPECT_EQ(cell(rows, 6, "analysis"), "duplicate ACK #2");
  EXPECT_EQ(cell(rows, 6, "text"), "");
  EXPECT_EQ(cell(rows, 7, "analysis"), "retransmission; fast retransmission");
}

TEST(Csv, ASegmentWithoutAckHasNoRelativeAck) {
  EXPECT_EQ(cell(parsed(entries(golden::capture(), true)), 1, "rel_ack"), "");
}

TEST(Csv, KernelAndWireAreTwoWitnesses) {
  const std::vector<Row> rows = parsed(entries(golden::curl()));
  EXPECT_EQ(cell(rows, 1, "type"), "state");
  EXPECT_EQ(cell(rows, 1, "witness"), "kernel");
  EXPECT_EQ(cell(rows, 1, "text"), "CLOSE -> SYN_SENT, connect() by curl[4242]");
  EXPECT_EQ(cell(rows, 2, "witness"), "wire");
}

}  // namespace
}  // namespace tcpwitness
