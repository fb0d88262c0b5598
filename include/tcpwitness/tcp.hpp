// SPDX-License-Identifier: Apache-2.0
// tcp.hpp: TCP's own words as values: states, flags, sequence arithmetic.
//
// State numbers are the kernel's (include/net/tcp_states.h, unchanged since 2.6 and UAPI since 4.x);
// sequence arithmetic is modulo 2^32 (RFC 9293, section 3.4).
#pragma once

#include <cstdint>
#include <string_view>
#include <type_traits>

namespace tcpwitness {

// The states of RFC 9293, 3.3.2, and two of the kernel's own: new_syn_recv is SYN-RECEIVED of a request that has no
// socket yet (struct tcp_request_sock), syn_recv that of a socket, which it leaves at once.
enum class TcpState : std::uint8_t {
  unknown = 0,
  established = 1,
  syn_sent = 2,
  syn_recv = 3,
  fin_wait1 = 4,
  fin_wait2 = 5,
  time_wait = 6,
  close = 7,
  close_wait = 8,
  last_ack = 9,
  listen = 10,
  closing = 11,
  new_syn_recv = 12,
};

// The kernel's name, "ESTABLISHED"; "UNKNOWN" for a number outside the enum.
[[nodiscard]] std::string_view name(TcpState state);

// The control bits of a segment's header, at their places in it (RFC 9293, 3.1; ECE and CWR: RFC 3168, 6.1).
namespace tcp_flag {
inline constexpr std::uint8_t fin = 0x01;
inline constexpr std::uint8_t syn = 0x02;
inline constexpr std::uint8_t rst = 0x04;
inline constexpr std::uint8_t psh = 0x08;
inline constexpr std::uint8_t ack = 0x10;
inline constexpr std::uint8_t urg = 0x20;
inline constexpr std::uint8_t ece = 0x40;
inline constexpr std::uint8_t cwr = 0x80;
}  // namespace tcp_flag

// Options of a segment's header: bits of its `options`.
enum class TcpOption : std::uint8_t {
  timestamp = 1U << 0U,       // RFC 7323, 3
  window_scale = 1U << 1U,    // RFC 7323, 2
  sack_permitted = 1U << 2U,  // RFC 2018, 2
  sack = 1U << 3U,            // RFC 2018, 3
  mptcp = 1U << 4U,           // RFC 8684
  fast_open = 1U << 5U,       // RFC 7413
  cut_off = 1U << 6U,         // none: the capture cut the header, and options are missing
};

// The bits of some flags of one enum, as fields have them.
template <typename Flag, typename... Flags>
  requires std::is_enum_v<Flag> && (std::is_same_v<Flag, Flags> && ...)
[[nodiscard]] constexpr std::underlying_type_t<Flag> bits(Flag first, Flags... more) {
  using Bits = std::underlying_type_t<Flag>;
  return static_cast<Bits>((static_cast<unsigned>(first) | ... | static_cast<unsigned>(more)));
}
// Whether a field has this one.
template <typename Flag>
  requires std::is_enum_v<Flag>
[[nodiscard]] constexpr bool has(std::underlying_type_t<Flag> field, Flag flag) {
  return (field & bits(flag)) != 0;
}

// a < b, a <= b in sequence space: as the kernel's before() and !after(). Wrong for numbers 2^31 or more apart.
[[nodiscard]] constexpr bool seq_before(std::uint32_t a, std::uint32_t b) {
  return static_cast<std::int32_t>(a - b) < 0;
}
[[nodiscard]] constexpr bool seq_not_after(std::uint32_t a, std::uint32_t b) {
  return static_cast<std::int32_t>(a - b) <= 0;
}

// Sequence numbers a segment occupies: payload, and one each for SYN and FIN (RFC 9293, section 3.4).
[[nodiscard]] constexpr std::uint32_t seq_length(std::uint32_t payload_bytes, std::uint8_t flags) {
  return payload_bytes + ((flags & tcp_flag::syn) != 0 ? 1U : 0U) + ((flags & tcp_flag::fin) != 0 ? 1U : 0U);
}

}  // namespace tcpwitness
