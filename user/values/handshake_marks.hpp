// SPDX-License-Identifier: Apache-2.0
// handshake_marks.hpp: which segments open a connection (RFC 9293, 3.5).
#pragma once

#include <cstdint>

#include "tcpwitness/event.hpp"
#include "tcpwitness/tcp.hpp"

namespace tcpwitness {

inline std::uint8_t handshake_flags(const Segment& segment) {
  return segment.flags & (tcp_flag::syn | tcp_flag::ack | tcp_flag::rst);
}
inline bool is_syn(const Segment& segment) { return handshake_flags(segment) == tcp_flag::syn; }
inline bool is_syn_ack(const Segment& segment) { return handshake_flags(segment) == (tcp_flag::syn | tcp_flag::ack); }
[[nodiscard]] inline bool has_flag(const Segment& g, std::uint8_t flag) { return (g.flags & flag) != 0; }

}  // namespace tcpwitness
