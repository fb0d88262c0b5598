// SPDX-License-Identifier: Apache-2.0
// port_range.hpp: ports from one to another: "80", "8000-8099".
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>

#include "values/number.hpp"

namespace tcpwitness {

struct PortRange {
  std::uint16_t first = 0;
  std::uint16_t last = 0;
  [[nodiscard]] bool contains(std::uint16_t port) const { return first <= port && port <= last; }
  bool operator==(const PortRange&) const = default;
};

// Empty: it is none. It may end before it begins.
[[nodiscard]] inline std::optional<PortRange> port_range_in(std::string_view text) {
  const auto dash = static_cast<std::size_t>(std::ranges::find(text, '-') - text.begin());
  const auto first = number_in<std::uint16_t>(text.substr(0, dash));
  const auto last = dash == text.size() ? first : number_in<std::uint16_t>(text.substr(dash + 1));
  if (!first || !last || *first == 0 || *last == 0) return std::nullopt;
  return PortRange{*first, *last};
}

}  // namespace tcpwitness
