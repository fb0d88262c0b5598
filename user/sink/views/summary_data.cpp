// SPDX-License-Identifier: Apache-2.0
// summary_data.cpp: the summary for programs. Fields and columns are a contract (docs/events.md).
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>

#include "sink/csv_writer.hpp"
#include "sink/json_parts.hpp"
#include "sink/summary.hpp"

namespace tcpwitness {
namespace {

constexpr std::array<std::pair<std::string_view, double>, 3> shares{
    {{"p50_ns", 0.5}, {"p95_ns", 0.95}, {"p99_ns", 0.99}}};

void put_times(JsonWriter& json, std::string_view key, const Quantiles& times) {
  json.key(key);
  json.begin_object();
  json.field("count", times.count());
  if (times.count() != 0) {
    for (const auto& [name, share] : shares) json.field(name, times.at(share));
    json.field("max_ns", times.highest());
  }
  json.end_object();
}

void put_direction(JsonWriter& json, std::string_view key, std::uint64_t bytes, const Retransmitted& resent) {
  json.key(key);
  json.begin_object();
  json.field("bytes", bytes);
  json.field("segments", resent.segments);
  json.field("retransmits", resent.retransmitted);
  json.end_object();
}

void put_group(JsonWriter& json, const Group& group) {
  json.field("connections", group.connections);
  json.field("problems", group.problems);
  json.field("open", group.open);
  json.field("incomplete", group.incomplete);
  put_direction(json, "tx", group.tx_bytes, group.tx);
  put_direction(json, "rx", group.rx_bytes, group.rx);
  put_times(json, "connect", group.connect);
  put_times(json, "lifetime", group.lifetime);
}

template <typename What>
void put_examples(JsonWriter& json, std::string_view key, const std::map<What, Example>& all) {
  json.key(key);
  json.begin_array();
  for (const auto& [what, example] : all) {
    json.begin_object();
    json.field("name", name(what));
    json.field("connections", example.connections);
    json.field("conn", example.conn);
    put_flow(json, example.flow);
    json.end_object();
  }
  json.end_array();
}

void put_strays(JsonWriter& json, const std::map<Rule, Example>& all) {
  json.key("no_connection");
  json.begin_array();
  for (const auto& [rule, example] : all) {
    json.begin_object();
    json.field("name", name(rule));
    json.field("findings", example.connections);
    put_flow(json, example.flow);
    json.end_object();
  }
  json.end_array();
}

constexpr std::string_view numbers =
    "connections,problems,open,incomplete,tx_bytes,rx_bytes,tx_segments,rx_segments,retransmits,retransmits_in,"
    "connect_count,connect_p50_s,connect_p95_s,connect_p99_s,connect_max_s,"
    "lifetime_count,lifetime_p50_s,lifetime_p95_s,lifetime_p99_s,lifetime_max_s\n";

void put_times(CsvRow& row, const Quantiles& times) {
  row.number(times.count());
  if (times.count() == 0) return row.empty(shares.size() + 1);
  for (const auto& [name, share] : shares) row.seconds(times.at(share));
  row.seconds(times.highest());
}

}  // namespace

void write_summary_json(Output& output, const Added& added) {
  const auto groups = added.groups.ordered();
  const auto& by = added.groups.settings().by;
  for (std::size_t i = 0; i < std::min(groups.size(), added.top); ++i) {
    write_json_line(output, [&](JsonWriter& json) {
      json.field("type", std::string_view("group"));
      json.key("by");
      json.begin_object();
      for (std::size_t part = 0; part < by.size(); ++part) {
        const std::string& text = groups[i]->key[part];
        json.key(name(by[part]));
        text.empty() ? json.null() : json.value(text);
      }
      json.end_object();
      put_group(json, *groups[i]);
    });
  }
  write_json_line(output, [&](JsonWriter& json) {
    json.field("type", std::string_view("total"));
    json.field("watched_ns", added.watched_ns);
    json.field("groups", groups.size());
    put_group(json, added.groups.total());
    put_examples(json, "outcomes", added.groups.outcomes());
    put_examples(json, "findings", added.groups.findings());
    if (added.unlisted != 0) json.field("unlisted", added.unlisted);
    if (!added.groups.strays().empty()) put_strays(json, added.groups.strays());
  });
}

void write_summary_csv(Output& output, const Added& added) {
  Buffer& out = output.buffer();
  for (const GroupKey key : added.groups.settings().by) append(out, fmt::format("{},", name(key)));
  append(out, numbers);
  CsvRow row(out);
  for (const Group* group : added.groups.ordered()) {
    for (const std::string& part : group->key) row.foreign(part);
    for (const std::uint64_t number :
         {group->connections, group->problems, group->open, group->incomplete, group->tx_bytes, group->rx_bytes,
          group->tx.segments, group->rx.segments, group->tx.retransmitted, group->rx.retransmitted}) {
      row.number(number);
    }
    put_times(row, group->connect);
    put_times(row, group->lifetime);
    row.end();
  }
  output.line_done();
}

}  // namespace tcpwitness
