// SPDX-License-Identifier: Apache-2.0
// json.cpp: every report as one JSON object on one line. The field names are a contract (docs/events.md).
//
// Every object begins with type and ts_ns, then conn, id, local and remote where they belong. What is not
// known is null where a reader would look for it, and absent where it does not apply. Addresses of one
// connection are cheap (no allocation for IPv4).
#include <algorithm>
#include <array>
#include <memory>
#include <string_view>
#include <utility>

#include "judge/catalogue.hpp"
#include "sink/format.hpp"
#include "sink/json_report.hpp"
#include "sink/json_report_parts.hpp"
#include "sink/sinks.hpp"
#include "sink/views/story.hpp"
#include "sink/wall_times.hpp"
#include "tcpwitness/gap.hpp"

namespace tcpwitness {
namespace {

constexpr int schema_version = 1;  // docs/schema

// A digest is counted as the events it stands for.
constexpr std::array<std::pair<EventKind, std::string_view>, event_kind_count - 2> kinds{{
    {EventKind::state, "state"},
    {EventKind::segment, "segment"},
    {EventKind::retransmit, "retransmit"},
    {EventKind::reset, "reset"},
    {EventKind::error, "error"},
    {EventKind::destroy, "destroy"},
    {EventKind::owner, "owner"},
    {EventKind::socket, "socket"},
    {EventKind::drop, "drop"},
    {EventKind::ports, "ports"},
    {EventKind::translation, "translation"},
    {EventKind::icmp, "icmp"},
    {EventKind::sample, "sample"},
}};

class JsonSink final : public Sink {
 public:
  JsonSink(Output& output, const Names& names, std::unique_ptr<Stories> stories = nullptr)
      : output_(output), names_(names), stories_(std::move(stories)) {}

  void write(const Report& report) override {
    if (stories_) {
      if (const auto* entry = std::get_if<Entry>(&report)) return stories_->take(*entry);
      if (const auto* gap = std::get_if<GapReport>(&report)) stories_->take(gap->gap);
    }
    if (std::holds_alternative<Interim>(report)) return;  // who asks for them has an own form
    const auto* life = std::get_if<Life>(&report);
    if (stories_ && life != nullptr) sentences_ = stories_->end(*life);
    if (!names_.wall.was_set()) return write_line(report);
    Report shown = report;
    show_wall_times(shown, names_.wall);
    write_line(shown);
  }
  bool flush() override { return output_.flush(); }

  void append(Buffer& out, const Report& report) {
    if (std::holds_alternative<Interim>(report)) return;
    Report shown = report;
    show_wall_times(shown, names_.wall);
    JsonWriter json(out);
    json.begin_object();
    std::visit([&](const auto& body) { put(json, body); }, shown);
    json.end_object();
  }

 private:
  void write_line(const Report& report) {
    write_json_line(output_, [&](JsonWriter& json) { std::visit([&](const auto& body) { put(json, body); }, report); });
  }

  static void put_missing(JsonWriter& json, const std::vector<Hook>& missing) {
    if (missing.empty()) return;
    json.key("missing");
    json.begin_array();
    for (const Hook& witness : missing) {
      json.begin_object();
      json.field("witness", witness.name);
      json.field("why", witness.why);
      json.end_object();
    }
    json.end_array();
  }

  static void put(JsonWriter& /*json*/, const Interim& /*interim*/) {}

  void put(JsonWriter& json, const Life& life) const { put_life(json, life, stories_ ? &sentences_ : nullptr); }
  void put(JsonWriter& json, const Entry& entry) const { put_entry(json, entry, names_); }

  static void put(JsonWriter& json, const Ready& ready) {
    begin_report(json, "ready", ready.ts_ns);
    json.field("schema", schema_version);
    json.field("version", ready.version);
    json.key("kernel");
    ready.kernel.empty() ? json.null() : json.value(ready.kernel);
    json.key("hooks");
    json.begin_array();
    for (const Hook& hook : ready.hooks) {
      json.begin_object();
      json.field("name", hook.name);
      json.field("target", hook.target);
      json.field("mode", hook.mode);
      put_nonzero(json, "why", hook.why);
      json.end_object();
    }
    json.end_array();
    if (!ready.capture) {
      json.field("ring_bytes", ready.ring_bytes);
      return;
    }
    json.key("capture");
    json.begin_object();
    json.field("path", ready.capture->path);
    json.field("format", ready.capture->format);
    json.key("interfaces");
    json.begin_array();
    for (const CaptureSource::Interface& interface : ready.capture->interfaces) {
      json.begin_object();
      json.key("name");
      interface.name.empty() ? json.null() : json.value(interface.name);
      json.field("link_type", interface.link_type);
      json.end_object();
    }
    json.end_array();
    json.end_object();
  }

  static void put(JsonWriter& json, const FindingReport& report) {
    begin_report(json, "finding", report.ts_ns);
    json.key("conn");
    report.conn != 0 ? json.value(report.conn) : json.null();
    put_flow(json, report.flow);
    put_nat(json, report.nat);
    json.plain_field("rule", name(report.finding.rule));
    json.plain_field("confidence", name(report.finding.confidence));
    json.field("text", sentence(report.finding));
    const RuleEntry& entry = entry_of(report.finding.rule);
    json.field("meaning", entry.meaning);
    json.field("advice", entry.advice);
    json.key("evidence");
    json.begin_array();
    for (const EventId id : report.finding.evidence) json.value(id);
    json.end_array();
    put_nonzero(json, "more_evidence", report.finding.more_evidence);
    put_peer(json, report.finding.peer);
  }

  static void put(JsonWriter& json, const GapReport& report) {
    begin_report(json, "gap", report.ts_ns);
    json.field("lost", report.gap.lost);
    constexpr std::array<std::string_view, 5> causes{"ring full", "skipped", "left out", "not in file", "untraced"};
    const GapCause cause = cause_of(report.gap);
    json.field("cause", causes[static_cast<std::size_t>(cause)]);
    if (cause == GapCause::ring_full) json.field("cpu", report.gap.cpu);
    json.field("from_ts_ns", report.gap.from_ts_ns);
    json.field("to_ts_ns", report.gap.to_ts_ns);
  }

  static void put(JsonWriter& json, const Summary& summary) {
    begin_report(json, "summary", summary.ts_ns);
    json.field("connections", summary.connections);
    if (summary.chosen) json.field("chosen", *summary.chosen);
    json.key("events");
    json.begin_object();
    for (const auto& [kind, key] : kinds) json.field(key, summary.events[static_cast<std::size_t>(kind)]);
    json.end_object();
    json.field("drops", summary.drops);
    json.field("lost", summary.lost);
    json.field("malformed", summary.malformed);
    json.field("flows_full", summary.flows_full);
    json.field("unaccounted", summary.unaccounted);
    put_missing(json, summary.missing);
    put_nonzero(json, "unwritten", summary.unwritten);
    put_nonzero(json, "untracked", summary.untracked);
    put_nonzero(json, "missed", summary.missed);
    put_nonzero(json, "unlisted", summary.unlisted);
    put_nonzero(json, "given_up", summary.given_up);
    if (summary.recording) {
      json.key("recording");
      json.begin_object();
      json.field("file", summary.recording->file);
      json.field("files", summary.recording->files);
      json.field("blocks", summary.recording->blocks);
      json.field("bytes", summary.recording->bytes);
      json.field("lost_blocks", summary.recording->lost_blocks);
      if (summary.recording->fired) json.field("fired", *summary.recording->fired);
      put_nonzero(json, "dropped_early", summary.recording->dropped_early);
      json.end_object();
    }
    if (!summary.capture) return;
    json.key("capture");
    json.begin_object();
    json.field("frames", summary.capture->frames);
    json.field("segments", summary.capture->segments);
    json.field("conversations", summary.capture->conversations);
    put_nonzero(json, "dropped", summary.capture->dropped);
    put_nonzero(json, "cut", summary.capture->cut);
    put_nonzero(json, "damage", summary.capture->damage);
    json.end_object();
  }

  Output& output_;
  const Names& names_;
  std::unique_ptr<Stories> stories_;
  std::vector<Sentence> sentences_;  // of the life that is being written  // explain only
};

}  // namespace

// Nothing is written to its output.
class JsonReport::Impl {
 public:
  explicit Impl(const Names& names) : sink_(none_, names) {}
  void append(Buffer& out, const Report& report) { sink_.append(out, report); }

 private:
  Output none_{-1};
  JsonSink sink_;
};

JsonReport::JsonReport(const Names& names) : impl_(std::make_unique<Impl>(names)) {}
JsonReport::~JsonReport() = default;
void JsonReport::append(Buffer& out, const Report& report) { impl_->append(out, report); }

std::unique_ptr<Sink> make_json(Output& output, const Names& names) {
  return std::make_unique<JsonSink>(output, names);
}

std::unique_ptr<Sink> make_story_json(Output& output, const Names& names, bool wire_alone) {
  constexpr bool utf8 = true;
  return std::make_unique<JsonSink>(output, names, std::make_unique<Stories>(names, utf8, wire_alone));
}

}  // namespace tcpwitness
