// SPDX-License-Identifier: Apache-2.0
// event.hpp: one thing that the kernel or the wire did, as a value with a number and a time.
//
// The bodies are the ABI records themselves: there is no second set of structures to keep in step.
// Events come in ring order, which is causal; ts_ns can run backwards by milliseconds and nothing
// sorts by it. A capture or recording produces the same events as the ring does. A SocketDigest stands for several
// events (decode/digest.hpp); its number is that of the first of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <variant>

#include "tcpwitness/address.hpp"
#include "tcpwitness/event_abi.h"
#include "tcpwitness/wire.hpp"

namespace tcpwitness {

using EventId = std::uint64_t;  // 1, 2, ... within a run; what evidence points to

using StateChange = tw_state;
using Retransmit = tw_retransmit;
using Reset = tw_reset;
using SocketError = tw_error;
using SocketDestroyed = tw_destroy;
using OwnerSeen = tw_owner;
using SocketFound = tw_socket;
using Drop = tw_drop;
using PortsFound = tw_ports;
using Translation = tw_translation;
using IcmpSeen = tw_icmp;
using SocketDigest = tw_digest;
using ControlBlock = tw_control_block;
using SocketView = tw_socket_view;
using Actor = tw_actor;

// A segment: the record, and what the whole conversation says of it where all of it is seen.
struct Segment : tw_segment {
  Analysis analysis{};
};

// Reading a capture: no further segment of this conversation will come (its ports were used again, it was over for
// long, or the file ended).
struct ConversationEnd {
  std::uint32_t conversation = 0;  // as in Analysis; from now on another one can have it
  Flow flow;
  ConversationTotals totals;
  bool cut = false;  // the file ended, not the conversation
};

// Events that are not there: exact count, between two times. On one CPU: its records found no room in the ring. On none
// (TW_NO_CPU): transitions that interrupted another one, and whose program the kernel skipped.
struct Gap {
  std::uint64_t lost = 0;
  std::uint32_t cpu = 0;
  TimeNs from_ts_ns = 0;
  TimeNs to_ts_ns = 0;
  [[nodiscard]] bool skipped() const { return cpu == TW_NO_CPU; }
};

struct Event {
  EventId id = 0;
  TimeNs ts_ns = 0;
  std::variant<Gap, StateChange, Segment, Retransmit, Reset, SocketError, SocketDestroyed, OwnerSeen, SocketFound, Drop,
               PortsFound, Translation, IcmpSeen, SocketDigest, ConversationEnd>
      body;  // the smallest first: it is what an event is made with
};

}  // namespace tcpwitness
