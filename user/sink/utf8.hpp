// SPDX-License-Identifier: Apache-2.0
// utf8.hpp: the one place that decides whether bytes are UTF-8.
//
// Process names are any bytes; what leaves us is valid UTF-8 (JSON) or harmless on a terminal (text).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tcpwitness {

// Length of the well-formed sequence that text begins with (Unicode 15, table 3-7: no surrogates, no
// overlong forms, nothing above U+10FFFF); 0 where it begins with none. text is not empty.
[[nodiscard]] constexpr std::size_t utf8_length(std::string_view text) {
  const auto at = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::uint8_t lead = at(0);
  if (lead < 0x80) return 1;
  const std::size_t length = lead >= 0xc2 && lead <= 0xdf   ? 2
                             : lead >= 0xe0 && lead <= 0xef ? 3
                             : lead >= 0xf0 && lead <= 0xf4 ? 4
                                                            : 0;
  if (length == 0 || text.size() < length) return 0;
  const std::uint8_t low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
  const std::uint8_t high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
  if (at(1) < low || at(1) > high) return 0;
  for (std::size_t i = 2; i < length; ++i) {
    if (at(i) < 0x80 || at(i) > 0xbf) return 0;
  }
  return length;
}

}  // namespace tcpwitness
