// SPDX-License-Identifier: Apache-2.0
#include "top/cells.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

#include "sink/utf8.hpp"

namespace tcpwitness::top {
namespace {

struct Range {
  char32_t first;
  char32_t last;
};

// Left to right, one cell each, none of them combines.
constexpr std::array narrow{
    Range{0x20, 0x7e},     Range{0xa1, 0xac},     Range{0xae, 0x2ff},    Range{0x370, 0x377},   Range{0x37a, 0x37f},
    Range{0x384, 0x38a},   Range{0x38c, 0x38c},   Range{0x38e, 0x3a1},   Range{0x3a3, 0x482},   Range{0x48a, 0x52f},
    Range{0x1e00, 0x1f15}, Range{0x2010, 0x2027}, Range{0x20a0, 0x20bf}, Range{0x2190, 0x21ff}, Range{0x2500, 0x25ff},
};
// East Asian, two cells on every terminal.
constexpr std::array wide{
    Range{0x3041, 0x3096}, Range{0x30a1, 0x30fa}, Range{0x30fc, 0x30fe}, Range{0x3400, 0x4dbf},
    Range{0x4e00, 0x9fff}, Range{0xac00, 0xd7a3}, Range{0xff01, 0xff60},
};

bool among(const auto& ranges, char32_t character) {
  return std::ranges::any_of(ranges,
                             [&](const Range& range) { return character >= range.first && character <= range.last; });
}

// The first character of a text that is well-formed up to there.
char32_t decoded(std::string_view text, std::size_t length) {
  const auto at = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  if (length == 1) return at(0);
  char32_t character = at(0) & (0xffU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) character = character << 6U | (at(i) & 0x3fU);
  return character;
}

}  // namespace

unsigned cells_of(char32_t character) {
  if (among(narrow, character)) return 1;
  return among(wide, character) ? 2 : 0;
}

std::string shown(std::string_view bytes, bool utf8) {
  std::string text;
  text.reserve(bytes.size());
  while (!bytes.empty()) {
    const std::size_t length = utf8_length(bytes);
    const bool as_it_is = length != 0 && (utf8 || length == 1) && cells_of(decoded(bytes, length)) != 0;
    if (as_it_is) {
      text.append(bytes.substr(0, length));
    } else {
      text.push_back('?');
    }
    bytes.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return text;
}

std::size_t cells_of(std::string_view text) {
  std::size_t cells = 0;
  while (!text.empty()) {
    const std::size_t length = std::max<std::size_t>(utf8_length(text), 1);
    cells += length == 1 ? 1 : std::max(cells_of(decoded(text, length)), 1U);
    text.remove_prefix(length);
  }
  return cells;
}

std::string cut(std::string_view text, std::size_t cells) {
  if (cells_of(text) <= cells) return std::string(text);
  if (cells == 0) return "";
  std::string kept;
  std::size_t used = 0;
  while (!text.empty()) {
    const std::size_t length = std::max<std::size_t>(utf8_length(text), 1);
    const std::size_t width = length == 1 ? 1 : std::max(cells_of(decoded(text, length)), 1U);
    if (used + width > cells - 1) break;
    kept.append(text.substr(0, length));
    used += width;
    text.remove_prefix(length);
  }
  return kept + '~';
}

}  // namespace tcpwitness::top
