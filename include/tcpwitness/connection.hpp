// SPDX-License-Identifier: Apache-2.0
// connection.hpp: what is reported about one connection when its life is over (or the run is).
//
// A connection here is one socket's view: over loopback both ends are sockets of this machine and
// each gets its own life.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tcpwitness/address.hpp"
#include "tcpwitness/boxed.hpp"
#include "tcpwitness/comparison.hpp"
#include "tcpwitness/event.hpp"
#include "tcpwitness/finding.hpp"
#include "tcpwitness/phases.hpp"
#include "tcpwitness/state_list.hpp"
#include "tcpwitness/tcp.hpp"
#include "tcpwitness/wire.hpp"

namespace tcpwitness {

// How a connection ended. Exactly one each; docs/findings.md has the evidence of each.
enum class Outcome : std::uint8_t {
  unknown,             // what was seen does not show it
  completed,           // both sides closed and both FINs were acknowledged (RFC 9293, 3.6)
  refused,             // a RST answered the SYN, or an ICMP message that refuses it
  connect_timeout,     // no answer to any SYN was seen, and connect() gave up
  connect_unsent,      // connect() gave up because its SYN never left this machine
  connect_ignored,     // the answer came, but the kernel never took it, and connect() gave up
  reset_by_peer,       // a RST from the peer's address
  reset_by_local,      // a RST of this machine: of its TCP, or of its firewall in the peer's name
  reset_by_outsider,   // a RST that neither side's TCP sent
  keepalive_timeout,   // no keep-alive was answered (RFC 9293, 3.8.4)
  retransmit_timeout,  // data or a FIN was sent again and again without an acknowledgement
  user_timeout,        // TCP_USER_TIMEOUT was over before an acknowledgement came
  aborted,             // the process died with unread data
  no_local_port,       // connect() found no local port (EADDRNOTAVAIL)
  unreachable,         // an ICMP message ended connect()
  connect_cancelled,   // the process gave connect() up, or died, before an answer was taken
  fin_wait2_timeout,   // this side closed, the peer never did, and the kernel forgot it (tcp_fin_timeout)
  syn_dropped,         // this machine dropped each SYN of the peer before its listener took one
  open,                // it goes on
};
inline constexpr std::size_t outcome_count = static_cast<std::size_t>(Outcome::open) + 1;
[[nodiscard]] std::string_view name(Outcome outcome);  // "connect-timeout"
// What nobody has to look after: it is over as it should be, or not over, or nothing is known of its end.
[[nodiscard]] inline bool is_problem(Outcome outcome) {
  return outcome != Outcome::completed && outcome != Outcome::open && outcome != Outcome::unknown;
}

// Which side this one is: active connects, passive was listening (RFC 9293, 3.9.1).
enum class Role : std::uint8_t { unknown, active, passive };
[[nodiscard]] std::string_view name(Role role);

// Who closed first, by a FIN; both: the FINs crossed.
enum class ClosedBy : std::uint8_t { none, local, peer, both };
[[nodiscard]] std::string_view name(ClosedBy closed_by);

// Where a process id came from. The best evidence wins, and of equal evidence the first; see docs/events.md.
enum class PidSource : std::uint8_t { unknown, connect, accept, listen, send, receive, close, snapshot };
[[nodiscard]] std::string_view name(PidSource source);

// The process of a connection.
struct Process {
  std::uint32_t pid = 0;  // in the initial PID namespace; 0: not known
  std::string comm;  // of the thread-group leader, at most 15 bytes, as the process chose it: escape it for a terminal
  PidSource source = PidSource::unknown;
};

// What the wire itself counted, this socket's side: payload bytes, retransmissions included, and segments of the wire.
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
  // Left with the addresses that they came with, although the connection is translated: NAT had no entry for them any
  // more.
  std::uint32_t untranslated = 0;
};

struct Ending;  // ending.hpp

// One connection, when it is over (or the run is). It owns all that it holds, but for names in static storage. Many are
// on their way at a time: what only few have is Boxed.
// Durations are nanoseconds of CLOCK_MONOTONIC (of a capture: of its clock); an optional that is empty was not shown by
// any event.
struct Life {
  ConnectionId conn = 0;
  TimeNs start_ts_ns = 0;  // first event
  TimeNs ts_ns = 0;        // end
  Flow flow;
  std::optional<Flow> nat{};  // as on the wire, where this machine's NAT gives its segments other addresses
  Role role = Role::unknown;
  Process process;
  std::uint32_t netns = 0;  // inode number of the network namespace; 0: not known
  Outcome outcome = Outcome::unknown;
  std::string explanation;   // one closing sentence: what happened, on what evidence; empty unless asked for
  std::optional<int> error;  // errno the process got
  ClosedBy closed_by = ClosedBy::none;
  bool preexisting = false;                  // it was open before we started
  bool has_kernel = false;                   // at least one kernel event
  bool has_wire = false;                     // at least one segment
  bool incomplete = false;                   // its time overlaps a gap
  std::int64_t duration_ns = 0;              // from the first event to the end
  std::optional<std::int64_t> handshake_ns;  // from the SYN, or connect(), to ESTABLISHED
  std::uint64_t tx_bytes = 0;  // payload the peer acknowledged (kernel), or wire payload where only the wire was seen
  std::uint64_t rx_bytes = 0;
  std::uint32_t retransmits = 0;  // segments that this side sent again (kernel: tcp_sock.total_retrans)
  std::optional<std::uint32_t>
      retransmits_in;               // segments that the peer sent again; empty where packets were not traced
  std::uint32_t duplicates_in = 0;  // segments that the network delivered twice: nobody sent them again
  std::optional<std::uint32_t> out_of_order_in;   // segments that came late: behind later ones, and sent once
  std::optional<std::uint32_t> out_of_order_out;  // the same of what this side sent
  std::optional<std::uint32_t> srtt_us;           // of the kernel, newest
  std::optional<WireTotals> wire;
  Boxed<ConversationTotals> conversation;  // reading a capture: everything that it holds of this conversation
  std::string_view zeek_state;             // reading a capture: Zeek's conn_state ("SF", "S0", "REJ", ...)
  StateList states;                        // in order, inferred ones (NEW_SYN_RECV, TIME_WAIT) included
  std::vector<TcpState> peer_states;       // of the other end, where only the wire was seen: inferred from its segments
  std::vector<Finding> findings;
  std::optional<PeerEnd> peer;     // the other end, where this run follows it too
  Phases phases{};                 // where its time went
  Boxed<Comparison> comparison{};  // where it was asked for
  Boxed<Forwarded> forwarded;      // then `flow` is the client's view: local is the client, remote the server
  // What `explanation` was made of; as that. Shared, not Boxed: a copy of a life need not copy it, and whoever has
  // lives need not know all kinds of endings.
  std::shared_ptr<const Ending> ending{};
};

}  // namespace tcpwitness
