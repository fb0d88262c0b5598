// SPDX-License-Identifier: Apache-2.0
// handshake_segments.hpp: which segments open a connection (RFC 9293, 3.5).
#pragma once

#include <cstdint>

#include "tcpwitness/event.hpp"
#include "tcpwitness/tcp.hpp"

namespace tcpwitness {

inline std::uint8_t handshake_flags(const Segment& segment) {
  return segment.flags & (tcp_flag::syn | tcp_flag::ack | tcp_flag::rst);
}
inline bool is_syn(const Segment& segment) { return handshake_flags(segment) == tcp_flag::syn; }
inline bool is_rst(const Segment& segment) { return (segment.flags & tcp_flag::rst) != 0; }
inline bool is_syn_ack(const Segment& segment) { return handshake_flags(segment) == (tcp_flag::syn | tcp_flag::ack); }
[[nodiscard]] inline bool has_flag(const Segment& g, std::uint8_t flag) { return (g.flags & flag) != 0; }

// A SYN-ACK acknowledges the SYN, perhaps payload that came with it (RFC 7413), and nothing that was never sent (RFC
// 9293, 3.10.7.3). snd_nxt: of the socket that sent the SYN; syn_seq: not known. It moves only when the SYN's
// transmission returns (tcp_connect()), and the answer can be faster.
inline bool acknowledges_syn(std::uint32_t ack, std::uint32_t syn_seq, std::uint32_t snd_nxt) {
  constexpr std::uint32_t most_payload = 1U << 16U;
  return ack - syn_seq - 1 < (snd_nxt != syn_seq ? snd_nxt - syn_seq : most_payload);
}

}  // namespace tcpwitness
