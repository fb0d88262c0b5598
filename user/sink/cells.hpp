// SPDX-License-Identifier: Apache-2.0
// cells.hpp: how many columns of a terminal a text takes, and as much of it as fits into some.
//
// The one notion of a text's width: tables, words that wrap, pictures and the live view all ask here. An East Asian
// character or an emoji takes two columns, what combines with the character before it none.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "sink/utf8.hpp"

namespace tcpwitness {

// A character, and how many bytes of the text it is; a byte that begins none stands for itself.
struct Character {
  char32_t value;
  std::size_t bytes;
};
// text is not empty.
[[nodiscard]] constexpr Character first_character(std::string_view text) {
  const auto at = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::size_t bytes = std::max<std::size_t>(utf8_length(text), 1);
  if (bytes == 1) return {at(0), 1};
  char32_t value = at(0) & (0xffU >> (bytes + 1));
  for (std::size_t i = 1; i < bytes; ++i) value = value << 6U | (at(i) & 0x3fU);
  return {value, bytes};
}

// 0 to 2. Of what printable() makes a '?' it is 1, so a text has its width before that, too.
[[nodiscard]] std::size_t columns(char32_t character);
[[nodiscard]] std::size_t columns(std::string_view text);

// The longest beginning, and end, of a text in so many columns. No character is halved: one may be left.
[[nodiscard]] std::string_view first_columns(std::string_view text, std::size_t room);
[[nodiscard]] std::string_view last_columns(std::string_view text, std::size_t room);

}  // namespace tcpwitness
