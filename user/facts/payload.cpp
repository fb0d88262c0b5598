// SPDX-License-Identifier: Apache-2.0
// payload.cpp: the kernel's sequence counters as payload bytes.
//
// bytes_acked follows snd_una (tcp_snd_una_update) and bytes_received follows rcv_nxt
// (tcp_rcv_nxt_update), so both count sequence numbers, not bytes: an active opener's SYN when the
// SYN-ACK acknowledges it (a passive child starts with snd_una behind its SYN), an acknowledged FIN,
// and the peer's FIN. The peer's SYN sets rcv_nxt directly and is not counted.
#include "facts/payload.hpp"

#include <algorithm>

#include "tcpwitness/tcp.hpp"

namespace tcpwitness {
namespace {

using State = TcpState;

// Our FIN takes the last sequence number of the stream, so it is acknowledged when everything is.
bool fin_acknowledged(const Connection& c) {
  if (c.cb.snd_una != c.cb.write_seq) return false;
  const State state = c.teardown && c.teardown->end && c.state == State::close ? c.teardown->end_from : c.state;
  // FIN_WAIT1 and LAST_ACK: the control block can be of the very event that queued the FIN (or of before), when
  // write_seq does not count it yet. Once the FIN is acknowledged these states are left, except by the last event.
  if (state == State::last_ack) return c.ended();
  return state == State::fin_wait2 || state == State::time_wait || (state == State::closing && c.ended());
}

// From the wire alone: what the flow counted, without what it took for sent again. It takes a reordered segment for one
// too, so where an acknowledged FIN gives the length of the whole stream, that is the number (modulo 2^32).
std::uint64_t from_wire(std::uint64_t bytes, std::uint64_t again, const FinFacts* fin, bool has_isn,
                        std::uint32_t isn) {
  const std::uint64_t counted = bytes > again ? bytes - again : 0;
  if (fin == nullptr || !fin->acked || !has_isn) return counted;
  const std::uint32_t stream = fin->seq - isn - 1;
  const auto off = static_cast<std::int32_t>(stream - static_cast<std::uint32_t>(counted));
  return off < 0 && counted < static_cast<std::uint64_t>(-std::int64_t{off})
             ? stream
             : counted + static_cast<std::uint64_t>(std::int64_t{off});
}

// Of a recording that goes on elsewhere, or breaks off: no last look at the socket, and its segments are newer.
bool is_outdated(const Connection& c) { return !c.ended() && !c.totals.final && c.seen_by.wire; }

std::uint64_t sent_on_wire(const Connection& c) {
  return from_wire(c.wire.bytes_out, c.wire.retrans_bytes_out, c.teardown ? &c.teardown->fin_out : nullptr,
                   c.isn.has_local, c.isn.local);
}

std::uint64_t received_on_wire(const Connection& c) {
  return from_wire(c.wire.bytes_in, c.wire.retrans_bytes_in, c.teardown ? &c.teardown->fin_in : nullptr,
                   c.isn.has_remote, c.isn.remote);
}

}  // namespace

std::uint64_t sent_payload(const Connection& c) {
  if (!c.has_cb()) return sent_on_wire(c);
  std::uint64_t extra = 0;
  // A connection that was open before we started counts its SYN too, if it connected; that we do not know.
  const bool syn_acknowledged = c.opening.established || c.cb.bytes_acked != 0;
  if (c.role == Role::active && syn_acknowledged && !c.opening.restored) ++extra;
  if (fin_acknowledged(c)) ++extra;
  return c.cb.bytes_acked > extra ? c.cb.bytes_acked - extra : 0;
}

std::uint64_t received_payload(const Connection& c) {
  // What came for a half-open request has no socket to be received by.
  const bool request = c.ended() ? c.teardown->end_from == State::new_syn_recv : c.state == State::new_syn_recv;
  if (c.seen_by.kernel && request) return 0;
  if (!c.has_cb()) return received_on_wire(c);
  const std::uint64_t extra = fin_received(c.cb) ? 1 : 0;
  return c.cb.bytes_received > extra ? c.cb.bytes_received - extra : 0;
}

std::uint64_t newest_sent_payload(const Connection& c) {
  return is_outdated(c) ? std::max(sent_payload(c), sent_on_wire(c)) : sent_payload(c);
}

std::uint64_t newest_received_payload(const Connection& c) {
  return is_outdated(c) ? std::max(received_payload(c), received_on_wire(c)) : received_payload(c);
}

bool unread_data(const ControlBlock& cb) {
  // read() to the end of the stream moves copied_seq past the FIN; before that the FIN is no data.
  const std::uint32_t data_end = cb.rcv_nxt - (fin_received(cb) ? 1U : 0U);
  return seq_before(cb.copied_seq, data_end);
}

}  // namespace tcpwitness
