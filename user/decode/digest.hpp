// SPDX-License-Identifier: Apache-2.0
// digest.hpp: the ordinary events of one socket in one record, and the very events that it stands for.
//
// The kernel holds back what is ordinary and writes it together (event_abi.h, tw_digest). What is not in the record
// was of no consequence to anybody; where a later event has it, that one shows it.
#pragma once

#include <cstddef>
#include <vector>

#include "tcpwitness/event.hpp"

namespace tcpwitness {

// The segment at `place`, if the record holds one of this socket; nullptr: it does not.
[[nodiscard]] inline const HeldSegment* held_segment(const SocketDigest& digest, std::size_t place) {
  const HeldSegment& held = digest.held.segments[place];
  return held.ts_ns != 0 && held.cookie == static_cast<std::uint32_t>(digest.header.cookie) ? &held : nullptr;
}

// The run's time of what happened at `ns` of the kernel's clock. Both have the same pace; modulo 2^64.
[[nodiscard]] inline TimeNs time_of(const Event& event, const SocketDigest& digest, std::uint64_t ns) {
  return static_cast<TimeNs>(static_cast<std::uint64_t>(event.ts_ns) - (digest.header.ts_ns - ns));
}

// The state of the socket when the segment passed.
[[nodiscard]] SocketView view_of(const HeldSegment& segment);
// The control block as the last transition of a destroyed socket had it.
[[nodiscard]] ControlBlock last_control_block(const SocketDigest& digest);
// bytes_received at one of its transitions, whose low 32 bits it holds.
[[nodiscard]] std::uint64_t bytes_received(const SocketDigest& digest, const HeldState& state);

// How many events it stands for.
[[nodiscard]] std::size_t events_in(const SocketDigest& digest);
[[nodiscard]] bool well_formed(const SocketDigest& digest);

// Appends them, in the order in which they happened, with the numbers from event.id on; `event` holds `digest`.
void expand(const Event& event, const SocketDigest& digest, std::vector<Event>& out);

}  // namespace tcpwitness
