// SPDX-License-Identifier: Apache-2.0
// network_order.hpp: integers as they are on the wire, wherever they lie.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

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

}  // namespace tcpwitness
