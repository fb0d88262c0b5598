// SPDX-License-Identifier: Apache-2.0
// orders.hpp: characters that are no letters but orders to who shows them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tcpwitness {

// Whether the well-formed sequence of this length that text begins with is an order: it controls (C0, DEL, C1),
// breaks the line, or turns its direction (U+061C, U+200E, U+200F, U+202A to U+202E, U+2066 to U+2069), which would put
// the parts of a row in another order.
[[nodiscard]] constexpr bool is_order(std::string_view text, std::size_t length) {
  const auto at = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  if (length == 1) return at(0) < 0x20 || at(0) == 0x7f;
  if (length == 2) return (at(0) == 0xc2 && at(1) < 0xa0) || (at(0) == 0xd8 && at(1) == 0x9c);
  if (length != 3 || at(0) != 0xe2) return false;
  if (at(1) == 0x80) return at(2) == 0x8e || at(2) == 0x8f || (at(2) >= 0xa8 && at(2) <= 0xae);
  return at(1) == 0x81 && at(2) >= 0xa6 && at(2) <= 0xa9;
}

}  // namespace tcpwitness
