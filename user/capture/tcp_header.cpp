// SPDX-License-Identifier: Apache-2.0
#include "capture/tcp_header.hpp"

#include <algorithm>

#include "capture/network_order.hpp"
#include "tcpwitness/tcp.hpp"

namespace tcpwitness {
namespace {

constexpr std::size_t fixed_header = 20;

enum OptionKind : std::uint8_t {
  option_list_end = 0,
  option_no_operation = 1,
  option_mss = 2,
  option_window_scale = 3,
  option_sack_permitted = 4,
  option_sack = 5,
  option_timestamps = 8,
  option_mptcp = 30,
  option_fast_open = 34,
  option_experiment = 254,
};
constexpr std::uint16_t fast_open_experiment = 0xf989;  // RFC 7413, before it had a number of its own

void read_sack(const std::byte* blocks, std::size_t bytes, TcpFrame& tcp) {
  const std::size_t count = std::min<std::size_t>(bytes / 8, tcp.sack.size());
  for (std::size_t i = 0; i < count; i++) tcp.sack[i] = {be32(blocks + 8 * i), be32(blocks + 8 * i + 4)};
  tcp.sack_count = static_cast<std::uint8_t>(count);
  tcp.options |= bits(TcpOption::sack);
}

// One option of `length` bytes, all of which are there.
void read_option(const std::byte* at, std::size_t length, TcpFrame& tcp) {
  switch (static_cast<std::uint8_t>(at[0])) {
    case option_mss:
      if (length == 4) tcp.mss = be16(at + 2);
      break;
    case option_window_scale:
      if (length == 3) {
        tcp.wscale = static_cast<std::uint8_t>(at[2]);
        tcp.options |= bits(TcpOption::window_scale);
      }
      break;
    case option_sack_permitted:
      if (length == 2) tcp.options |= bits(TcpOption::sack_permitted);
      break;
    case option_sack:
      if (length >= 10) read_sack(at + 2, length - 2, tcp);
      break;
    case option_timestamps:
      if (length == 10) {
        tcp.ts_val = be32(at + 2);
        tcp.ts_ecr = be32(at + 6);
        tcp.options |= bits(TcpOption::timestamp);
      }
      break;
    case option_mptcp:
      tcp.options |= bits(TcpOption::mptcp);
      if (length >= 3) tcp.mptcp |= static_cast<std::uint16_t>(1U << (static_cast<unsigned>(at[2]) >> 4U));
      break;
    case option_fast_open:
      tcp.options |= bits(TcpOption::fast_open);
      break;
    case option_experiment:
      if (length >= 4 && be16(at + 2) == fast_open_experiment) tcp.options |= bits(TcpOption::fast_open);
      break;
    default:
      break;
  }
}

// cut: there were more than what is here.
void read_options(const std::byte* at, const std::byte* end, bool cut, TcpFrame& tcp) {
  constexpr std::uint32_t only_timestamps = 0x0101080a;  // NOP NOP, kind 8, length 10: nearly every segment
  if (end - at == 12 && be32(at) == only_timestamps) {
    tcp.ts_val = be32(at + 4);
    tcp.ts_ecr = be32(at + 8);
    tcp.options = bits(TcpOption::timestamp);
    if (cut) tcp.options |= bits(TcpOption::cut_off);
    return;
  }
  while (at < end && static_cast<std::uint8_t>(*at) != option_list_end) {
    if (static_cast<std::uint8_t>(*at) == option_no_operation) {
      ++at;
      continue;
    }
    if (end - at < 2) break;
    const auto length = static_cast<std::ptrdiff_t>(at[1]);
    if (length < 2) return;
    if (length > end - at) break;
    read_option(at, static_cast<std::size_t>(length), tcp);
    at += length;
  }
  const bool ended = at < end && static_cast<std::uint8_t>(*at) == option_list_end;
  if (cut && !ended) tcp.options |= bits(TcpOption::cut_off);
}

}  // namespace

bool read_tcp(std::span<const std::byte> captured, std::uint32_t wire, TcpFrame& tcp) {
  constexpr std::size_t up_to_window = 16;  // checksum and urgent pointer may be cut off, as in Wireshark
  if (captured.size() < up_to_window) [[unlikely]]
    return false;
  const std::byte* at = captured.data();
  tcp.source.port = be16(at);
  tcp.destination.port = be16(at + 2);
  tcp.seq = be32(at + 4);
  tcp.ack = be32(at + 8);
  const std::size_t header = static_cast<std::size_t>(at[12] >> 4U) * 4;
  tcp.flags = static_cast<std::uint8_t>(at[13]);
  tcp.window = be16(at + 14);
  tcp.checksum = captured.size() >= up_to_window + 2 ? be16(at + 16) : std::uint16_t{0};
  tcp.bad_header = header < fixed_header || header > wire;
  if (tcp.bad_header) [[unlikely]] {
    tcp.len = 0;
    return true;
  }
  tcp.len = wire - static_cast<std::uint32_t>(header);
  const std::size_t there = std::min(header, captured.size());
  if (header > fixed_header) read_options(at + std::min(fixed_header, there), at + there, there < header, tcp);
  return true;
}

}  // namespace tcpwitness
