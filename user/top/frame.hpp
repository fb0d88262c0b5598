// SPDX-License-Identifier: Apache-2.0
// frame.hpp: what a screen is to show, as a value: rows of coloured text, each exactly as wide as the screen at most.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "sink/paint.hpp"
#include "top/cells.hpp"

namespace tcpwitness::top {

struct Look {
  Colour colour = Colour::none;
  bool reverse = false;
  bool operator==(const Look&) const = default;
};

struct Piece {
  std::string text;
  Look look;
  bool operator==(const Piece&) const = default;
};

// One row. Never wider than it may be: what does not fit is cut.
class Row {
 public:
  explicit Row(std::size_t width) : width_(width) {}

  // Of characters that shown() lets through.
  Row& put(std::string_view text, Look look = {}) {
    const std::string fits = cut(text, width_ - used_);
    if (fits.empty()) return *this;
    used_ += columns(fits);
    if (!pieces_.empty() && pieces_.back().look == look) {
      pieces_.back().text += fits;
    } else {
      pieces_.push_back({fits, look});
    }
    return *this;
  }
  Row& put(std::string_view text, Colour colour) { return put(text, Look{colour}); }
  // Spaces up to this column; none where that is passed.
  Row& to(std::size_t column, Look look = {}) {
    const std::size_t until = std::min(column, width_);
    if (until > used_) put(std::string(until - used_, ' '), look);
    return *this;
  }
  // The text in a column of this width, to its left or right edge.
  Row& cell(std::string_view text, std::size_t width, bool right, Look look = {}) {
    const std::string fits = cut(text, width);
    const std::string spaces(width - columns(fits), ' ');
    return put(right ? spaces + fits : fits + spaces, look);
  }
  // Everything in it looks so, up to the edge.
  void bar(Look look) {
    to(width_);
    for (Piece& piece : pieces_) piece.look = look;
  }

  [[nodiscard]] std::size_t width() const { return width_; }
  [[nodiscard]] std::size_t used() const { return used_; }
  [[nodiscard]] const std::vector<Piece>& pieces() const { return pieces_; }
  [[nodiscard]] std::string text() const {
    std::string all;
    for (const Piece& piece : pieces_) all += piece.text;
    return all;
  }
  bool operator==(const Row&) const = default;

 private:
  std::size_t width_;
  std::size_t used_ = 0;
  std::vector<Piece> pieces_;
};

// A sentence in as many rows as it takes, each from this column on.
[[nodiscard]] inline std::vector<Row> words_in(std::string_view text, std::size_t column, std::size_t width,
                                               Look look = {}) {
  std::vector<Row> rows{Row(width)};
  rows.back().to(column);
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(' '));
    const bool first = rows.back().used() <= column;
    if (!first && rows.back().used() + 1 + columns(word) > width) {
      rows.emplace_back(width).to(column);
    } else if (!first) {
      rows.back().put(" ", look);
    }
    rows.back().put(word, look);
    text.remove_prefix(std::min(word.size() + 1, text.size()));
  }
  return rows;
}
[[nodiscard]] inline std::vector<Row> words_in(std::string_view text, std::size_t column, std::size_t width,
                                               Colour colour) {
  return words_in(text, column, width, Look{colour});
}

using Frame = std::vector<Row>;  // as many as the screen has lines, or fewer

}  // namespace tcpwitness::top
