// SPDX-License-Identifier: Apache-2.0
// trace_csv.cpp: the timeline as a table, one row an entry. The columns are a contract (docs/events.md): new ones come
// at the end.
//
// Numbers have columns; what else the timeline has in words is the text, and in brackets, "(12)", the ids of other
// rows. Findings, ends of connections and gaps are rows too.
#include <fmt/format.h>

#include <string>

#include "sink/closing_words.hpp"
#include "sink/csv_writer.hpp"
#include "sink/sinks.hpp"
#include "sink/trace_words.hpp"

namespace tcpwitness {
namespace {

constexpr std::string_view csv_columns =
    "type,conn,id,time,witness,local_ip,local_port,remote_ip,remote_port,interface,dir,flags,seq,ack,rel_seq,rel_ack,"
    "len,win,win_bytes,analysis,text,nat_local_ip,nat_local_port,nat_remote_ip,nat_remote_port\n";
constexpr unsigned segment_columns = 11;  // interface to analysis

std::string_view type_of(const Entry& entry) {
  struct Name {
    std::string_view operator()(const StateEntry&) const { return "state"; }
    std::string_view operator()(const SegmentEntry&) const { return "segment"; }
    std::string_view operator()(const RetransmitEntry&) const { return "retransmit"; }
    std::string_view operator()(const ResetEntry&) const { return "reset"; }
    std::string_view operator()(const ErrorEntry&) const { return "error"; }
    std::string_view operator()(const DropEntry&) const { return "drop"; }
    std::string_view operator()(const KeepaliveEntry&) const { return "keepalive"; }
    std::string_view operator()(const ProbeEntry&) const { return "probe"; }
    std::string_view operator()(const OwnerEntry&) const { return "owner"; }
    std::string_view operator()(const PortsEntry&) const { return "ports"; }
    std::string_view operator()(const IcmpEntry&) const { return "icmp"; }
    std::string_view operator()(const SampleEntry&) const { return "sample"; }
  };
  return std::visit(Name{}, entry.body);
}

void add(std::string& text, std::string_view words) {
  if (words.empty()) return;
  if (!text.empty()) text += ", ";
  text += words;
}

class TraceCsvSink final : public Sink {
 public:
  TraceCsvSink(Output& output, const Names& names, bool wire_alone)
      : output_(output), names_(names), words_{.names = names, .utf8 = false}, wire_alone_(wire_alone) {
    append(output_.buffer(), csv_columns);
  }

  void write(const Report& report) override {
    if (const auto* entry = std::get_if<Entry>(&report)) {
      write_entry(*entry);
    } else if (const auto* finding = std::get_if<FindingReport>(&report)) {
      write_finding(*finding);
    } else if (const auto* life = std::get_if<Life>(&report)) {
      write_life(*life);
    } else if (const auto* gap = std::get_if<GapReport>(&report)) {
      write_gap(*gap);
    }
    output_.line_done();
  }
  bool flush() override { return output_.flush(); }

 private:
  static void begin(CsvRow& row, std::string_view type, ConnectionId conn, EventId id, TimeNs at,
                    std::string_view witness) {
    row.text(type);
    conn != 0 ? row.number(conn) : row.empty();
    id != 0 ? row.number(id) : row.empty();
    row.time(at);
    row.text(witness);
  }
  static void put_flow(CsvRow& row, const Flow& flow) {
    row.address(flow.local.address);
    row.number(flow.local.port);
    row.address(flow.remote.address);
    row.number(flow.remote.port);
  }

  void write_entry(const Entry& entry) {
    CsvRow row(output_.buffer());
    const auto* segment = std::get_if<SegmentEntry>(&entry.body);
    begin(row, type_of(entry), entry.conn, entry.id, entry.ts_ns,
          segment != nullptr || wire_alone_ ? "wire" : "kernel");
    put_flow(row, entry.flow);
    segment != nullptr ? put_segment(row, *segment) : row.empty(segment_columns);
    const EntryText rendered = std::visit([&](const auto& body) { return words_.render(body); }, entry.body);
    std::string text = rendered.kernel.text;
    // Of a segment, the analysis and the numbers have columns.
    for (std::size_t i = segment != nullptr ? segment->analysis.size() + 1 : 0; i < rendered.details.size(); ++i) {
      add(text, rendered.details[i].text);
    }
    add(text, rendered.states);
    row.text(text);
    put_nat(row, entry.nat);
    row.end();
  }

  void put_segment(CsvRow& row, const SegmentEntry& entry) const {
    const Segment& segment = entry.segment;
    const bool ack = (segment.flags & tcp_flag::ack) != 0;
    segment.ifindex != 0 ? row.foreign(names_.interface(segment.ifindex)) : row.empty();
    row.text(segment.outgoing() ? "out" : "in");
    row.text(flags_text(segment.flags));
    row.number(segment.seq);
    row.number(segment.ack);
    entry.relative ? row.number(entry.rel_seq) : row.empty();
    entry.relative&& ack ? row.number(entry.rel_ack) : row.empty();
    row.number(segment.len);
    row.number(segment.window);
    row.number(entry.window_bytes);
    std::string analysis;
    for (const std::string_view word : entry.analysis) {
      analysis.append(analysis.empty() ? "" : "; ").append(numbered(word, segment.analysis));
    }
    row.text(analysis);
  }

  void write_finding(const FindingReport& report) {
    const Finding& finding = report.finding;
    CsvRow row(output_.buffer());
    begin(row, "finding", report.conn, 0, report.ts_ns, "");
    put_flow(row, report.flow);
    row.empty(segment_columns);
    std::string text = fmt::format("{} ({}): {}", name(finding.rule), name(finding.confidence), sentence(finding));
    if (!finding.evidence.empty()) text += fmt::format(" ({})", fmt::join(finding.evidence, " "));
    row.foreign(text);
    put_nat(row, report.nat);
    row.end();
  }

  void write_life(const Life& life) {
    CsvRow row(output_.buffer());
    begin(row, "life", life.conn, 0, life.ts_ns, "");
    put_flow(row, life.flow);
    row.empty(segment_columns);
    std::string text = closing_words(life);
    if (!life.explanation.empty()) text += ". " + life.explanation;
    row.foreign(text);
    put_nat(row, life.nat);
    row.end();
  }

  void write_gap(const GapReport& report) {
    CsvRow row(output_.buffer());
    begin(row, "gap", 0, 0, report.ts_ns, "");
    row.empty(4 + segment_columns);
    row.text(gap_in_words(report.gap));
    row.empty(nat_columns);
    row.end();
  }

  Output& output_;
  const Names& names_;
  TraceWords words_;
  bool wire_alone_;
};

}  // namespace

std::unique_ptr<Sink> make_trace_csv(Output& output, const Names& names, bool wire_alone) {
  return std::make_unique<TraceCsvSink>(output, names, wire_alone);
}

}  // namespace tcpwitness
