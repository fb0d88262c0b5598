// SPDX-License-Identifier: Apache-2.0
// life_text.cpp: tcplife's table with both witnesses in it, one line a connection.
//
// Columns are aligned with all lines before: a column only ever grows (long names, IPv6). On a terminal
// the header is printed again when that moves it; elsewhere it comes once. No line ends in spaces.
#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "sink/format.hpp"
#include "sink/life_columns.hpp"
#include "sink/paint.hpp"
#include "sink/sinks.hpp"

namespace tcpwitness {
namespace {

class LifeTextSink final : public Sink {
 public:
  LifeTextSink(Output& output, const TextStyle& style)
      : output_(output), style_(style), widths_(columns_that_fit(style)) {}

  void write(const Report& report) override {
    if (const auto* life = std::get_if<Life>(&report)) {
      write_life(*life);
    } else if (const auto* gap = std::get_if<GapReport>(&report)) {
      write_gap(gap->gap);
    } else if (const auto* found = std::get_if<FindingReport>(&report)) {
      if (found->conn == 0 || style_.findings) write_finding(*found);
    }
    output_.line_done();
  }
  bool flush() override { return output_.flush(); }

 private:
  void write_life(const Life& life) {
    bool grown = false;
    for (std::size_t i = 0; i < cells_.size(); ++i) {
      if (widths_[i] == 0) continue;
      fill(cells_[i], static_cast<LifeColumn>(i), life, style_);
      if (cells_[i].columns > widths_[i]) grown |= grow(i, cells_[i].columns);
    }
    if (!header_written_ || (grown && style_.width != 0)) write_header();
    write_cells(cells_);
  }

  // True where the columns after this one have moved. Addresses grow in steps, so that they seldom do.
  bool grow(std::size_t i, std::size_t needed) {
    const auto column = static_cast<LifeColumn>(i);
    if (needed <= widths_[i]) return false;
    const bool address = column == LifeColumn::local || column == LifeColumn::remote;
    widths_[i] = address && needed > 21 ? (needed + 7) / 8 * 8 : needed;
    return column < LifeColumn::outcome;
  }

  void write_header() {
    header_written_ = true;
    std::array<Cell, life_column_count> titles;
    for (std::size_t i = 0; i < titles.size(); ++i) {
      const std::string_view title = shape(static_cast<LifeColumn>(i)).title;
      titles[i] = {std::string(title), title.size(), Colour::dim};
    }
    write_cells(titles);
  }

  void write_cells(const std::array<Cell, life_column_count>& cells) {
    constexpr std::size_t space_and_colour = 16;
    Buffer& out = output_.buffer();
    const std::size_t begin = out.size();
    std::size_t room = 1;
    for (std::size_t i = 0; i < cells.size(); ++i) room += widths_[i] + cells[i].text.size() + space_and_colour;
    out.resize(begin + room);
    char* at = out.data() + begin;
    const auto add = [&](std::string_view text) { at = std::ranges::copy(text, at).out; };
    std::size_t owed = 0;  // spaces before the next text: none are left at the end of a line
    for (std::size_t i = 0; i < cells.size(); ++i) {
      if (widths_[i] == 0) continue;
      const Cell& cell = cells[i];
      const std::size_t padding = widths_[i] - std::min(widths_[i], cell.columns);
      const bool right = shape(static_cast<LifeColumn>(i)).right;
      if (right) owed += padding;
      if (cell.columns != 0) {
        at = std::fill_n(at, std::exchange(owed, 0), ' ');
        const bool paint = style_.colour && cell.colour != Colour::none;
        if (paint) add(escape_of(cell.colour));
        add(cell.text);
        if (paint) add(colour_off);
      }
      owed += 1 + (right ? 0 : padding);
    }
    *at++ = '\n';
    out.resize(static_cast<std::size_t>(at - out.data()));
  }

  void write_finding(const FindingReport& found) {
    const std::string judged = fmt::format("{} ({}): {}", name(found.finding.rule), name(found.finding.confidence),
                                           printable(found.finding.text, style_.utf8));
    if (found.conn == 0) return write_line("-- " + judged, Colour::loud);
    const std::string clock = style_.clock ? fmt::format("{} ", clock_seconds(found.ts_ns)) : "";
    write_line(fmt::format("-- {}{} {} {}: {}", clock, endpoint_text(found.flow.local).view(),
                           role_mark(Role::unknown, style_.utf8), endpoint_text(found.flow.remote).view(), judged),
               Colour::warn);
  }

  void write_gap(const Gap& gap) {
    write_line(fmt::format("-- {}: affected connections are marked", gap_in_words(gap)), Colour::loud);
  }

  // Beside the table.
  void write_line(const std::string& text, Colour colour) {
    append_painted(output_.buffer(), text, colour, style_.colour);
    output_.buffer().push_back('\n');
  }

  Output& output_;
  TextStyle style_;
  LifeWidths widths_;  // 0: not shown
  std::array<Cell, life_column_count> cells_;
  bool header_written_ = false;
};

}  // namespace

std::unique_ptr<Sink> make_life_text(Output& output, const TextStyle& style) {
  return std::make_unique<LifeTextSink>(output, style);
}

}  // namespace tcpwitness
