// SPDX-License-Identifier: Apache-2.0
// segment_events.cpp: what a segment on the wire shows of its connection.
#include "correlate/segment_events.hpp"

#include <cstdlib>

#include "correlate/notes.hpp"
#include "facts/derived.hpp"
#include "values/handshake_segments.hpp"

namespace tcpwitness {
namespace {

using State = TcpState;

PhaseClock::Kind phase_kind(const Segment& g) {
  if (g.is_any(SegmentEvent::keepalive, SegmentEvent::window_probe)) return PhaseClock::Kind::probe;
  return g.is(SegmentEvent::retransmission) ? PhaseClock::Kind::again : PhaseClock::Kind::ordinary;
}

// What leaves with the number SND.NXT leaves for the first time, as TCP knows it. The wire has shown it before where
// the device or a queue behind the hook refused it: tcp_write_xmit() leaves SND.NXT where it was, and no retransmission
// is reported. (Of a SYN tcp_connect() moves SND.NXT behind it only when it has left.)
bool is_new_to_tcp(const Segment& g) {
  return g.socket.type == SocketKind::full && !has_flag(g, tcp_flag::syn) && seq_length(g.len, g.flags) != 0 &&
         g.seq == g.socket.snd_nxt;
}

void note_late_fin(Connection& c, const Event& e, const Segment& g, bool out) {
  const bool own = g.analysis.late_fin == LateFin::of_sender;
  FinFacts& fin = own == out ? c.ensure_teardown().fin_out : c.ensure_teardown().fin_in;
  if (fin.sent) return;
  fin.sent = {e.id, e.ts_ns};
  fin.ahead = true;
  fin.end = g.analysis.late_fin_end;
  fin.seq = fin.end - 1;
}

// The kernel reports a retransmission right behind the segment.
void note_pending(Connection& c, const Event& e, const Segment& g) {
  Retransmissions& r = c.ensure_anomalies().retransmissions;
  r.pending[r.pending_pushed++ % Retransmissions::pending_limit] = {e.id, g.seq, g.segments};
}

// A mini-socket refuses payload by a RST with the number that follows our FIN, and is gone (TCP_TW_RST). Not every
// kernel reports that one (Linux 6.1 does not). A RST with the same number answers for no socket once its time is up.
bool refused_by_mini_socket(const Connection& c, const Event& e, const Segment& g) {
  if (!c.teardown || !c.teardown->mini_fin_wait2 || !c.teardown->fin_out.sent) return false;
  return g.seq == c.teardown->fin_out.end && e.ts_ns - c.teardown->end.ts_ns < orphan_waits_ns(*c.teardown);
}

// A RST behind the end changes nothing any more, except for a mini-socket that still waits for the peer's FIN. One that
// the kernel sends without the connection's socket is this connection's only if the kernel reports it, closed it just
// before (TCP_ABORT_ON_DATA), or if it is a mini-socket's.
bool ended_nothing(const Connection& c, const Event& e, const Segment& g, bool out) {
  constexpr std::int64_t moment_ns = 1'000'000;
  const bool over = c.ended() && !c.teardown->mini_fin_wait2 && c.teardown->end.id != e.id;
  if (!out) return over;
  if (g.socket.type == SocketKind::full || g.socket.type == SocketKind::request) return false;
  const bool just_closed = c.ended() && e.ts_ns - c.teardown->end.ts_ns <= moment_ns;
  if (g.socket.type == SocketKind::control)
    return !c.anomalies->reset_sent.mark && !just_closed && !refused_by_mini_socket(c, e, g);
  return over && !just_closed;
}

// By the look-up at the hook, or by what became of the socket since: on another CPU it can have turned into the
// mini-socket between the segment's look-up, or its way without one, and TCP.
bool reaches_mini_socket(const Connection& c, const Segment& g, bool out) {
  if (g.socket.type == SocketKind::time_wait) return true;
  const bool was_there = g.socket.type == SocketKind::full || g.socket.type == SocketKind::unknown;
  return !out && was_there && c.teardown && c.teardown->mini_fin_wait2;
}

// tcp_timewait_state_process(): in FIN_WAIT2 it is ended by a RST in its window, and takes a FIN with the next number.
bool mini_socket_takes(const Connection& c, const Segment& g) {
  const bool shown = g.socket.type == SocketKind::time_wait;
  if (!shown && !c.has_cb()) return true;
  const std::uint32_t rcv_nxt = shown ? g.socket.rcv_nxt : c.cb.rcv_nxt;
  if (!has_flag(g, tcp_flag::rst)) return takes_last_fin(rcv_nxt, g.seq + seq_length(g.len, g.flags));
  const bool beyond = c.has_cb() && c.cb.rcv_wnd != 0 && seq_before(rcv_nxt + c.cb.rcv_wnd, g.seq);
  return !seq_before(g.seq, rcv_nxt) && !beyond;
}

// It was in a digest already, which another CPU released at that moment (bpf/digest.h): the same number, and the flow
// map has no mark that it came again.
bool is_known(const Connection& c, const Event& e, const Segment& g, bool out) {
  constexpr std::int64_t moment_ns = 1'000'000;
  if ((g.event_flags &
       ~bits(SegmentEvent::syn, SegmentEvent::fin, SegmentEvent::handshake_ack, SegmentEvent::fin_ack)) != 0 ||
      g.duplicate != 0)
    return false;
  const auto same = [&](const Mark& mark, std::uint32_t seq) {
    return mark && g.seq == seq && std::abs(e.ts_ns - mark.ts_ns) < moment_ns;
  };
  if (is_syn(g)) return same(c.syn, out ? c.isn.local : c.isn.remote);
  if (is_syn_ack(g)) return same(c.syn_ack, out ? c.isn.local : c.isn.remote);
  if (!has_flag(g, tcp_flag::fin) || !c.teardown) return false;
  const FinFacts& fin = out ? c.teardown->fin_out : c.teardown->fin_in;
  return same(fin.sent, fin.end - seq_length(g.len, g.flags));
}

// Both FINs were seen on the wire, and the acknowledgement of each.
bool both_fins_acked(const Connection& c) {
  return c.teardown && c.teardown->fin_out.acked && c.teardown->fin_in.acked;
}

// A flow's counters come with its events only: they are final once no segment can follow.
void note_wire_totals(Connection& c, const Event& e, const Segment& g) {
  if (g.is(SegmentEvent::unknown_flow)) {
    // The flow is not in the map: it was over and this is a straggler, it was forgotten, or its SYN came before us.
    if (c.totals.final) return;
    c.totals.restarted = true;
  }
  // Two CPUs can count in one order and report in the other.
  if (c.totals.restarted || segments_of(g.wire) >= segments_of(c.wire)) c.take_counters(e.id, g.wire, g.loss);
  c.totals.final = c.totals.at_destruction || has_flag(g, tcp_flag::rst) || both_fins_acked(c);
}

}  // namespace

void SegmentEvents::take(const Event& e, const Segment& g) {
  const bool out = g.outgoing();
  const Flow flow = to_flow(g.tuple);
  if (g.forwarding == Forwarding::hop) return forwarded_.on_hop(e, g);
  if (g.forwarding != Forwarding::none) return forwarded_.pass_on(flow);
  if (settings_.forwarded && !out && is_syn(g)) forwarded_.note_local_syn(e, g);
  Slot slot = lookup_.find(e, g, flow, out);
  if (slot == no_slot && !settings_.has_kernel && !settings_.capture) slot = take_refused(e, g, flow, out);
  if (slot == no_slot) {
    if (out && has_flag(g, tcp_flag::rst)) timeline_.confirm(flow, std::nullopt);
    unmatched_.on_segment(e, g, flow, out);
    entries_.report(nullptr, e, g, flow, out);
    return;
  }
  if (g.is(SegmentEvent::bad_header)) {
    entries_.report(&table_.at(slot), e, g, flow, out);
  } else {
    take_known(slot, e, g, flow, out);
  }
}

void SegmentEvents::take_known(Slot slot, const Event& e, const Segment& g, const Flow& flow, bool out, bool shown) {
  Connection& c = table_.at(slot);
  if (c.reported) {
    entries_.report(&c, e, g, flow, out);
    return;
  }
  if (in_.digests() && is_known(c, e, g, out)) return;
  c.seen_by.wire = true;
  if (settings_.compare) note_measures(contexts_.measures(slot), e.ts_ns, g, out);
  if (settings_.every_segment && !settings_.capture && g.duplicate == 0 && !refused_by_socket(g))
    contexts_.measures(slot).clock.observe(seen_segment(e.ts_ns, g), out ? 0 : 1, phase_kind(g));
  if (c.netns == 0) c.netns = g.header.netns;
  if (e.ts_ns > c.last_ts_ns) c.last_ts_ns = e.ts_ns;
  c.totals.has_fragments = c.totals.has_fragments || g.is(SegmentEvent::fragment);
  if (g.duplicate != 0) {
    // It has nothing new, but for a FIN that GRO has merged behind it.
    if (g.is(SegmentEvent::fin)) note_fins(c, e, g, out);
    note_received_before(c, g, out);
    note_wire_totals(c, e, g);
    entries_.report(&c, e, g, flow, out);
    return;
  }
  const bool refused = is_refused(c, e, g, out);
  if (!refused) note_queues(c, e, g, out);
  note_ttl(c, e, g, out);
  if (!refused) note_handshake(slot, c, e, g, out);
  if (g.analysis.late_fin != LateFin::none) note_late_fin(c, e, g, out);
  if (!refused && (c.teardown || has_flag(g, tcp_flag::fin))) note_fins(c, e, g, out);
  constexpr std::uint16_t faults = bits(SegmentEvent::retransmission, SegmentEvent::out_of_order);
  if (!refused && ((g.event_flags & faults) != 0 || has_flag(g, tcp_flag::rst))) note_faults(c, e, g, out);
  if (out && c.anomalies && c.anomalies->rst_out.mark.id == e.id && !c.anomalies->reset_sent.mark &&
      refused_by_mini_socket(c, e, g)) {
    c.teardown->end = {e.id, e.ts_ns};
    table_.wait(slot, Wait::settle, now_);
  }
  note_received_before(c, g, out);
  note_wire_totals(c, e, g);
  if (shown) entries_.report(&c, e, g, flow, out);
  if (kernel_judges(c)) note_refused_answer(c, g, out);
  if (refused && !settings_.capture) return;
  if (reaches_mini_socket(c, g, out)) note_mini_socket(slot, c, e, g, out);
  note_probe(emitter_, c, e, g, out);
  note_windows(c, e, g, out);
  if (!kernel_judges(c)) wire_alone_.take(slot, c, e, g, out);
}

// A SYN that finds no socket is a connection of this machine only if this machine refuses it: NAT can have sent it on.
Slot SegmentEvents::take_refused(const Event& e, const Segment& g, const Flow& flow, bool out) {
  constexpr std::uint8_t asks = tcp_flag::syn | tcp_flag::ack | tcp_flag::rst;
  const bool no_socket = g.is(SegmentEvent::no_socket) && !g.is_any(SegmentEvent::fragment, SegmentEvent::bad_header);
  if (!out && (g.flags & asks) == tcp_flag::syn && no_socket) {
    unmatched_syns_.push(LocalSyn{e.id, e.ts_ns, g});
    return no_slot;
  }
  // Without TCP's control socket it can be another machine's, behind NAT. Over IPv6 TCP has none for what found no
  // socket (tcp_v6_send_response()).
  const bool of_tcp =
      g.socket.type == SocketKind::control || (g.socket.type == SocketKind::none && !flow.local.address.is_ipv4());
  if (!out || (g.flags & tcp_flag::rst) == 0 || !of_tcp) return no_slot;
  // RFC 9293, 3.10.7.1: it acknowledges the SYN.
  auto syn = unmatched_syns_.take_newest([&](const LocalSyn& one) {
    return to_flow(one.segment.tuple) == flow && e.ts_ns - one.ts_ns <= settings_.hold_ns &&
           g.ack == one.segment.seq + seq_length(one.segment.len, one.segment.flags);
  });
  if (!syn) return no_slot;
  syn->segment.unmark(SegmentEvent::no_socket);
  const Event begin{syn->id, syn->ts_ns, {}};
  const Slot slot = lookup_.begin(begin, syn->segment, flow, false);
  if (slot != no_slot) take_known(slot, begin, syn->segment, flow, false, timeline_.take_out(syn->id));
  return slot;
}

// Where only the wire is seen, that and the socket's numbers just before show what the receiver makes of it.
bool SegmentEvents::is_refused(Connection& c, const Event& e, const Segment& g, bool out) const {
  if (kernel_judges(c)) return refused_by_socket(g);
  if (settings_.capture) return g.analysis.refused || g.analysis.duplicate_frame;
  if (!c.inferred) c.inferred = std::make_unique<InferredEnds>();
  if (refused_by_socket(g) || is_challenged(g)) return true;
  c.inferred->answer = c.inferred->acceptance.observe(seen_segment(e.ts_ns, g), out ? 0 : 1);
  return c.inferred->answer.refused;
}

void SegmentEvents::note_handshake(Slot slot, Connection& c, const Event& e, const Segment& g, bool out) {
  if (is_syn(g) || is_syn_ack(g)) {
    const bool cut = g.has(TcpOption::cut_off);
    (out ? c.wscale_local : c.wscale_peer) = g.has(TcpOption::window_scale) ? g.wscale
                                             : cut                          ? wscale_unknown
                                                                            : wscale_absent;
  }
  if (is_syn(g)) return note_syn(slot, c, e, g, out);
  if (g.analysis.restarted) (out ? c.isn.remote : c.isn.local) = g.ack - 1;
  if (!is_syn_ack(g)) {
    // A RST ends a half-open request without any kernel event.
    const bool ends = !out && has_flag(g, tcp_flag::rst) && g.refused == Refusal::none;
    if (ends && g.socket.type == SocketKind::request && c.state == State::new_syn_recv)
      states_.end_by_reset(slot, e, g);
    return;
  }
  note_syn_ack(slot, c, e, g, out);
}

void SegmentEvents::note_syn(Slot slot, Connection& c, const Event& e, const Segment& g, bool out) {
  if (out && settings_.has_kernel) unmatched_.on_own_syn(g);
  if (c.anomalies) (out ? c.anomalies->attempt_refused : c.anomalies->request_dropped) = {};  // it is asked again
  // RFC 5961, 4.2: an open connection answers any SYN by an ACK, and goes on with the numbers that it has.
  std::uint32_t& number = out ? c.isn.local : c.isn.remote;
  const bool known = out ? c.isn.has_local : c.isn.has_remote;
  if (c.opening.established && known && number != g.seq) return;
  number = g.seq;
  out ? c.isn.has_local = true : c.isn.has_remote = true;
  if (!c.syn) {
    c.syn = {e.id, e.ts_ns};
    c.opening.by_write = out && g.len != 0;
  } else if (out) {
    // The second SYN makes it a story; until then there is nothing to keep.
    Retransmissions& r = c.ensure_anomalies().retransmissions;
    if (r.syns == 0) r.syn_ts_ns[r.syns++] = c.syn.ts_ns;
    if (r.syns < r.syn_ts_ns.size()) r.syn_ts_ns[r.syns] = e.ts_ns;
    ++r.syns;
  } else if (table_.wait_of(slot) == Wait::request) {
    table_.wait(slot, Wait::request, now_);
  }
}

void SegmentEvents::note_syn_ack(Slot slot, Connection& c, const Event& e, const Segment& g, bool out) {
  // The SYN's own number where it was seen: the SYN-ACK can acknowledge payload that came with it.
  std::uint32_t& other = out ? c.isn.remote : c.isn.local;
  if (!(out ? c.isn.has_remote : c.isn.has_local)) {
    other = g.ack - 1;
  } else if (c.syn) {
    const bool asked = !out && g.socket.type == SocketKind::full && g.socket.state == State::syn_sent;
    if (!acknowledges_syn(g.ack, other, asked ? g.socket.snd_nxt : other)) return;
  }
  std::uint32_t& own = out ? c.isn.local : c.isn.remote;
  if (!c.opening.established || !(out ? c.isn.has_local : c.isn.has_remote)) own = g.seq;
  c.isn.has_local = true;
  c.isn.has_remote = true;
  c.opening.answered = true;
  if (c.syn_ack && c.inferred) c.inferred->syn_ack_repeated = true;
  if (!c.syn_ack) {
    c.syn_ack = {e.id, e.ts_ns};
    if (out && kernel_judges(c)) attempts_.answered(g.socket.type == SocketKind::none);
  } else {
    c.ensure_anomalies().syn_ack_copy = {e.id, e.ts_ns};
  }
  // A request that is older than the run: its SYN-ACK is a repeated one, and the flow map has nothing of it.
  if (out && c.opening.preexisting && !g.is(SegmentEvent::retransmission)) note_pending(c, e, g);
  if (!out || !kernel_judges(c)) return;
  if (g.socket.type != SocketKind::request) return;
  if (c.role == Role::unknown) c.role = Role::passive;
  if (c.state == State::unknown) {
    // No tracepoint shows the request socket; its SYN-ACK does.
    c.enter(State::new_syn_recv);
    if (in_.shows_states()) {
      Cause cause;
      if (c.syn) {
        cause = {Cause::Kind::segment, c.syn.id, e.ts_ns > c.syn.ts_ns ? e.ts_ns - c.syn.ts_ns : 0, "SYN", 0};
      }
      states_.report(c, e, StateEntry{State::listen, State::new_syn_recv, true, {}, cause, {}});
    }
  }
  if (c.state == State::new_syn_recv) table_.wait(slot, Wait::request, now_);
}

void SegmentEvents::note_fins(Connection& c, const Event& e, const Segment& g, bool out) const {
  if (has_flag(g, tcp_flag::fin)) {
    FinFacts& fin = out ? c.ensure_teardown().fin_out : c.ensure_teardown().fin_in;
    if (!fin.sent) {
      fin.sent = {e.id, e.ts_ns};
      fin.ahead = g.is(SegmentEvent::out_of_order) && g.reordered == 0;
      fin.end = g.seq + seq_length(g.len, g.flags);
      fin.seq = fin.end - 1;
      // In a capture its acknowledgement can stand before it.
      if (settings_.capture && c.inferred && c.inferred->tracker.acknowledged(out ? 0 : 1, fin.end))
        fin.acked = fin.sent;
    } else {
      fin.repeated = true;
    }
  }
  if (c.teardown && !has_flag(g, tcp_flag::syn) && !has_flag(g, tcp_flag::rst)) {
    FinFacts& fin = out ? c.teardown->fin_out : c.teardown->fin_in;
    if (fin.sent && !fin.beyond && g.len != 0 && seq_before(fin.seq, g.seq + g.len)) fin.beyond = {e.id, e.ts_ns};
  }
  if (!has_flag(g, tcp_flag::ack) || has_flag(g, tcp_flag::rst)) return;
  FinFacts& other = out ? c.ensure_teardown().fin_in : c.ensure_teardown().fin_out;
  if (other.sent && !other.acked && seq_not_after(other.end, g.ack)) {
    other.acked = {e.id, e.ts_ns};
  }
}

void SegmentEvents::note_faults(Connection& c, const Event& e, const Segment& g, bool out) const {
  if (g.is(SegmentEvent::retransmission) && !g.is(SegmentEvent::keepalive) && !has_flag(g, tcp_flag::rst)) {
    Retransmissions& r = c.ensure_anomalies().retransmissions;
    if (!out && !has_flag(g, tcp_flag::syn)) r.in.add(e.id, e.ts_ns);
    if (out && !is_new_to_tcp(g)) {
      r.wire_out += g.segments;
      if (is_syn_ack(g) && g.socket.type == SocketKind::request) r.by_request += g.segments;
      r.evidence.add(e.id, e.ts_ns);
      note_pending(c, e, g);  // the kernel reports it right behind the segment
      // In a capture the analysis knows whether the other side sent anything in between; nothing counts behind the end.
      if (r.run_seq != g.seq || (settings_.capture && g.analysis.again_in_silence <= 1)) r.run.clear();
      if (r.run.total == 0) r.run_first = {e.id, e.ts_ns};
      r.run_seq = g.seq;
      if (!c.ended()) r.run.add(e.id);
    }
  }
  if (!out && g.reordered != 0) c.ensure_anomalies().late_in.add(e.id);
  if (has_flag(g, tcp_flag::rst)) {
    // TCP refuses a RST that does not fit: the one that it took is the newest before its word.
    ResetSeen& seen = out ? c.ensure_anomalies().rst_out : c.ensure_anomalies().rst_in;
    const ResetReport& reported = out ? c.anomalies->reset_sent : c.anomalies->reset_received;
    const bool settled = reported.mark || (!kernel_judges(c) && c.ended());
    if (kernel_judges(c) && ended_nothing(c, e, g, out)) return;
    if (!seen.mark || (!settled && !seen.fits)) {
      seen = {{e.id, e.ts_ns}, g.seq, g.ack, g.flags, g.socket.type, g.ttl, !out && g.ifindex == loopback_ifindex,
              g.ifindex};
      seen.fits = !out && g.socket.type == SocketKind::full && takes_reset(g.socket.state, g.socket.rcv_nxt, g.seq);
    }
  }
}

void SegmentEvents::note_mini_socket(Slot slot, Connection& c, const Event& e, const Segment& g, bool out) {
  // The peer's FIN reaches a mini-socket in FIN_WAIT2: no tracepoint shows that it becomes TIME_WAIT.
  if (!c.teardown) return;
  Teardown& teardown = *c.teardown;
  const State substate = g.socket.state;
  if (out) {
    const bool covers = teardown.fin_in.sent && has_flag(g, tcp_flag::ack) && g.ack == teardown.fin_in.end;
    if (covers && substate == State::time_wait) teardown.time_wait_answered = true;
    return;
  }
  if (has_flag(g, tcp_flag::rst)) {
    if (teardown.mini_fin_wait2 && mini_socket_takes(c, g)) states_.end_by_reset(slot, e, g);
    return;
  }
  if (!has_flag(g, tcp_flag::fin) || (teardown.mini_fin_wait2 && !mini_socket_takes(c, g))) return;
  if (g.socket.type == SocketKind::time_wait && substate == State::fin_wait2) teardown.fin_on_mini = true;
  if (!teardown.mini_fin_wait2) return;
  teardown.infer_end({e.id, e.ts_ns}, g.seq + seq_length(g.len, g.flags));
  states_.enter_time_wait(slot, e, e.ts_ns, Cause{Cause::Kind::segment, e.id, 0, "FIN", 0}, nullptr);
}

}  // namespace tcpwitness
