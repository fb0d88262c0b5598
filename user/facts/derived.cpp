// SPDX-License-Identifier: Apache-2.0
#include "facts/derived.hpp"

#include <algorithm>
#include <cerrno>

#include "values/kernel.hpp"

namespace tcpwitness {

ClosedBy closed_first(const Connection& c) {
  constexpr std::int64_t apart_ns = 1'000'000'000;
  if (c.closed_by != ClosedBy::both || !c.teardown) return c.closed_by;
  const Mark& out = c.teardown->fin_out.sent;
  const Mark& in = c.teardown->fin_in.sent;
  if (!out || !in) {  // FIN_WAIT1 until the peer's FIN came
    const Mark& first = c.teardown->first;
    const Mark& closing = c.teardown->closing;
    return first && closing && closing.ts_ns - first.ts_ns >= apart_ns ? ClosedBy::local : ClosedBy::both;
  }
  // Ours waited behind data, and acknowledges the peer's: that one left first.
  const Mark& acked = c.teardown->fin_in.acked;
  if (acked && acked.id <= out.id) return ClosedBy::peer;
  const std::int64_t later = in.ts_ns - out.ts_ns;
  if (later >= apart_ns) return ClosedBy::local;
  return -later >= apart_ns ? ClosedBy::peer : ClosedBy::both;
}

bool first_fin_in_doubt(const Connection& c) { return c.inferred && c.inferred->first_fin.closes != ClosedBy::none; }

bool first_fin_stands_behind(const Connection& c) { return c.inferred && c.inferred->first_fin.stands_behind; }

bool reset_made_here(const Connection& c) {
  if (!c.anomalies || !c.anomalies->rst_in.mark || !c.seen_by.kernel) return false;
  return c.anomalies->rst_in.on_loopback && c.from_peer.elsewhere && !c.from_peer.on_loopback;
}

bool ttl_differs(const Connection& c) {
  if (!c.anomalies || !c.anomalies->rst_in.mark || c.anomalies->rst_in.ttl == 0) return false;
  return c.from_peer.ttl != 0 && !c.from_peer.ttl_varies && c.anomalies->rst_in.ttl != c.from_peer.ttl;
}

namespace {

// tcp_need_reset()
bool needs_reset(TcpState from) {
  switch (from) {
    case TcpState::established:
    case TcpState::close_wait:
    case TcpState::fin_wait1:
    case TcpState::fin_wait2:
    case TcpState::syn_recv:
      return true;
    default:
      return false;
  }
}

// Its own socket sent a RST, as the wire has shown.
bool reset_left_socket(const Connection& c) {
  return c.anomalies && c.anomalies->rst_out.mark && c.anomalies->rst_out.socket_type == SocketKind::full;
}

}  // namespace

bool reset_report_due(const Connection& c) {
  if (c.anomalies && c.anomalies->reset_sent.mark) return false;
  const bool destroyed = c.teardown && c.teardown->destroyed;
  if (reset_left_socket(c)) return !destroyed;
  if (!c.ended() || !c.teardown->end_shown) return false;
  const bool received = c.anomalies && c.anomalies->reset_received.mark;
  const TcpState from = c.teardown->end_from;
  if (received) {
    // Payload for an orphan, or behind the peer's FIN: tcp_reset() without a RST, and the one that answers comes last.
    const bool came = is_reset_taken(c.anomalies->rst_in, from, c.cb, c.anomalies->reset_received.mark);
    return needs_reset(from) && c.seen_by.wire && !came;
  }
  // Its process closed it without a FIN.
  const bool closed = actor_owned(c.teardown->end_actor) && c.error == 0 && !c.teardown->mini_fin_wait2;
  return closed && needs_reset(from) && !destroyed && !in_repair(c.cb);
}

bool reset_end_due(const Connection& peer) {
  return reset_report_due(peer) || (reset_left_socket(peer) && !peer.ended());
}

// icmp_err_convert[] (net/ipv4/icmp.c), tab_unreach[] (net/ipv6/icmp.c).
bool is_unreachable(int error) {
  switch (error) {
    case ENETUNREACH:
    case EHOSTUNREACH:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case ENONET:
    case EOPNOTSUPP:
    case EACCES:
    case EPROTO:
      return true;
    default:
      return false;
  }
}

bool is_path_error(int error) { return is_unreachable(error) || error == ECONNREFUSED; }

bool error_ended(const ControlBlock& cb, TcpState from) {
  if (cb.sk_err == 0 || !is_path_error(cb.sk_err)) return cb.sk_err != 0;
  return from == TcpState::syn_sent || from == TcpState::syn_recv || cb.snd_una != cb.write_seq;
}

bool syn_ack_outstanding(const Connection& c) {
  if (c.role != Role::passive || !c.teardown || !c.teardown->end_shown || c.opening.established) return false;
  if (c.teardown->end_from == TcpState::syn_recv) return true;
  constexpr auto kind = static_cast<std::size_t>(RetransmitKind::syn_ack);
  return c.teardown->end_from == TcpState::fin_wait1 && c.anomalies && c.anomalies->retransmissions.by_kind[kind] != 0;
}

bool user_timeout_over(const Connection& c, TimeNs end) {
  if (c.cb.user_timeout_ms == 0) return false;
  const std::int64_t timeout_ns = std::int64_t{c.cb.user_timeout_ms} * 1'000'000;
  const bool probes = c.cb.snd_nxt == c.cb.snd_una && c.cb.icsk_probes_out > 1;
  if (!probes || c.incomplete || c.opening.preexisting) return true;  // since when is not known
  const bool closed_seen = c.anomalies && c.anomalies->peer_window.since;
  const TimeNs since = closed_seen ? c.anomalies->peer_window.since.ts_ns : c.start_ts_ns;
  return with_slack(end - since) >= timeout_ns;
}

std::int64_t orphan_lasts(std::uint32_t fin_timeout_ms, std::uint32_t rto_us) {
  constexpr std::int64_t time_wait_ns = 60'000'000'000;
  if (fin_timeout_ms == 0) return 0;
  const std::int64_t least = std::int64_t{rto_us} * 1'000 * 7 / 2;
  const std::int64_t whole = std::max(std::int64_t{fin_timeout_ms} * 1'000'000, least);
  return whole > time_wait_ns ? whole - time_wait_ns : whole;
}

std::int64_t orphan_waits_ns(const Teardown& teardown) {
  return teardown.fin_timeout_ns != 0 ? teardown.fin_timeout_ns : kernel::time_wait_ns;
}

bool orphan_forgotten(const Connection& c, TimeNs now) {
  if (!c.teardown || !c.teardown->mini_fin_wait2) return false;
  const FinFacts& fin = c.teardown->fin_in;
  if (fin.sent && (!c.has_cb() || takes_last_fin(c.cb.rcv_nxt, fin.end))) return false;
  const Teardown& teardown = *c.teardown;
  return now - teardown.end.ts_ns >= with_slack(orphan_waits_ns(teardown));
}

bool orphan_removed(const Connection& c, TimeNs gone) {
  constexpr std::int64_t ticks_ns = 100'000'000;
  const bool waits = c.teardown && c.teardown->mini_fin_wait2 && !c.teardown->fin_in.sent;
  return waits && orphan_until(c) != 0 && gone + ticks_ns < orphan_until(c);
}

bool refused_on_the_way(const Connection& c) {
  return c.forwarded() && c.ended() && !c.teardown->by_reset && c.forwarded()->refusal_mark &&
         c.forwarded()->refusal_mark.id == c.teardown->end.id;
}

bool counted_to_the_end(const Connection& c) {
  if (!c.forwarded() || !c.ended()) return true;
  return std::ranges::all_of(
      c.forwarded()->hops, [&](const HopFacts& hop) { return !hop.known || hop.counted_ns >= c.teardown->end.ts_ns; });
}

bool only_half_open(const Connection& c, bool has_kernel) {
  if (c.forwarded()) {
    constexpr std::uint32_t few = 3;  // with more of them the other direction takes another way
    return (!c.opening.established && !c.opening.preexisting) || (one_way(c) && segments_of(c.wire) < few);
  }
  const bool begun = c.state == TcpState::unknown || c.state == TcpState::new_syn_recv;
  return has_kernel && c.role == Role::passive && !c.opening.established && begun;
}

bool refused_by_server(const Connection& c) {
  return c.ended() && !c.opening.established && !c.opening.answered && c.anomalies && c.anomalies->rst_in.mark &&
         c.anomalies->rst_in.mark.id == c.teardown->end.id;
}

bool listener_did_not_take(const Connection& c) {
  if (!c.anomalies) return false;
  const QueueFacts& queues = c.anomalies->queues;
  return queues.newest_full != FullQueue::none || queues.accept_full.total != 0 || queues.syn_full.total != 0 ||
         queues.cookie || c.anomalies->drops.used != 0 || c.anomalies->rst_out.mark || c.anomalies->reset_sent.mark;
}

bool asked_in_vain(const Connection& c) {
  return c.seen_by.wire && c.syn && c.wire.segs_in > 1 && c.owner.source == PidSource::listen;
}

}  // namespace tcpwitness
