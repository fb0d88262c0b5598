// SPDX-License-Identifier: Apache-2.0
// trace_text.cpp: the timeline: what the kernel did in one lane, what crossed the wire in the other, the
// cause in words beside them.
//
// Lines come in ring order, so connections interleave: every line names its connection, its delta is to
// the line before of that connection, and the first line of one is preceded by a heading. On a narrow
// terminal the two lanes share one, and a capture has only one; details wrap, they are never cut.
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <unordered_map>

#include "sink/closing_words.hpp"
#include "sink/format.hpp"
#include "sink/life_columns.hpp"
#include "sink/line.hpp"
#include "sink/remembered.hpp"
#include "sink/sinks.hpp"
#include "sink/trace_words.hpp"

namespace tcpwitness {
namespace {

constexpr std::size_t delta_width = 10;
constexpr std::size_t kernel_width = 25;
constexpr std::size_t wire_width = 15;
constexpr std::size_t two_lanes_need = 112;  // columns
constexpr std::size_t prose_needs = 40;

class TraceTextSink final : public Sink {
 public:
  TraceTextSink(Output& output, const Names& names, const TextStyle& style)
      : output_(output),
        names_(names),
        style_(style),
        words_{.names = names, .utf8 = style.utf8},
        id_width_(style.wire_alone ? 7 : 5),
        two_lanes_(!style.wire_alone && (style.width == 0 || style.width >= two_lanes_need)) {}

  void write(const Report& report) override {
    if (const auto* entry = std::get_if<Entry>(&report)) {
      write_entry(*entry);
    } else if (const auto* finding = std::get_if<FindingReport>(&report)) {
      write_finding(*finding);
    } else if (const auto* life = std::get_if<Life>(&report)) {
      write_life(*life);
    } else if (const auto* gap = std::get_if<GapReport>(&report)) {
      write_gap(gap->gap);
    }
    output_.line_done();
  }
  bool flush() override { return output_.flush(); }

 private:
  struct Connection {
    Flow flow;
    std::optional<TimeNs> last;
    std::uint32_t ifindex = 0;  // where its segments were last seen
    bool port_reported = false;
    bool nat_reported = false;
  };

  [[nodiscard]] Line line() { return {output_.buffer(), style_, style_.width}; }
  [[nodiscard]] std::size_t conn_column() const { return id_width_ + 2 + delta_width + 2; }
  [[nodiscard]] std::size_t lane_column() const { return conn_column() + conn_width_ + 2; }
  [[nodiscard]] std::size_t wire_column() const { return lane_column() + (two_lanes_ ? kernel_width + 2 : 0); }
  [[nodiscard]] std::size_t details_column() const {
    return wire_column() + (two_lanes_ || style_.wire_alone ? wire_width : kernel_width) + 2;
  }
  [[nodiscard]] std::string label(ConnectionId conn) {
    std::string text = conn != 0 ? fmt::format("#{}", conn) : "-";
    conn_width_ = std::max(conn_width_, text.size());
    return text;
  }

  void write_entry(const Entry& entry) {
    if (std::holds_alternative<SampleEntry>(entry.body)) return;  // nothing happened
    Connection& connection = find(entry);
    EntryText rendered = std::visit([&](const auto& body) { return words_.render(body); }, entry.body);
    if (const auto* segment = std::get_if<SegmentEntry>(&entry.body)) {
      add_interface(connection, segment->segment.ifindex, rendered);
    }
    if (!connection.port_reported && entry.flow.local.port != 0) {
      connection.port_reported = true;
      rendered.details.push_back({fmt::format("from port {}", entry.flow.local.port)});
    }
    if (entry.nat && !std::exchange(connection.nat_reported, true)) {
      rendered.details.push_back({fmt::format("NAT: on the wire {}", nat_text(entry.flow, *entry.nat))});
    }
    Line text = begin(entry.id, delta(connection, entry.ts_ns), entry.conn);
    const bool wire = !rendered.wire.text.empty();
    if (two_lanes_ || !wire) text.put(rendered.kernel.text, rendered.kernel.colour);
    if (wire) {
      text.pad_to(wire_column());
      text.put(rendered.wire.text, rendered.wire.colour);
    }
    text.pad_to(details_column());
    for (const Span& span : rendered.details) text.words(span.text, details_column(), span.colour);
    if (!rendered.states.empty()) text.words("=> " + rendered.states, details_column(), Colour::none);
    if (!two_lanes_ && wire && !rendered.kernel_expected)
      text.words(rendered.kernel.text, details_column(), rendered.kernel.colour);
    text.end();
  }

  // The interface is reported once, and again where a connection changes it.
  void add_interface(Connection& connection, std::uint32_t ifindex, EntryText& rendered) {
    if (ifindex == 0 || connection.ifindex == ifindex) return;
    connection.ifindex = ifindex;
    if (names_.interface(ifindex).empty()) return;  // of a capture that has none
    rendered.details.push_back({"on " + names_.interface(ifindex), Colour::dim});
  }

  Line begin(EventId id, std::string_view delta, ConnectionId conn) {
    Line text = line();
    if (id != 0) {
      const std::string number = std::to_string(id);
      text.pad_to(id_width_ - std::min(id_width_, number.size()));
      text.put(number, Colour::dim);
    }
    if (!delta.empty()) {
      text.pad_to(id_width_ + 2 + delta_width - std::min(delta_width, delta.size()));
      text.put(delta, Colour::dim);
    }
    text.pad_to(conn_column());
    text.put(label(conn), conn != 0 ? hue_of(conn) : Colour::dim);
    text.pad_to(lane_column());
    return text;
  }

  // Ring order is causal; clocks inside it can run backwards, and a delta never does.
  static std::string delta(Connection& connection, TimeNs now) {
    std::string text;
    if (connection.last) text = "+" + grouped_seconds(now - *connection.last);
    connection.last = std::max(now, connection.last.value_or(now));
    return text;
  }

  Connection& find(const Entry& entry) {
    if (entry.conn == 0) {
      if (stray_.last && stray_.flow == entry.flow) return stray_;
      stray_ = {.flow = entry.flow, .last = {}, .port_reported = true};
      write_heading(entry.conn, entry.flow, role_of(entry), "no connection", names_.wall.of(entry.ts_ns));
      return stray_;
    }
    if (ended_.contains(entry.conn)) {  // its last segments: it has its heading, and nothing more is kept of it
      after_end_ = {.flow = entry.flow, .last = {}, .port_reported = true, .nat_reported = true};
      return after_end_;
    }
    const auto [found, fresh] = connections_.try_emplace(entry.conn);
    if (fresh) {
      found->second.flow = entry.flow;
      found->second.port_reported = entry.flow.local.port != 0;
      const auto* state = std::get_if<StateEntry>(&entry.body);
      const bool known = state != nullptr && state->process.pid != 0;
      write_heading(entry.conn, entry.flow, role_of(entry), known ? process_text(state->process, style_.utf8) : "",
                    names_.wall.of(entry.ts_ns));
    }
    return found->second;
  }

  void write_heading(ConnectionId conn, const Flow& flow, Role role, std::string_view who, TimeNs at) {
    write_titles();
    output_.buffer().push_back('\n');
    Line text = line();
    text.put(label(conn), conn != 0 ? hue_of(conn) : Colour::dim);
    text.put("  ");
    text.put(endpoint_text(flow.local), Colour::bold);
    text.put(fmt::format(" {} ", role_mark(role, style_.utf8)));
    text.put(endpoint_text(flow.remote), Colour::bold);
    if (!who.empty()) {
      text.put("  ");
      text.put(who, Colour::bold);
    }
    text.put("  ");
    text.put(style_.wire_alone ? date_micros(at) : clock_micros(at), Colour::dim);
    text.end();
  }

  // Who opened it, as far as the first entry shows.
  static Role role_of(const Entry& entry) {
    if (const auto* state = std::get_if<StateEntry>(&entry.body)) {
      if (state->to == TcpState::syn_sent) return Role::active;
      if (state->to == TcpState::syn_recv || state->to == TcpState::new_syn_recv) return Role::passive;
    } else if (const auto* wire = std::get_if<SegmentEntry>(&entry.body)) {
      if ((wire->segment.flags & tcp_flag::syn) == 0) return Role::unknown;
      const bool out = wire->segment.outgoing();
      const bool answer = (wire->segment.flags & tcp_flag::ack) != 0;
      return out != answer ? Role::active : Role::passive;
    }
    return Role::unknown;
  }

  void write_titles() {
    if (std::exchange(titles_written_, true)) return;
    Line text = line();
    const std::string_view title = style_.wire_alone ? "frame" : "id";
    text.pad_to(id_width_ - title.size());
    text.put(title, Colour::dim);
    text.pad_to(id_width_ + 2 + delta_width - 7);
    text.put("seconds", Colour::dim);
    text.pad_to(lane_column());
    text.put(two_lanes_ ? "kernel" : style_.wire_alone ? "wire" : "kernel, wire", Colour::dim);
    if (two_lanes_) {
      text.pad_to(wire_column());
      text.put("wire", Colour::dim);
    }
    text.end();
  }

  void write_finding(const FindingReport& report) {
    const Finding& finding = report.finding;
    Line text = begin(0, "", report.conn);
    text.put(style_.utf8 ? "\u25b2 " : "!!", Colour::warn);
    const std::size_t indent = prose_column();
    text.words(fmt::format("{} ({}):", name(finding.rule), name(finding.confidence)), indent, Colour::warn);
    text.words(sentence(finding), indent);
    std::string evidence;
    for (const EventId id : finding.evidence) evidence += fmt::format("{}{}", evidence.empty() ? "" : " ", id);
    if (finding.more_evidence != 0) evidence += fmt::format(" and {} more", finding.more_evidence);
    if (!evidence.empty()) text.words("(" + evidence + ")", indent, Colour::dim);
    text.end();
  }

  void write_life(const Life& life) {
    const bool known = connections_.erase(life.conn) != 0;
    ended_.add(life.conn);
    if (!known) {
      const bool nobody = style_.wire_alone && life.process.pid == 0;
      write_heading(life.conn, life.flow, life.role,
                    nobody           ? ""
                    : life.forwarded ? "forwarded"
                                     : process_text(life.process, style_.utf8),
                    names_.wall.of(life.start_ts_ns));
    }
    Line text = begin(0, "", life.conn);
    text.put(style_.utf8 ? "\u2550\u2550" : "==", colour_of(life.outcome));
    const std::size_t indent = prose_column();
    const std::string closing = closing_words(life);
    const std::size_t outcome_end = closing.find(" after ");
    text.words(closing.substr(0, outcome_end), indent, is_problem(life.outcome) ? Colour::bad : Colour::good);
    text.words(closing.substr(outcome_end + 1), indent);
    text.end();
    if (life.explanation.empty()) return;
    text.pad_to(indent);
    text.words(life.explanation, indent);
    text.end();
  }

  // After "!! " and "== "; where that leaves no room for prose, near the left edge.
  [[nodiscard]] std::size_t prose_column() const {
    const std::size_t column = lane_column() + 3;
    return style_.width == 0 || style_.width >= column + prose_needs ? column : 6;
  }

  void write_gap(const Gap& gap) {
    Line text = line();
    text.pad_to(0);
    text.put("########", Colour::loud);
    text.words(fmt::format("{}: what follows may lack its cause ########", gap_in_words(gap)), 9, Colour::loud);
    text.end();
  }

  Output& output_;
  const Names& names_;
  TextStyle style_;
  TraceWords words_;
  std::size_t id_width_;
  bool two_lanes_;  // a capture has none but the wire's
  bool titles_written_ = false;
  std::size_t conn_width_ = 2;
  std::unordered_map<ConnectionId, Connection> connections_;
  Remembered ended_{std::size_t{1} << 17U};
  Connection after_end_;
  Connection stray_;
};

}  // namespace

std::unique_ptr<Sink> make_trace_text(Output& output, const Names& names, const TextStyle& style) {
  return std::make_unique<TraceTextSink>(output, names, style);
}

}  // namespace tcpwitness
