// SPDX-License-Identifier: Apache-2.0
// summary_test.cpp: quantiles against sorting, groups against counting, and the three forms.
#include "sink/summary.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <random>

#include "golden/reports.hpp"
#include "sink/format.hpp"
#include "unit/sink_capture.hpp"

namespace tcpwitness {
namespace {

using Json = nlohmann::json;

TEST(Quantiles, AreWithinAHundredthOfSorting) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 20; ++round) {
    std::lognormal_distribution<double> spread(10 + round, 2);
    Quantiles quantiles;
    std::vector<std::int64_t> all;
    const int count = 1 + round * 500;
    for (int i = 0; i < count; ++i) {
      all.push_back(static_cast<std::int64_t>(std::min(spread(random), 3e16)));
      quantiles.add(all.back());
    }
    std::ranges::sort(all);
    EXPECT_EQ(quantiles.count(), all.size());
    EXPECT_EQ(quantiles.highest(), all.back());
    for (const double share : {0.0, 0.01, 0.5, 0.9, 0.95, 0.99, 0.999, 1.0}) {
      const auto rank = std::max<std::size_t>(1, static_cast<std::size_t>(std::ceil(share * count - 1e-9)));
      const auto right = static_cast<double>(all[rank - 1]);
      EXPECT_NEAR(static_cast<double>(quantiles.at(share)), right, right * 0.01 + 0.5) << share << " of " << count;
    }
  }
}

TEST(Quantiles, HoldWhatIsBeyondTheirScale) {
  Quantiles quantiles;
  quantiles.add(-5);
  quantiles.add(INT64_MAX);
  EXPECT_EQ(quantiles.at(0.5), 0);
  EXPECT_EQ(quantiles.highest(), INT64_MAX);
  EXPECT_EQ(quantiles.between(0, 1), 1U);
  EXPECT_EQ(quantiles.between(1'000'000'000, INT64_MAX), 1U);
  EXPECT_EQ(Quantiles().at(0.99), 0);
}

Life life_of(const char* comm, Role role, std::uint16_t local, std::uint16_t remote, Outcome outcome) {
  Life life;
  life.conn = remote;
  life.start_ts_ns = golden::midnight;
  life.ts_ns = golden::midnight + 2'000'000'000;
  life.duration_ns = 2'000'000'000;
  life.flow = golden::flow("10.0.0.1", local, "10.0.0.2", remote);
  life.role = role;
  life.process.comm = comm;
  life.outcome = outcome;
  life.tx_bytes = 1000;
  life.rx_bytes = 10;
  life.retransmits = 1;
  life.retransmits_in = 2;
  life.wire = WireTotals{.tx_bytes = 1000, .rx_bytes = 10, .tx_segments = 100, .rx_segments = 50};
  life.handshake_ns = 40'000;
  return life;
}

std::vector<Life> some() {
  std::vector<Life> lives(3, life_of("curl", Role::active, 40000, 80, Outcome::completed));
  lives.push_back(life_of("nginx", Role::passive, 80, 40001, Outcome::reset_by_peer));
  lives.push_back(life_of("curl", Role::active, 40002, 443, Outcome::open));
  lives.back().findings.emplace_back();
  lives.back().findings.back().rule = Rule::zero_window;
  lives.back().findings.emplace_back();
  lives.back().findings.back().rule = Rule::zero_window;
  return lives;
}

Groups groups_of(std::vector<GroupKey> by, std::size_t limit = 100) {
  Groups groups({.by = std::move(by), .limit = limit});
  for (const Life& life : some()) groups.take(life);
  return groups;
}

TEST(Groups, AddUpWhatTheyHaveInCommon) {
  const Groups groups = groups_of({GroupKey::comm});
  const auto list = groups.ordered();
  ASSERT_EQ(list.size(), 2U);
  EXPECT_EQ(list[0]->key, std::vector<std::string>{"curl"});
  EXPECT_EQ(list[0]->connections, 4U);
  EXPECT_EQ(list[0]->open, 1U);
  EXPECT_EQ(list[0]->problems, 1U);  // one connection, though it has two findings
  EXPECT_EQ(list[0]->tx_bytes, 4000U);
  EXPECT_EQ(list[0]->rx_bytes, 40U);
  EXPECT_EQ(list[0]->tx.retransmitted, 4U);
  EXPECT_EQ(list[0]->rx.retransmitted, 8U);
  EXPECT_DOUBLE_EQ(*list[0]->tx.share(), 1.0);
  EXPECT_DOUBLE_EQ(*list[0]->rx.share(), 4.0);
  EXPECT_EQ(list[0]->connect.count(), 4U);
  EXPECT_EQ(list[0]->lifetime.count(), 3U);  // not known yet how long the open one will live
  EXPECT_EQ(list[1]->problems, 1U);
  EXPECT_EQ(groups.total().connections, 5U);
  EXPECT_EQ(groups.outcomes().at(Outcome::completed).connections, 3U);
  EXPECT_EQ(groups.findings().at(Rule::zero_window).connections, 1U);
}

TEST(Groups, TheListenerIsTheEndThatWasConnectedTo) {
  const Groups groups = groups_of({GroupKey::listener, GroupKey::outcome});
  std::vector<std::vector<std::string>> keys;
  for (const Group* group : groups.ordered()) keys.push_back(group->key);
  EXPECT_EQ(keys, (std::vector<std::vector<std::string>>{
                      {"10.0.0.2:80", "completed"}, {"10.0.0.1:80", "reset-by-peer"}, {"10.0.0.2:443", "open"}}));
}

TEST(Groups, WhatIsNotKnownIsAGroupToo) {
  Groups groups({.by = {GroupKey::pid, GroupKey::finding}, .limit = 9});
  groups.take(life_of("", Role::unknown, 1, 2, Outcome::completed));
  EXPECT_EQ(groups.ordered().front()->key, (std::vector<std::string>{"", ""}));
}

TEST(Groups, AreBoundedAndLoseNobody) {
  Groups groups({.by = {GroupKey::listener}, .limit = 3});
  for (std::uint16_t port = 1; port <= 50; ++port) groups.take(life_of("x", Role::active, 9, port, Outcome::completed));
  std::uint64_t sum = 0;
  for (const Group* group : groups.ordered()) sum += group->connections;
  EXPECT_EQ(groups.ordered().size(), 4U);
  EXPECT_EQ(groups.ordered().front()->key.front(), "(other)");
  EXPECT_EQ(sum, 50U);
}

Reports run_of(std::vector<Life> lives) {
  Ready ready;
  ready.ts_ns = golden::midnight;
  Reports reports{ready};
  for (Life& life : lives) reports.emplace_back(std::move(life));
  Summary summary;
  summary.ts_ns = golden::midnight + 10'000'000'000;
  summary.connections = lives.size();
  reports.emplace_back(summary);
  return reports;
}

std::string summed(SummaryForm form, std::vector<GroupKey> by, unsigned width = 80) {
  const TextStyle style{.width = width};
  return test::captured(
      [&](Output& output) {
        return make_summary(output, form, {.groups = {.by = by, .limit = 100}, .top = 2}, style, nullptr, false);
      },
      run_of(some()));
}

TEST(SummaryText, SaysWhatTheRunCameTo) {
  const auto lines = test::lines_of(summed(SummaryForm::text, {GroupKey::comm}));
  EXPECT_EQ(lines[0], "5 connections in 10 s, 0.5 a second; 1 still open; 2 with a problem");
  EXPECT_EQ(lines[1], "COMM  CONNS BAD   TX RX   RETR%   CONNECT  LIFETIME");
  EXPECT_EQ(lines[2], "curl      4   1 3.9K 40 1.0/4.0 40us/40us 2.0s/2.0s");
  EXPECT_EQ(lines[3], "nginx     1   1 1000 10 1.0/4.0 40us/40us 2.0s/2.0s");
  const auto has = [&](std::string_view text) {
    return std::ranges::any_of(lines, [&](const std::string& line) { return line.contains(text); });
  };
  EXPECT_TRUE(has("completed                     3  such as curl 10.0.0.1:40000 <-> 10.0.0.2:80"));
  EXPECT_TRUE(has("zero-window                   1  such as curl 10.0.0.1:40002 <-> 10.0.0.2:443"));
  EXPECT_TRUE(has("< 100 us  ################ 5"));
}

// Beside its name there is no room for two IPv6 addresses: below it there is.
TEST(SummaryText, AnExampleKeepsItsAddresses) {
  Life life = life_of("curl", Role::active, 40000, 443, Outcome::refused);
  life.flow.local.address = parse_prefix("2001:db8:aaaa:bbbb::1")->address;
  life.flow.remote.address = parse_prefix("2001:db8:cccc:dddd::2")->address;
  const std::string text = test::captured(
      [&](Output& output) {
        return make_summary(output, SummaryForm::text, {.groups = {}, .top = 2}, {.width = 80}, nullptr, false);
      },
      run_of({life}));
  EXPECT_TRUE(
      text.contains("  refused                       1\n"
                    "    such as curl [2001:db8:aaaa:bbbb::1]:40000 <-> [2001:db8:cccc:dddd::2]:443\n"))
      << text;
}

TEST(Groups, AContainerIsThatOfTheProcess) {
  Groups groups({.by = {GroupKey::container}, .limit = 9, .container_of = [](const Process& process) {
                   return process.pid == 7 ? std::string("docker:0123456789ab") : std::string();
                 }});
  Life life = life_of("curl", Role::active, 40000, 443, Outcome::completed);
  groups.take(life);
  life.process.pid = 7;
  groups.take(life);
  groups.take(life);
  ASSERT_EQ(groups.ordered().size(), 2U);
  EXPECT_EQ(groups.ordered()[0]->key, std::vector<std::string>{"docker:0123456789ab"});
  EXPECT_EQ(groups.ordered()[1]->key, std::vector<std::string>{""});
}

TEST(SummaryText, FitsTheTerminalAndCountsWhatIsLeftOut) {
  for (const unsigned width : {80U, 100U, 132U}) {
    const auto lines =
        test::lines_of(summed(SummaryForm::text, {GroupKey::comm, GroupKey::listener, GroupKey::remote}, width));
    for (const std::string& line : lines) EXPECT_LE(columns(line), width) << line;
    EXPECT_NE(std::ranges::find(lines, "and 1 more groups with 1 connections"), lines.end());
  }
}

TEST(SummaryText, NothingIsALine) {
  const std::string text = test::captured(
      [](Output& output) { return make_summary(output, SummaryForm::text, {}, {.width = 80}, nullptr, false); },
      run_of({}));
  EXPECT_EQ(text, "0 connections in 10 s, 0.0 a second; no problems\n");
}

TEST(SummaryJson, HasALineForEachGroupAndATotal) {
  const auto lines = test::lines_of(summed(SummaryForm::json, {GroupKey::comm, GroupKey::pid}));
  ASSERT_EQ(lines.size(), 3U);
  const Json curl = Json::parse(lines[0]);
  EXPECT_EQ(curl["type"], "group");
  EXPECT_EQ(curl["by"]["comm"], "curl");
  EXPECT_TRUE(curl["by"]["pid"].is_null());
  EXPECT_EQ(curl["connections"], 4);
  EXPECT_EQ(curl["tx"]["retransmits"], 4);
  EXPECT_EQ(curl["rx"]["segments"], 200);
  EXPECT_NEAR(curl["connect"]["p99_ns"].get<double>(), 40'000, 400);
  const Json total = Json::parse(lines[2]);
  EXPECT_EQ(total["type"], "total");
  EXPECT_EQ(total["watched_ns"], 10'000'000'000);
  EXPECT_EQ(total["groups"], 2);
  EXPECT_EQ(total["findings"][0]["name"], "zero-window");
  EXPECT_EQ(total["findings"][0]["remote"]["port"], 443);
}

// A flood has no connection, or too many to be listed.
TEST(Summary, HasWhatBelongsToNoConnection) {
  std::vector<Report> reports = run_of({});
  std::get<tcpwitness::Summary>(reports.back()).unlisted = 49'619;
  FindingReport flood;
  flood.finding.rule = Rule::syn_flood;
  flood.flow.local.port = 8111;
  for (int i = 0; i < 3; ++i) reports.insert(reports.end() - 1, flood);
  FindingReport of_a_connection = flood;
  of_a_connection.conn = 7;
  reports.insert(reports.end() - 1, of_a_connection);
  const auto captured = [&](SummaryForm form) {
    return test::captured([&](Output& output) { return make_summary(output, form, {}, {.width = 80}, nullptr, false); },
                          reports);
  };
  const std::string text = captured(SummaryForm::text);
  EXPECT_TRUE(text.contains("49,619 half-open connections more")) << text;
  EXPECT_TRUE(text.contains("of no connection\n  syn-flood                     3")) << text;
  const Json total = Json::parse(test::lines_of(captured(SummaryForm::json)).back());
  EXPECT_EQ(total["unlisted"], 49'619);
  ASSERT_EQ(total["no_connection"].size(), 1U);
  EXPECT_EQ(total["no_connection"][0]["name"], "syn-flood");
  EXPECT_EQ(total["no_connection"][0]["findings"], 3);
  EXPECT_EQ(total["no_connection"][0]["local"]["port"], 8111);
}

TEST(SummaryCsv, HasEveryGroupInARow) {
  const auto lines = test::lines_of(summed(SummaryForm::csv, {GroupKey::listener}));
  ASSERT_EQ(lines.size(), 4U);
  for (const std::string& line : lines) EXPECT_EQ(std::ranges::count(line, ','), 20) << line;
  EXPECT_TRUE(lines[1].starts_with("10.0.0.2:80,3,0,0,0,3000,30,300,150,3,6,3,0.00004")) << lines[1];
}

TEST(Summary, ComesAfterTheLivesOrAlone) {
  const Names names;
  for (const bool lives : {true, false}) {
    const auto lines = test::lines_of(test::captured(
        [&](Output& output) {
          return make_summary(output, SummaryForm::json, {}, {}, make_json(output, names), lives);
        },
        run_of(some())));
    std::vector<std::string> types;
    types.reserve(lines.size());
    for (const std::string& line : lines) types.push_back(Json::parse(line)["type"]);
    std::vector<std::string> wanted{"ready"};
    if (lives) wanted.insert(wanted.end(), 5, "life");
    wanted.insert(wanted.end(), {"group", "group", "total", "summary"});
    EXPECT_EQ(types, wanted);
  }
}

}  // namespace
}  // namespace tcpwitness
