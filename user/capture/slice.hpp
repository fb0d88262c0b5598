// SPDX-License-Identifier: Apache-2.0
// slice.hpp: the rest of a frame from one header on: what was captured of it, and how long it was on the wire.
//
// captured <= wire always holds.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

namespace tcpwitness {

struct Slice {
  const std::byte* at = nullptr;
  std::uint32_t captured = 0;
  std::uint32_t wire = 0;

  // A header of `bytes` is over; no more than what was captured.
  void skip(std::uint32_t bytes) {
    at += bytes;
    captured -= bytes;
    wire -= bytes;
  }
  [[nodiscard]] Slice behind(std::uint32_t bytes) const { return {at + bytes, captured - bytes, wire - bytes}; }
  // By a header, what it begins is no longer than this.
  void limit(std::uint32_t bytes) {
    wire = std::min(wire, bytes);
    captured = std::min(captured, bytes);
  }
  [[nodiscard]] std::span<const std::byte> bytes() const { return {at, captured}; }
};

}  // namespace tcpwitness
