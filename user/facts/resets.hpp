// SPDX-License-Identifier: Apache-2.0
// resets.hpp: RSTs: on the wire, and as the kernel reports them.
#pragma once

#include <cstdint>

#include "facts/evidence.hpp"
#include "tcpwitness/event.hpp"

namespace tcpwitness {

struct ResetSeen {
  Mark mark;
  std::uint32_t seq = 0;
  std::uint32_t ack = 0;
  std::uint8_t flags = 0;    // TCP flags on the wire
  SocketKind socket_type{};  // that sent it
  std::uint8_t ttl = 0;      // or hop limit
  bool on_loopback = false;  // it came in there
  std::uint32_t ifindex = 0;
  bool fits = false;  // its number is the one that a RST must have, by the view that came with it
};

// What the kernel reported of a reset it sent or took.
struct ResetReport {
  Mark mark;
  std::uint32_t reason = reset_reason_unknown;
  bool answers_segment = false;
  bool has_socket = false;
  std::uint8_t actor = 0;     // ActorFlag
  std::uint32_t sent_ms = 0;  // RECEIVED: since this side last sent payload
};

// What the peer sent behind a RST from its address.
struct OutsiderFacts {
  Mark goes_on;  // the first segment with new sequence numbers behind it, that no RST is
  std::uint8_t ttl = 0;
  TimeNs newest_ns = 0;
  bool paused = false;  // one came when for long none had: it was no longer under way when the RST was sent
};

}  // namespace tcpwitness
