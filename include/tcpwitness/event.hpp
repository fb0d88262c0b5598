// SPDX-License-Identifier: Apache-2.0
// event.hpp: one thing that the kernel or the wire did, as a value with a number and a time.
//
// A Decoder makes these of the ring's records, a Capture of a file's frames: whoever reads events needs neither. Each
// is a plain value, copied freely, and refers to nothing. Integers are in host order; addresses are in network order
// (address.hpp); sequence numbers are those of the segments, modulo 2^32 (RFC 9293, 3.4); the unit is the end of a
// field's name, and bytes are TCP payload unless it says otherwise. Fields that name one of `struct tcp_sock`, `struct
// inet_connection_sock` or `struct sock` have its value. Yes-or-no fields that come from the kernel are 0 or 1.
//
// Events come in the order of the ring, which is causal; ts_ns can run backwards by milliseconds and nothing sorts by
// it.
//
// A value lies in memory as its record does, so that it is made by one copy. decode/layout.cpp holds both against each
// other, member by member and name by name.
#pragma once

#include <cstddef>
#include <cstdint>
#include <variant>

#include "tcpwitness/address.hpp"
#include "tcpwitness/tcp.hpp"
#include "tcpwitness/wire.hpp"

namespace tcpwitness {

using EventId = std::uint64_t;  // 1, 2, ... within a run; what evidence points to

// The kinds of events; the index of Summary::events. (13 is that of a SocketDigest, which is counted as its events.)
enum class EventKind : std::uint8_t {
  state = 1,
  segment = 2,
  retransmit = 3,
  reset = 4,
  error = 5,
  destroy = 6,
  owner = 7,
  socket = 8,
  drop = 9,
  ports = 10,
  translation = 11,
  icmp = 12,
  sample = 14,
};
inline constexpr std::size_t event_kind_count = 15;

// ---- What fields mean ----

// Of this machine; of a capture: of the conversation's local side.
enum class Direction : std::uint8_t { in, out };

// Where a segment was seen; a capture has no such place.
enum class HookPoint : std::uint8_t { none = 0, xdp = 1, ingress = 2, egress = 3 };

// Why a segment is an event: bits of Segment::event_flags. Seen from the wire alone, by the rules of bpf/flow.h. A
// segment without any is an ordinary one, an event only where all are.
enum class SegmentEvent : std::uint16_t {
  syn = 1U << 0U,
  fin = 1U << 1U,
  rst = 1U << 2U,
  handshake_ack = 1U << 3U,   // the first of the SYN's sender after the SYN-ACK
  fin_ack = 1U << 4U,         // the first that acknowledges the other side's FIN
  keepalive = 1U << 5U,       // at most one old byte at the number before the highest sent: keep-alive or window probe
  keepalive_ack = 1U << 6U,   // the first one back after such a probe
  zero_window = 1U << 7U,     // advertises window 0
  window_open = 1U << 8U,     // the first window above 0 after that
  retransmission = 1U << 9U,  // payload, SYN or FIN at or below the highest sequence number seen
  out_of_order = 1U << 10U,   // begins beyond the highest sequence number seen; with Segment::reordered: late
  unknown_flow = 1U << 11U,   // the first of a flow whose SYN was not seen
  window_probe = 1U << 12U,   // a zero-window probe: payload into a closed window
  no_socket = 1U << 13U,      // came in: no socket wanted it; left: none sent it
  fragment = 1U << 14U,       // of IP: the TCP header is in the first one alone
  bad_header = 1U << 15U,     // its data offset or IP length contradict the frame
};

// What the look-up for an incoming segment found, or what sent an outgoing one.
enum class SocketKind : std::uint8_t {
  none = 0,
  full = 1,       // struct tcp_sock with a peer
  listener = 2,   // struct tcp_sock in LISTEN
  request = 3,    // struct tcp_request_sock: NEW_SYN_RECV
  time_wait = 4,  // struct tcp_timewait_sock: TIME_WAIT, or FIN_WAIT2 as its substate
  control = 5,    // the kernel's own socket of a CPU: RSTs, the ACKs of TIME_WAIT
  unknown = 6,    // not looked up, or of a kind that cannot be read
};

// Why the socket does not take a segment, which then changes nothing.
enum class Refusal : std::uint8_t {
  none = 0,           // it is taken, or that is not known
  old = 1,            // all before the window, or it acknowledges less than is acknowledged already
  beyond_window = 2,  // begins behind the window's end (RFC 9293, 3.10.7.4)
  unsent_ack = 3,     // acknowledges what was never sent
  syn = 4,            // of a connection that is open: a challenge ACK answers (RFC 5961, 4)
  not_tcp = 5,        // it left, and a raw or packet socket sent it
};

// Whose connection a segment is, where no socket of this machine has it.
enum class Forwarding : std::uint8_t {
  none = 0,
  sent_on = 1,  // TCP did not take its SYN after all, and its flow goes on
  hop = 2,      // it came in to be forwarded, or leaves for a connection that is
};

// How a process is known to use a socket.
enum class OwnerSource : std::uint8_t {
  send = 1,      // sock:sock_send_length
  receive = 2,   // sock:sock_recv_length, or tcp:tcp_rcv_space_adjust
  snapshot = 3,  // iter/task_file: it has a descriptor open
};

enum class ResetDirection : std::uint8_t { sent = 1, received = 2 };

// Which way an ICMP error went.
enum class IcmpWay : std::uint8_t {
  came = 0,  // for this machine: the local end is who sent the quoted segment
  sent = 1,  // by this machine, about a segment that came in, whose destination is the local end
  left = 2,  // forwarded: for the sender of the quoted segment; ends as in `sent`
};

// Bits of ControlBlock::flags, HeldState::flags and SocketView::flags (there without `connected`).
enum class SocketFlag : std::uint8_t {
  locked = 1U << 0U,        // sk_lock.owned: by a process
  keepalive = 1U << 1U,     // SO_KEEPALIVE is on
  fin_received = 1U << 2U,  // SOCK_DONE: the peer's FIN was processed
  orphaned = 1U << 3U,      // SOCK_DEAD: no process has it open
  repair = 1U << 4U,        // TCP_REPAIR
  linger = 1U << 5U,        // SO_LINGER of 0 s: close() sends a RST
  connected = 1U << 6U,     // of a SocketFound: it connected, so that bytes_acked counts a SYN
  present = 1U << 7U,       // it was read; without this bit all else is zero
};

// Bits of ControlBlock::details and of HeldState::details.
enum class SocketDetail : std::uint8_t {
  unaccepted = 1U << 0U,      // it waits for accept(): no process has it and none had
  no_delay = 1U << 1U,        // TCP_NODELAY
  mtu_probing = 1U << 2U,     // icsk_mtup.enabled
  released = 1U << 3U,        // of a StateChange by a process: nobody has a descriptor of it any more
  time_wait_full = 1U << 4U,  // of a StateChange to CLOSE: as many wait in TIME_WAIT as tcp_max_tw_buckets allows
};

// Bits of Actor::flags and of HeldState::actor: `current` as it was at an event.
enum class ActorFlag : std::uint8_t {
  present = 1U << 0U,        // it was read: a process
  owned = 1U << 1U,          // the socket is locked by a process, so it acts for it
  exiting = 1U << 2U,        // PF_EXITING
  kernel_thread = 1U << 3U,  // PF_KTHREAD: never an owner
};

// Bits of StateChange::port and of HeldState::port.
enum class PortChoice : std::uint8_t {
  bound = 1U << 0U,      // by bind()
  own_range = 1U << 1U,  // first_port and last_port are the socket's own (IP_LOCAL_PORT_RANGE)
  kept = 1U << 2U,       // SYN_RECV to CLOSE with its port: another child of its request came first
};

inline constexpr std::uint32_t reset_reason_unknown = 0xffffffffU;  // of a Reset: not reported (before 6.10)
inline constexpr int retransmit_error_unknown = -128;               // of a Retransmit (before 6.15)
inline constexpr std::size_t comm_length = 16;
inline constexpr std::uint32_t no_ssthresh = 0x7fffffffU;  // of a Sample: TCP_INFINITE_SSTHRESH
inline constexpr std::uint32_t max_port_holders = 4;
inline constexpr std::uint16_t no_cpu = 0xffff;  // of no CPU's buffer: read from an iterator

// ---- What events are made of ----

// Begins every value that a record was made of. A capture's segments have the time alone.
struct RecordHeader {
  std::uint64_t ts_ns;   // CLOCK_MONOTONIC; the run's time is Event::ts_ns
  std::uint64_t cookie;  // the socket's; 0: none, or not known
  std::uint32_t seq;     // records that this CPU has tried to write, modulo 2^32
  std::uint32_t lost;    // of those, without room in the ring
  std::uint32_t netns;   // inode number of the network namespace; 0: not known
  std::uint16_t cpu;     // or no_cpu
  std::uint8_t kind;     // EventKind
  std::uint8_t version;  // of the layout
};

// `current` at the event. Valid only where the flags are set (docs/kernel.md).
struct Actor {
  std::uint32_t tgid;              // process id in the initial PID namespace
  std::uint32_t exit_code;         // while exiting: the low 7 bits are the signal
  std::uint8_t comm[comm_length];  // of the thread-group leader; not terminated where it is full
  std::uint8_t flags;              // ActorFlag
};

// A socket's control block at the event.
struct ControlBlock {
  std::uint64_t bytes_acked;     // by the peer; the SYN of who connects counts one, and so does a FIN
  std::uint64_t bytes_received;  // in order; the peer's FIN counts one
  std::uint32_t snd_una;
  std::uint32_t snd_nxt;
  std::uint32_t write_seq;
  std::uint32_t rcv_nxt;
  std::uint32_t copied_seq;
  std::uint32_t snd_wnd;  // bytes, scaled
  std::uint32_t rcv_wnd;  // bytes
  std::uint32_t srtt_us;
  std::uint32_t rto_us;
  std::uint32_t snd_cwnd;       // segments
  std::uint16_t packets_out;    // segments that are out; 65535: that or more
  std::uint16_t mss;            // mss_cache: payload of a full-size segment
  std::uint32_t total_retrans;  // segments, in the connection's life
  std::uint32_t segs_in;
  std::uint32_t segs_out;
  std::uint32_t keepalive_time_ms;  // idle before the first probe; 0: SO_KEEPALIVE is off
  std::uint32_t keepalive_intvl_ms;
  std::uint32_t user_timeout_ms;    // TCP_USER_TIMEOUT; 0: none
  std::uint32_t dsack_dups;         // segments that the peer reports it got twice (RFC 2883)
  std::uint32_t since_received_ms;  // since a segment of the peer was last taken (keepalive_time_elapsed())
  std::uint16_t sk_err;             // errno that the process will get; 0: none
  std::uint8_t keepalive_probes;    // before giving up; 0: SO_KEEPALIVE is off
  TcpState state;
  std::uint8_t ca_state;          // enum tcp_ca_state
  std::uint8_t icsk_pending;      // the timer: 1 RTO, 3 zero-window probe, 5 tail-loss probe, 6 reordering
  std::uint8_t icsk_retransmits;  // by the RTO, in a row
  std::uint8_t sacked_out;        // segments beyond snd_una that the peer has; 255: that or more
  std::uint8_t icsk_probes_out;   // keep-alive or zero-window probes without an answer
  std::uint8_t sk_shutdown;       // 1 RCV_SHUTDOWN, 2 SEND_SHUTDOWN
  std::uint8_t flags;             // SocketFlag
  std::uint8_t details;           // SocketDetail

  [[nodiscard]] bool is(SocketFlag flag) const { return has(flags, flag); }
  [[nodiscard]] bool is(SocketDetail detail) const { return has(details, detail); }
};

// The socket just before the kernel processed an incoming segment, or the one that sent an outgoing segment.
struct SocketView {
  std::uint32_t snd_una;
  std::uint32_t snd_nxt;
  std::uint32_t rcv_nxt;
  std::uint32_t write_seq;
  std::uint32_t ack_backlog;  // of a listener: connections in its accept queue
  std::uint32_t max_ack_backlog;
  std::uint32_t syn_qlen;  // of a listener: requests in NEW_SYN_RECV
  SocketKind type;
  TcpState state;      // of a mini-socket: its substate
  std::uint8_t flags;  // SocketFlag
  std::uint8_t icsk_pending;
  std::uint8_t icsk_probes_out;
  std::uint8_t num_timeout;  // of a request: SYN-ACKs sent again by its timer
  union {
    std::uint8_t keepalive_probes;
    std::uint8_t syncookies;  // of a listener: net.ipv4.tcp_syncookies
  };
  std::uint8_t ca_state;
  union {
    std::uint32_t keepalive_time_ms;
    std::uint32_t max_syn_backlog;  // of a listener: net.ipv4.tcp_max_syn_backlog
  };
  std::uint32_t keepalive_intvl_ms;
};

// Totals of a flow as its interface saw it, up to the event. They begin anew where the flow map has forgotten the flow.
// A segment is one of the wire, whatever GSO and GRO make of it.
struct WireCounters {
  std::uint64_t bytes_in;  // what was sent again included
  std::uint64_t bytes_out;
  std::uint32_t segs_in;
  std::uint32_t segs_out;
  std::uint32_t retrans_bytes_in;  // at or below the highest sequence number seen, or perhaps not taken
  std::uint32_t retrans_bytes_out;
};

// The rest of a flow's totals: all zero for a healthy connection.
struct LossCounters {
  std::uint32_t retrans_segs_in;  // segments that carry any of it, or a SYN or FIN again
  std::uint32_t retrans_segs_out;
  std::uint32_t reordered_segs_in;  // filled a hole sooner than a retransmission can
  std::uint32_t reordered_segs_out;
  std::uint32_t stalls;                // small writes that Nagle's algorithm held back until a late, bare ACK came
  std::uint32_t stall_ms;              // all of them together
  std::uint32_t duplicate_segs_in;     // the network delivered them twice; in segs_in, too
  std::uint32_t duplicate_buffers_in;  // the same in buffers of GSO or GRO, which is what the kernel drops
};

// When payload passed the interface, and how long none did. Index 0: in, 1: out. Kernel's clock; 0: not seen. What
// probes and SYNs carry, what is sent again and what TCP does not take is none.
struct FlowTimes {
  std::uint64_t first_ns[2];   // the first payload
  std::uint64_t acked_ns[2];   // the first segment that acknowledges all of it, which goes the other way
  std::uint64_t asked_ns;      // the newest payload of the side that sent first, before the other side's first
  std::uint32_t since_ms[2];   // from the newest payload to the record, in ticks of the kernel's clock
  std::uint32_t quiet_ms[2];   // pauses of 1 s or more that payload of this way ended, behind payload of the other way
  std::uint32_t paused_ms[2];  // such pauses between two payloads of this way
};

// ---- The events ----

// sock:inet_sock_set_state: just before the state changes.
struct StateChange {
  RecordHeader header;
  AddressPair tuple;
  Actor actor;
  std::uint32_t fin_timeout_ms;  // from FIN_WAIT2: tcp_fin_time() without its lower bound of 3.5 RTO
  ControlBlock cb;
  TcpState old_state;
  TcpState new_state;
  std::uint8_t port;         // PortChoice
  std::uint16_t first_port;  // SYN_SENT to CLOSE: the ports that connect() may choose from
  std::uint16_t last_port;
};

// A TCP segment at an interface, or in a capture.
struct Segment {
  RecordHeader header;
  AddressPair tuple;  // the sender is local where it leaves; see nat
  SocketView socket;
  std::uint32_t ifindex;  // of a capture: the interface's number in it, from 1
  WireCounters wire;
  LossCounters loss;
  std::uint32_t seq;
  std::uint32_t ack;
  std::uint32_t len;     // payload on the wire
  std::uint32_t ts_val;  // TcpOption::timestamp
  std::uint32_t ts_ecr;
  std::uint16_t window;       // unscaled
  std::uint16_t mss;          // the option; 0: absent
  std::uint16_t event_flags;  // SegmentEvent
  std::uint16_t vlan_id;      // 0: untagged
  std::uint8_t flags;         // tcp_flag
  HookPoint hook;
  std::uint8_t ttl;        // or hop limit
  std::uint8_t options;    // TcpOption
  std::uint8_t wscale;     // TcpOption::window_scale: the shift
  std::uint8_t reordered;  // SegmentEvent::out_of_order means late: it filled a hole sooner than a retransmission can
  std::uint16_t segments;  // of the wire in this packet of GSO or GRO
  Refusal refused;
  std::uint8_t nat;  // the frame had the addresses of Translation::wire; tuple is the socket's
  Forwarding forwarding;
  std::uint8_t duplicate;   // the network has delivered it before; nobody sent it again
  std::uint32_t came_in;    // of a hop, where it leaves: the interface on which it came in; 0: this machine made it
  std::uint8_t ttl_before;  // of a RST: that of the newest segment before it on its way, if that is no SYN; 0: none
  // Beyond the record: what the whole conversation shows of it, where all of it is seen.
  Analysis analysis{};
  SackBlocks sack{};  // of a capture
  Direction direction = Direction::in;

  [[nodiscard]] bool outgoing() const { return direction == Direction::out; }
  [[nodiscard]] bool is(SegmentEvent reason) const { return tcpwitness::has(event_flags, reason); }
  template <typename... Reasons>
  [[nodiscard]] bool is_any(Reasons... reasons) const {
    return (event_flags & bits(reasons...)) != 0;
  }
  void mark(SegmentEvent reason) { event_flags = static_cast<std::uint16_t>(event_flags | bits(reason)); }
  void unmark(SegmentEvent reason) { event_flags = static_cast<std::uint16_t>(event_flags & ~bits(reason)); }
  [[nodiscard]] bool has(TcpOption option) const { return tcpwitness::has(options, option); }
  // Of a forwarded connection: on one of its two hops.
  [[nodiscard]] bool on_a_hop() const { return forwarding == Forwarding::hop; }
  // The hook where it was seen, and with it the direction.
  void seen_at(HookPoint point) {
    hook = point;
    direction = point == HookPoint::egress ? Direction::out : Direction::in;
  }
};

// tcp:tcp_retransmit_skb, tcp:tcp_retransmit_synack.
struct Retransmit {
  RecordHeader header;
  AddressPair tuple;
  std::uint32_t seq;
  std::uint32_t end_seq;  // the first number after it: a SYN or FIN counts one
  ControlBlock cb;        // of a SYN-ACK: state and numbers alone
  std::int32_t
      err;  // 0: it left; above 0 the qdisc refused it, -EPERM netfilter, -EBUSY put off; retransmit_error_unknown
  std::uint8_t synack;       // tcp_retransmit_synack
  std::uint8_t num_timeout;  // synack: how often before
  std::uint16_t segments;    // of the wire in this buffer
  std::uint8_t acked;        // synack: the handshake's ACK has come, and more is waited for
};

// tcp:tcp_send_reset, tcp:tcp_receive_reset.
struct Reset {
  RecordHeader header;
  AddressPair tuple;  // the socket's, or of the segment that is answered where there is none
  Actor actor;
  std::uint32_t reason;   // enum sk_rst_reason of the running kernel, or reset_reason_unknown
  ControlBlock cb;        // not read where no full socket takes part
  std::uint32_t skb_seq;  // the numbers of the segment that is answered
  std::uint32_t skb_ack;
  ResetDirection direction;
  std::uint8_t has_socket;
  std::uint8_t answers_segment;  // sent: skb_seq and skb_ack hold
  std::uint8_t skb_flags;        // tcp_flag, of the segment that is answered
  std::uint32_t sent_ms;         // received: since payload was last sent
};

// sock:inet_sk_error_report.
struct SocketError {
  RecordHeader header;
  AddressPair tuple;
  // The newest entry of the socket's error queue; completions of MSG_ZEROCOPY and transmit timestamps wait there too.
  std::uint16_t icmp_errno;   // what its ICMP message means; 0: it is none
  std::uint8_t queue_origin;  // SO_EE_ORIGIN_*; 0: the queue is empty
  std::uint8_t icmp_type;
  std::uint8_t icmp_code;
  std::uint16_t err_soft;        // sk_err_soft
  std::uint8_t icmp_sender[16];  // as an address has it
  ControlBlock cb;
};

// tcp:tcp_destroy_sock.
struct SocketDestroyed {
  RecordHeader header;
  AddressPair tuple;
  std::uint8_t has_wire;  // the counters below are set
  ControlBlock cb;
  WireCounters wire;
  LossCounters loss;
  FlowTimes times;
};

// A process is seen using a socket.
struct OwnerSeen {
  RecordHeader header;
  AddressPair tuple;
  Actor actor;
  OwnerSource source;
  std::uint32_t waited_ms;  // receive, the first: since the newest payload came; snapshot: since payload was sent
  std::int32_t fd;          // snapshot: the descriptor; else -1
};

// iter/tcp: a socket that exists.
struct SocketFound {
  RecordHeader header;
  AddressPair tuple;
  SocketKind type;        // none: these are all, as of header.ts_ns
  std::uint8_t has_wire;  // the counters below are set
  ControlBlock cb;
  WireCounters wire;
  LossCounters loss;
  FlowTimes times;
};

// skb:kfree_skb: a segment that the kernel threw away.
struct Drop {
  RecordHeader header;   // cookie: of the socket that the buffer carries, or that was to take it
  AddressPair tuple;     // the sender is local where it was to leave
  std::uint32_t reason;  // enum skb_drop_reason of the running kernel; above 16 bits: another subsystem's
  std::uint32_t seq;
  std::uint32_t ack;
  std::uint32_t len;      // payload in the buffer
  std::uint32_t ifindex;  // it came in on; 0: it was to leave
  std::uint16_t window;   // unscaled
  std::uint8_t flags;     // tcp_flag
  std::uint8_t ttl;       // or hop limit
  std::uint8_t outgoing;
  std::uint8_t has_socket;  // the buffer carried one, whose state follows
  TcpState state;
  std::uint16_t segments;  // in the buffer, where GRO or GSO made it of several; 0: one
};

// Which process has how many of the ports.
struct PortHolder {
  std::uint32_t tgid;
  std::uint32_t ports;
  std::uint8_t comm[comm_length];  // as in Actor
};

// Who has the local ports of a namespace towards one destination: the answer to a question of the correlation.
struct PortsFound {
  RecordHeader header;
  AddressPair tuple;         // the destination; no local end
  std::uint16_t first_port;  // the range that was looked at
  std::uint16_t last_port;
  std::uint32_t time_wait;  // only wait in TIME_WAIT
  std::uint32_t open;       // a socket in another state has them, to this destination
  std::uint32_t listening;  // a listener has them, whatever the destination
  std::uint32_t others;     // of `open`: of processes that are not listed, or of none any more
  std::uint32_t used_holders;
  PortHolder holders[max_port_holders];  // of `open`, the most first
};

// NAT of this machine: a socket's segments leave with other addresses than it has. Once a connection, before the
// segment that shows it. With cookie 0 it is a forwarded connection: the same segment came in with `tuple` and leaves
// with `wire`, translated or not; local is the destination of the first and the source of the second.
struct Translation {
  RecordHeader header;
  AddressPair tuple;  // the socket's
  AddressPair wire;   // local is this machine's side
  Actor actor;        // of the SYN: who connects
  std::uint32_t ack;  // of the segment that shows it
};

// An ICMP error that quotes a segment of TCP. What TCP makes of it other events show: it can be forged, or too old.
struct IcmpSeen {
  RecordHeader header;
  AddressPair tuple;
  std::uint32_t seq;        // of the quoted segment
  std::uint32_t mtu;        // the next hop's, where it is the reason; else 0
  std::uint8_t sender[16];  // as an address has it
  std::uint8_t type;
  std::uint8_t code;
  std::uint8_t v6;  // ICMPv6: its types and codes are others
  IcmpWay sent;
  std::uint32_t came_in;  // IcmpWay::left: the interface on which it came in; 0: this machine made it
};

// iter/tcp: how an open connection sends, as tcp_get_info() has it. Nothing happened: somebody looked.
struct Sample {
  RecordHeader header;
  AddressPair tuple;
  std::uint64_t bytes_acked;
  std::uint64_t delivery_rate;  // bytes a second (tcp_compute_delivery_rate()); 0: not measured yet
  std::uint32_t snd_una;
  std::uint32_t snd_nxt;
  std::uint32_t write_seq;
  std::uint32_t snd_wnd;  // bytes
  std::uint32_t srtt_us;
  std::uint32_t rttvar_us;
  std::uint32_t rto_us;
  std::uint32_t snd_cwnd;      // segments
  std::uint32_t snd_ssthresh;  // segments, or no_ssthresh
  std::uint32_t packets_out;   // segments, and the next three
  std::uint32_t retrans_out;
  std::uint32_t lost_out;
  std::uint32_t sacked_out;
  std::uint16_t mss;
  TcpState state;
  std::uint8_t ca_state;     // as in ControlBlock
  std::uint8_t app_limited;  // the process had too little to send to measure more
};

// ---- The ordinary events of one socket, together (decode/digest.hpp) ----

// A transition; see StateChange.
struct HeldState {
  std::uint64_t ts_ns;
  std::uint32_t snd_una;
  std::uint32_t snd_nxt;
  std::uint32_t write_seq;
  std::uint32_t rcv_nxt;
  std::uint32_t bytes_received;  // modulo 2^32
  std::uint16_t mss;
  std::uint16_t segs_out;     // 65535: that or more
  std::uint16_t packets_out;  // 65535: that or more
  TcpState old_state;
  TcpState new_state;
  std::uint8_t flags;    // SocketFlag
  std::uint8_t details;  // SocketDetail
  std::uint8_t actor;    // ActorFlag; who it was is HeldEvents::actor
  std::uint8_t port;     // PortChoice
};

// A segment; see Segment. What is not here was 0, and `segments` 1.
struct HeldSegment {
  std::uint64_t ts_ns;  // 0: there was none
  std::uint32_t seq;
  std::uint32_t ack;
  std::uint32_t ts_val;
  std::uint32_t ts_ecr;
  __extension__ union {
    struct {  // of a full socket, a request and TIME_WAIT
      std::uint32_t snd_una;
      std::uint32_t snd_nxt;
      std::uint32_t rcv_nxt;
      std::uint32_t write_seq;
    };
    struct {  // of a listener
      std::uint32_t ack_backlog;
      std::uint32_t max_ack_backlog;
      std::uint32_t syn_qlen;
      std::uint32_t max_syn_backlog;
    };
  };
  std::uint32_t ifindex;
  std::uint32_t len;
  std::uint32_t cookie;  // its low 32 bits; another number: what is left of another socket
  std::uint16_t window;
  std::uint16_t mss;
  std::uint8_t flags;  // tcp_flag
  HookPoint hook;
  std::uint8_t ttl;
  std::uint8_t options;  // TcpOption
  std::uint8_t wscale;
  SocketKind type;  // unknown: known from the flow map alone: the socket takes it
  TcpState state;
  union {
    std::uint8_t socket_flags;  // SocketFlag
    std::uint8_t syncookies;
  };

  [[nodiscard]] bool outgoing() const { return hook == HookPoint::egress; }
  [[nodiscard]] bool has(TcpOption option) const { return tcpwitness::has(options, option); }
};

inline constexpr std::size_t held_state_limit = 6;
// The index of HeldEvents::segments.
namespace held_place {
inline constexpr std::size_t syn = 0, syn_ack = 1, fin_out = 2, fin_in = 3, count = 4;
}  // namespace held_place

struct HeldEvents {
  std::uint64_t owner_ns;        // of the OwnerSeen; 0: there was none
  Actor actor;                   // the one process that acts in all of it; not present: none does
  std::uint32_t fin_timeout_ms;  // of the transition from FIN_WAIT2
  std::uint32_t owner_waited_ms;
  OwnerSource owner_source;
  std::uint8_t state_count;
  HeldState states[held_state_limit];       // in their order
  HeldSegment segments[held_place::count];  // by held_place
};

// It stands for several events; its number is that of the first of them.
struct SocketDigest {
  RecordHeader header;  // of the newest event in it; ts_ns too where it is destroyed
  AddressPair tuple;
  HeldEvents held;
  std::uint8_t destroyed;  // the rest is that of SocketDestroyed; 0: the socket goes on, and the rest is 0
  std::uint8_t has_wire;
  std::uint8_t counted;  // records that the kernel counted it as; see events_in()
  ControlBlock cb;
  WireCounters wire;  // set where has_wire, destroyed or not
  LossCounters loss;
  FlowTimes times;
};

// ---- Questions to them ----

[[nodiscard]] inline bool was_read(const ControlBlock& cb) { return cb.is(SocketFlag::present); }
[[nodiscard]] inline bool fin_received(const ControlBlock& cb) { return cb.is(SocketFlag::fin_received); }
[[nodiscard]] inline bool is_orphaned(const ControlBlock& cb) { return cb.is(SocketFlag::orphaned); }
[[nodiscard]] inline bool in_repair(const ControlBlock& cb) { return cb.is(SocketFlag::repair); }
[[nodiscard]] inline bool is_locked_by_process(const ControlBlock& cb) { return cb.is(SocketFlag::locked); }
[[nodiscard]] inline bool is_unaccepted(const ControlBlock& cb) { return cb.is(SocketDetail::unaccepted); }

// Of the flags of an Actor: a process; it holds the socket's lock; it is ending; it is no process.
[[nodiscard]] inline bool actor_present(std::uint8_t flags) { return has(flags, ActorFlag::present); }
[[nodiscard]] inline bool actor_owned(std::uint8_t flags) { return has(flags, ActorFlag::owned); }
[[nodiscard]] inline bool actor_exiting(std::uint8_t flags) { return has(flags, ActorFlag::exiting); }
[[nodiscard]] inline bool actor_kernel_thread(std::uint8_t flags) { return has(flags, ActorFlag::kernel_thread); }

// ---- Events without a record ----

// Of a capture: no further segment of this conversation will come (its ports were used again, it was over for long, or
// the file ended).
struct ConversationEnd {
  std::uint32_t conversation = 0;  // as in Analysis; from now on another one can have it
  Flow flow;
  ConversationTotals totals;
  bool cut = false;    // the file ended, not the conversation
  TimeNs read_ns = 0;  // so far the capture had been read by then
};

// Events that are not there: exact count, between two times. On one CPU: its records found no room in the ring. On none
// (no_cpu): transitions that interrupted another one, and whose program the kernel skipped.
struct Gap {
  std::uint64_t lost = 0;
  std::uint32_t cpu = 0;
  TimeNs from_ts_ns = 0;
  TimeNs to_ts_ns = 0;
  [[nodiscard]] bool skipped() const { return cpu == no_cpu; }
};

struct Event {
  EventId id = 0;
  TimeNs ts_ns = 0;
  std::variant<Gap, StateChange, Segment, Retransmit, Reset, SocketError, SocketDestroyed, OwnerSeen, SocketFound, Drop,
               PortsFound, Translation, IcmpSeen, SocketDigest, ConversationEnd, Sample>
      body;  // the smallest first: it is what an event is made with
};

}  // namespace tcpwitness
