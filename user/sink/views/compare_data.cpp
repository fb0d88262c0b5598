// SPDX-License-Identifier: Apache-2.0
// compare_data.cpp: the comparison for programs. Fields and columns are a contract (docs/events.md).
#include <fmt/format.h>

#include <array>
#include <string>
#include <utility>

#include "sink/csv_writer.hpp"
#include "sink/json_parts.hpp"
#include "sink/views/compare.hpp"

namespace tcpwitness {
namespace {

void put_part(JsonWriter& json, Where where, std::string_view reason, std::string_view meaning, std::int64_t amount,
              Confidence confidence, std::uint64_t connections) {
  json.begin_object();
  json.field("where", name(where));
  if (!reason.empty()) json.field("reason", reason);
  if (!meaning.empty()) json.field("meaning", meaning);
  json.field("amount", amount);
  json.field("confidence", name(confidence));
  if (connections != 0) json.field("connections", connections);
  json.end_object();
}
void put_parts(JsonWriter& json, std::string_view key, const std::vector<Part>& parts) {
  json.key(key);
  json.begin_array();
  for (const Part& p : parts) put_part(json, p.where, p.reason, meaning(p), p.amount, p.confidence, 0);
  json.end_array();
}
void put_parts(JsonWriter& json, std::string_view key, const PartSums& parts) {
  json.key(key);
  json.begin_array();
  for (const auto& [at, sum] : parts)
    put_part(json, at.first, at.second, sum.meaning, sum.amount, sum.confidence, sum.connections);
  json.end_array();
}

void put_number(JsonWriter& json, std::string_view key, bool known, std::uint64_t number) {
  json.key(key);
  known ? json.value(number) : json.null();
}
void put_count(JsonWriter& json, std::string_view key, const CountPair& pair) {
  json.key(key);
  json.begin_object();
  put_number(json, "kernel", pair.kernel.has_value(), pair.kernel.value_or(0));
  put_number(json, "wire", pair.wire.has_value(), pair.wire.value_or(0));
  put_parts(json, "parts", pair.parts);
  json.end_object();
}
void put_count(JsonWriter& json, std::string_view key, const CountSum& sum) {
  json.key(key);
  json.begin_object();
  put_number(json, "kernel", sum.kernel_counts, sum.kernel);
  put_number(json, "wire", sum.wire_counts, sum.wire);
  put_parts(json, "parts", sum.parts);
  json.end_object();
}
template <typename Side>
void put_side(JsonWriter& json, std::string_view key, const Side& side) {
  json.key(key);
  json.begin_object();
  put_count(json, "bytes", side.bytes);
  put_count(json, "segments", side.segments);
  put_count(json, "retransmits", side.sent_again);
  put_parts(json, "left_out", side.behind);
  json.end_object();
}

std::string key_of(Timed timed) { return fmt::format("{}_ns", name(timed)); }

// "never-left:NETFILTER_DROP=-3 sent-again=1448"
std::string in_words(const std::vector<Part>& parts) {
  std::string text;
  for (const Part& part : parts) {
    text += fmt::format("{}{}{}{}={}", text.empty() ? "" : " ", name(part.where), part.reason.empty() ? "" : ":",
                        part.reason, part.amount);
  }
  return text;
}

constexpr std::array<std::string_view, 3> count_names{"bytes", "segments", "retransmits"};

}  // namespace

void write_compare_json(Output& output, const Life& life, bool interim) {
  const Comparison& of = *life.comparison;
  write_json_line(output, [&](JsonWriter& json) {
    json.field("type", std::string_view("comparison"));
    json.field("ts_ns", life.ts_ns);
    json.field("conn", life.conn);
    put_flow(json, life.flow);
    put_pid(json, life.process);
    json.field("outcome", name(life.outcome));
    if (interim) json.field("interim", true);
    json.field("compared", of.compared());
    if (of.open_before) json.field("open_before_start", true);
    if (!of.compared()) json.field("why_not", name(of.why_not));
    put_side(json, "tx", of.tx);
    put_side(json, "rx", of.rx);
    json.key("times");
    json.begin_object();
    for (std::size_t i = 0; i < timed_count; ++i) {
      if (of.times[i]) json.field(key_of(static_cast<Timed>(i)), *of.times[i]);
    }
    json.end_object();
  });
}

void write_compare_json(Output& output, const Compared& all, const Watched& watched) {
  write_json_line(output, [&](JsonWriter& json) {
    json.field("type", std::string_view("comparison_total"));
    json.field("watched_ns", watched.ns);
    if (watched.at_ns != 0) json.field("interim", true);
    json.field("connections", all.connections);
    json.field("compared", all.compared);
    json.field("open", all.open);
    json.field("open_before_start", all.open_before);
    json.field("differing", all.differing);
    json.key("not_compared");
    json.begin_object();
    for (std::size_t i = 1; i < not_compared_count; ++i) {
      if (all.not_compared[i] != 0) json.field(name(static_cast<NotCompared>(i)), all.not_compared[i]);
    }
    json.end_object();
    put_side(json, "tx", all.tx);
    put_side(json, "rx", all.rx);
    json.key("times");
    json.begin_object();
    for (std::size_t i = 0; i < timed_count; ++i) {
      const Quantiles& times = all.times[i];
      if (times.count() == 0) continue;
      json.key(name(static_cast<Timed>(i)));
      json.begin_object();
      json.field("count", times.count());
      json.field("p50_ns", times.at(0.5));
      json.field("p95_ns", times.at(0.95));
      json.field("p99_ns", times.at(0.99));
      json.field("max_ns", times.highest());
      json.end_object();
    }
    json.end_object();
  });
}

void write_compare_csv_header(Output& output) {
  Buffer& out = output.buffer();
  append(out, "time,conn,local_ip,local_port,remote_ip,remote_port,pid,comm,outcome,not_compared");
  for (const std::string_view side : {"tx", "rx"}) {
    for (const std::string_view count : count_names)
      append(out, fmt::format(",{0}_{1}_kernel,{0}_{1}_wire,{0}_{1}_parts", side, count));
    append(out, fmt::format(",{}_left_out", side));
  }
  for (std::size_t i = 0; i < timed_count; ++i) append(out, fmt::format(",{}_s", name(static_cast<Timed>(i))));
  out.push_back('\n');
  output.line_done();
}

void write_compare_csv(Output& output, const Life& life) {
  const Comparison& of = *life.comparison;
  CsvRow row(output.buffer());
  row.time(life.ts_ns);
  row.number(life.conn);
  for (const Endpoint* end : {&life.flow.local, &life.flow.remote}) {
    row.address(end->address);
    row.number(end->port);
  }
  life.process.pid != 0 ? row.number(life.process.pid) : row.empty();
  row.foreign(life.process.comm);
  row.text(name(life.outcome));
  row.text(name(of.why_not));
  for (const SideBySide* side : {&of.tx, &of.rx}) {
    for (const CountPair* pair : {&side->bytes, &side->segments, &side->sent_again}) {
      row.number(pair->kernel);
      row.number(pair->wire);
      row.text(in_words(pair->parts));
    }
    row.text(in_words(side->behind));
  }
  for (const auto& time : of.times) time ? row.seconds(*time) : row.empty();
  row.end();
  output.line_done();
}

}  // namespace tcpwitness
