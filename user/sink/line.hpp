// SPDX-License-Identifier: Apache-2.0
// line.hpp: one line of text, and the column that it has reached: lanes, colours, and words that wrap.
//
// pad_to() writes no spaces by itself: they come before the next text, so no line ends in spaces. Words
// wrap only where a width is known, to the column given, and never inside a word. Every text is made printable() here:
// a name from outside can neither control the terminal nor begin a line, whoever puts it.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

#include "sink/format.hpp"
#include "sink/paint.hpp"
#include "sink/sinks.hpp"

namespace tcpwitness {

// Of what is no terminal.
inline constexpr unsigned width_elsewhere = 80;

class Line {
 public:
  Line(Buffer& out, const TextStyle& style, std::size_t width)
      : out_(out), colour_(style.colour), utf8_(style.utf8), width_(width) {}

  // The next text starts at this column, or one space after the last where that is passed already.
  void pad_to(std::size_t column) { target_ = column_ == 0 ? column : std::max(column, column_ + 1); }

  // So many spaces before a text of `columns`; where that does not fit, a new line that starts at `indent`.
  void gap(std::size_t spaces, std::size_t columns, std::size_t indent) {
    if (width_ != 0 && column_ + spaces + columns > width_ && column_ > indent) {
      end();
      target_ = indent;
    } else {
      target_ = column_ + spaces;
    }
  }

  void put(std::string_view text, Colour colour = Colour::none) {
    if (text.empty()) return;
    if (is_printable_ascii(text)) return write(text, text.size(), colour);
    if (!is_printable(text, utf8_)) return put(printable(text, utf8_), colour);
    write(text, columns(text), colour);
  }

  // Text word by word from the current column; further lines start at `indent`. Begins with a space
  // unless the column was just set.
  void words(std::string_view text, std::size_t indent, Colour colour = Colour::none) {
    if (!is_printable(text, utf8_)) return words(printable(text, utf8_), indent, colour);
    while (!text.empty()) {
      std::size_t end = std::min(text.find(' '), text.size());
      if (end + 1 < text.size() && is_digit(text[end == 0 ? 0 : end - 1]) && begins_with_unit(text.substr(end + 1))) {
        end = std::min(text.find(' ', end + 1), text.size());  // "20 ms" stays together
      }
      if (end > 0) word(text.substr(0, end), indent, colour);
      text.remove_prefix(std::min(end + 1, text.size()));
    }
  }

  void end() {
    out_.push_back('\n');
    column_ = target_ = 0;
  }

 private:
  static bool is_digit(char c) { return c >= '0' && c <= '9'; }
  static bool begins_with_unit(std::string_view text) {
    const std::string_view word = text.substr(0, text.find_first_of(" ,;.:)"));
    constexpr std::array<std::string_view, 13> units{"ns",  "us",  "ms",  "s",   "min",   "h",   "d",
                                                     "KiB", "MiB", "GiB", "TiB", "bytes", "byte"};
    return std::ranges::find(units, word) != units.end();
  }
  void settle() {
    append_spaces(out_, target_ - column_);
    column_ = target_;
  }
  // Of a text that is printable; so is one word of it.
  void word(std::string_view text, std::size_t indent, Colour colour) {
    const std::size_t wide = columns(text);
    std::size_t start = target_ == column_ ? column_ + 1 : target_;
    if (width_ != 0 && start + wide > width_ && start > indent) {
      end();
      start = indent;
    }
    target_ = start;
    write(text, wide, colour);
  }
  void write(std::string_view text, std::size_t wide, Colour colour) {
    settle();
    append_painted(out_, text, colour, colour_);
    column_ += wide;
    target_ = column_;
  }

  Buffer& out_;
  bool colour_;
  bool utf8_;
  std::size_t width_;
  std::size_t column_ = 0;
  std::size_t target_ = 0;
};

}  // namespace tcpwitness
