// SPDX-License-Identifier: Apache-2.0
// life_text.cpp: tcplife's table with both witnesses in it, one line a connection.
//
// table.hpp lays its rows out. On a terminal the width is asked for before each row, and the header comes again where
// that changes the columns; elsewhere it comes once, and nothing is left out.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "sink/format.hpp"
#include "sink/life_columns.hpp"
#include "sink/line.hpp"
#include "sink/paint.hpp"
#include "sink/sinks.hpp"

namespace tcpwitness {
namespace {

class LifeTextSink final : public Sink {
 public:
  LifeTextSink(Output& output, TextStyle style) : output_(output), style_(std::move(style)) {
    if (style_.wide) {
      style_.width = 0;
      style_.terminal = -1;
    }
    lay_out();
  }

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
    follow_width();
    const bool lists = layout_.columns.back() == LifeColumn::notes;
    if (lists) {
      fill(list_, life, style_);
      late_phrase(life);
    }
    const CellList* list = lists ? &list_ : nullptr;
    Buffer& out = output_.buffer();
    if (!header_written_) write_header(out, layout_.table, layout_.widths, style_);
    header_written_ = true;
    if (style_.width == 0) return write_wide(out, layout_, life, list, style_);
    for (std::size_t i = 0; i < cells_.size() - (lists ? 1 : 0); ++i) {
      if (layout_.widths[i] != 0) fill(cells_[i], layout_.columns[i], life, style_);
    }
    if (lists) fill(cells_.back(), list_, life);
    write_row(out, layout_.table, layout_.widths, cells_, list, style_);
  }

  // A row comes as soon as it is clear how its connection ended: seconds later, where that might have gone on.
  void late_phrase(const Life& life) {
    constexpr std::int64_t together_ns = 250'000'000;
    const std::int64_t late_ns = newest_ns_ - life.ts_ns;
    newest_ns_ = std::max(newest_ns_, life.ts_ns);
    if (!layout_.shows(LifeColumn::time) || late_ns <= together_ns) return;
    list_.limits.push_back(fmt::format("reported {} late", duration_in_words(late_ns)));
  }

  void follow_width() {
    const unsigned width = width_now(style_);
    if (width == style_.width) return;
    style_.width = width;
    const std::vector<std::size_t> before = layout_.widths;
    lay_out();
    if (layout_.widths != before) header_written_ = false;
  }

  void lay_out() {
    layout_ = life_layout(style_);
    cells_.resize(layout_.columns.size());
  }

  void write_finding(const FindingReport& found) {
    const std::string judged =
        fmt::format("{} ({}): {}", name(found.finding.rule), name(found.finding.confidence), sentence(found.finding));
    const std::string clock = style_.clock ? fmt::format("{} ", clock_seconds(found.ts_ns)) : "";
    if (found.conn == 0) return write_line(fmt::format("-- {}{}", clock, judged), Colour::loud);
    write_line(fmt::format("-- {}{} {} {}: {}", clock, endpoint_text(found.flow.local).view(),
                           role_mark(Role::unknown, style_.utf8), endpoint_text(found.flow.remote).view(), judged),
               Colour::warn);
  }

  void write_gap(const Gap& gap) {
    write_line(fmt::format("-- {}: affected connections are marked", gap_in_words(gap)), Colour::loud);
  }

  // Beside the table: where it does not fit, words wrap.
  void write_line(const std::string& text, Colour colour) {
    const unsigned width = width_now(style_);
    Line line(output_.buffer(), style_, width);
    if (width == 0 || columns(text) <= width) {
      line.put(text, colour);
    } else {
      line.pad_to(0);
      line.words(text, 3, colour);
    }
    line.end();
  }

  Output& output_;
  TextStyle style_;
  LifeLayout layout_;
  std::vector<Cell> cells_;  // one for each column of it
  CellList list_;
  bool header_written_ = false;
  std::int64_t newest_ns_ = 0;  // the end of a connection
};

}  // namespace

std::unique_ptr<Sink> make_life_text(Output& output, const TextStyle& style) {
  return std::make_unique<LifeTextSink>(output, style);
}

}  // namespace tcpwitness
