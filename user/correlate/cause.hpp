// SPDX-License-Identifier: Apache-2.0
// cause.hpp: what made a transition happen: the segment, the call or the timer.
//
// A segment is a cause only when its sequence numbers agree with the control block that came with the
// transition, never because it happened to be the last one before it.
#pragma once

#include "facts/connection.hpp"
#include "tcpwitness/report.hpp"

namespace tcpwitness {

// The error with which a socket closes, 0: none. tcp_v4_err() puts an ICMP message on the error queue of a socket that
// connects, which wakes its process, before it sets sk_err and closes the socket: SO_ERROR can have cleared that by
// then.
[[nodiscard]] int closing_error(const Connection& c, const StateChange& change);
[[nodiscard]] Cause find_cause(const Connection& c, const StateChange& change, TimeNs ts);

// The transition that sent an outgoing SYN, FIN, RST or ACK; nullptr: not known.
[[nodiscard]] const RecentTransition* find_sender(const Recent& recent, std::uint8_t flags, std::uint16_t event_flags);

}  // namespace tcpwitness
