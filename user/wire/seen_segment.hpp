// SPDX-License-Identifier: Apache-2.0
// seen_segment.hpp: what the rules of wire/ read of a segment, whichever witness saw it.
#pragma once

#include <cstdint>

#include "tcpwitness/tcp.hpp"
#include "tcpwitness/wire.hpp"

namespace tcpwitness {

// No window is larger (RFC 7323, 2.3): two numbers of one direction that follow each other are never further apart.
inline constexpr std::uint32_t largest_window = 1U << 30;
[[nodiscard]] constexpr bool further_than_any_window(std::uint32_t a, std::uint32_t b) {
  return a - b > largest_window && b - a > largest_window;
}

struct SeenSegment {
  TimeNs ts_ns = 0;
  std::uint32_t seq = 0;
  std::uint32_t ack = 0;
  std::uint32_t len = 0;
  std::uint16_t window = 0;
  std::uint8_t flags = 0;    // tcp_flag
  std::uint8_t options = 0;  // TcpOption
  std::uint8_t wscale = 0;   // TcpOption::window_scale: the shift
  std::uint16_t mptcp = 0;   // subtypes of its MPTCP options, as in TcpFrame

  [[nodiscard]] bool has(std::uint8_t flag) const { return (flags & flag) != 0; }
};

}  // namespace tcpwitness
