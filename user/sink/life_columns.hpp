// SPDX-License-Identifier: Apache-2.0
// life_columns.hpp: the columns of the life table and what each has of one Life. Pure; life_text.cpp prints.
//
// Cells are filled one by one, so a test can ask for one, and again for the next line, so that nothing is allocated. A
// value that is not known is "?", one that does not apply is "-".
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sink/paint.hpp"
#include "sink/sinks.hpp"
#include "sink/table.hpp"
#include "tcpwitness/connection.hpp"
#include "values/life_column.hpp"

namespace tcpwitness {

// PID COMM LOCAL -> REMOTE TX RX DURATION CONNECT SRTT RETRANS SRC CLOSED-BY OUTCOME FINDINGS; of a capture
// STREAM START LOCAL -> REMOTE TX RX DURATION CONNECT RETRANS CLOSED-BY OUTCOME ZEEK FINDINGS
//
// What is found, the cause first, each rule once; then what limits the evidence.
void fill(CellList& list, const Life& life, const TextStyle& style);
// Of the list, which can be longer than that of the connection alone.
void fill(Cell& cell, const CellList& list, const Life& life);
void fill(Cell& cell, LifeColumn column, const Life& life, const TextStyle& style);

// The columns of a table in their order, and the width of each; 0: not shown.
struct LifeLayout {
  std::vector<LifeColumn> columns;
  std::vector<TableColumn> table;
  std::vector<std::size_t> widths;
  // Of those that are shown what each row asks for, side by side.
  struct Shown {
    LifeColumn column;
    bool right;
    std::uint16_t width;
  };
  std::vector<Shown> shown;

  [[nodiscard]] bool shows(LifeColumn column) const;
};
// Those that style.columns asks for. Else all but the phases, of which the least important are left out until the
// common case fits the terminal; with style.wide all.
[[nodiscard]] LifeLayout life_layout(const TextStyle& style);

// A row that nothing narrows (style.width 0), at once. `list`: of the last cell, null where that is no list.
void write_wide(Buffer& out, const LifeLayout& layout, const Life& life, const CellList* list, const TextStyle& style);

// "->" opened here, "<-" opened by the peer, "--" not known.
[[nodiscard]] std::string_view role_mark(Role role, bool utf8);

// An end that somebody did not want.
[[nodiscard]] Colour colour_of(Outcome outcome);

}  // namespace tcpwitness
