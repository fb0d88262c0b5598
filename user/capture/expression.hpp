// SPDX-License-Identifier: Apache-2.0
// expression.hpp: how long a filter expression may be. libpcap takes more than a second for one of 2,000 characters, a
// quarter of a minute for twice that, and gigabytes for 100,000.
#pragma once

#include <fmt/format.h>

#include <string>

namespace tcpwitness {

// Why it is refused at this length; empty: it is not.
[[nodiscard]] inline std::string too_long(const std::string& expression) {
  constexpr std::size_t longest = 2048;
  if (expression.size() <= longest) return {};
  return fmt::format("it has {} characters, and at most {} are taken", expression.size(), longest);
}

}  // namespace tcpwitness
