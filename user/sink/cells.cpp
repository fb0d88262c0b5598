// SPDX-License-Identifier: Apache-2.0
#include "sink/cells.hpp"

#include <array>
#include <cstring>

namespace tcpwitness {
namespace {

struct CharacterRange {
  char32_t first;
  char32_t last;
};

// Unicode's East_Asian_Width W and F, over what is not assigned.
constexpr std::array wide{
    CharacterRange{0x1100, 0x115f},   CharacterRange{0x231a, 0x231b},   CharacterRange{0x2329, 0x232a},
    CharacterRange{0x23e9, 0x23ec},   CharacterRange{0x23f0, 0x23f0},   CharacterRange{0x23f3, 0x23f3},
    CharacterRange{0x25fd, 0x25fe},   CharacterRange{0x2614, 0x2615},   CharacterRange{0x2648, 0x2653},
    CharacterRange{0x267f, 0x267f},   CharacterRange{0x2693, 0x2693},   CharacterRange{0x26a1, 0x26a1},
    CharacterRange{0x26aa, 0x26ab},   CharacterRange{0x26bd, 0x26be},   CharacterRange{0x26c4, 0x26c5},
    CharacterRange{0x26ce, 0x26ce},   CharacterRange{0x26d4, 0x26d4},   CharacterRange{0x26ea, 0x26ea},
    CharacterRange{0x26f2, 0x26f3},   CharacterRange{0x26f5, 0x26f5},   CharacterRange{0x26fa, 0x26fa},
    CharacterRange{0x26fd, 0x26fd},   CharacterRange{0x2705, 0x2705},   CharacterRange{0x270a, 0x270b},
    CharacterRange{0x2728, 0x2728},   CharacterRange{0x274c, 0x274c},   CharacterRange{0x274e, 0x274e},
    CharacterRange{0x2753, 0x2755},   CharacterRange{0x2757, 0x2757},   CharacterRange{0x2795, 0x2797},
    CharacterRange{0x27b0, 0x27b0},   CharacterRange{0x27bf, 0x27bf},   CharacterRange{0x2b1b, 0x2b1c},
    CharacterRange{0x2b50, 0x2b50},   CharacterRange{0x2b55, 0x2b55},   CharacterRange{0x2e80, 0x3029},
    CharacterRange{0x302e, 0x303e},   CharacterRange{0x3041, 0x3096},   CharacterRange{0x309b, 0x3247},
    CharacterRange{0x3250, 0x4dbf},   CharacterRange{0x4e00, 0xa4c6},   CharacterRange{0xa960, 0xa97c},
    CharacterRange{0xac00, 0xd7a3},   CharacterRange{0xf900, 0xfaff},   CharacterRange{0xfe10, 0xfe19},
    CharacterRange{0xfe30, 0xfe6b},   CharacterRange{0xff01, 0xff60},   CharacterRange{0xffe0, 0xffe6},
    CharacterRange{0x16fe0, 0x16fe3}, CharacterRange{0x16ff0, 0x1b2fb}, CharacterRange{0x1f004, 0x1f004},
    CharacterRange{0x1f0cf, 0x1f0cf}, CharacterRange{0x1f18e, 0x1f18e}, CharacterRange{0x1f191, 0x1f19a},
    CharacterRange{0x1f200, 0x1f320}, CharacterRange{0x1f32d, 0x1f335}, CharacterRange{0x1f337, 0x1f37c},
    CharacterRange{0x1f37e, 0x1f393}, CharacterRange{0x1f3a0, 0x1f3ca}, CharacterRange{0x1f3cf, 0x1f3d3},
    CharacterRange{0x1f3e0, 0x1f3f0}, CharacterRange{0x1f3f4, 0x1f3f4}, CharacterRange{0x1f3f8, 0x1f43e},
    CharacterRange{0x1f440, 0x1f440}, CharacterRange{0x1f442, 0x1f4fc}, CharacterRange{0x1f4ff, 0x1f53d},
    CharacterRange{0x1f54b, 0x1f54e}, CharacterRange{0x1f550, 0x1f567}, CharacterRange{0x1f57a, 0x1f57a},
    CharacterRange{0x1f595, 0x1f596}, CharacterRange{0x1f5a4, 0x1f5a4}, CharacterRange{0x1f5fb, 0x1f64f},
    CharacterRange{0x1f680, 0x1f6c5}, CharacterRange{0x1f6cc, 0x1f6cc}, CharacterRange{0x1f6d0, 0x1f6d2},
    CharacterRange{0x1f6d5, 0x1f6df}, CharacterRange{0x1f6eb, 0x1f6ec}, CharacterRange{0x1f6f4, 0x1f6fc},
    CharacterRange{0x1f7e0, 0x1f7f0}, CharacterRange{0x1f90c, 0x1f93a}, CharacterRange{0x1f93c, 0x1f945},
    CharacterRange{0x1f947, 0x1f9ff}, CharacterRange{0x1fa70, 0x1faff}, CharacterRange{0x20000, 0x3fffd},
};
// What combines or joins, of the writings in common use; the order marks that printable() replaces are not among it.
constexpr std::array without_width{
    CharacterRange{0x300, 0x36f},     CharacterRange{0x483, 0x489},   CharacterRange{0x591, 0x5bd},
    CharacterRange{0x610, 0x61a},     CharacterRange{0x64b, 0x65f},   CharacterRange{0x670, 0x670},
    CharacterRange{0x6d6, 0x6dc},     CharacterRange{0x900, 0x902},   CharacterRange{0x93a, 0x93a},
    CharacterRange{0x93c, 0x93c},     CharacterRange{0x941, 0x948},   CharacterRange{0x94d, 0x94d},
    CharacterRange{0x951, 0x957},     CharacterRange{0x981, 0x981},   CharacterRange{0x9bc, 0x9bc},
    CharacterRange{0x9c1, 0x9c4},     CharacterRange{0x9cd, 0x9cd},   CharacterRange{0xbc0, 0xbc0},
    CharacterRange{0xbcd, 0xbcd},     CharacterRange{0xe31, 0xe31},   CharacterRange{0xe34, 0xe3a},
    CharacterRange{0xe47, 0xe4e},     CharacterRange{0x1160, 0x11ff}, CharacterRange{0x1ab0, 0x1aff},
    CharacterRange{0x1dc0, 0x1dff},   CharacterRange{0x200b, 0x200d}, CharacterRange{0x2060, 0x2064},
    CharacterRange{0x20d0, 0x20f0},   CharacterRange{0x302a, 0x302d}, CharacterRange{0x3099, 0x309a},
    CharacterRange{0xfe00, 0xfe0f},   CharacterRange{0xfe20, 0xfe2f}, CharacterRange{0xfeff, 0xfeff},
    CharacterRange{0xe0100, 0xe01ef},
};

bool is_in(const auto& ranges, char32_t character) {
  const auto at = std::ranges::lower_bound(ranges, character, {}, &CharacterRange::last);
  return at != ranges.end() && character >= at->first;
}

bool is_ascii(char c) { return static_cast<std::uint8_t>(c) < 0x80; }

// So many bytes at the beginning are ASCII, at least. Nearly all text is, which eight at a time can show.
std::size_t ascii_bytes(std::string_view text) {
  constexpr std::uint64_t beyond_ascii = 0x8080808080808080U;
  std::size_t at = 0;
  for (std::uint64_t eight = 0; at + sizeof eight <= text.size(); at += sizeof eight) {
    std::memcpy(&eight, text.data() + at, sizeof eight);
    if ((eight & beyond_ascii) != 0) return at;
  }
  while (at < text.size() && is_ascii(text[at])) ++at;
  return at;
}

}  // namespace

std::size_t columns(char32_t character) {
  // Most letters, and the arrows and rules that we draw.
  if (character < 0x300 || (character >= 0x2190 && character < 0x231a) || (character >= 0x2500 && character < 0x25fd))
    return 1;
  if (is_in(without_width, character)) return 0;
  return is_in(wide, character) ? 2 : 1;
}

std::size_t columns(std::string_view text) {
  const std::size_t ascii = ascii_bytes(text);
  std::size_t all = ascii;
  text.remove_prefix(ascii);
  while (!text.empty()) {
    const Character next = first_character(text);
    all += columns(next.value);
    text.remove_prefix(next.bytes);
  }
  return all;
}

std::string_view first_columns(std::string_view text, std::size_t room) {
  std::size_t end = 0;
  while (end < text.size()) {
    const Character next = first_character(text.substr(end));
    const std::size_t taken = columns(next.value);
    if (taken > room) break;
    room -= taken;
    end += next.bytes;
  }
  return text.substr(0, end);
}

std::string_view last_columns(std::string_view text, std::size_t room) {
  std::size_t all = columns(text);
  if (all <= room) return text;
  while (all > room) {
    const Character next = first_character(text);
    all -= columns(next.value);
    text.remove_prefix(next.bytes);
  }
  // What combines with a character that is left out would combine with another.
  while (!text.empty()) {
    const Character next = first_character(text);
    if (columns(next.value) != 0) break;
    text.remove_prefix(next.bytes);
  }
  return text;
}

}  // namespace tcpwitness
