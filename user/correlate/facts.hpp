// SPDX-License-Identifier: Apache-2.0
// facts.hpp: what single events add to a connection's facts, beside its states: queues, hops, reactions.
//
// Each is one function of one event, called from the place that handles it. They keep nothing for the
// healthy connection: Anomalies is allocated only where a rule may want to look.
#pragma once

#include "correlate/connection.hpp"

namespace tcpwitness {

inline constexpr std::uint32_t loopback_ifindex = 1;  // in every namespace (LOOPBACK_IFINDEX)

// queues.cpp: a passive connection's SYNs, SYN-ACKs and last ACK beside the queues of the listener.
void note_queues(Connection& c, const Event& e, const Segment& g, bool out);
// The listener has room for the SYN that comes with this view, and answers it with a request socket.
[[nodiscard]] bool has_room(const SocketView& listener);

// Linux takes a RST at rcv_nxt (RFC 5961, 3.2), and one behind a FIN that does not count the FIN (tcp_reset_check()).
[[nodiscard]] inline bool takes_reset(TcpState state, std::uint32_t rcv_nxt, std::uint32_t seq) {
  const bool behind_fin = state == TcpState::close_wait || state == TcpState::last_ack || state == TcpState::closing;
  return seq == rcv_nxt || (behind_fin && seq + 1 == rcv_nxt);
}

// on_drop.cpp: a segment that came in, all of which the socket had before.
void note_received_before(Connection& c, const Segment& g, bool out);
void add_drop(Drops& drops, const Event& e, const Drop& d, bool out);

// hops.cpp: TTL of what comes in, and what comes behind a RST.
void note_hops(Connection& c, const Event& e, const Segment& g, bool out);
// The connection's RST came in on the loopback interface, and nothing else of it did: this machine made it, and no TCP
// of it, for the peer's address is not ours.
[[nodiscard]] bool reset_made_here(const Connection& c);
// The connection's RST does not look like the peer's other segments.
[[nodiscard]] bool foreign_hops(const Connection& c);

// reactions.cpp: how long the kernel needed for what came in, and the process for what the kernel has.
void note_reaction(Connection& c, const Event& e, const StateChange& s, std::int64_t late_ns);
void note_unaccepted(Connection& c, const Event& e, const ControlBlock& cb, std::int64_t slow_ns);
void note_first_call(Connection& c, const Event& e, const OwnerSeen& o, std::int64_t slow_ns);

}  // namespace tcpwitness
