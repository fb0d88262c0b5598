// SPDX-License-Identifier: Apache-2.0
// life_columns.hpp: the columns of the life table and what each says of one Life. Pure; life_text.cpp prints.
//
// Cells are filled one by one, so a test can ask for one, and again for the next line, so that nothing is allocated. A
// value that is not known is "?", one that does not apply is "-".
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "sink/paint.hpp"
#include "sink/sinks.hpp"
#include "sink/table.hpp"
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

// PID COMM LOCAL -> REMOTE TX RX DURATION CONNECT SRTT RETRANS SRC CLOSED-BY OUTCOME FINDINGS; of a capture
// STREAM START LOCAL -> REMOTE TX RX DURATION CONNECT RETRANS CLOSED-BY OUTCOME ZEEK FINDINGS
[[nodiscard]] std::span<const TableColumn> life_table();

// What is found, the cause first, each rule once; then what limits the evidence.
void fill(CellList& list, const Life& life, const TextStyle& style);
void fill(Cell& cell, LifeColumn column, const Life& life, const TextStyle& style);

// Width of each column, 0 where it is not shown: drops the least important until the common case fits the terminal.
using LifeWidths = std::array<std::size_t, life_column_count>;
[[nodiscard]] LifeWidths columns_that_fit(const TextStyle& style);

// "->" opened here, "<-" opened by the peer, "--" not known.
[[nodiscard]] std::string_view role_mark(Role role, bool utf8);

// An end that somebody did not want.
[[nodiscard]] bool is_bad(Outcome outcome);
[[nodiscard]] Colour colour_of(Outcome outcome);

}  // namespace tcpwitness
