// SPDX-License-Identifier: Apache-2.0
#include "top/cells.hpp"

#include <algorithm>
#include <array>

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
    Range{0x1e00, 0x1f15}, Range{0x2010, 0x2027}, Range{0x20a0, 0x20bf}, Range{0x2190, 0x21ff}, Range{0x2500, 0x25fc},
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

// Not whether it is wide at all, which columns() knows, but whether every terminal makes it as wide as that.
bool is_plain(char32_t character) { return among(narrow, character) || among(wide, character); }

}  // namespace

std::string shown(std::string_view bytes, bool utf8) {
  std::string text;
  text.reserve(bytes.size());
  while (!bytes.empty()) {
    const Character next = first_character(bytes);
    const bool as_it_is = utf8_length(bytes) != 0 && (utf8 || next.bytes == 1) && is_plain(next.value);
    if (as_it_is) {
      text.append(bytes.substr(0, next.bytes));
    } else {
      text.push_back('?');
    }
    bytes.remove_prefix(next.bytes);
  }
  return text;
}

std::string cut(std::string_view text, std::size_t cells) {
  if (columns(text) <= cells) return std::string(text);
  if (cells == 0) return "";
  return std::string(first_columns(text, cells - 1)) + '~';
}

}  // namespace tcpwitness::top
