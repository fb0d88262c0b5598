// SPDX-License-Identifier: Apache-2.0
// life_columns.hpp: the columns of the life table and what each says of one Life. Pure; life_text.cpp prints.
//
// Cells are filled one by one, so a test can ask for one, and again for the next line, so that nothing is allocated. A
// value that is not known is "?", one that does not apply is "-".
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "sink/paint.hpp"
#include "sink/sinks.hpp"
#include "tcpwitness/connection.hpp"

namespace tcpwitness {

enum class LifeColumn : std::uint8_t {
  stream,  // of a capture; what has no place in it or only there is said by wire_alone
  time,
  start,  // of a capture, with the date: it may be years old
  pid,
  comm,
  local,
  role,
  remote,
  tx,
  rx,
  ms,
  handshake,
  rtt,
  retransmits,
  seen,
  closed_by,
  outcome,
  zeek,  // of a capture
  notes,
};
inline constexpr std::size_t life_column_count = 19;

struct LifeColumnShape {
  std::string_view title;
  std::uint8_t tight;    // width at first where space is scarce; grows with what is printed
  std::uint8_t roomy;    // width at first where it is not: nothing of IPv4 will make it grow
  bool right;            // numbers
  std::uint8_t dropped;  // 0: never; 1 is the first to go when the terminal is narrow
};

// PID   COMM  LOCAL -> REMOTE  TX RX  MS  HS-MS RTT-MS  RETRANS SEEN BY OUTCOME NOTES; of a capture
// STREAM START  LOCAL -> REMOTE  TX RX  MS  HS-MS RETRANS BY OUTCOME ZEEK NOTES
[[nodiscard]] const LifeColumnShape& shape(LifeColumn column);

struct Cell {
  std::string text;
  std::size_t columns = 0;  // of the text
  Colour colour = Colour::none;
};

void fill(Cell& cell, LifeColumn column, const Life& life, const TextStyle& style);

// Width of each column at first, 0 where it is not shown: drops the least important until the common case
// fits the terminal.
using LifeWidths = std::array<std::size_t, life_column_count>;
[[nodiscard]] LifeWidths columns_that_fit(const TextStyle& style);

// "->" opened here, "<-" opened by the peer, "--" not known.
[[nodiscard]] std::string_view role_mark(Role role, bool utf8);

// An end that somebody did not want.
[[nodiscard]] bool is_bad(Outcome outcome);
[[nodiscard]] Colour colour_of(Outcome outcome);

}  // namespace tcpwitness
