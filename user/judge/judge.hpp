// SPDX-License-Identifier: Apache-2.0
// judge.hpp: the rules. Each is one function of the facts about one connection.
//
// A rule reads facts and never events; it says nothing where its facts are missing, and what it says
// is never more certain because something was not seen. `incomplete` (a gap overlaps the
// connection's life) makes every finding inconclusive in one place: findings().
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "correlate/connection.hpp"
#include "correlate/measures.hpp"
#include "tcpwitness/report.hpp"

namespace tcpwitness {

// What rules must know beside the connection.
struct RuleContext {
  const Names& names;
  bool has_kernel = true;       // the kernel witness is attached
  bool has_wire = true;         // the wire witness is attached
  bool texts = false;           // write sentences
  bool explain = false;         // write the closing sentence
  bool finished = false;        // the run is over
  bool every_interface = true;  // what passes through this machine shows twice: none was left out (-i)
  std::int64_t close_wait_stuck_ns = 0;
  std::int64_t slow_handshake_ns = 0;
  std::int64_t slow_accept_ns = 0;
  std::int64_t late_ns = 0;
  TimeNs now = 0;
  const PayloadTimes* payload = nullptr;             // live, where every segment is seen
  const Measures* measures = nullptr;                // of a comparison
  const Connection* peer = nullptr;                  // the other end, where this run follows it too; see other_end()
  const ConversationTotals* conversation = nullptr;  // reading a capture: all that it holds of the connection
};

// The kernel's reset reasons that rules ask for, by name: numbers change between releases.
enum class ResetReason : std::uint8_t {
  unknown,  // the kernel does not say
  other,
  no_socket,
  keepalive_timeout,
  abort_on_data,
  abort_on_close,
  abort_on_linger,
  tcp_state,
  timewait_socket,
  invalid_syn,
};
[[nodiscard]] ResetReason reset_reason(const Names& names, std::uint32_t number);
[[nodiscard]] std::string reset_reason_text(const Names& names, std::uint32_t number);  // without SK_RST_REASON_
[[nodiscard]] std::string_view reset_meaning(ResetReason reason, bool sent);

// Why the kernel drops segments, as far as rules ask for it; by name too.
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
  never_sent,   // acknowledges, or echoes, what was never sent
  old_data,     // already received: a keep-alive, an old ACK
  old_payload,  // payload, all of it already received: the peer repeated itself
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
[[nodiscard]] DropKind drop_kind(const Names& names, std::uint32_t number);
[[nodiscard]] std::string_view drop_meaning(DropKind kind);
[[nodiscard]] bool is_fault(DropKind kind);  // a healthy connection meets none of these

// comparison.cpp
[[nodiscard]] Comparison compare(const Connection& c, const RuleContext& context);

// phases.cpp
[[nodiscard]] Phases judge_phases(const Connection& c, const RuleContext& context, TimeNs end_ns);
[[nodiscard]] std::string waiting_words(const Phases& phases, Role role);

// outcome.cpp
[[nodiscard]] Outcome judge_outcome(const Connection& c, const RuleContext& context);
[[nodiscard]] ClosedBy judge_closed_by(const Connection& c, Outcome outcome);
// This side sent a RST: said by the kernel, or sent by the socket itself on the wire.
[[nodiscard]] bool reset_sent(const Connection& c);
// Ended by its process while in TCP_REPAIR: the kernel sends nothing then.
[[nodiscard]] bool ended_in_repair(const Connection& c);
// sock_destroy (`ss -K`) by a process that is not the owner.
[[nodiscard]] bool destroyed_by_other(const Connection& c);

// bytes.cpp: payload bytes, without the sequence numbers of SYN and FIN.
[[nodiscard]] std::uint64_t sent_payload(const Connection& c);
[[nodiscard]] std::uint64_t received_payload(const Connection& c);
// The process closed (or died) before it had read everything.
[[nodiscard]] bool unread_data(const ControlBlock& cb);

// One file each. nullopt: the rule has nothing to say.
[[nodiscard]] std::optional<Finding> judge_keepalive(const Connection& c, const RuleContext& context, Outcome outcome);
[[nodiscard]] std::optional<Finding> judge_zero_window(const Connection& c, const RuleContext& context);
[[nodiscard]] std::optional<Finding> judge_retransmission(const Connection& c, const RuleContext& context);
[[nodiscard]] std::optional<Finding> judge_retransmission_in(const Connection& c, const RuleContext& context);
// unanswered.cpp
[[nodiscard]] std::optional<Finding> judge_path_mtu_black_hole(const Connection& c, const RuleContext& context);
[[nodiscard]] std::optional<Finding> judge_path_dead(const Connection& c, const RuleContext& context);
// stall.cpp
[[nodiscard]] std::optional<Finding> judge_delayed_ack_stall(const Connection& c, const RuleContext& context);
[[nodiscard]] std::optional<Finding> judge_time_wait(const Connection& c, const RuleContext& context);
[[nodiscard]] std::optional<Finding> judge_close_wait_stuck(const Connection& c, const RuleContext& context);
[[nodiscard]] std::optional<Finding> judge_reset_origin(const Connection& c, const RuleContext& context,
                                                        Outcome outcome);
[[nodiscard]] std::optional<Finding> judge_half_open(const Connection& c, const RuleContext& context, Outcome outcome);

// icmp.cpp: what an ICMP message did to the connection
// An errno that TCP takes from an ICMP message or from the routing table, ECONNREFUSED apart.
[[nodiscard]] bool is_unreachable(int error);
// The message that the end of the connection rests on: TCP put it on the error queue, or its error is the socket's.
[[nodiscard]] const IcmpMessage* icmp_behind(const Connection& c);
// "host unreachable (ICMP type 3, code 1), sent by 10.0.0.254, on the way"
[[nodiscard]] std::string icmp_words(const Connection& c, const IcmpMessage& icmp);

// port_exhaustion.cpp
[[nodiscard]] std::optional<Finding> judge_port_exhaustion(const Connection& c, const RuleContext& context);

// peer_not_closing.cpp
[[nodiscard]] std::optional<Finding> judge_peer_not_closing(const Connection& c, const RuleContext& context);
// The mini-socket of an orphan waited in FIN_WAIT2 for as long as the kernel lets it.
[[nodiscard]] bool orphan_forgotten(const Connection& c, TimeNs now);

// write_after_peer_closed.cpp
[[nodiscard]] std::optional<Finding> judge_write_after_peer_closed(const Connection& c, const RuleContext& context,
                                                                   Outcome outcome);

// drops.cpp
[[nodiscard]] std::optional<Finding> judge_rx_dropped(const Connection& c, const RuleContext& context);
[[nodiscard]] std::optional<Finding> judge_tx_not_sent(const Connection& c, const RuleContext& context);
[[nodiscard]] std::optional<Finding> judge_bad_checksum(const Connection& c, const RuleContext& context);
[[nodiscard]] std::optional<Finding> judge_out_of_window(const Connection& c, const RuleContext& context);
[[nodiscard]] std::optional<Finding> judge_old_timestamp(const Connection& c, const RuleContext& context);

// unsent.cpp: what became of a connect() that timed out or found no way
[[nodiscard]] bool syns_never_left(const Connection& c, const RuleContext& context);
// The kernel's own message that an IPv6 neighbour does not answer; nullptr: none.
[[nodiscard]] const Mark* no_neighbour(const Connection& c, const RuleContext& context);
// A segment was dropped in this direction, for a reason of this kind.
[[nodiscard]] const DropSeen* dropped_for(const Connection& c, const RuleContext& context, bool out, DropKind kind);
// Its own SYNs, dropped where they arrived: over loopback.
[[nodiscard]] std::span<const DropSeen> dropped_on_arrival(const Connection& c);
[[nodiscard]] bool is_on_arrival(const Connection& c, const DropSeen* drop);
// A rule in INPUT dropped a segment of the peer and sent the RST that it got: no socket did.
[[nodiscard]] const DropSeen* refused_by_input(const Connection& c, const RuleContext& context);
// The ICMP message by which a firewall of this machine refused what a listener was asked, or its answer; nullptr: none.
[[nodiscard]] const IcmpMessage* refused_by_message(const Connection& c, const RuleContext& context);
// The RST that came in is a local firewall's answer to what it dropped on its way out: both within a moment.
[[nodiscard]] const DropSeen* refused_by_own_firewall(const Connection& c, const RuleContext& context);
[[nodiscard]] bool syn_ack_ignored(const Connection& c);
// "a firewall rule dropped it (NETFILTER_DROP)" for all SYNs out, or all SYN-ACKs in; "": no drop was reported.
[[nodiscard]] std::string drop_reasons(const Connection& c, const RuleContext& context, bool out, std::uint8_t flags);

// forwarded.cpp: a connection that passes through this machine
[[nodiscard]] std::vector<Finding> forwarded_findings(const Connection& c, const RuleContext& context, Outcome outcome);
[[nodiscard]] Forwarded forwarded_hops(const Connection& c, const RuleContext& context);
// Segments of that side (0: the client, 1: the server) that came in and never left.
[[nodiscard]] std::uint64_t lost_from(const Connection& c, const RuleContext& context, unsigned side);
// forwarded_path.cpp
[[nodiscard]] std::optional<Finding> judge_forwarded_slow_handshake(const Connection& c, const RuleContext& context);
[[nodiscard]] std::optional<Finding> judge_forwarded_keepalive(const Connection& c, const RuleContext& context);
[[nodiscard]] std::optional<Finding> judge_forwarded_path_mtu(const Connection& c, const RuleContext& context);
[[nodiscard]] std::string explain_forwarded(const Connection& c, const Life& life);
// The RST that ended it left here and came in nowhere.
[[nodiscard]] bool reset_by_this_machine(const Connection& c);
// An ICMP error left for the client that had asked, and it has not asked again since.
[[nodiscard]] bool refused_on_the_way(const Connection& c);
// Each hop's counters are as new as the end of the connection.
[[nodiscard]] bool counted_to_the_end(const Connection& c);
// Its other side passes by an interface that is not traced, and this machine's firewall has dropped the newest
// segments: it may have answered them there by a RST.
[[nodiscard]] bool end_may_be_unseen(const Connection& c, const RuleContext& context);

// peer.cpp: what the other end of the connection did, where this run follows it too
[[nodiscard]] PeerEnd peer_end(const Connection& peer);
// The peer's end shows that its process or kernel sent the RST; `why`: "closed with 4 KiB unread".
[[nodiscard]] bool peer_sent_reset(const Connection& peer, const RuleContext& context);
[[nodiscard]] std::string peer_reset_words(const Connection& peer, const RuleContext& context);
// Where a finding blames the peer: who that is, and the other end's own finding that says why.
void name_other_end(Finding& finding, const Connection& c, const RuleContext& context);

// outsider.cpp: neither kernel sent the RST
[[nodiscard]] bool reset_by_outsider(const Connection& c);

// listener.cpp
[[nodiscard]] std::optional<Finding> judge_accept_queue_full(const Connection& c, const RuleContext& context);
[[nodiscard]] std::optional<Finding> judge_syn_backlog_full(const Connection& c, const RuleContext& context);
[[nodiscard]] std::optional<Finding> judge_syncookie(const Connection& c, const RuleContext& context);

// slow.cpp
[[nodiscard]] std::optional<Finding> judge_slow_handshake(const Connection& c, const RuleContext& context);
[[nodiscard]] std::optional<Finding> judge_slow_accept(const Connection& c, const RuleContext& context);
[[nodiscard]] std::optional<Finding> judge_late(const Connection& c, const RuleContext& context);

// bytes_disagree.cpp
[[nodiscard]] std::optional<Finding> judge_bytes_disagree(const Connection& c, const RuleContext& context,
                                                          Outcome outcome);
// The counters are final, they began with the handshake, and they were kept in both directions.
[[nodiscard]] bool wire_complete(const Connection& c);

// explain.cpp: one closing sentence in plain words.
[[nodiscard]] std::string explain(const Connection& c, const RuleContext& context, const Life& life);

// life.cpp: segments that this side sent again, by the kernel's own count (nstat's TcpRetransSegs).
[[nodiscard]] std::uint32_t retransmitted_segments(const Connection& c);
// What is found of a connection by now.
[[nodiscard]] std::vector<Finding> judge_findings(const Connection& c, const RuleContext& context);
// Everything above put together.
[[nodiscard]] Life judge_life(const Connection& c, const RuleContext& context);

// The kernel's retransmission causes in words (correlate/on_kernel.cpp).
[[nodiscard]] std::string_view retransmit_words(RetransmitKind kind);

// words.cpp
void cite(Finding& finding, const Evidence& evidence);        // adds what is listed, and how many more there are
[[nodiscard]] std::string seconds(std::int64_t ns);           // "1.02 s", "34 ms"
[[nodiscard]] const Owner& closer_of(const Connection& c);    // the process that closed this side; else the owner
[[nodiscard]] std::string process_words(const Owner& owner);  // "curl (pid 42)", "a process that was not identified"
[[nodiscard]] std::string error_name(int error);              // "ETIMEDOUT"

}  // namespace tcpwitness
