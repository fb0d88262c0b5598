// SPDX-License-Identifier: Apache-2.0
// arguments.hpp: what a rule found, as values: of each rule one struct. sentence() (finding.hpp) makes words of it.
//
// Each is complete in itself: it can be worded after the connection is gone. Names of durations end in _ns
// (nanoseconds) or _ms (milliseconds); sizes are bytes of payload unless they say otherwise; counts are of segments on
// the wire. 0 (or an empty name) stands for "not known" or "none" where nothing else is said.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "tcpwitness/address.hpp"
#include "tcpwitness/icmp.hpp"

namespace tcpwitness {

// Why the kernel sent a segment again.
enum class RetransmitKind : std::uint8_t {
  syn,
  syn_ack,
  fast,
  rto,
  zero_window_rto,
  loss_recovery,
  tail_loss,
  path_mtu,
  unknown
};
inline constexpr std::size_t retransmit_kind_count = static_cast<std::size_t>(RetransmitKind::unknown) + 1;
// "SYN", "SYN-ACK", "fast", "RTO", "zero-window RTO", "loss recovery", "tail-loss probe", "path MTU", "unknown"
[[nodiscard]] std::string_view name(RetransmitKind kind);

// Why the kernel sends a RST, as far as rules ask for it: by the kernel's own name for it, as its numbers change (enum
// sk_rst_reason).
enum class ResetReason : std::uint8_t {
  unknown,  // not reported by the kernel
  other,
  no_socket,
  keepalive_timeout,
  abort_on_data,
  abort_on_close,
  abort_on_linger,
  abort_on_memory,
  tcp_state,
  timewait_socket,
  invalid_syn,
};
// In words: "the process closed with unread data". Static storage.
[[nodiscard]] std::string_view meaning(ResetReason reason);

// Why the kernel drops segments, as far as rules ask for it. Reasons are matched by name: their numbers change.
enum class DropKind : std::uint8_t {
  other,
  firewall,
  filter,     // BPF at a cgroup, tc or XDP, LSM, IPsec policy
  queue,      // the qdisc, or the backlog of a CPU
  neighbour,  // the next hop's link address is not known
  routing,
  bad_checksum,
  out_of_window,
  old_timestamp,
  never_sent,    // acknowledges, or echoes, what was never sent
  old_data,      // an old ACK
  old_payload,   // payload, all of it already received: the peer repeated itself
  old_sequence,  // ends before what is acknowledged: a keep-alive, an old ACK, or payload that the peer repeated
  no_socket,
  accept_queue,   // the listener's accept queue is full
  memory,         // no room in the socket, or in TCP as a whole
  refused_syn,    // a SYN for a connection that exists
  refused_rst,    // a RST whose number does not fit
  refused_ack,    // acknowledges what was never sent, or far too old
  no_flags,       // a segment that this state of the socket does not take
  closed,         // the socket is shut down or closed
  not_signed,     // not signed as the socket demands (RFC 2385, RFC 5925)
  few_hops_left,  // its hop limit is below what the socket demands (IP_MINTTL, RFC 5082)
  too_big,        // larger than the path's or the device's MTU
  damaged,        // headers that contradict themselves
};
// In words: "dropped by a firewall rule"; "" where the kernel's name must do. Static storage.
[[nodiscard]] std::string_view meaning(DropKind kind);

namespace arguments {

// An end of a connection of two other machines that passes through this one.
enum class Side : std::uint8_t { client, server };

// A process by its number and name; pid 0: not identified. The name is as the process chose it.
struct NamedProcess {
  std::uint32_t pid = 0;
  std::string comm{};  // at most 15 bytes
};

// A reason of the running kernel for a drop.
struct DropReason {
  DropKind kind{};
  std::string name{};       // "NETFILTER_DROP"
  std::uint64_t count = 0;  // segments, where they are counted by reason
};
using DropReasons = std::vector<DropReason>;

// Segments that were dropped in one direction.
struct Dropped {
  std::uint32_t segments = 0;
  std::uint32_t bytes = 0;
  DropReasons reasons{};
};

// Of zero-window: a receive window that was closed.
struct ClosedWindow {
  enum class Now : std::uint8_t { open, closed, never_opened };  // never_opened: the connection has ended
  std::int64_t closed_ns = 0;
  std::uint32_t periods = 0;  // 0: it was not seen closing, only the probes were
  std::uint32_t probes = 0;   // zero-window probes into it
  Now now{};
};

// zero-window: whose receive window was closed, at one end or both.
struct ZeroWindow {
  bool forwarded = false;              // through this machine: `peer` is the server, `local` the client
  std::optional<ClosedWindow> peer{};  // the peer's receive window
  NamedProcess peer_process{};
  std::uint32_t waiting_bytes = 0;      // that this side could not send
  std::optional<ClosedWindow> local{};  // this side's
  NamedProcess local_process{};
};

// retransmission: what this side sent again. The kernel reports it, or else the wire shows it: never both, and neither
// where only the peer reports that it got something twice.
struct Retransmission {
  struct ByKernel {
    struct Cause {
      RetransmitKind kind{};
      std::uint32_t count = 0;
      std::uint32_t seen = 0;  // of count, seen on the wire
    };
    std::vector<Cause> causes{};      // of what it reported
    std::uint32_t retransmitted = 0;  // segments, all that it counts (TcpRetransSegs)
    std::uint32_t sent = 0;           // segments, these included
    std::uint32_t refused = 0;        // of `retransmitted`: never left this machine
    std::uint32_t put_off = 0;        // attempts beside these: the copy before still waited
    std::uint32_t not_tried = 0;      // attempts beside these: no route, or beyond the peer's window
    bool compared = false;            // the wire was there to show them, and something left
    std::uint32_t syn_acks = 0;       // left with their request socket, and the kernel neither reports nor counts them
    std::uint32_t unreported = 0;     // seen again on the wire, and not reported by the kernel
    std::uint32_t unseen = 0;         // reported by the kernel, and not seen on the wire
  };
  struct ByWire {
    std::uint32_t retransmitted = 0;
    std::uint32_t sent = 0;     // all segments of this side that the wire showed
    bool kernel_there = false;  // it could have reported them
  };
  // The peer got segments twice, by its D-SACK (RFC 2883): these in vain, or copies that the network made.
  struct Spurious {
    std::uint32_t retransmitted = 0;   // by the kernel's own count
    std::uint32_t received_twice = 0;  // segments; not all need be of these
  };
  std::optional<ByKernel> by_kernel{};
  std::optional<ByWire> by_wire{};
  std::optional<Spurious> spurious{};
};

// retransmission: what the peer sent again.
struct PeerRetransmission {
  std::uint32_t retransmitted = 0;
  std::uint32_t received = 0;      // all segments that came in
  std::uint32_t spurious = 0;      // all of them had been received before
  DropReasons reasons{};           // as the kernel says of these
  std::uint32_t out_of_order = 0;  // came late, sent once
  // Why another one can have sent in the peer's name.
  enum class Doubt : std::uint8_t { none, other_hops, beyond_fin, not_yet_sent } doubt = Doubt::none;
};

// retransmission: of a connection through this machine.
struct ForwardedRetransmission {
  std::uint32_t client_retransmitted = 0;
  std::uint32_t client_sent = 0;
  std::uint32_t server_retransmitted = 0;
  std::uint32_t server_sent = 0;
};

// path-mtu-black-hole: small segments get through and no full-size one.
struct PathMtuBlackHole {
  enum class Shown : std::uint8_t { by_smaller_ones, by_sack, by_peer, by_what_passed_before };
  std::uint32_t length = 0;  // of the segment, in sequence numbers
  std::uint32_t tries = 0;   // times that it was sent again
  Shown shown{};
  bool first = false;         // by_what_passed_before: the first of its size on this connection
  std::int64_t idle_ns = 0;   // by_what_passed_before: since a segment of the peer was taken, when it was sent
  std::uint32_t smaller = 0;  // the size that the kernel tried in the end; 0: none
  bool smaller_acknowledged = false;
  bool probing = false;  // the kernel probes for the path's MTU (tcp_mtu_probing)
};

// path-mtu-black-hole: of a connection through this machine.
struct ForwardedPathMtu {
  Side from{};
  std::uint32_t length = 0;
  std::uint32_t times = 0;    // that it was sent, the first included
  bool left = false;          // seen leaving for the other side
  std::string interface{};    // behind which the other side is
  std::uint32_t smaller = 0;  // the size with which it got through; 0: it did not
};

// path-dead: after a pause nothing is answered any more.
struct PathDead {
  std::int64_t silence_ns = 0;  // since a segment of the peer was taken
  std::int64_t idle_ns = 0;     // before the first segment that went unanswered; 0: no pause
  std::uint32_t tries = 0;      // retransmissions
  bool given_up = false;        // by the kernel
  bool ended = false;           // in another way
  int error = 0;                // given_up: errno
  bool first_large = false;     // the connection's first full-size segments
};

// delayed-ack-stall: Nagle's algorithm beside the peer's delayed ACK.
struct DelayedAckStall {
  std::uint32_t writes = 0;
  NamedProcess process{};
  std::int64_t waited_ns = 0;  // all of them together
};

// keepalive: probes of either side.
struct Keepalive {
  struct Death {
    std::string interface{};            // that the newest probe left by
    std::int64_t silence_ms = 0;        // 0: not known
    bool as_configured = false;         // the silence that the timers allow
    std::uint32_t answers_dropped = 0;  // arrived, and never reached TCP
    std::uint32_t answers_refused = 0;  // reached TCP, which did not take them
  };
  std::uint32_t sent = 0;
  std::uint32_t answered = 0;
  std::uint32_t unanswered = 0;  // in a row, now
  bool one_way = false;          // no segment of the peer was seen: not known whether they were answered
  std::uint32_t received = 0;    // the peer's
  std::uint32_t replied = 0;     // to the peer's
  bool replies_unseen = false;   // no segment of this side was seen: not known how many of these it answered
  // This side's timers (TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT). probes 0: not known.
  std::uint32_t time_ms = 0;
  std::uint32_t interval_ms = 0;
  std::uint32_t probes = 0;
  std::optional<Death> death{};               // the connection was declared dead
  std::optional<std::int64_t> gives_up_ns{};  // until the kernel will
};

// keepalive: of a connection through this machine.
struct ForwardedKeepalive {
  Side from{};
  std::uint32_t unanswered = 0;
  bool left = false;        // seen leaving for the other side
  std::string interface{};  // behind which the other side is
};

// time-wait: this side closed first.
struct TimeWait {
  NamedProcess closer{};
  bool with_peer = false;     // both closed at once
  std::int64_t lasts_ns = 0;  // at most
  Endpoint local{};
  Endpoint remote{};
};

// close-wait-stuck: the peer has closed and the process here has not.
struct CloseWaitStuck {
  NamedProcess process{};            // of the connection, or who holds the descriptor
  bool several = false;              // more than one process holds it
  std::optional<std::int32_t> fd{};  // the descriptor that is still open
  bool accepted = true;
  bool closed = false;    // it has closed since
  bool ended = false;     // the connection has ended, and it had not closed
  bool at_least = false;  // the connection is older than the run
  std::int64_t lasted_ns = 0;
};

// peer-not-closing: this side has closed and the peer has not.
struct PeerNotClosing {
  NamedProcess closer{};
  bool both_directions = false;  // close(); otherwise its sending side alone (shutdown())
  Endpoint remote{};
  bool closed = false;    // the peer has closed since
  bool at_least = false;  // the connection is older than the run
  std::int64_t lasted_ns = 0;
};

// write-after-peer-closed: data into a connection that the peer had closed.
struct WriteAfterPeerClosed {
  Endpoint remote{};
  NamedProcess process{};
  std::uint32_t lost_bytes = 0;
  std::uint32_t after_bytes = 0;  // sent after the FIN came; 0: the lost ones met it on the way
  std::int64_t later_ns = 0;      // from the FIN to the write
};

// reset-origin: who sent the RST.
struct Reset {
  enum class How : std::uint8_t {
    firewall_between,       // a rule at the other end, which this run follows too, dropped what this side sent
    other_end,              // the other end, which this run follows too
    nobody_here,            // this machine's own TCP: no socket is there
    came_in,                // from the peer, or in its name
    taken_unseen,           // the kernel took one that the wire did not show
    taken,                  // the kernel took one; no packets
    firewall_on_arrival,    // a local firewall, which dropped the SYN where it arrived
    firewall_on_every_syn,  // a local firewall, which dropped each SYN on its way out
    firewall_probably,      // a local firewall, which dropped what this side sent
    other_ttl,              // it crossed other hops than all else from the peer
    firewall_by_loopback,   // it came in on the loopback interface, all else from the peer on another
    outsider,               // other_ttl, and the peer went on
    firewall_here,          // no socket of this machine sent it
    firewall_here_dropped,  // and the firewall dropped what the peer had sent
    keepalive_gave_up,      // this machine's TCP
    destroyed,              // another process destroyed the socket (ss -K)
    process_died,           // with unread data
    process_closed,         // in a way that sends a RST
    no_room_for_orphan,     // its process closed, and the kernel could not keep what was left to send
    listener_closed,        // before its process had accepted the connection
    this_side,              // of a capture
    this_tcp,               // this machine's TCP
    // Of a connection through this machine:
    made_here,               // it left and came in nowhere
    made_here_by_tcp,        // its TCP answered a segment that fits no connection here
    made_here_by_no_socket,  // as when a firewall rejects
    passed,                  // it came in from that side
    passed_with_other_ttl,
  };
  How how{};
  NamedProcess process{};        // firewall_between: this side's; process_died, process_closed and below: who closed
  NamedProcess other{};          // firewall_between, other_end: the other end's
  std::uint64_t other_conn = 0;  // other_end: its connection
  bool other_gave_up = false;    // other_end: its keep-alive did
  bool other_answered = false;   // other_end: its TCP answered a segment; the process had closed before
  bool other_gave_request_up = false;           // other_end: its TCP answered by it in the handshake
  bool other_died = false;                      // other_end: its process did
  std::optional<std::uint32_t> unread_bytes{};  // other_end: that it had not read
  bool by_another = false;                      // listener_closed: a process that is not the listener's
  bool of_closer = false;                       // likewise: whose listener it was is not known
  bool refused = false;                         // nobody_here: nothing listens; otherwise no socket is left
  std::string reason{};                         // the kernel's word, "" where it has none
  Endpoint remote{};
  std::uint8_t ttl = 0;        // of the RST
  std::uint8_t usual_ttl = 0;  // of all else from the peer
  std::int64_t later_ns = 0;   // outsider: until the peer went on
  Side side{};                 // forwarded: made_here*: for whom it left; passed: from whom it came
  std::string interface{};     // forwarded: the one of that side
};

// half-open: the peer had forgotten the connection.
struct HalfOpen {
  enum class After : std::uint8_t { silence, keepalive_probes, retransmissions };
  After after{};
  std::uint32_t count = 0;  // of them, unanswered
};

// rx-dropped: segments that arrived and never reached TCP.
struct RxDropped {
  std::uint32_t syns_here = 0;  // SYNs of this side that arrived on this machine too
  DropReasons reasons_here{};   // of these
  Endpoint remote{};            // where these arrived
  Dropped dropped{};            // the peer's
  NamedProcess process{};
  bool or_reserves = false;  // SOCKET_FILTER, and this kernel has it for buffers from the memory reserves, too
};

// tx-not-sent: segments of TCP that never left this machine.
struct TxNotSent {
  enum class How : std::uint8_t { dropped, no_neighbour, unexplained, keepalive, refused, held, no_route };
  How how{};
  Dropped dropped{};           // how: dropped
  bool syn = false;            // no_neighbour: it was the SYN
  std::uint32_t bytes = 0;     // unexplained: that TCP wanted to send
  std::uint32_t segments = 0;  // refused: that TCP sent again, each of them in vain
  std::uint32_t attempts = 0;  // held: to send it again, while the copy before was still here; no_route: in vain
  std::int64_t within_ns = 0;  // held, no_route: the last of them behind the first
};

// bad-checksum, out-of-window, old-timestamp: what TCP refused.
struct Refused {
  bool by_checksum = false;  // before TCP read it
  Dropped dropped{};
  // This kernel has one drop reason for that and for what is harmless.
  enum class Or : std::uint8_t { nothing, received_before, overtaken } or_was = Or::nothing;
  std::uint32_t resets = 0;  // no drop of this kind: RSTs without the number that a RST must have
};

// accept-queue-full: a listener that does not accept fast enough.
struct AcceptQueueFull {
  NamedProcess listener{};
  Endpoint local{};
  bool numbers = false;  // both that follow are known
  std::uint32_t waiting = 0;
  std::uint32_t limit = 0;
  std::uint32_t syns = 0;  // that found it full and got no answer
  std::uint32_t acks = 0;  // last ACKs of the handshake that were dropped for it
};

// syn-backlog-full: no room for half-open connections, and SYN cookies are off.
struct SynBacklogFull {
  NamedProcess listener{};
  Endpoint local{};
  std::uint32_t half_open = 0;
  std::uint32_t limit = 0;
  bool by_sysctl = false;  // the limit is net.ipv4.tcp_max_syn_backlog
  std::uint32_t syns = 0;
};

// syncookie: the kernel answered with one.
struct SynCookie {
  NamedProcess listener{};
  Endpoint local{};
  bool queue_full = false;  // both that follow are known
  std::uint32_t half_open = 0;
  std::uint32_t limit = 0;
};

// slow-handshake: which leg took long.
struct SlowHandshake {
  enum class Leg : std::uint8_t {
    unknown,         // only the whole is known
    leaving,         // the SYN left late
    capture_answer,  // of a capture: SYN to SYN-ACK
    capture_ack,     // of a capture: SYN-ACK to ACK
    answer,          // the peer's SYN-ACK came late
    taking,          // this kernel took the SYN-ACK late
    taking_a_copy,   // a later copy of it
    own_answer,      // this machine answered the SYN late
    ack,             // the peer's ACK came late
  };
  Leg leg{};
  bool active = false;
  std::int64_t total_ns = 0;
  std::int64_t leg_ns = 0;
  std::int64_t answer_ns = 0;    // capture_ack: SYN to SYN-ACK
  bool answer_repeated = false;  // capture_ack: there was more than one SYN-ACK
  std::uint32_t resent = 0;      // SYNs (active) or SYN-ACKs that this side sent again
};

// slow-handshake: of a connection through this machine.
struct ForwardedHandshake {
  enum class Leg : std::uint8_t { held_here, answer, ack };
  Leg leg{};
  std::int64_t total_ns = 0;
  std::int64_t leg_ns = 0;
  std::uint32_t came = 0;    // answer: SYNs; ack: SYN-ACKs
  std::uint32_t stayed = 0;  // of these SYNs, here
};

// slow-accept: a connection that waited for accept(), or for its process to read.
struct SlowAccept {
  NamedProcess process{};
  bool unaccepted = false;  // shown without a process; otherwise data that waited for a first call
  std::int64_t waited_ns = 0;
  std::optional<std::int64_t> first_call_ns{};  // after the handshake
};

// late: time between a segment's arrival and its effect.
struct Late {
  std::string_view segment{};  // "SYN-ACK", "FIN", "RST"; static storage
  std::int64_t delay_ns = 0;
};

// bytes-disagree: payload by the kernel's count and on the wire.
struct BytesDisagree {
  struct Difference {
    std::uint64_t kernel = 0;
    std::uint64_t wire_least = 0;
    std::uint64_t wire_most = 0;
  };
  std::optional<Difference> sent{};
  std::optional<Difference> received{};
};

// port-exhaustion: connect() found no local port.
struct PortExhaustion {
  struct Holder {
    NamedProcess process{};
    std::uint32_t ports = 0;
  };
  Endpoint remote{};
  bool bound = false;  // the process had bound first_port
  std::uint16_t first_port = 0;
  std::uint16_t last_port = 0;  // 0: the range is not known
  bool own_range = false;       // IP_LOCAL_PORT_RANGE
  bool counted = false;         // those that follow
  std::int64_t counted_after_ns = 0;
  std::uint32_t time_wait = 0;
  std::uint32_t open = 0;
  std::uint32_t listening = 0;
  std::vector<Holder> holders{};  // of `open`, the most first
  bool more_holders = false;      // there can be others
  std::uint32_t others = 0;       // of `open`: of others, or of no process any more
};

// forward-dropped: what came in to be forwarded and never left.
struct ForwardDropped {
  struct Lost {
    Side from{};
    std::uint64_t segments = 0;
    std::string interface{};     // by which they came in
    std::uint64_t reported = 0;  // of these: so many the kernel reports as dropped
    DropReasons reasons{};
  };
  std::vector<Lost> lost{};
};

// asymmetric-route: one direction does not come through this machine.
struct AsymmetricRoute {
  Side seen{};
  std::uint32_t segments = 0;
};

// stray-segment: one that no socket wanted.
struct StraySegment {
  enum class Segment : std::uint8_t { other, syn, syn_ack, fin };
  enum class Fate : std::uint8_t { nothing_seen, reset_seen, reset_reported };
  Segment segment{};
  Endpoint remote{};
  Endpoint local{};
  Fate fate{};
  std::string reason{};  // the kernel's word for its RST
  std::uint32_t count = 1;
  std::int64_t within_ns = 0;       // of several: the last one behind the first
  std::optional<Endpoint> asked{};  // of a SYN-ACK: whom the SYN went to that it acknowledges
};

// rx-dropped: SYNs for no connection of this machine.
struct DroppedSyn {
  std::uint32_t count = 0;
  std::int64_t within_ns = 0;
  Endpoint remote{};
  Endpoint local{};
  std::optional<Endpoint> sent_to{};  // its destination behind NAT
  DropReasons reasons{};
  bool reset_seen = false;  // it was answered by a RST
  IcmpMessage icmp{};       // that it was answered with
};

// Of numbers: where they came from and went to.
struct Crowd {
  std::uint64_t count = 0;
  std::int64_t lasted_ns = 0;
  std::uint64_t from = 0;  // different addresses, about
  std::vector<Address> from_examples{};
  bool more_examples = false;  // there are others than these
  Endpoint to{};
  std::uint64_t to_count = 0;  // different endpoints, about; `to` included
};

// stray-segment, rx-dropped, reset-origin: those of a second that were not reported one by one.
struct More {
  enum class What : std::uint8_t { strays, dropped_syns, refused_through_here };
  What what{};
  Crowd crowd{};
  DropReasons reasons{};  // dropped_syns
};

// syn-flood: connections that were begun within a second.
struct SynFlood {
  Crowd crowd{};
  bool forwarded = false;  // through this machine
  std::uint64_t completed = 0;
  std::uint64_t refused = 0;   // forwarded: by a RST
  std::uint64_t answered = 0;  // by a SYN-ACK, without the cookies
  std::uint64_t cookies = 0;   // by a SYN cookie
  DropReasons dropped{};       // answers that this machine dropped
};

// What is wrong with a socket by a single look at it (`ls`); the finding's rule names which.
struct OpenSocketState {
  enum class What : std::uint8_t {
    peer_closed,
    peer_not_closing,
    peer_window_closed,
    own_window_closed,
    unanswered,
    recovering,
    unanswered_probes,
    accept_queue_full,
  };
  What what{};
  bool held = false;  // a process is known that has it open
  NamedProcess process{};
  std::int32_t fd = -1;       // by this descriptor
  std::int64_t since_ns = 0;  // the newest segment of the peer; unanswered: until the next timeout
  std::uint32_t bytes = 0;    // peer_window_closed: to be sent, 0: the FIN; own_window_closed: not read
  std::uint32_t count = 0;    // probes, retransmissions, connections that wait
  std::uint32_t limit = 0;    // unanswered_probes, accept_queue_full
  bool syn = false;           // unanswered: it is the SYN
  bool unaccepted = false;    // peer_closed: accept() has not taken it yet, so that no process can have it
};

// The sentence itself: of a rule outside this library.
struct OwnWords {
  std::string text{};
};

}  // namespace arguments

using AnyArguments =
    std::variant<std::monostate, arguments::ZeroWindow, arguments::Retransmission, arguments::PeerRetransmission,
                 arguments::ForwardedRetransmission, arguments::PathMtuBlackHole, arguments::ForwardedPathMtu,
                 arguments::PathDead, arguments::DelayedAckStall, arguments::Keepalive, arguments::ForwardedKeepalive,
                 arguments::TimeWait, arguments::CloseWaitStuck, arguments::PeerNotClosing,
                 arguments::WriteAfterPeerClosed, arguments::Reset, arguments::HalfOpen, arguments::RxDropped,
                 arguments::TxNotSent, arguments::Refused, arguments::AcceptQueueFull, arguments::SynBacklogFull,
                 arguments::SynCookie, arguments::SlowHandshake, arguments::ForwardedHandshake, arguments::SlowAccept,
                 arguments::Late, arguments::BytesDisagree, arguments::PortExhaustion, arguments::ForwardDropped,
                 arguments::AsymmetricRoute, arguments::StraySegment, arguments::DroppedSyn, arguments::More,
                 arguments::SynFlood, arguments::OpenSocketState, arguments::OwnWords>;

// What a rule found; std::visit, std::get_if and std::holds_alternative take it. How it is copied is compiled once.
struct Arguments : AnyArguments {
  using AnyArguments::variant;
  Arguments() noexcept;
  Arguments(const Arguments& other);
  Arguments(Arguments&& other) noexcept;
  Arguments& operator=(const Arguments& other);
  Arguments& operator=(Arguments&& other) noexcept;
  ~Arguments();
};

}  // namespace tcpwitness
