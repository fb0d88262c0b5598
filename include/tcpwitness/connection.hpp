// SPDX-License-Identifier: Apache-2.0
// connection.hpp: what is reported about one connection when its life is over (or the run is).
//
// A connection here is one socket's view: over loopback both ends are sockets of this machine and
// each gets its own life.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tcpwitness/address.hpp"
#include "tcpwitness/comparison.hpp"
#include "tcpwitness/event.hpp"
#include "tcpwitness/finding.hpp"
#include "tcpwitness/phases.hpp"
#include "tcpwitness/state_list.hpp"
#include "tcpwitness/tcp.hpp"
#include "tcpwitness/wire.hpp"

namespace tcpwitness {

// How a connection ended. Exactly one each.
enum class Outcome : std::uint8_t {
  unknown,
  completed,
  refused,
  connect_timeout,
  connect_unsent,
  connect_ignored,
  reset_by_peer,
  reset_by_local,
  reset_by_outsider,
  keepalive_timeout,
  retransmit_timeout,
  user_timeout,
  aborted,
  no_local_port,
  unreachable,
  connect_cancelled,
  fin_wait2_timeout,
  syn_dropped,
  open,
};
[[nodiscard]] std::string_view name(Outcome outcome);  // "connect-timeout"

enum class Role : std::uint8_t { unknown, active, passive };
[[nodiscard]] std::string_view name(Role role);

enum class ClosedBy : std::uint8_t { none, local, peer, both };
[[nodiscard]] std::string_view name(ClosedBy closed_by);

// Where a process id came from, best evidence first known wins; see docs/events.md.
enum class PidSource : std::uint8_t { unknown, connect, accept, listen, send, receive, close, snapshot };
[[nodiscard]] std::string_view name(PidSource source);

struct Process {
  std::uint32_t pid = 0;  // 0: unknown
  std::string comm;
  PidSource source = PidSource::unknown;
};

// What the wire itself counted, this socket's side; absent when the wire was not heard.
struct WireTotals {
  std::uint64_t tx_bytes = 0;
  std::uint64_t rx_bytes = 0;
  std::uint64_t tx_segments = 0;
  std::uint64_t rx_segments = 0;
  bool complete = true;  // false: the flow map evicted it, or we came late
};

// What one hop of a forwarded connection carried in one direction. Numbers are segments unless the name says otherwise.
struct HopTotals {
  std::uint64_t bytes = 0;  // payload, retransmissions included
  std::uint32_t segments = 0;
  std::uint32_t retransmits = 0;
  std::uint32_t out_of_order = 0;
  std::uint32_t syn = 0;  // SYN without ACK
  std::uint32_t syn_ack = 0;
  std::uint32_t fin = 0;
  std::uint32_t rst = 0;
};

// One side of a connection that passes through this machine.
struct Hop {
  std::string interface;               // "": not seen
  Flow flow;                           // as on the wire there, the client's end first
  HopTotals in;                        // came in from that side
  HopTotals out;                       // left to it
  std::uint32_t made_here = 0;         // of `out`: RSTs and SYN-ACKs that came in nowhere
  std::optional<std::int64_t> rtt_ns;  // of the handshake: SYN, or SYN-ACK, left until it was answered
  std::uint16_t mss_in = 0;            // the MSS option of the SYN or SYN-ACK that came in; 0: not seen
  std::uint16_t mss_out = 0;           // and of the one that left
};

// A connection of two other machines: no socket of this one has it.
struct Forwarded {
  Hop client;
  Hop server;
  bool joined = false;  // a segment was seen on both: they are one connection
  // Came in on one hop and never left on the other.
  std::uint64_t lost_to_server = 0;
  std::uint64_t lost_to_client = 0;
  // Left with the addresses that they came with, although the connection is translated: NAT did not know them any more.
  std::uint32_t untranslated = 0;
};

struct Life {
  ConnectionId conn = 0;
  TimeNs start_ts_ns = 0;  // first event
  TimeNs ts_ns = 0;        // end
  Flow flow;
  std::optional<Flow> nat{};  // as on the wire, where this machine's NAT gives its segments other addresses
  Role role = Role::unknown;
  Process process;
  std::uint32_t netns = 0;
  Outcome outcome = Outcome::unknown;
  std::string explanation;   // one closing sentence: what happened, on what evidence; empty unless asked for
  std::optional<int> error;  // errno the process got
  ClosedBy closed_by = ClosedBy::none;
  bool preexisting = false;  // it was open before we started
  bool has_kernel = false;   // at least one kernel event
  bool has_wire = false;     // at least one segment
  bool incomplete = false;   // its time overlaps a gap
  std::int64_t duration_ns = 0;
  std::optional<std::int64_t> handshake_ns;
  std::uint64_t tx_bytes = 0;  // payload the peer acknowledged (kernel), or wire payload where only the wire was seen
  std::uint64_t rx_bytes = 0;
  std::uint32_t retransmits = 0;                // segments that this side sent again (kernel: tcp_sock.total_retrans)
  std::optional<std::uint32_t> retransmits_in;  // segments that the peer sent again; empty where the wire was not heard
  std::uint32_t duplicates_in = 0;              // segments that the network delivered twice: nobody sent them again
  std::optional<std::uint32_t> out_of_order_in;   // segments that came late: behind later ones, and sent once
  std::optional<std::uint32_t> out_of_order_out;  // the same of what this side sent
  std::optional<std::uint32_t> srtt_us;
  std::optional<WireTotals> wire;
  std::optional<ConversationTotals> conversation;  // reading a capture: everything that it holds of this conversation
  std::string_view zeek_state;                     // reading a capture: Zeek's conn_state ("SF", "S0", "REJ", ...)
  StateList states;                                // in order, inferred ones (NEW_SYN_RECV, TIME_WAIT) included
  std::vector<TcpState> peer_states;  // of the other end, where only the wire was seen: inferred from its segments
  std::vector<Finding> findings;
  std::optional<PeerEnd> peer;             // the other end, where this run follows it too
  Phases phases{};                         // where its time went
  std::optional<Comparison> comparison{};  // where it was asked for
  std::optional<Forwarded> forwarded;      // then `flow` is the client's view: local is the client, remote the server
};

}  // namespace tcpwitness
