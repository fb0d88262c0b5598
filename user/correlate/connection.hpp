// SPDX-License-Identifier: Apache-2.0
// connection.hpp: what is known of one connection while it lives: facts, no judgements.
//
// Correlation writes it, the rules in judge/ read it. It is kept small, because there may be a million
// idle ones: what only some connections need (Teardown, Anomalies, Recent) is allocated when it happens.
// A fact is set only by an event that shows it; nothing here follows from silence.
#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <span>

#include "tcpwitness/connection.hpp"
#include "tcpwitness/event.hpp"
#include "tcpwitness/report.hpp"
#include "wire/acceptance.hpp"
#include "wire/state_tracker.hpp"
#include "wire/zeek_state.hpp"

namespace tcpwitness {

// An event and its time; id 0: it was not seen.
struct Mark {
  EventId id = 0;
  TimeNs ts_ns = 0;
  explicit operator bool() const { return id != 0; }
};

// Both directions of a flow.
[[nodiscard]] inline std::uint64_t segments_of(const tw_wire_counters& wire) {
  return std::uint64_t{wire.segs_in} + wire.segs_out;
}

// The first events that carry a finding, and the newest one.
struct Evidence {
  static constexpr std::size_t limit = 8;
  std::array<EventId, limit> ids{};
  std::uint32_t total = 0;
  TimeNs first_ns = 0;  // of the first and the newest one, where they were given
  TimeNs last_ns = 0;

  void add(EventId id, TimeNs ts_ns = 0) {
    if (total == 0) first_ns = ts_ns;
    last_ns = ts_ns;
    ids[total < limit ? total : limit - 1] = id;
    ++total;
  }
  void clear() { total = 0; }
  [[nodiscard]] EventId newest() const { return total == 0 ? 0 : ids[total < limit ? total - 1 : limit - 1]; }
  [[nodiscard]] std::vector<EventId> list() const {
    return {ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(total < limit ? total : limit)};
  }
  [[nodiscard]] std::uint32_t more() const { return total > limit ? total - static_cast<std::uint32_t>(limit) : 0; }
};

// The process that a connection belongs to, as plain bytes.
struct Owner {
  std::uint32_t pid = 0;
  std::array<char, TW_COMM_LEN> comm{};
  PidSource source = PidSource::unknown;
  // WitnessSettings::of_process, asked when it became the owner: later its number may be another one's.
  enum class Selected : std::uint8_t { undecided, yes, no } selected = Selected::undecided;

  [[nodiscard]] Process process() const;
};

// One of the two FINs and the segment that acknowledged it.
struct FinFacts {
  Mark sent;
  Mark acked;             // the first segment whose ack covers the FIN
  std::uint32_t end = 0;  // the sequence number after the FIN
  std::uint32_t ack = 0;  // as in that segment
  std::uint32_t seq = 0;  // of the FIN itself: end - 1
  bool ahead = false;     // something before it was missing when it came
  bool repeated = false;  // it came again
};

// From the first sign of the end.
struct Teardown {
  FinFacts fin_out;
  FinFacts fin_in;
  Mark first;       // the transition out of ESTABLISHED
  Mark close_wait;  // ESTABLISHED -> CLOSE_WAIT
  Mark left_close_wait;
  Mark time_wait;                         // entered TIME_WAIT (inferred)
  Mark end;                               // the last transition: ... -> CLOSE
  TcpState end_from = TcpState::unknown;  // the state that the socket left
  std::uint8_t end_actor = 0;             // enum tw_actor_flags of that event
  std::uint8_t first_actor = 0;           // same of the transition out of ESTABLISHED
  bool end_shown = false;                 // a state event showed it (not only the socket's destruction)
  bool stuck_reported = false;            // close-wait-stuck was reported
  bool descriptor_requested = false;      // Correlator::wants_descriptors
  Mark descriptor;                        // the newest event that shows a process with it open in CLOSE_WAIT
  Owner holder;                           // which process, pid 0: several
  std::int32_t fd = -1;                   // and which descriptor of it
  std::uint32_t idle_ms = 0;              // since it last sent data, at that event
  std::uint32_t sent = 0;                 // write_seq when CLOSE_WAIT began
  bool sent_known = false;
  bool by_reset = false;            // only the wire was seen: a RST ended it
  bool mini_fin_wait2 = false;      // became a mini-socket without the peer's FIN
  bool fin_on_mini = false;         // the peer's FIN reached a mini-socket in FIN_WAIT2
  bool time_wait_full = false;      // no TIME_WAIT, as the kernel allows no more; see TW_CB_TIME_WAIT_FULL
  bool time_wait_answered = false;  // the ACK of that FIN left from a mini-socket that was in TIME_WAIT
  std::uint32_t end_pid = 0;        // the process that acted at the end, where it is known
  Owner closer;                     // the process whose call, or whose death, closed this side
  bool no_syn = false;              // SYN_SENT was left without a SYN ever made, and not by close()
  bool port_bound = false;          // then: bind() had chosen the port
  bool own_range = false;           // then: the range is the socket's own (IP_LOCAL_PORT_RANGE)
  std::uint16_t first_port = 0;     // then: the ports to choose from
  std::uint16_t last_port = 0;
  Mark fin_wait2;                     // FIN_WAIT1 -> FIN_WAIT2
  std::uint64_t fin_wait2_bytes = 0;  // bytes_received then, or when data was last seen to come
  TimeNs fin_wait2_quiet_ns = 0;      // since when nothing is known to have come
  std::int64_t fin_timeout_ns = 0;    // of the orphan that waits in FIN_WAIT2; 0: not known
  Mark fin_wait2_seen;                // the newest event that shows it still there
  bool fin_wait2_requested = false;   // Correlator::wants_fin_wait2
  bool not_closing_reported = false;  // peer-not-closing was reported
  int signal = 0;                     // that ended the process which ended the connection
};

struct ResetSeen {
  Mark mark;
  std::uint32_t seq = 0;
  std::uint32_t ack = 0;
  std::uint8_t flags = 0;        // TCP flags on the wire
  std::uint8_t socket_type = 0;  // enum tw_socket_type that sent it
  std::uint8_t ttl = 0;          // or hop limit
  bool on_loopback = false;      // it came in there
  bool fits = false;             // its number is the one that a RST must have, by the view that came with it
};

// What the kernel said of a reset it sent or took.
struct ResetReport {
  Mark mark;
  std::uint32_t reason = TW_REASON_UNKNOWN;
  bool answers_segment = false;
  bool has_socket = false;
  std::uint8_t actor = 0;     // enum tw_actor_flags
  std::uint32_t sent_ms = 0;  // RECEIVED: since this side last sent payload
};

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
inline constexpr std::size_t retransmit_kind_count = 9;

// A retransmission on the wire that the kernel has not reported yet: the segment leaves before the kernel's event.
struct PendingRetransmission {
  EventId id = 0;  // 0: reported since
  std::uint32_t seq = 0;
  std::uint32_t segments = 0;
};

// One number sent again and again, and nothing that acknowledges it. Of the kernel's events alone.
struct Unanswered {
  std::uint32_t seq = 0;
  std::uint32_t len = 0;           // of the largest try, in sequence numbers
  std::uint32_t mss = 0;           // a full-size segment's payload at that try
  std::uint32_t tries = 0;         // retransmissions that left
  std::uint32_t sacked = 0;        // segments beyond it that the peer had by its SACK, the most
  TimeNs first_ns = 0;             // of the first retransmission
  TimeNs sent_ns = 0;              // the first retransmission less one timeout: the segment was not sent before that
  TimeNs received_ns = 0;          // when a segment of the peer was last taken, by the newest event
  TimeNs received_before_ns = 0;   // the same by the first event
  std::uint64_t acked_before = 0;  // bytes that the peer had acknowledged in all, by the first event
  std::uint32_t segs_before = 0;   // segments sent in all, by the first event
  std::uint32_t smaller = 0;       // the size that was tried in the end, below len; 0: none
  bool probing = false;            // the kernel looked for the path's MTU itself
  bool passed = false;             // it was acknowledged after all
  bool small_lost = false;         // one below full size was out too, and the peer had nothing of it
  bool full_passed = false;        // the peer had (SACK) a full-size one behind it
  Evidence evidence;
};

struct Retransmissions {
  static constexpr std::size_t pending_limit = 8;
  std::array<std::uint32_t, retransmit_kind_count> by_kind{};
  std::array<std::uint32_t, retransmit_kind_count> matched{};  // of these, with their segment on the wire
  std::array<PendingRetransmission, pending_limit> pending{};
  // Numbers are segments on the wire, as tcp_sock.total_retrans counts them, unless the name says otherwise.
  std::uint32_t pending_pushed = 0;
  std::uint32_t kernel = 0;
  std::uint32_t wire_out = 0;
  std::uint32_t wire_matched = 0;  // of wire_out, those that the kernel reported
  std::uint32_t unmatched_segments = 0;
  std::uint32_t refused = 0;    // of kernel: never left (qdisc, netfilter, no route)
  std::uint32_t put_off = 0;    // attempts, not counted (EBUSY): the copy before still waits on this machine
  std::uint32_t not_tried = 0;  // attempts, not counted: no route (EHOSTUNREACH), beyond the window (EAGAIN), no memory
  std::uint32_t mtu_until = 0;  // path MTU: sent before that number, in larger segments
  bool mtu_reduced = false;
  std::uint32_t reported = 0;  // events of the kernel
  std::uint32_t last_seq = 0;  // as the kernel reported
  std::uint32_t attempt = 0;   // of the segment at last_seq
  Evidence evidence;
  Evidence run;  // of the segment that was sent again last, at run_seq
  Mark run_first;
  std::uint32_t run_seq = 0;
  Evidence in;       // of the peer, on the wire
  Unanswered worst;  // of those runs of one number that had two tries or more, the longest
  Unanswered current;
  std::array<TimeNs, 8> syn_ts_ns{};  // times of the SYNs we sent, the first included
  std::uint32_t syns = 0;
  bool ack_waits =
      false;  // SYN-ACK: the handshake's ACK had come, and the kernel waits for more (inet_rsk(req)->acked)
};

struct KeepaliveFacts {
  std::uint32_t sent = 0;
  std::uint32_t answered = 0;
  std::uint32_t unanswered = 0;  // in a row, now
  std::uint32_t received = 0;
  std::uint32_t garbage = 0;    // of those received, with a byte
  std::uint32_t replied = 0;    // to those received
  std::uint32_t unreplied = 0;  // of those received, in a row, now
  std::uint32_t time_ms = 0;
  std::uint32_t intvl_ms = 0;
  std::uint32_t probes = 0;
  TimeNs dead_at_ns = 0;
  Mark last_sent;
  std::uint32_t ifindex = 0;  // of the newest one sent
  bool by_kernel = false;     // the kernel view distinguished keep-alive from zero-window probe
  Evidence evidence;
  Evidence run;  // the unanswered ones, now
};

// One side's closed window.
struct ZeroWindowFacts {
  Mark since;  // the current closed period; id 0: open
  std::uint32_t periods = 0;
  std::int64_t total_ns = 0;
  std::uint32_t probes = 0;  // sent into it
  std::uint32_t unsent_bytes = 0;
  bool by_kernel = false;
  Evidence evidence;
};

// Segments of this connection that the kernel threw away for one reason, in one direction.
struct DropSeen {
  Mark first;
  Mark last;
  Evidence evidence;
  std::uint32_t reason = 0;  // enum skb_drop_reason of the running kernel
  std::uint32_t count = 0;
  std::uint32_t bytes = 0;  // payload
  std::uint32_t empty = 0;  // of count, without payload
  std::uint8_t flags = 0;   // TCP flags of all of them together
  bool out = false;
};

struct Drops {
  static constexpr std::size_t limit = 4;
  std::array<DropSeen, limit> kinds{};
  std::uint8_t used = 0;
  std::uint32_t further = 0;   // of further kinds
  std::uint32_t syns_out = 0;  // SYNs that were to leave, whatever the kind
  std::uint32_t syn_acks_in = 0;
  std::uint32_t syns_in = 0;  // of the peer, for a reason that is a fault

  [[nodiscard]] std::span<const DropSeen> seen() const { return std::span(kinds).first(used); }
  [[nodiscard]] std::span<DropSeen> seen() { return std::span(kinds).first(used); }
};

// Which queue of the listener has no room for a SYN.
enum class FullQueue : std::uint8_t {
  none,
  accept,
  syn,     // above the limit: every Linux refuses
  syn_at,  // at the limit: Linux before 6.8 or so refuses
  sysctl,  // three quarters of net.ipv4.tcp_max_syn_backlog: refused unless the peer is known from before
};

// What the listener's queues looked like at one segment's arrival.
struct QueueView {
  std::uint32_t accept_queue = 0;
  std::uint32_t syn_queue = 0;
  std::uint32_t limit = 0;
  std::uint32_t max_syn_backlog = 0;
};

// A connection's SYNs and its last ACK beside the queues of its listener. A SYN is known to be unanswered when another
// one comes before any SYN-ACK has left; the newest one may still be answered.
struct QueueFacts {
  Evidence accept_full;               // SYNs that met a full accept queue and got no answer
  Evidence syn_full;                  // SYNs that met a full SYN queue, and room to accept, and got no answer
  Evidence ack_full;                  // last ACKs that met a full accept queue, and no request socket
  QueueView at_accept;                // at the newest of accept_full and ack_full
  QueueView at_syn;                   // at the newest of syn_full
  FullQueue worst = FullQueue::none;  // of syn_full: the least sure kind
  Mark newest;                        // SYN, if it met a full queue
  FullQueue newest_full = FullQueue::none;
  QueueView at_newest;
  bool cookie_syn = false;     // `newest` is the one that a cookie answered
  Mark cookie;                 // a SYN-ACK that no socket sent
  Mark cookie_ack;             // an ACK that found only the listener
  bool cookie_cause = false;   // the SYN before it met a full SYN queue
  bool cookie_always = false;  // net.ipv4.tcp_syncookies is 2
};

// The longest time that this kernel took from a segment's arrival to the transition which the segment causes.
struct ReactionFacts {
  Mark segment;
  EventId transition = 0;
  std::int64_t delay_ns = 0;
  std::string_view what;  // "SYN-ACK", "FIN", "RST"; static storage
};

// A child that waited for accept(), or for its process to read.
struct AcceptFacts {
  Mark unaccepted;      // the newest event that shows it without a process
  TimeNs since_ns = 0;  // ESTABLISHED
  Mark first_call;
  std::uint32_t waited_ms = 0;  // payload, until that call
};

// What the peer sent behind a RST from its address.
struct OutsiderFacts {
  Mark goes_on;  // the first segment with new sequence numbers behind it, that no RST is
  std::uint8_t ttl = 0;
};

// Findings of a connection that is still open.
struct OpenFindings {
  std::bitset<rule_count> judged;  // rules, at the last look
  std::vector<Finding> reported;   // as they were then
};

struct Anomalies {
  OpenFindings open;
  tw_loss_counters loss{};  // newest, beside Connection::wire
  ResetSeen rst_in;
  Mark rst_made;  // a RST to this side left no socket of this machine, before it came in over loopback
  ResetSeen rst_out;
  ResetReport reset_sent;
  ResetReport reset_received;
  Retransmissions retransmissions;
  KeepaliveFacts keepalive;
  ZeroWindowFacts local_window;  // this side stopped reading
  ZeroWindowFacts peer_window;   // the peer stopped reading
  Mark error;                    // inet_sk_error_report with an errno
  IcmpMessage icmp;              // the newest ICMP message on its error queue
  Mark icmp_mark;
  IcmpMessage icmp_in;  // the newest one that came in; what TCP made of it others show
  Mark icmp_in_mark;
  IcmpMessage icmp_sent;  // the newest one that this machine sent about a segment of it that came in
  Mark icmp_sent_mark;
  Mark too_big;               // the newest one that says that a segment is larger than the path's MTU
  ResetReport answered_here;  // this machine's TCP sent a RST to it, as the other end of its own connection, by skb_seq
  Mark request_dropped;       // the ICMP message that ended the half-open request; the peer may ask again
  std::unique_ptr<PortsFound> ports;  // who has the local ports, where connect() found none
  EventId ports_id = 0;
  TimeNs ports_ns = 0;  // when they were counted
  Drops drops;
  std::unique_ptr<Drops> dropped_here;  // SYNs that this machine dropped where they arrived: its other end is here too
  QueueFacts queues;
  ReactionFacts reaction;
  AcceptFacts accept;
  OutsiderFacts outsider;
  Evidence stalls;                               // events whose totals had more of tw_loss_counters.stalls
  Evidence late_in;                              // segments of the peer that came out of order
  Mark syn_ack_copy;                             // the newest one, where it came again
  Evidence refused_resets;                       // RSTs that TCP refuses by their numbers
  std::optional<std::uint32_t> received_before;  // seq of the newest segment that brought nothing new
};

// A segment that may be what a coming transition cites. Timeline only.
struct Candidate {
  EventId id = 0;
  TimeNs ts_ns = 0;
  std::uint32_t seq = 0;
  std::uint32_t end = 0;
  std::uint32_t ack = 0;
  std::uint8_t flags = 0;
  std::uint8_t socket_type = 0;
  bool out = false;
  bool dropped = false;  // the kernel says so: it caused nothing
};

// A transition that a coming outgoing segment may name. Timeline only.
struct RecentTransition {
  EventId id = 0;
  TimeNs ts_ns = 0;
  TcpState from{};
  TcpState to{};
};

struct Recent {
  static constexpr std::size_t limit = 8;
  std::array<Candidate, limit> segments{};
  std::uint32_t pushed = 0;
  std::array<RecentTransition, 4> transitions{};
  std::uint32_t transitions_pushed = 0;
  std::unique_ptr<WireAnalysis> analysis;  // where every segment is seen, and nobody analysed them before

  // The newest one with these numbers; nullptr: none.
  [[nodiscard]] const Candidate* find(std::uint32_t seq, std::uint8_t flags, bool out) const {
    for (std::uint32_t i = 1; i <= limit && i <= pushed; ++i) {
      const Candidate& candidate = segments[(pushed - i) % limit];
      if (candidate.seq == seq && candidate.flags == flags && candidate.out == out) return &candidate;
    }
    return nullptr;
  }
  void mark_dropped(std::uint32_t seq, std::uint8_t flags, bool out) {
    for (Candidate& candidate : segments) {
      if (candidate.id != 0 && candidate.seq == seq && candidate.flags == flags && candidate.out == out)
        candidate.dropped = true;
    }
  }
  void push(const Candidate& candidate) { segments[pushed++ % limit] = candidate; }
  void push(const RecentTransition& transition) { transitions[transitions_pushed++ % transitions.size()] = transition; }
};

// A segment of a forwarded connection that came in and may leave yet.
struct Arrival {
  Mark mark;
  std::uint32_t seq = 0;
  std::uint32_t end = 0;
  std::uint32_t ack = 0;
  std::uint32_t count = 0;  // segments that had come in there, this one included
  std::uint8_t flags = 0;
  std::uint8_t ttl = 0;
  bool out = false;  // sent by the client
  bool left = false;
};

// One hop of a forwarded connection; Flow as its segments have it (local is the destination of what comes in there).
struct HopFacts {
  Flow key;
  bool known = false;
  std::uint32_t ifindex = 0;
  tw_wire_counters wire{};
  tw_loss_counters loss{};
  TimeNs counted_ns = 0;  // when these were read
  HopTotals in;           // flags alone: the rest is in the counters
  HopTotals out;          // likewise
  std::uint32_t made_here = 0;
  std::uint16_t mss_in = 0;
  std::uint16_t mss_out = 0;
  TimeNs syn_ns = 0;  // the first SYN or SYN-ACK that left
  std::int64_t rtt_ns = -1;
  bool syn_twice = false;
};

// What was made here in somebody's name: toward the client [0], toward the server [1].
struct MadeHere {
  Mark mark;
  std::uint8_t flags = 0;
  std::uint8_t socket_type = 0;
};

// One number that one side sends again and again, and nothing that acknowledges it.
struct SentAgain {
  std::uint32_t seq = 0;
  std::uint32_t len = 0;      // payload of one segment, as it was sent again first
  std::uint32_t tries = 0;    // behind the first sending
  std::uint32_t smaller = 0;  // the size with which it got through, below len; 0: it did not
  TimeNs first_ns = 0;
  Evidence evidence;
};

// The connection of two other machines, through this one. Hop 0 is the client's side, hop 1 the server's.
struct Passage {
  static constexpr std::size_t limit = 8;
  std::array<HopFacts, 2> hops;
  std::array<Arrival, limit> arrivals{};
  std::uint32_t arrived = 0;
  std::array<Evidence, 2> never_left;          // SYN and FIN that came in and did not leave; [0] the client's
  std::array<std::uint32_t, 2> resets_lost{};  // RSTs likewise
  // Segments that stayed here, by the counters of both hops at one passing segment; since the first such one, of which
  // `before` is the difference (-1: none yet).
  std::array<std::uint64_t, 2> lost{};
  std::array<std::int64_t, 2> before{-1, -1};
  std::array<MadeHere, 2> reset_made;
  std::uint32_t untranslated = 0;  // left with the addresses that they came with, although NAT had given it others
  Flow plain;                      // those, behind NAT
  std::array<SentAgain, 2> again;  // of the client, of the server
  std::array<TimeNs, 2> last_seen_ns{};  // when each of them last sent
  std::uint64_t looked_at = 0;           // segments on both hops when their counters were asked for
  Mark left;                             // the newest segment that came in and left
  std::array<bool, 2> came_from{};       // a segment came in on that hop
  std::array<bool, 2> left_to{};         // a segment that came in left on that hop
  IcmpMessage message;                   // the newest ICMP error that left about a segment of it
  Mark message_mark;
  std::uint32_t message_seq = 0;
  // The newest one about the client's SYN. It ends the attempt, unless the SYN comes again: for some it is no error
  // that ends (RFC 1122, 4.2.3.9), and Linux puts off one that comes before connect() has let go of the socket.
  IcmpMessage refusal;
  Mark refusal_mark;
  std::uint32_t refusals_ignored = 0;
};

// Where only the wire is seen: both ends, inferred.
struct Ends {
  StateTracker tracker;
  ZeekState zeek;
  Acceptance acceptance{false};  // where no capture's analysis has asked before
  Acceptance::Answer answer;     // to the newest segment
  std::array<TcpState, 12> peer_states{};
  std::uint8_t peer_count = 0;
  bool syn_ack_repeated = false;
  std::unique_ptr<Passage> passage;  // forwarded: no socket of this machine; from the first segment to the last
};

// What a connection waits for; each has one fixed delay, see table.hpp.
enum class Wait : std::uint8_t {
  none,
  settle,           // ended: stragglers of the end may still come
  unanswered_syn,   // a SYN came, no SYN-ACK yet; looked at again while the peer may still repeat it
  request,          // half-open request socket
  fin_wait2,        // the peer has not closed: looked at once a second, for peer-not-closing and the orphan's timeout
  close_wait,       // close-wait-stuck
  ports,            // connect() found no local port: who has them?
  wire_connect,     // wire alone: SYN without an answer
  passing_attempt,  // forwarded: its handshake is not over
  passing_closing,  // forwarded: an end has closed, or one direction alone comes through here
  passing,          // forwarded: open
  passing_looked,   // forwarded: its time is up, unless its newest counters show that something came
  passing_ended,    // forwarded: over, and the last counters of its hops are asked for
  outsider,         // ended by a RST that may be somebody else's, or by an ICMP error: does the other side go on?
  tombstone,        // reported; late events must not bring it back
  time_wait,        // reported, and its mini-socket may still answer (timeline only)
  count,
};

// The window scale option of one side's SYN.
inline constexpr std::uint8_t wscale_unknown = 0xff;  // its SYN was not seen
inline constexpr std::uint8_t wscale_absent = 0xfe;

// What most connections that are open do not have.
struct Further {
  std::optional<Flow> nat;
  std::optional<PayloadTimes> payload;  // as they were when the socket went away, or was looked at
};

struct Connection {
  ConnectionId id = 0;
  std::uint64_t cookie = 0;
  Flow flow;
  TimeNs start_ts_ns = 0;
  TimeNs last_ts_ns = 0;
  ControlBlock cb{};        // newest
  tw_wire_counters wire{};  // newest
  std::unique_ptr<Teardown> teardown;
  std::unique_ptr<Anomalies> anomalies;
  std::unique_ptr<Recent> recent;
  std::unique_ptr<Ends> ends;
  std::unique_ptr<Further> further;
  TimeNs waiting_since_ns = 0;
  Mark syn;      // the SYN that began it
  Mark syn_ack;  // the first one
  std::int64_t handshake_ns = -1;
  std::uint32_t isn_local = 0;
  std::uint32_t isn_remote = 0;
  std::uint32_t gap_serial = 0;  // gaps seen when it began
  std::uint32_t netns = 0;
  Owner owner;
  std::uint32_t wait_next = 0xffffffffU;
  std::uint32_t wait_prev = 0xffffffffU;
  std::uint16_t error = 0;                   // errno
  std::uint16_t last_window_local = 0xffff;  // as last advertised (unscaled), SYN excluded
  std::uint16_t last_window_peer = 0xffff;
  std::uint8_t wscale_local = wscale_unknown;
  std::uint8_t wscale_peer = wscale_unknown;
  std::array<TcpState, 10> states{};
  std::uint8_t state_count = 0;
  std::uint8_t ttl_in = 0;  // of the peer's segments, RST excluded; 0: none seen
  TcpState state = TcpState::unknown;
  Role role = Role::unknown;
  Outcome reported_as = Outcome::unknown;  // once reported
  Wait waiting = Wait::none;
  ClosedBy closed_by = ClosedBy::none;
  bool live : 1 = false;      // slot in use
  bool reported : 1 = false;  // its Life was reported
  bool flow_bound : 1 = false;
  bool cookie_bound : 1 = false;
  bool preexisting : 1 = false;
  bool from_snapshot : 1 = false;  // state comes from the snapshot; no state event yet
  bool rival : 1 = false;          // another child of its request was closed, and is destroyed next
  bool in_step : 1 = false;        // a state event has shown its state: the next one begins there
  bool has_kernel : 1 = false;
  bool has_wire : 1 = false;
  bool incomplete : 1 = false;
  bool inconsistent : 1 = false;  // a transition does not follow from the state we knew
  bool has_isn_local : 1 = false;
  bool has_isn_remote : 1 = false;
  bool owner_ambiguous : 1 = false;  // the snapshot named two processes
  bool syn_ack_seen : 1 = false;
  bool established : 1 = false;
  bool restored : 1 = false;        // connect() under TCP_REPAIR: no handshake, the connection was another socket's
  bool expired : 1 = false;         // reported because its time was up, not because its end was seen
  bool wire_final : 1 = false;      // nothing can follow the newest wire counters
  bool wire_closed : 1 = false;     // they came with the socket's destruction
  bool port_reused : 1 = false;     // its SYN found another connection on its address pair
  bool wire_partial : 1 = false;    // an IP fragment: what is behind the first one has no numbers
  bool wire_restarted : 1 = false;  // the flow map forgot the flow meanwhile: they are not all
  bool in_on_loopback : 1 = false;  // segments, RSTs excluded, came in there
  bool in_elsewhere : 1 = false;    // and on another interface
  bool ttl_in_varies : 1 = false;
  bool ttl_in_twice : 1 = false;  // two segments or more had it

  Teardown& ensure_teardown() {
    if (!teardown) teardown = std::make_unique<Teardown>();
    return *teardown;
  }
  Anomalies& ensure_anomalies() {
    if (!anomalies) anomalies = std::make_unique<Anomalies>();
    return *anomalies;
  }
  // The flow's totals, newest.
  void take_counters(const tw_wire_counters& totals, const tw_loss_counters& loss) {
    constexpr tw_loss_counters nothing{};
    wire = totals;
    if (anomalies || std::memcmp(&loss, &nothing, sizeof loss) != 0) ensure_anomalies().loss = loss;
  }
  void take_counters(EventId event, const tw_wire_counters& totals, const tw_loss_counters& loss) {
    if (loss.stalls > (anomalies ? anomalies->loss.stalls : 0)) ensure_anomalies().stalls.add(event);
    take_counters(totals, loss);
  }
  // A segment's window in bytes; -1: the SYNs that settle its scale were not seen.
  [[nodiscard]] std::int64_t window_bytes(const Segment& g, bool out) const;
  void set_nat(const Flow& translated) {
    if (!further) further = std::make_unique<Further>();
    further->nat = translated;
  }
  void set_payload(const std::optional<PayloadTimes>& times) {
    if (!times && !further) return;
    if (!further) further = std::make_unique<Further>();
    further->payload = times;
  }
  // As on the wire, where that is not `flow`; forwarded: on the server's side.
  [[nodiscard]] std::optional<Flow> on_the_wire() const { return further ? further->nat : std::nullopt; }
  [[nodiscard]] Passage* passage() const { return ends ? ends->passage.get() : nullptr; }
  [[nodiscard]] bool ended() const { return teardown && teardown->end; }
  [[nodiscard]] bool has_cb() const { return (cb.flags & TW_CB_PRESENT) != 0; }
  void enter(TcpState to) {
    if (state_count < states.size()) states[state_count++] = to;
    state = to;
  }
};

}  // namespace tcpwitness
