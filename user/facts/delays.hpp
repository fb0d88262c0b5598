// SPDX-License-Identifier: Apache-2.0
// delays.hpp: how long the kernel and the process let a segment, or a connection, wait.
#pragma once

#include <cstdint>
#include <string_view>

#include "facts/evidence.hpp"

namespace tcpwitness {

// The longest time that this kernel took from a segment's arrival to the transition which the segment causes.
struct ReactionFacts {
  Mark segment;
  EventId transition = 0;
  std::int64_t delay_ns = 0;
  std::string_view what;  // "SYN-ACK", "FIN", "RST"; static storage
};

// A child that waited for accept(), or for its process to read.
struct AcceptFacts {
  Mark unaccepted;      // the newest event that shows it without a process
  TimeNs since_ns = 0;  // ESTABLISHED
  Mark first_call;
  std::uint32_t waited_ms = 0;  // payload, until that call
};

}  // namespace tcpwitness
