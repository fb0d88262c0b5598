// SPDX-License-Identifier: Apache-2.0
// stray.hpp: segments that fit no connection of this machine, and SYNs that never reached its TCP.
#pragma once

#include <cstdint>

#include "facts/crowd.hpp"
#include "facts/evidence.hpp"
#include "tcpwitness/report.hpp"

namespace tcpwitness {

// A segment that no socket matched, and what became of it.
struct Stray {
  Flow flow;
  TimeNs ts_ns = 0;
  TimeNs last_ns = 0;       // of the newest one like it, where there were several
  std::uint32_t count = 1;  // like it
  Evidence evidence;
  std::uint32_t seq = 0;
  std::uint32_t ack = 0;
  std::uint8_t flags = 0;
  bool no_socket = false;       // the look-up found none
  bool on_loopback = false;     // it came in there
  bool reset_reported = false;  // tcp_send_reset
  std::uint32_t reason = reset_reason_unknown;
  bool reset_seen = false;  // on the wire
  bool sent_here = false;   // a connection of this machine sent it: its own findings have what became of it
  IcmpMessage icmp;         // that this machine answered it with
  Endpoint asked;           // of a SYN-ACK: whom a process here sent the SYN that it acknowledges
};

// A SYN for no connection of this machine, which dropped it before TCP had it. It may come again.
struct DroppedSyn {
  Stray stray;  // the newest one
  TimeNs first_ns = 0;
  std::uint32_t count = 0;
  ByReason reasons;  // enum skb_drop_reason
  Evidence evidence;
  Endpoint sent_to;  // its destination when it was dropped: another one behind NAT
};

}  // namespace tcpwitness
