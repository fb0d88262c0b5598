// SPDX-License-Identifier: Apache-2.0
// life_columns.cpp: see life_columns.hpp.
#include "sink/life_columns.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <span>
#include <vector>

#include "sink/format.hpp"

namespace tcpwitness {
namespace {

constexpr std::array<LifeColumnShape, life_column_count> shapes{{
    {"STREAM", 6, 6, true, 0},    {"TIME", 8, 8, false, 1},     {"START", 19, 19, false, 1},
    {"PID", 6, 7, true, 0},       {"COMM", 6, 15, false, 0},    {"LOCAL", 17, 21, false, 0},
    {"", 2, 2, false, 0},         {"REMOTE", 17, 21, false, 0}, {"TX", 5, 5, true, 7},
    {"RX", 5, 5, true, 7},        {"MS", 7, 8, true, 0},        {"HS-MS", 6, 6, true, 2},
    {"RTT-MS", 6, 6, true, 4},    {"RETRANS", 7, 7, true, 6},   {"SEEN", 4, 4, false, 3},
    {"BY", 5, 5, false, 5},       {"OUTCOME", 9, 18, false, 0}, {"ZEEK", 6, 6, false, 3},
    {"FINDINGS", 9, 9, false, 0},
}};
constexpr std::uint8_t last_drop = 7;

constexpr std::array only_listening{LifeColumn::time, LifeColumn::pid, LifeColumn::comm, LifeColumn::rtt,
                                    LifeColumn::seen};
constexpr std::array only_capture{LifeColumn::stream, LifeColumn::start, LifeColumn::zeek};

// What errno a process gets with this outcome; naming it again would say nothing.
bool is_implied(Outcome outcome, int error) {
  switch (outcome) {
    case Outcome::refused:
      return error == ECONNREFUSED;
    case Outcome::connect_timeout:
    case Outcome::connect_ignored:
    case Outcome::keepalive_timeout:
    case Outcome::retransmit_timeout:
    case Outcome::user_timeout:
      return error == ETIMEDOUT;
    case Outcome::no_local_port:
      return error == EADDRNOTAVAIL;
    case Outcome::reset_by_peer:
    case Outcome::reset_by_outsider:
      return error == ECONNRESET || error == EPIPE;
    default:
      return false;
  }
}

std::string_view seen(const Life& life) {
  if (life.kernel_heard) return life.wire_heard ? "K+W" : "K";
  return life.wire_heard ? "W" : "-";
}

void add(std::string& list, std::string_view word, std::string_view separator) {
  if (!list.empty()) list += separator;
  list += word;
}

// Rules first, each once; then, in brackets, what limits the evidence.
void fill_notes(Cell& cell, const Life& life, bool wire_alone) {
  cell.text.clear();
  cell.colour = Colour::none;
  for (std::size_t i = 0; i < life.findings.size(); ++i) {
    const auto first = std::ranges::find(life.findings, life.findings[i].rule, &Finding::rule);
    if (first == life.findings.begin() + static_cast<std::ptrdiff_t>(i))
      add(cell.text, name(life.findings[i].rule), ",");
  }
  if (!cell.text.empty() || life.incomplete) cell.colour = Colour::warn;
  std::string limits;
  if (life.error && *life.error != 0 && !is_implied(life.outcome, *life.error))
    add(limits, errno_name(*life.error), ", ");
  if (life.preexisting) add(limits, "open before start", ", ");
  const bool nothing_sent = life.outcome == Outcome::no_local_port;
  if (life.forwarded) {
    const auto on = [](const Hop& hop) { return hop.interface.empty() ? std::string("?") : hop.interface; };
    add(limits, fmt::format("{} | {}", on(life.forwarded->client), on(life.forwarded->server)), ", ");
  } else if (life.kernel_heard != life.wire_heard && !wire_alone && !nothing_sent)
    add(limits, life.kernel_heard ? "kernel only" : "packets only", ", ");
  if (life.conversation) {
    const std::uint64_t missing = life.conversation->out.missing_bytes + life.conversation->in.missing_bytes;
    if (missing != 0) add(limits, fmt::format("{} not captured", bytes_in_words(missing)), ", ");
    const std::uint32_t twice = life.conversation->out.duplicate_frames + life.conversation->in.duplicate_frames;
    if (twice != 0) add(limits, fmt::format("{} duplicate packets", twice), ", ");
  }
  if (life.duplicates_in != 0) add(limits, fmt::format("{} duplicate packets", life.duplicates_in), ", ");
  if (life.incomplete) add(limits, "events lost", ", ");
  if (life.nat) add(limits, "NAT: " + nat_text(life.flow, *life.nat), ", ");
  if (limits.empty()) return;
  if (!cell.text.empty()) cell.text += ' ';
  cell.text += '(' + limits + ')';
}

// Sent again by this side / by the peer.
void fill_retransmits(Cell& cell, const Life& life) {
  const std::uint32_t in = life.retransmits_in.value_or(0);
  cell.text = life.retransmits_in ? fmt::format("{}/{}", life.retransmits, in) : fmt::format("{}/?", life.retransmits);
  cell.columns = cell.text.size();
  cell.colour = life.retransmits != 0 || in != 0 ? Colour::warn : Colour::dim;
}

}  // namespace

const LifeColumnShape& shape(LifeColumn column) { return shapes[static_cast<std::size_t>(column)]; }

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

bool is_bad(Outcome outcome) {
  return outcome != Outcome::completed && outcome != Outcome::open && outcome != Outcome::unknown;
}

Colour colour_of(Outcome outcome) {
  if (is_bad(outcome)) return Colour::bad;
  return outcome == Outcome::completed ? Colour::none : Colour::dim;
}

void fill(Cell& cell, LifeColumn column, const Life& life, const TextStyle& style) {
  const auto put = [&](std::string_view text, Colour colour = Colour::none) {
    cell.text.assign(text);
    cell.columns = text.size();
    cell.colour = colour;
  };
  const auto number = [](std::uint64_t value) { return ShortText().add(value); };
  switch (column) {
    case LifeColumn::stream:
      return life.conversation ? put(number(life.conversation->stream), Colour::dim) : put("?", Colour::dim);
    case LifeColumn::start:
      return put(date_seconds(life.start_ts_ns), Colour::dim);
    case LifeColumn::zeek:
      return put(life.zeek_state.empty() ? "-" : life.zeek_state, Colour::dim);
    case LifeColumn::time:
      return put(clock_seconds(life.ts_ns), Colour::dim);
    case LifeColumn::pid:
      if (life.forwarded) return put("-", Colour::dim);
      return life.process.pid != 0 ? put(number(life.process.pid)) : put("?");
    case LifeColumn::comm:
      if (life.forwarded) return put("forwarded", Colour::dim);
      put(life.process.comm.empty() ? "?" : printable(life.process.comm, style.utf8), Colour::bold);
      cell.columns = columns(cell.text);
      return;
    case LifeColumn::local:
      return put(endpoint_text(life.flow.local));
    case LifeColumn::role:
      put(role_mark(life.role, style.utf8), Colour::dim);
      cell.columns = columns(cell.text);
      return;
    case LifeColumn::remote:
      return put(endpoint_text(life.flow.remote));
    case LifeColumn::tx:
      return put(short_bytes(life.tx_bytes));
    case LifeColumn::rx:
      return put(short_bytes(life.rx_bytes));
    case LifeColumn::ms:
      if (life.preexisting) return put(ShortText().add('>').add(short_ms(life.duration_ns)));  // at least so long
      return put(short_ms(life.duration_ns));
    case LifeColumn::handshake:
      return life.handshake_ns ? put(short_ms(*life.handshake_ns)) : put("-");
    case LifeColumn::rtt:
      return life.srtt_us ? put(short_ms(std::int64_t{*life.srtt_us} * 1000)) : put("-");
    case LifeColumn::retransmits:
      return fill_retransmits(cell, life);
    case LifeColumn::seen:
      return put(seen(life), life.kernel_heard && life.wire_heard ? Colour::dim : Colour::warn);
    case LifeColumn::closed_by:
      return put(life.closed_by == ClosedBy::none ? "-" : name(life.closed_by));
    case LifeColumn::outcome:
      return put(name(life.outcome), colour_of(life.outcome));
    case LifeColumn::notes:
      fill_notes(cell, life, style.wire_alone);
      cell.columns = columns(cell.text);
      return;
  }
}

LifeWidths columns_that_fit(const TextStyle& style) {
  LifeWidths tight{};
  LifeWidths roomy{};
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    tight[i] = shapes[i].tight;
    roomy[i] = shapes[i].roomy;
  }
  const auto drop = [&](std::size_t i) { tight[i] = roomy[i] = 0; };
  const auto fits = [&](const LifeWidths& widths) {
    std::size_t sum = 0;
    for (const std::size_t width : widths) sum += width != 0 ? width + 1 : 0;
    return style.width == 0 || sum - 1 <= style.width;
  };
  if (!style.clock) drop(static_cast<std::size_t>(LifeColumn::time));
  for (const LifeColumn column : style.wire_alone ? std::span<const LifeColumn>(only_listening) : only_capture) {
    drop(static_cast<std::size_t>(column));
  }
  for (std::uint8_t rank = 1; rank <= last_drop && !fits(tight); ++rank) {
    for (std::size_t i = 0; i < shapes.size(); ++i) {
      if (shapes[i].dropped == rank) drop(i);
    }
  }
  return fits(roomy) ? roomy : tight;
}

}  // namespace tcpwitness
