// SPDX-License-Identifier: Apache-2.0
// owner.hpp: the process of a connection, as events show it.
//
// `current` is believed only where the kernel's lock or the hook makes it the actor (docs/kernel.md).
#pragma once

#include <array>
#include <cstdint>

#include "tcpwitness/arguments.hpp"
#include "tcpwitness/connection.hpp"
#include "tcpwitness/event.hpp"

namespace tcpwitness {

// The process that a connection belongs to, as plain bytes.
struct Owner {
  std::uint32_t pid = 0;
  std::array<char, comm_length> comm{};
  PidSource source = PidSource::unknown;
  bool ambiguous = false;  // the snapshot named two processes: it is neither's
  bool shared = false;     // another process has used the connection, too
  // CorrelatorSettings::of_process, asked when it became the owner: later its number may be another one's.
  enum class Selected : std::uint8_t { undecided, yes, no } selected = Selected::undecided;

  [[nodiscard]] Process process() const;
  [[nodiscard]] arguments::NamedProcess named() const;
};

// `current`, if it is a process that acts for the socket; pid 0 otherwise.
[[nodiscard]] Owner acting_process(const StateChange& change, PidSource source);
[[nodiscard]] Owner present_process(const Actor& actor, PidSource source);
[[nodiscard]] Owner seen_process(const OwnerSeen& seen);
[[nodiscard]] Owner port_holder(const PortHolder& holder);

}  // namespace tcpwitness
