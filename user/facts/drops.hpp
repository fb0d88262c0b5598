// SPDX-License-Identifier: Apache-2.0
// drops.hpp: segments that the kernel dropped, by reason.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "facts/evidence.hpp"

namespace tcpwitness {

// Segments of this connection that the kernel dropped for one reason, in one direction.
struct DropSeen {
  Mark first;
  Mark last;
  Evidence evidence;
  std::uint32_t reason = 0;    // enum skb_drop_reason of the running kernel
  std::uint32_t count = 0;     // buffers: GRO and GSO make one of several segments
  std::uint32_t segments = 0;  // in them
  std::uint32_t bytes = 0;     // payload
  std::uint32_t empty = 0;     // of count, without payload
  std::uint8_t flags = 0;      // TCP flags of all of them together
  bool out = false;
};

struct Drops {
  static constexpr std::size_t limit = 4;
  std::array<DropSeen, limit> kinds{};
  std::uint8_t used = 0;
  std::uint32_t further = 0;   // of further kinds
  std::uint32_t syns_out = 0;  // SYNs that were to leave, whatever the kind
  std::uint32_t syn_acks_in = 0;
  std::uint32_t syns_in = 0;  // of the peer, for a reason that is a fault

  [[nodiscard]] std::span<const DropSeen> seen() const { return std::span(kinds).first(used); }
  [[nodiscard]] std::span<DropSeen> seen() { return std::span(kinds).first(used); }
};

}  // namespace tcpwitness
