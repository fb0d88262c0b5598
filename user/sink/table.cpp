// SPDX-License-Identifier: Apache-2.0
// table.cpp: see table.hpp.
#include "sink/table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "sink/cells.hpp"
#include "values/short_text.hpp"

namespace tcpwitness {
namespace {

constexpr std::size_t columns_at_most = 32;
constexpr std::string_view few_spaces = "                                ";
static_assert(few_spaces.size() == few_bytes);

// Where a cell begins that may not begin before `least`. `place`: of its column, in rows that need no more than they
// have.
std::size_t cell_begin(bool right, std::size_t width, std::size_t size, std::size_t place, std::size_t least) {
  return std::max(least, place + (right && width > size ? width - size : 0));
}

// Where each cell of a row begins.
class Row {
 public:
  Row(std::span<const TableColumn> table, std::span<const std::size_t> widths, std::span<Cell> cells)
      : table_(table), widths_(widths), cells_(cells) {}

  // From `squeezed` on, cells follow each other at one space. Returns the columns that the row takes.
  std::size_t place(std::size_t squeezed) {
    std::size_t column = 0;  // where this one begins in rows that need no more than they have
    std::size_t end = 0;
    bool first = true;
    for (std::size_t i = 0; i < cells_.size(); ++i) {
      if (widths_[i] == 0) continue;
      const std::size_t size = cells_[i].columns;
      const std::size_t least = first ? 0 : end + 1;
      begins_[i] = i >= squeezed ? least : cell_begin(table_[i].right, widths_[i], size, column, least);
      column += widths_[i] + 1;
      if (size == 0) continue;
      end = begins_[i] + size;
      first = false;
    }
    return end_ = end;
  }
  [[nodiscard]] std::size_t end() const { return end_; }
  [[nodiscard]] std::size_t begin_of(std::size_t i) const { return begins_[i]; }

 private:
  std::span<const TableColumn> table_;
  std::span<const std::size_t> widths_;
  std::span<Cell> cells_;
  std::array<std::size_t, columns_at_most> begins_{};
  std::size_t end_ = 0;  // of the row
};

void set(Cell& cell, std::string text) {
  cell.text = std::move(text);
  cell.columns = columns(cell.text);
}

// Makes a row that is too long fit as well as it can be.
void shorten(Row& row, std::span<const TableColumn> table, std::span<const std::size_t> widths, std::span<Cell> cells,
             const CellList* list, const TextStyle& style) {
  const std::size_t none = cells.size();
  Cell& last = cells.back();
  const auto fold = [&](std::size_t squeezed) {
    if (list == nullptr || last.columns == 0) return row.place(squeezed);
    set(last, folded(*list, 0));
    row.place(squeezed);
    const std::size_t begin = row.begin_of(none - 1);
    set(last, folded(*list, style.width > begin ? style.width - begin : 1));
    return row.place(squeezed);
  };
  const auto only_counts = [&] { return list != nullptr && last.text.starts_with('+'); };
  if (fold(none) <= style.width && !only_counts()) return;
  if (fold(none - 1) <= style.width && !only_counts()) return;
  // What is longer than any place for it (IPv6): into its place, so that the rest stays in its own.
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (widths[i] == 0 || table[i].least == 0 || cells[i].columns <= table[i].roomy) continue;
    set(cells[i], elided(cells[i].text, widths[i], style.utf8));
  }
  for (std::size_t squeezed = none; squeezed > 0; --squeezed) {
    if (fold(squeezed) <= style.width && !only_counts()) return;
  }
  // The longest first. What limits a judgement is not worth an address, a finding is.
  const bool found = list != nullptr && !list->names.empty();
  for (std::size_t end = fold(0); end > style.width || (found && only_counts()); end = fold(0)) {
    const std::size_t over = end > style.width ? end - style.width : 1;
    std::size_t longest = none;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      if (widths[i] == 0 || table[i].least == 0 || cells[i].columns <= table[i].least) continue;
      if (longest == none || cells[i].columns > cells[longest].columns) longest = i;
    }
    if (longest == none) break;
    const std::size_t room = cells[longest].columns - std::min(over, cells[longest].columns - table[longest].least);
    set(cells[longest], elided(cells[longest].text, room, style.utf8));
  }
}

}  // namespace

std::string folded(const CellList& list, std::size_t room) {
  const std::size_t all = list.names.size() + list.limits.size();
  if (all == 0) return {};
  const auto with = [&](std::size_t shown) {
    std::string text;
    const std::size_t names = std::min(shown, list.names.size());
    text =
        fmt::format("{}", fmt::join(list.names.begin(), list.names.begin() + static_cast<std::ptrdiff_t>(names), ","));
    const std::string rest = shown == all ? "" : fmt::format("+{}", all - shown);
    if (shown <= list.names.size() && !rest.empty()) return text + (text.empty() ? "" : ",") + rest;
    if (list.limits.empty()) return text;
    const auto limits = static_cast<std::ptrdiff_t>(shown - names);
    text += fmt::format("{}({}", text.empty() ? "" : " ",
                        fmt::join(list.limits.begin(), list.limits.begin() + limits, ", "));
    return text + (rest.empty() ? ")" : ", " + rest + ")");
  };
  std::size_t shown = all;
  while (shown > 0 && room != 0 && columns(with(shown)) > room) --shown;
  return with(shown);
}

std::string elided(std::string_view text, std::size_t room, bool utf8) {
  if (columns(text) <= room) return std::string(text);
  const std::string_view mark = utf8 ? "\u2026" : "..";
  const std::size_t mark_columns = utf8 ? 1 : 2;
  if (room <= mark_columns) return std::string(first_columns(text, room));
  // A port has at most six columns with its colon: it stays.
  const std::size_t kept = room - mark_columns;
  const std::size_t tail = kept - kept / 3;
  return fmt::format("{}{}{}", first_columns(text, kept / 3), mark, last_columns(text, tail));
}

void fit_columns(std::span<const TableColumn> table, unsigned width, std::span<std::size_t> widths) {
  std::uint8_t last_drop = 0;
  for (std::size_t i = 0; i < table.size(); ++i) {
    widths[i] = width == 0 ? table[i].roomy : table[i].tight;
    last_drop = std::max(last_drop, table[i].dropped);
  }
  if (width == 0) return;
  const auto sum = [&] {
    std::size_t all = 0;
    for (const std::size_t one : widths) all += one != 0 ? one + 1 : 0;
    return all - std::min<std::size_t>(all, 1);
  };
  const auto drop = [&](std::uint8_t rank) {
    for (std::size_t i = 0; i < table.size(); ++i) {
      if (table[i].dropped == rank) widths[i] = 0;
    }
  };
  const auto widen_addresses = [&](bool roomy) {
    for (std::size_t i = 0; i < table.size(); ++i) {
      if (table[i].least == shortest_address && widths[i] != 0) widths[i] = roomy ? table[i].roomy : table[i].tight;
    }
  };
  // The least important columns go before addresses become narrow.
  widen_addresses(true);
  for (std::uint8_t rank = 1; rank <= last_drop && sum() > width; ++rank) {
    if (rank > last_drop / 2) widen_addresses(false);
    if (sum() > width) drop(rank);
  }
  // What is left goes to the columns whose texts are cut otherwise, then to the list, then to the others.
  const auto widen = [&](std::size_t i) {
    if (widths[i] == 0 || sum() >= width) return;
    widths[i] = std::clamp<std::size_t>(widths[i] + (width - sum()), widths[i], table[i].roomy);
  };
  for (std::size_t i = 0; i < table.size(); ++i) {
    if (table[i].least != 0) widen(i);
  }
  for (std::size_t i = table.size(); i-- > 0;) widen(i);
}

WideRow::WideRow(Buffer& out, bool colour) : out_(out), colour_(colour), at_(nullptr), limit_(nullptr) {
  constexpr std::size_t most_rows = 512;
  const std::size_t begin = out.size();
  out.resize(begin + most_rows);
  at_ = out.data() + begin;
  limit_ = out.data() + out.size();
}

// What has no room is rare: a row is not so long.
void WideRow::make_room(std::size_t bytes) {
  const auto written = static_cast<std::size_t>(at_ - out_.data());
  out_.resize(written + bytes);
  at_ = out_.data() + written;
  limit_ = out_.data() + out_.size();
}

void WideRow::put(std::size_t width, bool right, std::string_view text, std::size_t columns, Colour colour) {
  if (width == 0) return;
  const std::size_t begin = cell_begin(right, width, columns, column_, end_ == 0 ? 0 : end_ + 1);
  column_ += width + 1;
  if (columns == 0) return;
  const std::size_t spaces = begin - end_;
  end_ = begin + columns;
  const bool is_short = spaces <= few_bytes && text.size() <= few_bytes && has_room(2 * few_bytes);
  if (!is_short || (colour_ && colour != Colour::none)) return put_long(spaces, text, colour);
  std::memcpy(at_, few_spaces.data(), few_spaces.size());
  at_ = copy_few(at_ + spaces, text);
}

// Any cell.
void WideRow::put_long(std::size_t spaces, std::string_view text, Colour colour) {
  constexpr std::size_t of_colour = 16;
  const std::size_t most = spaces + text.size() + of_colour;
  if (!has_room(most)) make_room(most);
  std::memset(at_, ' ', spaces);
  at_ += spaces;
  const bool paint = colour_ && colour != Colour::none;
  if (paint) at_ = copy_text(at_, escape_of(colour));
  at_ = copy_text(at_, text);
  if (paint) at_ = copy_text(at_, colour_off);
}

void WideRow::end() {
  if (!has_room(1)) make_room(1);
  *at_++ = '\n';
  out_.resize(static_cast<std::size_t>(at_ - out_.data()));
}

void write_row(Buffer& out, std::span<const TableColumn> table, std::span<const std::size_t> widths,
               std::span<Cell> cells, const CellList* list, const TextStyle& style) {
  if (style.width == 0) {
    WideRow row(out, style.colour);
    for (std::size_t i = 0; i < cells.size(); ++i)
      row.put(widths[i], table[i].right, cells[i].text, cells[i].columns, cells[i].colour);
    return row.end();
  }
  Row row(table, widths, cells);
  std::size_t whole = row.place(cells.size());
  if (whole > style.width) {
    shorten(row, table, widths, cells, list, style);
    whole = row.end();
  }
  // What is too narrow for all is cut, with a mark.
  const std::string_view mark = style.utf8 ? "\u2026" : "~";
  const bool cuts = whole > style.width;
  const std::size_t limit = cuts ? style.width - 1 : whole;
  const std::size_t colours = style.colour ? 16 : 0;
  const std::size_t line = out.size();
  std::size_t room = whole + mark.size() + 1;
  for (const Cell& cell : cells) room += cell.text.size() - std::min(cell.columns, cell.text.size()) + colours;
  out.resize(line + room);
  char* at = out.data() + line;
  std::fill_n(at, room, ' ');  // between cells there is nothing more to write
  const auto add = [&](std::string_view text) { at = std::copy_n(text.data(), text.size(), at); };
  std::size_t end = 0;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const std::size_t begin = row.begin_of(i);
    if (widths[i] == 0 || cells[i].columns == 0) continue;
    if (begin >= limit) break;
    at += begin - end;
    const bool cut = begin + cells[i].columns > limit;
    const std::string_view text = cut ? first_columns(cells[i].text, limit - begin) : std::string_view(cells[i].text);
    const bool paint = style.colour && cells[i].colour != Colour::none;
    if (paint) add(escape_of(cells[i].colour));
    add(text);
    if (paint) add(colour_off);
    end = std::min(begin + cells[i].columns, limit);
    if (cut) break;
  }
  if (cuts) add(mark);
  *at++ = '\n';
  out.resize(static_cast<std::size_t>(at - out.data()));
}

void write_header(Buffer& out, std::span<const TableColumn> table, std::span<const std::size_t> widths,
                  const TextStyle& style) {
  std::array<Cell, columns_at_most> cells;
  for (std::size_t i = 0; i < table.size(); ++i) {
    const bool fits = table[i].title.size() <= widths[i] || i + 1 == table.size();
    const std::string_view title = fits || table[i].short_title.empty() ? table[i].title : table[i].short_title;
    cells[i] = {std::string(title), title.size(), Colour::dim};
  }
  write_row(out, table, widths, std::span(cells).first(table.size()), nullptr, style);
}

}  // namespace tcpwitness
