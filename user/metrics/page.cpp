// SPDX-License-Identifier: Apache-2.0
#include "metrics/page.hpp"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <array>
#include <initializer_list>
#include <sstream>
#include <utility>

#include "metrics/catalogue.hpp"

namespace tcpwitness::metrics {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using Labels = std::vector<ClientMetric::Label>;

constexpr std::array<const char*, 2> directions{"transmit", "receive"};

// OpenTelemetry's words for network.connection.state; "": a connection that is open has no such state.
const char* word_of(TcpState state) {
  switch (state) {
    case TcpState::established:
      return "established";
    case TcpState::syn_sent:
      return "syn_sent";
    case TcpState::syn_recv:
      return "syn_received";
    case TcpState::fin_wait1:
      return "fin_wait_1";
    case TcpState::fin_wait2:
      return "fin_wait_2";
    case TcpState::close_wait:
      return "close_wait";
    case TcpState::last_ack:
      return "last_ack";
    case TcpState::closing:
      return "closing";
    default:
      return "";
  }
}

prometheus::MetricType type_of(Type type) {
  switch (type) {
    case Type::counter:
      return prometheus::MetricType::Counter;
    case Type::gauge:
      return prometheus::MetricType::Gauge;
    case Type::histogram:
      break;
  }
  return prometheus::MetricType::Histogram;
}

// The families in the catalogue's order, each filled by its name.
class Page {
 public:
  Page() {
    for (const Definition& each : catalogue()) families_.push_back({each.name, each.help, type_of(each.type), {}});
  }

  void add(Metric metric, Labels labels, double value) {
    ClientMetric made;
    made.label = std::move(labels);
    (definition(metric).type == Type::counter ? made.counter.value : made.gauge.value) = value;
    family(metric).metric.push_back(std::move(made));
  }
  void add(Metric metric, Labels labels, std::uint64_t value) {
    add(metric, std::move(labels), static_cast<double>(value));
  }
  void add(Metric metric, Labels labels, const Histogram& histogram, std::span<const double> bounds) {
    ClientMetric made;
    made.label = std::move(labels);
    made.histogram.sample_count = histogram.count();
    made.histogram.sample_sum = histogram.sum();
    std::uint64_t so_far = 0;
    for (std::size_t i = 0; i < bounds.size(); ++i) {
      so_far += histogram.in(i);
      made.histogram.bucket.push_back({so_far, bounds[i]});
    }
    family(metric).metric.push_back(std::move(made));
  }

  [[nodiscard]] std::string text() const {
    std::ostringstream out;
    prometheus::TextSerializer().Serialize(out, families_);
    return std::move(out).str();
  }

 private:
  MetricFamily& family(Metric metric) { return families_[static_cast<std::size_t>(metric)]; }
  std::vector<MetricFamily> families_;
};

Labels with(const Labels& labels, std::initializer_list<ClientMetric::Label> more) {
  Labels all = labels;
  all.insert(all.end(), more);
  return all;
}

void add_each_way(Page& page, Metric metric, const Labels& labels, const EachWay& counts) {
  for (std::size_t way = 0; way < counts.size(); ++way)
    page.add(metric, with(labels, {{"direction", directions.at(way)}}), counts.at(way));
}

void add_findings(Page& page, const Labels& labels, const Series& series) {
  for (std::size_t rule = 0; rule < rule_count; ++rule) {
    for (std::size_t confidence = 0; confidence < confidence_count; ++confidence) {
      const std::uint64_t count = series.findings.at(rule).at(confidence);
      if (count == 0) continue;
      page.add(Metric::findings,
               with(labels, {{"rule", std::string(name(static_cast<Rule>(rule)))},
                             {"confidence", std::string(name(static_cast<Confidence>(confidence)))}}),
               count);
    }
  }
}

// `completed` is there from the first connection on; what never happened is left out.
void add_series(Page& page, const Labels& labels, const Series& series) {
  for (std::size_t i = 0; i < outcome_count; ++i) {
    const auto outcome = static_cast<Outcome>(i);
    if (outcome == Outcome::open || (series.outcomes.at(i) == 0 && outcome != Outcome::completed)) continue;
    page.add(Metric::connections, with(labels, {{"outcome", std::string(name(outcome))}}), series.outcomes.at(i));
  }
  for (std::size_t i = 0; i < state_count; ++i) {
    const auto state = static_cast<TcpState>(i);
    const char* word = word_of(state);
    if (*word == '\0' || (series.open.at(i) == 0 && state != TcpState::established)) continue;
    page.add(Metric::open_connections, with(labels, {{"state", word}}), series.open.at(i));
  }
  add_findings(page, labels, series);
  for (std::size_t i = 0; i < reset_origin_count; ++i) {
    if (series.resets.at(i) == 0) continue;
    page.add(Metric::resets, with(labels, {{"origin", std::string(name(static_cast<ResetOrigin>(i)))}}),
             series.resets.at(i));
  }
  add_each_way(page, Metric::bytes, labels, series.bytes);
  add_each_way(page, Metric::segments, labels, series.segments);
  add_each_way(page, Metric::retransmits, labels, series.retransmits);
  page.add(Metric::connect_time, labels, series.connect_time, short_bounds());
  page.add(Metric::first_byte, labels, series.first_byte, short_bounds());
  page.add(Metric::lifetime, labels, series.lifetime, long_bounds());
}

void add_run(Page& page, const RunCounts& run) {
  page.add(Metric::unlisted, {}, run.totals.unlisted);
  add_each_way(page, Metric::keepalive_probes, {}, run.probes);
  page.add(Metric::keepalive_answers, {}, run.answers);
  for (const auto& [reason, counts] : run.drops) {
    for (std::size_t way = 0; way < counts.size(); ++way) {
      if (counts.at(way) == 0) continue;
      page.add(Metric::dropped, {{"reason", reason}, {"direction", directions.at(way)}}, counts.at(way));
    }
  }
  page.add(Metric::events, {}, run.totals.events);
  page.add(Metric::lost, {{"place", "ring"}}, run.totals.lost);
  page.add(Metric::lost, {{"place", "program"}}, run.totals.skipped);
  page.add(Metric::lost, {{"place", "decoder"}}, run.totals.malformed);
  page.add(Metric::evicted_flows, {}, run.totals.flows_full);
  page.add(Metric::label_overflow, {}, run.overflow);
  page.add(Metric::witness, {{"witness", "kernel"}}, run.kernel ? 1.0 : 0.0);
  page.add(Metric::witness, {{"witness", "wire"}}, run.wire ? 1.0 : 0.0);
}

}  // namespace

std::string page_of(const Snapshot& snapshot, const Own& own) {
  Page page;
  for (std::size_t set = 0; set < snapshot.series.size(); ++set) {
    Labels labels;
    for (std::size_t i = 0; i < snapshot.labels.size(); ++i)
      labels.push_back({snapshot.labels[i], snapshot.sets[set][i]});
    add_series(page, labels, snapshot.series[set]);
  }
  add_run(page, snapshot.run);
  page.add(Metric::label_sets, {}, static_cast<std::uint64_t>(snapshot.series.size()));
  page.add(Metric::cpu, {}, own.cpu_seconds);
  page.add(Metric::memory, {}, own.memory_bytes);
  page.add(Metric::start_time, {}, own.started);
  page.add(Metric::build_info, {{"version", own.version}, {"commit", own.commit}}, 1.0);
  return page.text();
}

}  // namespace tcpwitness::metrics
