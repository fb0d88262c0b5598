// SPDX-License-Identifier: Apache-2.0
// network_order.hpp: integers as they are on the wire, wherever they lie.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "tcpwitness/address.hpp"

namespace tcpwitness {

[[nodiscard]] inline std::uint8_t byte_at(const std::byte* at) { return static_cast<std::uint8_t>(*at); }

[[nodiscard]] inline std::uint16_t be16(const std::byte* at) {
  std::uint16_t value;
  std::memcpy(&value, at, sizeof value);
  return std::endian::native == std::endian::little ? __builtin_bswap16(value) : value;
}

[[nodiscard]] inline std::uint32_t be32(const std::byte* at) {
  std::uint32_t value;
  std::memcpy(&value, at, sizeof value);
  return std::endian::native == std::endian::little ? __builtin_bswap32(value) : value;
}

[[nodiscard]] inline Address ipv4_at(const std::byte* at) {
  Address address;
  address.bytes[10] = address.bytes[11] = 0xff;
  std::memcpy(address.bytes.data() + 12, at, 4);
  return address;
}

[[nodiscard]] inline Address ipv6_at(const std::byte* at) {
  Address address;
  std::memcpy(address.bytes.data(), at, address.bytes.size());
  return address;
}

}  // namespace tcpwitness
