// SPDX-License-Identifier: Apache-2.0
// inferred_ends.hpp: both ends as the segments show them, where no socket of this machine does.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "facts/forwarded.hpp"
#include "tcpwitness/connection.hpp"
#include "wire/acceptance.hpp"
#include "wire/state_tracker.hpp"
#include "wire/zeek_state.hpp"

namespace tcpwitness {

// The first FIN of a capture that acknowledges what is not there before it: that can be the other side's FIN.
struct FirstFin {
  ClosedBy closes = ClosedBy::none;  // who closed first if it is not; none: nothing is in doubt
  std::uint32_t ack = 0;
  bool stands_behind = false;  // it is: the other side's FIN came later in the capture, and states follow the capture
};

// Where only the wire is seen: both ends, inferred.
struct InferredEnds {
  StateTracker tracker;
  ZeekState zeek;
  Acceptance acceptance{false};  // where no capture's analysis has asked before
  Acceptance::Answer answer;     // to the newest segment
  FirstFin first_fin;
  std::array<TcpState, 12> peer_states{};
  std::uint8_t peer_count = 0;
  bool syn_ack_repeated = false;
  bool reset_doubted = false;  // the newest segment is a RST that its receiver should refuse: it may be behind a hole
  bool met_socket = false;     // a segment that came in found the connection's own socket
  std::unique_ptr<ForwardedFacts>
      forwarded;  // forwarded: no socket of this machine; from the first segment to the last
};

}  // namespace tcpwitness
