// SPDX-License-Identifier: Apache-2.0
// measures.hpp: what only a comparison, or who sees every segment, asks of a connection; kept beside it.
#pragma once

#include <cstdint>

#include "tcpwitness/event.hpp"
#include "tcpwitness/finding.hpp"
#include "wire/phase_clock.hpp"

namespace tcpwitness {

// Of a connection that was open before the run: what it had counted when it was first found. What the run can compare
// begins there.
struct FirstLook {
  bool taken = false;
  bool had_wire = false;       // its packets were counted by then
  std::uint64_t tx_bytes = 0;  // payload
  std::uint64_t rx_bytes = 0;
  std::uint32_t in_flight = 0;  // of what it had sent, not acknowledged yet: sequence numbers
  std::uint32_t segs_in = 0;
  std::uint32_t segs_out = 0;
  std::uint32_t total_retrans = 0;
  WireCounters wire{};
  LossCounters loss{};
};

struct Measures {
  ConnectionId conn = 0;        // whose they are: slots are used again
  TimeNs handshake_ack_ns = 0;  // the segment that ended the handshake passed the interface; 0: not seen
  // Wire segments that the connection's own socket did not count: handled by the listener or its request sockets, or by
  // a mini-socket, the control socket, or by none.
  std::uint32_t listener_in = 0;
  std::uint32_t listener_out = 0;
  std::uint32_t mini_in = 0;
  std::uint32_t mini_out = 0;
  std::uint32_t refused_in = 0;     // RSTs that answered a segment for which there was no socket (any more)
  std::int32_t first_read_ms = -1;  // OwnerSeen::waited_ms of the first recv() that was seen
  // Of the socket when it was destroyed: a RST that a process causes leaves behind the transition to CLOSE.
  bool destroyed = false;
  std::uint32_t segs_in = 0;
  std::uint32_t segs_out = 0;
  std::uint32_t total_retrans = 0;
  FirstLook first_look{};
  std::uint32_t unknown_flows = 0;  // events that found no flow of it in the map
  PhaseClock clock{};               // live, where every segment is seen
};

}  // namespace tcpwitness
