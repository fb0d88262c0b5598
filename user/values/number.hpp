// SPDX-License-Identifier: Apache-2.0
// number.hpp: a text that is a decimal number and nothing else: no spaces, no '+', nothing behind it, no locale.
#pragma once

#include <charconv>
#include <concepts>
#include <optional>
#include <string_view>

namespace tcpwitness {

// Empty: it is none, or does not fit.
template <typename Number>
  requires std::integral<Number> || std::floating_point<Number>
[[nodiscard]] std::optional<Number> number_in(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace tcpwitness
