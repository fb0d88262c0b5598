// SPDX-License-Identifier: Apache-2.0
// metrics_test.cpp: what reports come to as metrics, held against numbers that are known; bounds; hostile names.
#include "metrics/metrics.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <prometheus/text_serializer.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <thread>

#include "golden/reports.hpp"
#include "metrics/catalogue.hpp"
#include "portable/text_format.hpp"
#include "unit/run.hpp"
#include "unit/stories.hpp"

namespace tcpwitness::testing {
namespace {

using metrics::Aggregate;
using metrics::Own;
using metrics::Snapshot;

constexpr std::int64_t millisecond = 1'000'000;

Life a_life(ConnectionId conn, const char* comm = "nginx", Outcome outcome = Outcome::completed) {
  Life life;
  life.conn = conn;
  life.flow = golden::flow("192.0.2.1", 443, "198.51.100.77", 40'000);
  life.role = Role::passive;
  life.process.comm = comm;
  life.outcome = outcome;
  life.tx_bytes = 1000;
  life.rx_bytes = 200;
  life.retransmits = 3;
  life.retransmits_in = 1;
  life.wire = WireTotals{.tx_bytes = 1000, .rx_bytes = 200, .tx_segments = 12, .rx_segments = 9};
  life.handshake_ns = 2 * millisecond;
  life.phases.first_byte = 30 * millisecond;
  life.duration_ns = 500 * millisecond;
  return life;
}

Finding a_finding(Rule rule, Confidence confidence) {
  Finding finding;
  finding.rule = rule;
  finding.confidence = confidence;
  return finding;
}

Interim open_now(Life life, TcpState state = TcpState::established) {
  life.outcome = Outcome::open;
  life.states = {state};
  return {.ts_ns = 1, .life = std::move(life)};
}

// Every line of the page that is a value, by its name and labels; a name that comes twice is noted.
struct Read {
  std::map<std::string, double> values;
  std::vector<std::string> wrong;
  std::string text;
  [[nodiscard]] double of(const std::string& series) const {
    const auto at = values.find(series);
    return at == values.end() ? -1 : at->second;
  }
};

Read read_page(std::string text) {
  Read all;
  all.text = std::move(text);
  std::istringstream lines(all.text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with('#')) continue;
    const std::size_t space = line.rfind(' ');
    if (space == std::string::npos) {
      all.wrong.push_back(line);
      continue;
    }
    char* end = nullptr;
    const double value = std::strtod(line.c_str() + space + 1, &end);
    if (*end != '\0' || !all.values.emplace(line.substr(0, space), value).second) all.wrong.push_back(line);
  }
  return all;
}

Read page_of(const Aggregate& aggregate, const Own& own = {}) {
  Snapshot snapshot;
  aggregate.copy_to(snapshot);
  return read_page(metrics::page_of(snapshot, own));
}

Read read_reports(const std::vector<Report>& reports, metrics::LabelSettings settings = {.labels = {}}) {
  Aggregate aggregate(std::move(settings));
  for (const Report& report : reports) aggregate.take(report);
  return page_of(aggregate);
}

}  // namespace

TEST(Metrics, AddUpWhatEndedByOutcomeAndEachWay) {
  std::vector<Report> reports;
  for (ConnectionId conn = 1; conn <= 5; ++conn) reports.emplace_back(a_life(conn));
  reports.emplace_back(a_life(6, "nginx", Outcome::refused));
  Life reset = a_life(7, "nginx", Outcome::reset_by_peer);
  reset.findings = {a_finding(Rule::reset_origin, Confidence::likely),
                    a_finding(Rule::zero_window, Confidence::certain)};
  reset.findings.front().reset = ResetOrigin::peer;
  reports.emplace_back(reset);
  reports.emplace_back(a_life(8, "nginx", Outcome::open));  // the run ends, not the connection
  const Read page = read_reports(reports);
  EXPECT_TRUE(page.wrong.empty()) << page.text;
  EXPECT_EQ(page.of("tcpwitness_connections_total{outcome=\"completed\"}"), 5);
  EXPECT_EQ(page.of("tcpwitness_connections_total{outcome=\"refused\"}"), 1);
  EXPECT_EQ(page.of("tcpwitness_connections_total{outcome=\"reset-by-peer\"}"), 1);
  EXPECT_EQ(page.of("tcpwitness_connections_total{outcome=\"open\"}"), -1);
  EXPECT_EQ(page.of("tcpwitness_findings_total{rule=\"reset-origin\",confidence=\"likely\"}"), 1);
  EXPECT_EQ(page.of("tcpwitness_findings_total{rule=\"zero-window\",confidence=\"certain\"}"), 1);
  EXPECT_EQ(page.of("tcpwitness_resets_total{origin=\"peer\"}"), 1);
  EXPECT_EQ(page.of("tcpwitness_payload_bytes_total{direction=\"transmit\"}"), 8000);
  EXPECT_EQ(page.of("tcpwitness_payload_bytes_total{direction=\"receive\"}"), 1600);
  EXPECT_EQ(page.of("tcpwitness_segments_total{direction=\"transmit\"}"), 96);
  EXPECT_EQ(page.of("tcpwitness_segments_total{direction=\"receive\"}"), 72);
  EXPECT_EQ(page.of("tcpwitness_retransmitted_segments_total{direction=\"transmit\"}"), 24);
  EXPECT_EQ(page.of("tcpwitness_retransmitted_segments_total{direction=\"receive\"}"), 8);
  EXPECT_EQ(page.of("tcpwitness_connect_duration_seconds_count"), 7);
  EXPECT_NEAR(page.of("tcpwitness_connect_duration_seconds_sum"), 0.014, 1e-9);
  EXPECT_EQ(page.of("tcpwitness_connect_duration_seconds_bucket{le=\"0.001\"}"), 0);
  EXPECT_EQ(page.of("tcpwitness_connect_duration_seconds_bucket{le=\"0.0025\"}"), 7);
  EXPECT_EQ(page.of("tcpwitness_connect_duration_seconds_bucket{le=\"+Inf\"}"), 7);
  EXPECT_EQ(page.of("tcpwitness_first_byte_duration_seconds_bucket{le=\"0.025\"}"), 0);
  EXPECT_EQ(page.of("tcpwitness_first_byte_duration_seconds_bucket{le=\"0.05\"}"), 7);
  EXPECT_EQ(page.of("tcpwitness_connection_duration_seconds_bucket{le=\"0.1\"}"), 0);
  EXPECT_EQ(page.of("tcpwitness_connection_duration_seconds_bucket{le=\"1\"}"), 7);
}

TEST(Metrics, ABoundIsPartOfItsBucketAndWhatIsLongerIsInTheLast) {
  metrics::Histogram histogram;
  const auto bounds = metrics::short_bounds();
  histogram.add(1'000'000, bounds);
  histogram.add(1'000'001, bounds);
  histogram.add(-5, bounds);
  histogram.add(INT64_MAX, bounds);
  EXPECT_EQ(bounds[3], 0.001);
  EXPECT_EQ(histogram.in(3), 1U);
  EXPECT_EQ(histogram.in(4), 1U);
  EXPECT_EQ(histogram.in(0), 1U);
  EXPECT_EQ(histogram.in(bounds.size()), 1U);
  EXPECT_EQ(histogram.count(), 4U);
}

// A connection of a week is no step at its end.
TEST(Metrics, WhatIsOpenCountsByWhatHasGrown) {
  Aggregate aggregate({.labels = {}});
  Life life = a_life(1);
  aggregate.take(open_now(life));
  aggregate.take(Interim{.ts_ns = 1});
  EXPECT_EQ(page_of(aggregate).of("tcpwitness_payload_bytes_total{direction=\"transmit\"}"), 1000);
  EXPECT_EQ(page_of(aggregate).of("tcpwitness_open_connections{state=\"established\"}"), 1);
  life.tx_bytes = 5000;
  life.wire->tx_segments = 20;
  aggregate.take(open_now(life, TcpState::close_wait));
  aggregate.take(Interim{.ts_ns = 2, .life = {}, .totals = Totals{.events = 9, .lost = 3, .skipped = 2}});
  const Read page = page_of(aggregate);
  EXPECT_EQ(page.of("tcpwitness_payload_bytes_total{direction=\"transmit\"}"), 5000);
  EXPECT_EQ(page.of("tcpwitness_segments_total{direction=\"transmit\"}"), 20);
  EXPECT_EQ(page.of("tcpwitness_open_connections{state=\"established\"}"), 0);
  EXPECT_EQ(page.of("tcpwitness_open_connections{state=\"close_wait\"}"), 1);
  EXPECT_EQ(page.of("tcpwitness_connections_total{outcome=\"completed\"}"), 0);
  EXPECT_EQ(page.of("tcpwitness_events_total"), 9);
  EXPECT_EQ(page.of("tcpwitness_lost_events_total{place=\"ring\"}"), 3);
  EXPECT_EQ(page.of("tcpwitness_lost_events_total{place=\"program\"}"), 2);
  life.tx_bytes = 4000;  // a look that saw less changes nothing
  aggregate.take(open_now(life));
  life.tx_bytes = 6000;
  life.wire->tx_segments = 25;
  aggregate.take(life);
  aggregate.take(Interim{.ts_ns = 3});
  const Read end = page_of(aggregate);
  EXPECT_EQ(end.of("tcpwitness_payload_bytes_total{direction=\"transmit\"}"), 6000);
  EXPECT_EQ(end.of("tcpwitness_payload_bytes_total{direction=\"receive\"}"), 200);
  EXPECT_EQ(end.of("tcpwitness_segments_total{direction=\"transmit\"}"), 25);
  EXPECT_EQ(end.of("tcpwitness_retransmitted_segments_total{direction=\"transmit\"}"), 3);
  EXPECT_EQ(end.of("tcpwitness_connections_total{outcome=\"completed\"}"), 1);
}

// The kernel counts from the beginning of a connection: what it carried before the run would be a step at the first
// look.
TEST(Metrics, WhatWasOpenBeforeCountsFromTheFirstLookOn) {
  Aggregate aggregate({.labels = {}});
  Life life = a_life(1);
  life.preexisting = true;
  life.tx_bytes = 1'000'000;
  aggregate.take(open_now(life));
  life.tx_bytes = 1'000'010;
  aggregate.take(life);
  Life unseen = a_life(2);
  unseen.preexisting = true;
  aggregate.take(unseen);
  const Read page = page_of(aggregate);
  EXPECT_EQ(page.of("tcpwitness_payload_bytes_total{direction=\"transmit\"}"), 10);
  EXPECT_EQ(page.of("tcpwitness_retransmitted_segments_total{direction=\"transmit\"}"), 0);
  EXPECT_EQ(page.of("tcpwitness_connections_total{outcome=\"completed\"}"), 2);
  EXPECT_EQ(page.of("tcpwitness_connection_duration_seconds_count"), 0);
}

TEST(Metrics, AFindingCountsOnceForItsConnectionAndUnderItsLabels) {
  Aggregate aggregate({.labels = {MetricLabel::process}});
  const Life life = a_life(1, "java");
  aggregate.take(
      FindingReport{.conn = 1, .flow = life.flow, .finding = a_finding(Rule::close_wait_stuck, Confidence::certain)});
  aggregate.take(open_now(life, TcpState::close_wait));
  aggregate.take(Interim{.ts_ns = 1});
  const std::string stuck =
      "tcpwitness_findings_total{process=\"java\",rule=\"close-wait-stuck\",confidence=\"certain\"}";
  EXPECT_EQ(page_of(aggregate).of(stuck), 1);
  // At the end it is there again, read otherwise, and with another one.
  Life ended = life;
  ended.findings = {a_finding(Rule::close_wait_stuck, Confidence::likely), a_finding(Rule::late, Confidence::likely)};
  aggregate.take(FindingReport{.conn = 1, .flow = life.flow, .finding = ended.findings.front()});
  aggregate.take(ended);
  const Read page = page_of(aggregate);
  EXPECT_EQ(page.of(stuck), 1);
  EXPECT_EQ(page.of("tcpwitness_findings_total{process=\"java\",rule=\"close-wait-stuck\",confidence=\"likely\"}"), -1);
  EXPECT_EQ(page.of(fmt::format("tcpwitness_findings_total{{process=\"java\",rule=\"{}\",confidence=\"likely\"}}",
                                name(Rule::late))),
            1);
  // What belongs to no connection counts at once.
  aggregate.take(
      FindingReport{.conn = 0, .flow = life.flow, .finding = a_finding(Rule::syn_flood, Confidence::certain)});
  EXPECT_EQ(page_of(aggregate).of("tcpwitness_findings_total{process=\"\",rule=\"syn-flood\",confidence=\"certain\"}"),
            1);
}

// A look at what is open is no judgement: "as if it ended here" is not reported.
TEST(Metrics, FindingsOfALookDoNotCount) {
  Aggregate aggregate({.labels = {}});
  Life life = a_life(1);
  life.findings = {a_finding(Rule::half_open, Confidence::likely)};
  aggregate.take(open_now(life));
  aggregate.take(Interim{.ts_ns = 1});
  EXPECT_FALSE(page_of(aggregate).text.contains("rule=\"half-open\""));
}

TEST(Metrics, TellConnectionsApartByTheChosenLabels) {
  std::vector<Report> reports{a_life(1, "nginx"), a_life(2, "nginx"), a_life(3, "curl")};
  auto& active = std::get<Life>(reports.back());
  active.role = Role::active;
  active.flow = golden::flow("2001:db8::1", 50'000, "2001:db8:9:8:7::6", 8443);
  const Read page = read_reports(
      reports, {.labels = {MetricLabel::listener, MetricLabel::process, MetricLabel::remote, MetricLabel::role}});
  EXPECT_EQ(page.of("tcpwitness_connections_total{listener=\"443\",process=\"nginx\",remote=\"198.51.100.0/24\",role="
                    "\"passive\",outcome=\"completed\"}"),
            2);
  EXPECT_EQ(page.of("tcpwitness_connections_total{listener=\"8443\",process=\"curl\",remote=\"2001:db8:9::/48\",role="
                    "\"active\",outcome=\"completed\"}"),
            1);
  EXPECT_EQ(page.of("tcpwitness_label_sets"), 2);
}

// A hundred thousand networks, names and ports: the page stays as large, and nothing is missing from its sums.
TEST(Metrics, AnyNumberOfNamesAndNetworksCostsNoMoreThanTheLimit) {
  constexpr unsigned many = 100'000;
  constexpr std::size_t limit = 20;
  Aggregate aggregate({.labels = {MetricLabel::listener, MetricLabel::process, MetricLabel::remote}, .limit = limit});
  for (unsigned i = 0; i < many; ++i) {
    Life life = a_life(i + 1, fmt::format("worker-{}", i).c_str());
    const auto remote = fmt::format("{}.{}.{}.7", 1 + i / 65'536, i / 256 % 256, i % 256);
    life.flow = golden::flow("192.0.2.1", static_cast<std::uint16_t>(1 + i % 65'535), remote.c_str(), 40'000);
    aggregate.take(life);
  }
  const Read page = page_of(aggregate);
  double connections = 0;
  double other = 0;
  std::set<std::string> named;
  for (const auto& [series, value] : page.values) {
    if (!series.starts_with("tcpwitness_connections_total{")) continue;
    connections += value;
    named.insert(series);
    if (series.contains("process=\"other\"")) other += value;
  }
  EXPECT_EQ(connections, many);
  EXPECT_LE(named.size(), 4 * limit + 1);
  EXPECT_GT(named.size(), limit);
  EXPECT_EQ(other, many - limit);
  EXPECT_EQ(page.of("tcpwitness_label_overflow_connections_total"), many - limit);
  constexpr std::size_t bytes_of_a_set = 8'000;
  EXPECT_LT(page.text.size(), (4 * limit + 1) * bytes_of_a_set);
  EXPECT_TRUE(page.wrong.empty());
}

// A stranger cannot use up the limit with ports that nobody listens on.
TEST(Metrics, AScanNamesNoPortAndNoNetwork) {
  Aggregate aggregate({.labels = {MetricLabel::listener, MetricLabel::remote}, .limit = 20});
  const Life served = a_life(1);
  const auto scan = [&](const char* from, unsigned port) {
    aggregate.take(FindingReport{.conn = 0,
                                 .flow = golden::flow("192.0.2.1", static_cast<std::uint16_t>(port), from, 40'000),
                                 .finding = a_finding(Rule::stray_segment, Confidence::certain)});
  };
  for (unsigned port = 20'000; port < 20'300; ++port) scan("203.0.113.9", port);
  Life refused = a_life(2);  // without the kernel's events a refused SYN is a connection
  refused.flow = golden::flow("192.0.2.1", 31'000, "203.0.113.9", 40'000);
  refused.outcome = Outcome::refused;
  refused.handshake_ns.reset();
  refused.rx_bytes = 0;
  aggregate.take(refused);
  aggregate.take(served);
  scan("198.51.100.77", 443);  // both are known by now
  const Read page = page_of(aggregate);
  EXPECT_EQ(page.of("tcpwitness_label_sets"), 2);
  const std::string what = "rule=\"stray-segment\",confidence=\"certain\"}";
  EXPECT_EQ(page.of("tcpwitness_findings_total{listener=\"other\",remote=\"other\"," + what), 300);
  EXPECT_EQ(page.of("tcpwitness_findings_total{listener=\"443\",remote=\"198.51.100.0/24\"," + what), 1);
  EXPECT_EQ(page.of("tcpwitness_connections_total{listener=\"443\",remote=\"198.51.100.0/24\",outcome=\"completed\"}"),
            1);
}

// One name that is not UTF-8 costs Prometheus the whole scrape; two names that become one would be one series twice.
TEST(Metrics, HostileNamesStayLabels) {
  std::vector<Report> reports;
  ConnectionId conn = 1;
  for (const char* comm : {"a\"b\\c", "new\nline", "\xff\xfe", "\\xff\\xfe", "half \xe5\x90", "tab\there", "\x7f", "",
                           "\xed\xa0\x80", "gr\xc3\xbc\xc3\x9f", "} 1\nfoo 2"})
    reports.emplace_back(a_life(conn++, comm));
  const Read page = read_reports(reports, {.labels = {MetricLabel::process}});
  EXPECT_TRUE(page.wrong.empty()) << page.wrong.front();
  const auto named = [&](const std::string& name) {
    return page.of("tcpwitness_connections_total{process=\"" + name + "\",outcome=\"completed\"}");
  };
  EXPECT_EQ(named("a\\\"b\\\\c"), 1);
  EXPECT_EQ(named("new\\\\x0aline"), 1);
  EXPECT_EQ(named("\\\\xff\\\\xfe"), 2) << "the byte, and who writes it so";
  EXPECT_EQ(named("half \\\\xe5\\\\x90"), 1);
  EXPECT_EQ(named("tab\\\\x09here"), 1);
  EXPECT_EQ(named("gr\xc3\xbc\xc3\x9f"), 1);
  EXPECT_EQ(named(""), 1);
  EXPECT_EQ(named("} 1\\\\x0afoo 2"), 1);
}

TEST(Metrics, DropsCountByReasonAndReasonsAreBounded) {
  Aggregate aggregate({.labels = {}});
  const auto drop = [](std::string reason, bool out) {
    DropEntry body;
    body.reason = std::move(reason);
    body.out = out;
    return Report(Entry{.body = body});
  };
  aggregate.take(drop("NETFILTER_DROP", false));
  aggregate.take(drop("NETFILTER_DROP", false));
  aggregate.take(drop("QDISC_DROP", true));
  for (int i = 0; i < 1000; ++i) aggregate.take(drop(fmt::format("reason {}", i), false));
  const Read page = page_of(aggregate);
  EXPECT_EQ(page.of("tcpwitness_dropped_segments_total{reason=\"NETFILTER_DROP\",direction=\"receive\"}"), 2);
  EXPECT_EQ(page.of("tcpwitness_dropped_segments_total{reason=\"QDISC_DROP\",direction=\"transmit\"}"), 1);
  EXPECT_EQ(page.of("tcpwitness_dropped_segments_total{reason=\"other\",direction=\"receive\"}"),
            1000 - static_cast<int>(Aggregate::most_reasons) + 2);
}

// Connections whose end never comes (no longer wanted) are forgotten.
TEST(Metrics, WhoIsNotSeenAgainIsForgotten) {
  Aggregate aggregate({.labels = {}});
  for (ConnectionId conn = 1; conn <= 5'000; ++conn) aggregate.take(open_now(a_life(conn)));
  for (int round = 0; round < 4; ++round) aggregate.take(Interim{.ts_ns = round});
  // Known no more: its bytes count anew, as of a new one.
  aggregate.take(a_life(7));
  EXPECT_EQ(page_of(aggregate).of("tcpwitness_payload_bytes_total{direction=\"transmit\"}"), 5'001'000);
}

TEST(Metrics, SayWhichWitnessIsMissing) {
  Ready ready;
  ready.hooks = {{.name = "wire", .target = "", .mode = "off", .why = "refused"}};
  const Read page = read_reports({ready});
  EXPECT_EQ(page.of("tcpwitness_witness_up{witness=\"wire\"}"), 0);
  EXPECT_EQ(page.of("tcpwitness_witness_up{witness=\"kernel\"}"), 1);
}

TEST(Metrics, SayWhatThisProgramIsAndCosts) {
  Aggregate aggregate({.labels = {}});
  const Read page = page_of(
      aggregate, {.cpu_seconds = 1.5, .memory_bytes = 4096, .started = 1e9, .version = "0.1.0", .commit = "abc"});
  EXPECT_EQ(page.of("process_cpu_seconds_total"), 1.5);
  EXPECT_EQ(page.of("process_resident_memory_bytes"), 4096);
  EXPECT_EQ(page.of("process_start_time_seconds"), 1e9);
  EXPECT_EQ(page.of("tcpwitness_build_info{version=\"0.1.0\",commit=\"abc\"}"), 1);
}

// ---- From events ----

Read from_events(const std::vector<Event>& events) {
  CorrelatorSettings settings;
  settings.finding_reports = true;
  settings.open_findings = true;
  settings.reworded = false;
  settings.counted = true;
  return read_reports(run(events, settings).reports);
}

TEST(Metrics, KeepAliveProbesAndAnswersCountWithoutATimeline) {
  const Read answered = from_events(keepalive_answered_story().events);
  const auto sent = run(keepalive_answered_story().events, trace_settings()).entries_of<KeepaliveEntry>();
  const auto of_kind = [&](KeepaliveEntry::What what) {
    return static_cast<double>(std::ranges::count_if(sent, [&](const auto& each) { return each.second.what == what; }));
  };
  ASSERT_GT(of_kind(KeepaliveEntry::What::sent), 0);
  EXPECT_EQ(answered.of("tcpwitness_keepalive_probes_total{direction=\"transmit\"}"),
            of_kind(KeepaliveEntry::What::sent));
  EXPECT_EQ(answered.of("tcpwitness_keepalive_answers_total"), of_kind(KeepaliveEntry::What::answered));
  const Read dead = from_events(keepalive_death_story().events);
  EXPECT_EQ(dead.of("tcpwitness_connections_total{outcome=\"keepalive-timeout\"}"), 1);
  EXPECT_EQ(dead.of("tcpwitness_keepalive_answers_total"), 0);
  EXPECT_GT(dead.of("tcpwitness_keepalive_probes_total{direction=\"transmit\"}"), 0);
}

TEST(Metrics, OnlyDropsThatMatteredCount) {
  const Read fault = from_events(rx_drop_story(drop_netfilter).events);
  EXPECT_EQ(fault.of("tcpwitness_dropped_segments_total{reason=\"NETFILTER_DROP\",direction=\"receive\"}"), 1)
      << fault.text;
  const Read none = from_events(rx_drop_story(drop_old_sequence).events);
  EXPECT_FALSE(none.text.contains("tcpwitness_dropped_segments_total{"));
}

TEST(Metrics, ResetsHaveTheirOrigin) {
  const auto origin = [](const Story& story) {
    const Read page = from_events(story.events);
    std::string all;
    for (const auto& [series, value] : page.values) {
      if (series.starts_with("tcpwitness_resets_total"))
        all += fmt::format("{} {};", series.substr(series.find('"')), value);
    }
    return all;
  };
  EXPECT_EQ(origin(killed_unread_story()), "\"process\"} 1;");
  EXPECT_EQ(origin(closed_unread_story()), "\"process\"} 1;");
  EXPECT_EQ(origin(sock_destroy_story()), "\"process\"} 1;");
  EXPECT_EQ(origin(peer_reset_story()), "\"peer\"} 1;");
  EXPECT_EQ(origin(outsider_story()), "\"outsider\"} 1;");
  EXPECT_EQ(origin(keepalive_death_story()), "\"kernel\"} 1;");
  EXPECT_EQ(origin(refused_story()), "\"peer\"} 1;");
  EXPECT_EQ(origin(close_first_story()), "");
  EXPECT_EQ(origin(no_answer_story()), "");
}

TEST(Metrics, ScrapingFasterGivesTheSamePageAgainAndHoldsNobodyUp) {
  metrics::Metrics metrics({.labels = {MetricLabel::remote}, .limit = 1000}, [] { return Own{}; });
  const auto sink = metrics.sink();
  for (unsigned i = 0; i < 8'000; ++i) {
    Life life = a_life(i + 1);
    life.flow = golden::flow("192.0.2.1", 443, fmt::format("10.{}.{}.1", i / 256, i % 256).c_str(), 40'000);
    sink->write(life);
  }
  const auto first = metrics.page();
  EXPECT_EQ(metrics.page(), first);
  std::atomic<bool> over{false};
  std::thread scraper([&] {
    while (!over) static_cast<void>(metrics.page());
  });
  std::int64_t longest = 0;
  for (unsigned i = 0; i < 20'000; ++i) {
    const auto begun = std::chrono::steady_clock::now();
    sink->write(a_life(i + 10'000));
    longest = std::max<std::int64_t>(longest, (std::chrono::steady_clock::now() - begun).count());
  }
  over = true;
  scraper.join();
  EXPECT_LT(longest, 1'000'000'000)
      << "generous, as the machine may be busy: a page takes tens of milliseconds to make";
  EXPECT_GT(read_page(*first).of("tcpwitness_label_sets"), 1000);
}

// The portable program has a writer of its own.
TEST(Metrics, ThePortableProgramWritesWhatPrometheusCppWrites) {
  using prometheus::ClientMetric;
  using prometheus::MetricFamily;
  std::vector<MetricFamily> families{{"a_total", "Help", prometheus::MetricType::Counter, {}},
                                     {"b", "Help \xc3\xbc", prometheus::MetricType::Gauge, {}},
                                     {"c_seconds", "Help", prometheus::MetricType::Histogram, {}},
                                     {"none", "Nothing", prometheus::MetricType::Gauge, {}}};
  for (const double value :
       {0.0, 1.0, 0.1, 0.00025, 1.5e-7, 35'495'936.0, 1'795'735'200.024667, 9e15, 1e300, 1.0 / 3}) {
    ClientMetric counter;
    counter.counter.value = value;
    counter.label = {{"process", "a\"b\\c\nd"}, {"empty", ""}};
    families[0].metric.push_back(counter);
    ClientMetric gauge;
    gauge.gauge.value = -value;
    families[1].metric.push_back(gauge);
    ClientMetric histogram;
    histogram.histogram.sample_count = 18;
    histogram.histogram.sample_sum = value;
    histogram.histogram.bucket = {{5, 0.00025}, {17, value}};
    if (value != 0) histogram.label = {{"role", "active"}};
    families[2].metric.push_back(histogram);
  }
  std::ostringstream right;
  prometheus::TextSerializer().Serialize(right, families);
  std::ostringstream ours;
  portable::write_text(ours, families);
  EXPECT_EQ(ours.str(), right.str());
}

// ---- Definitions ----

TEST(MetricsCatalogue, NamesFollowPrometheusConventions) {
  for (const metrics::Definition& each : metrics::catalogue()) {
    const std::string name = each.name;
    EXPECT_EQ(name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_"), std::string::npos) << name;
    EXPECT_EQ(name.ends_with("_total"), each.type == metrics::Type::counter) << name;
    if (each.type == metrics::Type::histogram) {
      EXPECT_TRUE(name.ends_with("_seconds")) << name;
    }
    EXPECT_NE(*each.help, '\0') << name;
  }
}

TEST(MetricsCatalogue, EveryMetricIsOnThePageWithItsTypeAndHelp) {
  const Read page = read_reports({});
  for (const metrics::Definition& each : metrics::catalogue()) {
    EXPECT_TRUE(page.text.contains(fmt::format("# TYPE {} {}\n", each.name, metrics::name(each.type)))) << each.name;
    EXPECT_TRUE(page.text.contains(fmt::format("# HELP {} {}\n", each.name, each.help))) << each.name;
  }
}

// TCPWITNESS_UPDATE_GOLDEN=1 writes the table anew.
TEST(MetricsCatalogue, TheDocumentedTableIsCurrent) {
  const std::string begin = "<!-- metrics -->\n";
  const std::string end = "<!-- /metrics -->\n";
  std::ifstream file(TCPWITNESS_METRICS_PAGE);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  const std::size_t from = text.find(begin);
  const std::size_t to = text.find(end);
  ASSERT_TRUE(from != std::string::npos && to != std::string::npos && from < to) << TCPWITNESS_METRICS_PAGE;
  const std::size_t table = from + begin.size();
  if (std::getenv("TCPWITNESS_UPDATE_GOLDEN") != nullptr) {
    text.replace(table, to - table, metrics::catalogue_table());
    std::ofstream(TCPWITNESS_METRICS_PAGE) << text;
    return;
  }
  EXPECT_EQ(text.substr(table, to - table), metrics::catalogue_table());
}

}  // namespace tcpwitness::testing
