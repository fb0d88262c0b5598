// SPDX-License-Identifier: Apache-2.0
// table.hpp: rows of a text table that never wrap.
//
// Columns have fixed widths. A cell that is longer moves the later cells of its own row only, and only until their
// padding has made up for it. A row that is wider than the terminal loses, in this order: words of its list
// ("zero-window,+2"), the middle of IPv6 addresses, its padding, the middle of other addresses and names. What is still
// too wide is cut, with a mark.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sink/paint.hpp"
#include "sink/sinks.hpp"

namespace tcpwitness {

inline constexpr std::uint8_t shortest_address = 11;

struct TableColumn {
  std::string_view title;
  std::string_view short_title;  // where the title does not fit
  std::uint8_t tight;            // width where space is scarce
  std::uint8_t roomy;            // width where it is not
  bool right;                    // numbers
  std::uint8_t dropped;          // 0: never; 1 is the first to go when the terminal is narrow
  std::uint8_t least = 0;        // a longer text may be cut to so much; 0: it may not
};

struct Cell {
  std::string text;
  std::size_t columns = 0;  // of the text
  Colour colour = Colour::none;
};

// What the last cell of a row lists: names, then, in brackets, what limits them.
struct CellList {
  std::vector<std::string> names;
  std::vector<std::string> limits;
};
// "a,b (c, d)" in at most `room` columns: what has no place is counted, "a,+3", and at least "+4" is left. 0: all.
[[nodiscard]] std::string folded(const CellList& list, std::size_t room);

// The middle of a text left out, its end kept: "[2001..::1]:443".
[[nodiscard]] std::string elided(std::string_view text, std::size_t room, bool utf8);

// Width of each column; 0: not shown, as the terminal is too narrow. width 0: no terminal.
void fit_columns(std::span<const TableColumn> table, unsigned width, std::span<std::size_t> widths);

// A row that nothing narrows, written cell by cell from left to right.
class WideRow {
 public:
  WideRow(Buffer& out, bool colour);
  // The next cell, in a column of `width`; right: at its right edge.
  void put(std::size_t width, bool right, std::string_view text, std::size_t columns, Colour colour);
  void end();

 private:
  [[nodiscard]] bool has_room(std::size_t bytes) const { return static_cast<std::size_t>(limit_ - at_) >= bytes; }
  void make_room(std::size_t bytes);
  void put_long(std::size_t spaces, std::string_view text, Colour colour);

  Buffer& out_;
  bool colour_;
  char* at_;
  char* limit_;
  std::size_t column_ = 0;  // where the next cell begins in rows that need no more than they have
  std::size_t end_ = 0;     // of what is written
};

// One line. `list`: of the last cell, null where that is text only. No line ends in spaces.
void write_row(Buffer& out, std::span<const TableColumn> table, std::span<const std::size_t> widths,
               std::span<Cell> cells, const CellList* list, const TextStyle& style);
void write_header(Buffer& out, std::span<const TableColumn> table, std::span<const std::size_t> widths,
                  const TextStyle& style);

}  // namespace tcpwitness
