// SPDX-License-Identifier: Apache-2.0
// derived.hpp: what follows from the facts of a connection, for correlation and for rules.
#pragma once

#include <algorithm>
#include <cstdint>

#include "facts/connection.hpp"
#include "tcpwitness/tcp.hpp"

namespace tcpwitness {

// Linux takes a RST at rcv_nxt (RFC 5961, 3.2), and one behind a FIN that does not count the FIN (tcp_reset_check()).
[[nodiscard]] inline bool takes_reset(TcpState state, std::uint32_t rcv_nxt, std::uint32_t seq) {
  const bool behind_fin = state == TcpState::close_wait || state == TcpState::last_ack || state == TcpState::closing;
  return seq == rcv_nxt || (behind_fin && seq + 1 == rcv_nxt);
}

// The RST that came in is what the kernel reported as taken, by its number. One behind what waits for a hole is taken,
// too (RFC 5961, section 3.2, with SACK): nothing shows where that ends, so then by its time.
[[nodiscard]] inline bool is_reset_taken(const ResetSeen& rst, TcpState state, const ControlBlock& cb,
                                         const Mark& reported) {
  constexpr std::int64_t moment_ns = 10'000'000;
  if (!rst.mark) return false;
  if (rst.fits || !was_read(cb) || state == TcpState::syn_sent || takes_reset(state, cb.rcv_nxt, rst.seq)) return true;
  const std::int64_t later_ns = reported.ts_ns - rst.mark.ts_ns;
  return reported && seq_before(cb.rcv_nxt, rst.seq) && later_ns >= -moment_ns && later_ns <= moment_ns;
}

// A mini-socket in FIN_WAIT2 takes the peer's FIN alone: payload with it, or missing before it, is answered by a RST
// (tcp_timewait_state_process()).
[[nodiscard]] inline bool takes_last_fin(std::uint32_t rcv_nxt, std::uint32_t fin_end) {
  return fin_end == rcv_nxt + 1;
}

// A connect() that was given up, and whose SYN TCP has sent: where packets are watched, no interface has shown it.
[[nodiscard]] inline bool given_up_unsent(const Connection& c) {
  const bool sent = c.has_cb() && c.cb.segs_out != 0 && c.error == 0 && !(c.teardown && c.teardown->no_syn);
  const bool known = c.anomalies && c.anomalies->drops.syns_out != 0;
  return c.role == Role::active && sent && !known && !c.syn && !c.opening.answered && !c.opening.preexisting;
}

// Who closed first. FINs that cross are both the first one, but not where one was repeated for a second and more, and
// never arrived, before the other side closed on its own.
[[nodiscard]] ClosedBy closed_first(const Connection& c);
// Of a capture: a FIN of the other side can have come before the first one that is there.
[[nodiscard]] bool first_fin_in_doubt(const Connection& c);
// Of a capture: the side whose FIN is the second one there closed first.
[[nodiscard]] bool first_fin_stands_behind(const Connection& c);

// Where handshake_ns begins.
[[nodiscard]] inline TimeNs handshake_begun(const Connection& c) {
  return c.syn && (c.role != Role::active || c.opening.by_write) ? c.syn.ts_ns : c.start_ts_ns;
}
// The connection's RST came in on the loopback interface, and nothing else of it did: this machine made it, and no TCP
// of it, for the peer's address is not ours.
[[nodiscard]] bool reset_made_here(const Connection& c);
// The connection's RST does not look like the peer's other segments.
[[nodiscard]] bool ttl_differs(const Connection& c);

// The kernel reports a RST by its own hook, behind the segment or behind the last transition (tcp_send_active_reset(),
// TCP_ABORT_ON_DATA). True where what was seen implies such a report and it has not come: the CPU can be elsewhere
// between the two.
[[nodiscard]] bool reset_report_due(const Connection& c);
// The same of the other end, whose RST came in: its report, or its last transition.
[[nodiscard]] bool reset_end_due(const Connection& peer);

// Of a connection that a timer ended while something waited to be acknowledged: TCP_USER_TIMEOUT was over. Of probes
// into a closed window the kernel counts those without an answer, too (tcp_retries2), and a connection that is younger
// than the timeout, or whose window was closed later, ended by that (tcp_probe_timer()).
[[nodiscard]] bool user_timeout_over(const Connection& c, TimeNs end);

// An errno that TCP takes from an ICMP message or from the routing table, ECONNREFUSED apart.
[[nodiscard]] bool is_unreachable(int error);
[[nodiscard]] bool is_path_error(int error);
// The error that a socket has as it leaves a state is what ended it. One of the path ends a connect(), or what waited
// for an acknowledgement. Otherwise its process asked for it (IP_RECVERR), and the connection goes on.
[[nodiscard]] bool error_ended(const ControlBlock& cb, TcpState from);

// How long a mini-socket waits in FIN_WAIT2: tcp_fin_time(), and what tcp_close() makes of it where it is longer than
// TCP_TIMEWAIT_LEN. 0: not known.
[[nodiscard]] std::int64_t orphan_lasts(std::uint32_t fin_timeout_ms, std::uint32_t rto_us);
// The kernel's timers fire late by up to an eighth of a long delay.
[[nodiscard]] inline std::int64_t with_slack(std::int64_t ns) { return ns + ns / 8 + 100'000'000; }
// How long its orphan waits in FIN_WAIT2; the longest that it can where that is not known.
[[nodiscard]] std::int64_t orphan_waits_ns(const Teardown& teardown);
// A mini-socket waits in FIN_WAIT2, and no packet of the peer is seen, not even its ACK of the FIN (-i can leave out
// the interface by which they come): whether the peer's FIN comes to it shows only where the kernel's list of them is
// read.
[[nodiscard]] inline bool waits_unseen(const Connection& c) {
  return c.teardown && c.teardown->mini_fin_wait2 && (!c.seen_by.wire || c.wire.segs_in == 0);
}
// When its own timer ends the mini-socket at the earliest; 0: not known.
[[nodiscard]] inline TimeNs orphan_until(const Connection& c) {
  return c.teardown->fin_timeout_ns != 0 ? c.teardown->end.ts_ns + c.teardown->fin_timeout_ns : 0;
}
// The mini-socket is gone, and that time was not over: something else removed it (ss -K).
[[nodiscard]] bool orphan_removed(const Connection& c, TimeNs gone);
// How long before that it must have been seen there to have been ended by it.
constexpr std::int64_t orphan_look_ns = 2'500'000'000;
// The mini-socket of an orphan waited in FIN_WAIT2 for as long as the kernel lets it.
[[nodiscard]] bool orphan_forgotten(const Connection& c, TimeNs now);

// Forwarded: an ICMP error left for the client that had asked, and it has not asked again since.
[[nodiscard]] bool refused_on_the_way(const Connection& c);
// Forwarded: each hop's counters are as new as the end of the connection.
[[nodiscard]] bool counted_to_the_end(const Connection& c);
// Forwarded: the server answered the SYN by a RST, and by nothing else.
[[nodiscard]] bool refused_by_server(const Connection& c);

// Forwarded: one direction alone comes through here.
[[nodiscard]] inline bool one_way(const Connection& c) { return c.wire.segs_in == 0 || c.wire.segs_out == 0; }
// Only its beginning is known: a request that nobody has completed; forwarded: what never came about. By packets alone
// a half-open request looks like a connection whose other direction goes elsewhere.
[[nodiscard]] bool only_half_open(const Connection& c, bool has_kernel);

// States in which payload or a FIN can be out and unacknowledged.
[[nodiscard]] constexpr bool may_have_unacknowledged(TcpState state) {
  return state == TcpState::established || state == TcpState::close_wait || state == TcpState::fin_wait1 ||
         state == TcpState::closing || state == TcpState::last_ack;
}

// Fast Open: the SYN-ACK, which is no part of the child's send queue, was not acknowledged when the connection ended.
[[nodiscard]] bool syn_ack_outstanding(const Connection& c);

// Its FIN is the last number of what is written, and not acknowledged: it is no byte.
[[nodiscard]] constexpr bool has_fin_out(TcpState state) {
  return state == TcpState::fin_wait1 || state == TcpState::closing || state == TcpState::last_ack;
}

// The pauses between a client's SYNs at most double (RFC 6298, 5.5; on Linux the first few are alike), and all of them
// are one attempt: the next one comes within twice the time since the first, with a first timeout of up to 3 s.
// So long behind the newest one; 0: it did not come again.
[[nodiscard]] inline std::int64_t next_syn_within(std::int64_t since_first_ns) {
  constexpr std::int64_t longest_ns = 70'000'000'000;  // Linux pauses for 64 s at most
  if (since_first_ns < 500'000'000) return 0;
  return std::min(2 * since_first_ns + 2'000'000'000, longest_ns);
}

// A SYN for a listener, and no sign that TCP took it.
[[nodiscard]] inline bool only_syn_seen(const Connection& c) {
  return c.role == Role::passive && c.state == TcpState::unknown && !c.seen_by.kernel && !c.opening.answered &&
         !c.opening.established;
}
// What a listener did not take, by the evidence of its queues or of a drop. Without any, NAT can have sent the SYN on
// to another machine, although something listens on its port here: that is no connection of ours.
[[nodiscard]] bool listener_did_not_take(const Connection& c);
// The peer asked again and got no answer from a listener that had room, and NAT was not seen to send its SYNs on: TCP
// itself dropped them without a report, as where it has no route back (tcp_conn_request()).
[[nodiscard]] bool asked_in_vain(const Connection& c);

}  // namespace tcpwitness
