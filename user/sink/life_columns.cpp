// SPDX-License-Identifier: Apache-2.0
// life_columns.cpp: see life_columns.hpp.
#include "sink/life_columns.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <span>
#include <vector>

#include "judge/catalogue.hpp"
#include "sink/format.hpp"
#include "values/report_filter.hpp"

namespace tcpwitness {
namespace {

constexpr std::uint8_t shortest_name = 4;

constexpr std::array<TableColumn, life_column_count> table{{
    {"STREAM", "", 6, 6, true, 0},
    {"TIME", "", 8, 8, false, 2},
    {"START", "", 19, 19, false, 2},
    {"PID", "", 6, 7, true, 9},
    {"COMM", "", 6, 15, false, 0, shortest_name},
    {"LOCAL", "", 17, 21, false, 10, shortest_address},
    {"", "", 2, 2, false, 10},
    {"REMOTE", "", 17, 21, false, 0, shortest_address},
    {"TX", "", 5, 5, true, 8},
    {"RX", "", 5, 5, true, 8},
    {"DURATION", "DUR", 6, 8, true, 0},
    {"CONNECT", "CONN", 6, 7, true, 3},
    {"SRTT", "", 6, 6, true, 5},
    {"RETRANS", "RETR", 5, 7, true, 7},
    {"SRC", "", 3, 3, false, 1},
    {"CLOSED-BY", "BY", 5, 9, false, 6},
    {"OUTCOME", "", 9, 18, false, 0},
    {"ZEEK", "", 6, 6, false, 4},
    {"ACCEPT", "", 6, 7, true, 0},
    {"REQUEST", "REQ", 6, 7, true, 0},
    {"REQ-ACK", "ACK", 6, 7, true, 0},
    {"1ST-BYTE", "BYTE1", 6, 8, true, 0},
    {"SERVER", "", 6, 7, true, 0},
    {"WAITING", "WAIT", 6, 7, true, 0},
    {"TRANSFER", "XFER", 6, 8, true, 0},
    {"STALLED", "STALL", 6, 7, true, 0},
    {"IDLE", "", 6, 7, true, 0},
    {"CLOSING", "CLOSE", 6, 7, true, 0},
    {"FINDINGS", "", 10, 26, false, 0},
}};

constexpr std::array only_listening{LifeColumn::time, LifeColumn::pid, LifeColumn::comm, LifeColumn::rtt,
                                    LifeColumn::seen};
constexpr std::array only_capture{LifeColumn::stream, LifeColumn::start, LifeColumn::zeek};

// Naming that errno again would add nothing.
bool is_implied(Outcome outcome, int error) {
  const auto& errors = entry_of(outcome).errors;
  return std::ranges::find(errors, error) != errors.end();
}

// What made a connection suffer comes before what it suffered.
Rank rank_of(Rule rule) { return entry_of(rule).rank; }

// "14:04:05" of a date and a time, which date_seconds() keeps from line to line.
std::string_view clock_of(std::string_view date) { return date.substr(date.size() - 8); }

std::string_view seen(const Life& life) {
  if (life.has_kernel) return life.has_wire ? "K+W" : "K";
  return life.has_wire ? "W" : "-";
}

void add_limits(std::vector<std::string>& limits, const Life& life, const TextStyle& style) {
  if (life.error && *life.error != 0 && !is_implied(life.outcome, *life.error))
    limits.push_back(errno_name(*life.error));
  if (life.preexisting) limits.emplace_back("open before start");
  const bool nothing_sent = life.outcome == Outcome::no_local_port;
  if (life.forwarded) {
    const auto on = [&](const Hop& hop) { return hop.interface.empty() ? "?" : printable(hop.interface, style.utf8); };
    limits.push_back(fmt::format("{} | {}", on(life.forwarded->client), on(life.forwarded->server)));
  } else if (life.has_kernel != life.has_wire && !style.wire_alone && !nothing_sent) {
    limits.emplace_back(life.has_kernel ? "kernel only" : "packets only");
  }
  if (life.conversation) {
    const std::uint64_t missing = life.conversation->out.missing_bytes + life.conversation->in.missing_bytes;
    if (missing != 0) limits.push_back(fmt::format("{} not captured", bytes_in_words(missing)));
    const std::uint32_t twice = life.conversation->out.duplicate_frames + life.conversation->in.duplicate_frames;
    if (twice != 0) limits.push_back(fmt::format("{} duplicate packets", twice));
  }
  if (life.duplicates_in != 0) limits.push_back(fmt::format("{} duplicate packets", life.duplicates_in));
  if (life.incomplete) limits.emplace_back("events lost");
  if (life.nat) limits.push_back("NAT: " + nat_text(life.flow, *life.nat));
}

}  // namespace

// TIME_WAIT is how every connection ends at the side that closes first: it is named where it was asked for.
void fill(CellList& list, const Life& life, const TextStyle& style) {
  list.names.clear();
  list.limits.clear();
  std::vector<Rule> rules;
  for (const Finding& finding : life.findings) {
    if (!is_problem(finding.rule) && !style.time_wait) continue;
    if (std::ranges::find(rules, finding.rule) == rules.end())
      rules.insert(std::ranges::upper_bound(rules, rank_of(finding.rule), {}, rank_of), finding.rule);
  }
  for (const Rule rule : rules) list.names.emplace_back(name(rule));
  add_limits(list.limits, life, style);
}

std::string_view role_mark(Role role, bool utf8) {
  switch (role) {
    case Role::active:
      return utf8 ? "\u2192" : "->";
    case Role::passive:
      return utf8 ? "\u2190" : "<-";
    case Role::unknown:
      break;
  }
  return utf8 ? "\u2013" : "--";
}

Colour colour_of(Outcome outcome) {
  if (is_problem(outcome)) return Colour::bad;
  return outcome == Outcome::completed ? Colour::none : Colour::dim;
}

void fill(Cell& cell, const CellList& list, const Life& life) {
  cell.text = folded(list, 0);
  cell.columns = columns(cell.text);
  cell.colour = list.names.empty() && !life.incomplete ? Colour::none : Colour::warn;
}

namespace {

// Of a column that is a phase; none of another.
std::optional<std::int64_t> phase_of(LifeColumn column, const Phases& phases) {
  switch (column) {
    case LifeColumn::accept:
      return phases.accept;
    case LifeColumn::request_ack:
      return phases.request_ack;
    case LifeColumn::request:
      return phases.request;
    case LifeColumn::first_byte:
      return phases.first_byte;
    case LifeColumn::server:
      return phases.server;
    case LifeColumn::waiting:
      return phases.waiting;
    case LifeColumn::transfer:
      return phases.transfer;
    case LifeColumn::stalled:
      return phases.stalled;
    case LifeColumn::idle:
      return phases.idle;
    case LifeColumn::closing:
      return phases.closing;
    default:
      return std::nullopt;
  }
}

// Sent again by this side / by the peer.
ShortText retransmits_text(const Life& life) {
  return ShortText().write([&](char* at) {
    at = put_number(at, life.retransmits);
    *at++ = '/';
    if (life.retransmits_in) return put_number(at, *life.retransmits_in);
    *at++ = '?';
    return at;
  });
}

// The text of a cell: put(text, columns of it, colour) is called once.
template <typename Put>
void write_cell(LifeColumn column, const Life& life, const TextStyle& style, const Put& put_text) {
  const auto put = [&](std::string_view text, Colour colour = Colour::none) { put_text(text, text.size(), colour); };
  const auto number = [](std::uint64_t value) { return ShortText().add(value); };
  switch (column) {
    case LifeColumn::stream:
      return life.conversation ? put(number(life.conversation->stream), Colour::dim) : put("?", Colour::dim);
    case LifeColumn::start:
      return put(date_seconds(life.start_ts_ns), Colour::dim);
    case LifeColumn::zeek:
      return put(life.zeek_state.empty() ? "-" : life.zeek_state, Colour::dim);
    case LifeColumn::time:
      return put(clock_of(date_seconds(life.ts_ns)), Colour::dim);
    case LifeColumn::pid:
      if (life.forwarded) return put("-", Colour::dim);
      return life.process.pid != 0 ? put(number(life.process.pid)) : put("?");
    case LifeColumn::comm: {
      if (life.forwarded) return put("forwarded", Colour::dim);
      if (life.process.comm.empty()) return put("?", Colour::bold);
      if (is_printable_ascii(life.process.comm)) return put(life.process.comm, Colour::bold);
      const std::string comm = printable(life.process.comm, style.utf8);
      return put_text(comm, style.utf8 ? columns(comm) : comm.size(), Colour::bold);
    }
    case LifeColumn::local:
      return put(endpoint_text(life.flow.local));
    case LifeColumn::role:
      return put_text(role_mark(life.role, style.utf8), style.utf8 ? 1 : 2, Colour::dim);
    case LifeColumn::remote:
      return put(endpoint_text(life.flow.remote));
    case LifeColumn::tx:
      return put(short_bytes(life.tx_bytes));
    case LifeColumn::rx:
      return put(short_bytes(life.rx_bytes));
    case LifeColumn::ms:
      if (life.preexisting) return put(ShortText().add('>').add(short_duration(life.duration_ns)));  // at least so long
      return put(short_duration(life.duration_ns));
    case LifeColumn::handshake:
      return life.handshake_ns ? put(short_duration(*life.handshake_ns)) : put("-");
    case LifeColumn::rtt:
      return life.srtt_us ? put(short_duration(std::int64_t{*life.srtt_us} * 1000)) : put("-");
    case LifeColumn::retransmits:
      return put(retransmits_text(life),
                 life.retransmits != 0 || life.retransmits_in.value_or(0) != 0 ? Colour::warn : Colour::dim);
    case LifeColumn::seen:
      return put(seen(life), life.has_kernel && life.has_wire ? Colour::dim : Colour::warn);
    case LifeColumn::closed_by:
      return put(life.closed_by == ClosedBy::none ? "-" : name(life.closed_by));
    case LifeColumn::outcome:
      return put(name(life.outcome), colour_of(life.outcome));
    case LifeColumn::accept:
    case LifeColumn::request_ack:
    case LifeColumn::request:
    case LifeColumn::first_byte:
    case LifeColumn::server:
    case LifeColumn::waiting:
    case LifeColumn::transfer:
    case LifeColumn::stalled:
    case LifeColumn::idle:
    case LifeColumn::closing:
      if (const auto ns = phase_of(column, life.phases)) return put(short_duration(*ns));
      return put("-", Colour::dim);
    case LifeColumn::notes: {
      CellList list;
      Cell cell;
      fill(list, life, style);
      fill(cell, list, life);
      return put_text(cell.text, cell.columns, cell.colour);
    }
  }
}

}  // namespace

void fill(Cell& cell, LifeColumn column, const Life& life, const TextStyle& style) {
  write_cell(column, life, style, [&](std::string_view text, std::size_t columns, Colour colour) {
    cell.text.assign(text);
    cell.columns = columns;
    cell.colour = colour;
  });
}

void write_wide(Buffer& out, const LifeLayout& layout, const Life& life, const CellList* list, const TextStyle& style) {
  WideRow row(out, style.colour);
  for (const LifeLayout::Shown& shown :
       std::span(layout.shown).first(layout.shown.size() - (list != nullptr ? 1 : 0))) {
    write_cell(shown.column, life, style, [&](std::string_view text, std::size_t columns, Colour colour) {
      row.put(shown.width, shown.right, text, columns, colour);
    });
  }
  if (list != nullptr && !(list->names.empty() && list->limits.empty())) {
    Cell cell;
    fill(cell, *list, life);
    row.put(layout.widths.back(), layout.table.back().right, cell.text, cell.columns, cell.colour);
  }
  row.end();
}

bool LifeLayout::shows(LifeColumn column) const {
  const auto at = std::ranges::find(columns, column);
  return at != columns.end() && widths[static_cast<std::size_t>(at - columns.begin())] != 0;
}

LifeLayout life_layout(const TextStyle& style) {
  LifeLayout layout;
  const auto add = [&](LifeColumn column) {
    layout.columns.push_back(column);
    layout.table.push_back(table[static_cast<std::size_t>(column)]);
    if (!style.columns.empty()) layout.table.back().dropped = 0;
  };
  const auto left_out = [&](LifeColumn column) {
    const auto elsewhere = style.wire_alone ? std::span<const LifeColumn>(only_listening) : only_capture;
    const bool phase = column >= LifeColumn::accept && column <= LifeColumn::closing;
    return (phase && !style.wide) || (column == LifeColumn::time && !style.clock) ||
           std::ranges::find(elsewhere, column) != elsewhere.end();
  };
  for (const LifeColumn column : style.columns) add(column);
  for (std::size_t i = 0; style.columns.empty() && i < table.size(); ++i) {
    if (!left_out(static_cast<LifeColumn>(i))) add(static_cast<LifeColumn>(i));
  }
  layout.widths.resize(layout.columns.size());
  fit_columns(layout.table, style.wide ? 0 : style.width, layout.widths);
  for (std::size_t i = 0; i < layout.columns.size(); ++i) {
    if (layout.widths[i] != 0)
      layout.shown.push_back({layout.columns[i], layout.table[i].right, static_cast<std::uint16_t>(layout.widths[i])});
  }
  return layout;
}

}  // namespace tcpwitness
