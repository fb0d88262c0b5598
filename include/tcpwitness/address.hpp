// SPDX-License-Identifier: Apache-2.0
// address.hpp: IP addresses, endpoints and address pairs as values.
//
// Inside there is one form: 16 bytes in network order, IPv4 as ::ffff:a.b.c.d, so a dual-stack socket
// equals its IPv4 wire. Outside (text) IPv4 is always plain. Ports are in host order.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>

#include "tcpwitness/result.hpp"

namespace tcpwitness {

// Of IPv4 in the form of IPv6: ::ffff:0:0/96.
inline constexpr std::array<std::uint8_t, 12> mapped_prefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

// An IP address. Compared byte by byte, in network order.
struct Address {
  std::array<std::uint8_t, 16> bytes{};

  [[nodiscard]] bool is_ipv4() const { return std::memcmp(bytes.data(), mapped_prefix.data(), 12) == 0; }
  // :: or 0.0.0.0
  [[nodiscard]] bool is_unspecified() const;
  [[nodiscard]] bool is_link_local() const { return bytes[0] == 0xfe && (bytes[1] & 0xc0U) == 0x80; }  // fe80::/10
  auto operator<=>(const Address&) const = default;
  // As two words; the default compares byte by byte, and this is what looking up a connection spends its time on.
  bool operator==(const Address& other) const { return std::memcmp(bytes.data(), other.bytes.data(), 16) == 0; }
};

// An address with its port in host order; 0: none, or not known.
struct Endpoint {
  Address address;
  std::uint16_t port = 0;
  auto operator<=>(const Endpoint&) const = default;
};

// The address pair of one socket, seen from its own side.
struct Flow {
  Endpoint local;
  Endpoint remote;
  std::uint32_t scope = 0;  // of link-local addresses: the interface that they belong to (live its index)

  // As the other end sees it, where that is on this machine too. The scope is left out.
  [[nodiscard]] Flow reversed() const { return {remote, local}; }
  auto operator<=>(const Flow&) const = default;
};

// The same as events have it, in the layout of their records: each end as an Endpoint has it.
struct AddressPair {
  std::uint8_t local_addr[16];
  std::uint8_t remote_addr[16];
  std::uint16_t local_port;
  std::uint16_t remote_port;
  std::uint32_t scope;
};

[[nodiscard]] Flow to_flow(const AddressPair& pair);
[[nodiscard]] AddressPair to_pair(const Flow& flow);

// "192.0.2.1", "2001:db8::1".
[[nodiscard]] std::string to_string(const Address& address);
// "192.0.2.1:80", "[2001:db8::1]:80".
[[nodiscard]] std::string to_string(const Endpoint& endpoint);

// An address with a prefix length in the 16-byte form (IPv4 /24 becomes 120 bits).
struct Prefix {
  Address address;
  std::uint32_t bits = 128;
  // Whether its first bits are these.
  [[nodiscard]] bool contains(const Address& other) const;
  bool operator==(const Prefix&) const = default;
};

// "192.0.2.0/24", "2001:db8::/32", or a single address. Bits outside the prefix are cleared. An Error names what
// is wrong with the text. No name is resolved.
[[nodiscard]] Result<Prefix> parse_prefix(std::string_view text);

}  // namespace tcpwitness

// Keyed anew in each process, so that nobody can choose addresses that collide.
template <>
struct std::hash<tcpwitness::Flow> {
  std::size_t operator()(const tcpwitness::Flow& flow) const noexcept;
};
