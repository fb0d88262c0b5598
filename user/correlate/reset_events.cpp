// SPDX-License-Identifier: Apache-2.0
// reset_events.cpp: a reset belongs to the connection of its socket; without one, to that of the segment it answers.
#include "correlate/reset_events.hpp"

#include <utility>

#include "facts/derived.hpp"
#include "facts/reasons.hpp"

namespace tcpwitness {
namespace {

using State = TcpState;

// What the wire showed of a reset that the kernel took.
ResetEntry::Wire wire_of_taken_reset(const Connection& c, const Reset& r, bool matched, bool has_wire) {
  if (matched) return ResetEntry::Wire::shows_it;
  const State state = r.cb.state;
  const bool orphan = is_orphaned(r.cb) && (state == State::fin_wait1 || state == State::fin_wait2);
  if (!has_wire) return ResetEntry::Wire::not_watched;
  return orphan && c.seen_by.wire ? ResetEntry::Wire::shows_data_after_close : ResetEntry::Wire::shows_none;
}

// A RST that answers a segment closes no socket: in SYN_SENT it answers a challenge ACK, and the connection goes on. A
// socket that such a RST does end (TCP_ABORT_ON_DATA) is closed before it. And where there is no socket any more, it
// shows nothing of a connection that had ended before.
bool ends_nothing(const Connection& c, const Reset& r) {
  if (r.answers_segment == 0 || (c.teardown && c.teardown->mini_fin_wait2)) return false;
  if (r.has_socket == 0) return c.ended();
  return was_read(r.cb) && r.cb.state != State::close;
}

// It answers a segment that acknowledges the SYN-ACK: the listener itself refuses one only where no half-open request
// is there for it any more (tcp_rcv_state_process()); one that acknowledges something else leaves the request alone.
bool meets_no_request(const Connection& c, const Reset& r) {
  const bool acknowledges = (r.skb_flags & (tcp_flag::syn | tcp_flag::ack)) == tcp_flag::ack;
  return acknowledges && c.isn.has_local && r.skb_ack == c.isn.local + 1;
}

}  // namespace

// The segment that this RST answers was sent by a connection of this machine too.
bool ResetEvents::note_answered_here(const Event& e, const Reset& r, const Flow& flow) {
  if (r.direction != ResetDirection::sent || r.answers_segment == 0) return false;
  const Slot slot = table_.find_flow(Flow{flow.remote, flow.local});
  if (slot == no_slot || table_.at(slot).reported || !table_.at(slot).isn.has_local) return false;
  Connection& c = table_.at(slot);
  const std::uint32_t newest = c.has_cb() && seq_before(c.isn.local, c.cb.snd_nxt) ? c.cb.snd_nxt : c.isn.local + 1;
  constexpr std::uint32_t near = 1U << 24U;  // the control block is that of the newest event
  if (seq_before(r.skb_seq, c.isn.local) || seq_before(newest + near, r.skb_seq)) return false;
  c.ensure_anomalies().answered_here = {{e.id, e.ts_ns}, r.reason, true, r.has_socket != 0, r.actor.flags, 0};
  return true;
}

EventId ResetEvents::stray_reset(const Event& e, const Reset& r, const Flow& flow) {
  if (r.direction != ResetDirection::sent || r.answers_segment == 0) return 0;
  timeline_.confirm(flow, r.skb_seq);
  return strays_.reset_reported(e, r, flow);
}

void ResetEvents::take(const Event& e, const Reset& r) {
  const bool sent = r.direction == ResetDirection::sent;
  const Flow flow = to_flow(r.tuple);
  // Without a socket the address pair still names the connection whose segment was answered.
  const Slot slot = table_.find_open(r.has_socket != 0 ? r.header.cookie : 0, r.tuple);
  const ResetReason reason = sent ? reset_reason(names_, r.reason) : ResetReason::unknown;
  if (note_answered_here(e, r, flow) && r.has_socket == 0) strays_.sent_here(flow, r.skb_seq);
  const bool of_listener = r.cb.state == State::listen && was_read(r.cb);
  ResetEntry body;
  body.sent = sent;
  body.has_socket = r.has_socket != 0;
  if (sent && r.reason != reset_reason_unknown) body.reason = reset_reason_text(names_, r.reason);
  body.kind = reason;
  const bool refuses_request =
      slot != no_slot && of_listener && (reason == ResetReason::invalid_syn || meets_no_request(table_.at(slot), r));
  if (refuses_request && end_request(slot, e, r)) {
    body.segment = stray_reset(e, r, flow);
    emitter_.entry(&table_.at(slot), e, table_.at(slot).flow, std::move(body));
    return;
  }
  if (sent && of_listener && refuse_child(e, r, flow, body)) return;
  if (slot == no_slot || of_listener) {
    body.segment = stray_reset(e, r, flow);
    emitter_.entry(nullptr, e, flow, std::move(body));
    return;
  }
  take_of(slot, e, r, std::move(body));
}

// Of a connection that is known.
void ResetEvents::take_of(Slot slot, const Event& e, const Reset& r, ResetEntry body) {
  const bool sent = body.sent;
  const ResetReason reason = body.kind;
  Connection& c = table_.at(slot);
  c.seen_by.kernel = true;
  if (e.ts_ns > c.last_ts_ns) c.last_ts_ns = e.ts_ns;
  if (r.has_socket != 0 && was_read(r.cb) && !c.ended()) c.cb = r.cb;
  // A request whose listener has closed is gone with it.
  if (sent && r.has_socket == 0 && reason == ResetReason::no_socket && end_request(slot, e, r)) {
    emitter_.entry(&c, e, c.flow, std::move(body));
    return;
  }
  if (sent && ends_nothing(c, r)) {
    emitter_.entry(&c, e, c.flow, std::move(body));
    return;
  }
  Anomalies& anomalies = c.ensure_anomalies();
  ResetReport& reported = sent ? anomalies.reset_sent : anomalies.reset_received;
  if (!reported.mark) {
    const std::uint32_t number = sent ? r.reason : reset_reason_unknown;
    reported = {{e.id, e.ts_ns}, number, r.answers_segment != 0, r.has_socket != 0, r.actor.flags, r.sent_ms};
  }
  if (sent && r.answers_segment == 0 && c.teardown && c.teardown->mini_fin_wait2) {
    // A mini-socket only answers segments: it was the socket itself that left FIN_WAIT2 by this RST.
    c.teardown->mini_fin_wait2 = false;
    c.enter(State::close);
    table_.wait(slot, Wait::settle, now_);
  }
  if (c.teardown && c.teardown->mini_fin_wait2) {
    // A mini-socket that is reset waits for no FIN any more. That is its end, and not the exchange of FINs before it.
    const bool ends = reported.has_socket || orphan_removed(c, e.ts_ns);
    if (ends && c.teardown->end.ts_ns < e.ts_ns) c.teardown->end = {e.id, e.ts_ns};
    table_.wait(slot, Wait::settle, now_);
  }
  body.in_fin_wait2 = sent && c.teardown && c.teardown->mini_fin_wait2 && reason == ResetReason::timewait_socket;
  const bool acts = actor_owned(r.actor.flags) && !reported.answers_segment && sent;
  StateChange actor{};
  actor.actor = r.actor;
  if (acts) body.process = acting_process(actor, PidSource::close).process();
  const ResetSeen& rst = sent ? anomalies.rst_out : anomalies.rst_in;
  const bool matched = sent ? static_cast<bool>(rst.mark) : is_reset_taken(rst, r.cb.state, r.cb, {e.id, e.ts_ns});
  if (matched) body.segment = rst.mark.id;
  if (!sent) body.wire = wire_of_taken_reset(c, r, matched, settings_.has_wire);
  emitter_.entry(&c, e, c.flow, std::move(body));
}

// MPTCP closes the child of a subflow that it refuses (an MP_JOIN), and its listener's socket sends the RST.
bool ResetEvents::refuse_child(const Event& e, const Reset& r, const Flow& flow, ResetEntry& body) {
  const Slot slot = table_.find_flow(flow);
  if (slot == no_slot || table_.at(slot).reported || r.answers_segment == 0) return false;
  Connection& c = table_.at(slot);
  const bool given_up = c.ended() && c.teardown->end_from == State::syn_recv;
  const bool its_own = c.isn.has_remote && r.skb_seq == c.isn.remote + 1;
  const bool ended_otherwise =
      c.error != 0 ||
      (c.anomalies && (c.anomalies->reset_sent.mark || c.anomalies->rst_in.mark || c.anomalies->reset_received.mark));
  if (!given_up || !its_own || ended_otherwise) return false;
  c.ensure_anomalies().reset_sent = {{e.id, e.ts_ns}, r.reason, true, true, r.actor.flags, r.sent_ms};
  emitter_.entry(&c, e, c.flow, std::move(body));
  return true;
}

// tcp_check_req() gives a half-open request up with a RST: tcp_abort_on_overflow, or a SYN in its window. Or it had
// been given up before: it expired, somebody destroyed it (ss -K), or there is no listener any more.
bool ResetEvents::end_request(Slot slot, const Event& e, const Reset& r) {
  Connection& c = table_.at(slot);
  if (c.state != State::new_syn_recv || c.ended() || r.answers_segment == 0) return false;
  c.ensure_anomalies().reset_sent = {{e.id, e.ts_ns}, r.reason, true, r.has_socket != 0, r.actor.flags, 0};
  Teardown& teardown = c.ensure_teardown();
  teardown.end = {e.id, e.ts_ns};
  teardown.end_from = State::new_syn_recv;
  table_.wait(slot, Wait::settle, now_);
  return true;
}

}  // namespace tcpwitness
