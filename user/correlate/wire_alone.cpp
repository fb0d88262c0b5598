// SPDX-License-Identifier: Apache-2.0
// wire_alone.cpp: a connection of which only the segments are seen: the states of both ends, and its end.
//
// The states are what the ends would have to be in to send and receive these segments (wire/state_tracker.hpp); nobody
// has shown them. A connection ends when both FINs are acknowledged or at a RST that its receiver accepts; in a
// capture it is reported when nothing more of it can come.
#include "correlate/wire_alone.hpp"

#include <memory>

#include "correlate/notes.hpp"
#include "facts/derived.hpp"

namespace tcpwitness {
namespace {

using State = TcpState;

void enter_alone(Connection& c, const Event& e, const Segment& g, TcpState to) {
  c.enter(to);
  if (to == State::established) {
    c.opening.established = true;
    // What comes behind a hole, or ends the connection, does not show when the handshake's last ACK was sent.
    const bool late = g.is(SegmentEvent::out_of_order) || (g.flags & tcp_flag::rst) != 0;
    if (c.syn && !late && c.syn.ts_ns <= e.ts_ns) c.handshake_ns = e.ts_ns - c.syn.ts_ns;
  }
  if (to == State::fin_wait1) c.closed_by = ClosedBy::local;
  if (to == State::close_wait) c.closed_by = ClosedBy::peer;
  if (to == State::closing) c.closed_by = ClosedBy::both;
}

// By the states that the FINs of both have led to.
ClosedBy closer_by_states(TcpState local, TcpState peer) {
  const auto waits = [](State state) {
    return state == State::fin_wait1 || state == State::fin_wait2 || state == State::time_wait;
  };
  if (local == State::closing || peer == State::closing || (waits(local) && waits(peer))) return ClosedBy::both;
  if (waits(local)) return ClosedBy::local;
  return waits(peer) ? ClosedBy::peer : ClosedBy::none;
}

// Who closed first, where a FIN of the other side can be missing or stand behind the FIN that acknowledges it.
void note_first_fin(Connection& c, const Segment& g, bool out, ClosedBy before) {
  FirstFin& first = c.inferred->first_fin;
  if (before == ClosedBy::none && c.closed_by != ClosedBy::none && g.analysis.covers_unseen) {
    first = {c.closed_by, g.ack};
    c.closed_by = ClosedBy::none;
    return;
  }
  const ClosedBy sender = out ? ClosedBy::local : ClosedBy::peer;
  if (first.closes == ClosedBy::none || first.closes == sender) return;
  const std::uint32_t end = g.seq + seq_length(g.len, g.flags);
  first.stands_behind = seq_not_after(end, first.ack);
  if (first.stands_behind) {
    c.closed_by = sender;
  } else if (c.closed_by != ClosedBy::both) {
    c.closed_by = first.closes;
  }
  first.closes = ClosedBy::none;
}

}  // namespace

void WireAlone::take(Slot slot, Connection& c, const Event& e, const Segment& g, bool out) {
  if (!c.inferred) c.inferred = std::make_unique<InferredEnds>();
  const SeenSegment seen = seen_segment(e.ts_ns, g);
  const unsigned side = out ? 0 : 1;
  if (g.analysis.duplicate_frame) return;
  if (settings_.capture) c.inferred->zeek.observe(seen, side);
  const bool resumed = settings_.capture ? g.analysis.resumed : c.inferred->answer.resumed;
  const bool refused = g.analysis.refused;  // live it does not come here
  c.inferred->reset_doubted = refused && (g.flags & tcp_flag::rst) != 0 && c.state != State::syn_sent &&
                              !c.inferred->tracker.acknowledged(side, g.seq + 1);
  if (refused) return;
  if (resumed) resume(c, e);
  if (c.ended()) {
    if (c.teardown->by_reset) (void)c.inferred->tracker.observe(seen, side);
    return;
  }
  State before = c.state;
  const ClosedBy closed_before = c.closed_by;
  if (!out) c.inferred->met_socket = c.inferred->met_socket || g.socket.type == SocketKind::full;
  const bool gone = g.socket.type == SocketKind::none || g.socket.type == SocketKind::listener;
  if (!out && (g.flags & tcp_flag::rst) != 0 && c.inferred->met_socket && gone) {
    // It came too late: the socket had gone before, and nobody saw how.
    Teardown& teardown = c.ensure_teardown();
    teardown.end = {e.id, e.ts_ns};
    teardown.end_from = before;
    table_.wait(slot, Wait::settle, now_);
    return;
  }
  if (g.analysis.late_fin != LateFin::none) [[unlikely]] {
    const bool own = g.analysis.late_fin == LateFin::of_sender;
    c.inferred->tracker.late_fin(own ? side : side ^ 1U, g.analysis.late_fin_end);
  }
  const StateTracker::Transitions transitions = c.inferred->tracker.observe(seen, side);
  for (unsigned i = 0; i < transitions.count; ++i) {
    const StateTracker::Transition& step = transitions.list[i];
    if (settings_.timeline) timeline_.infer(e.id, {step.side != 0, step.from, step.to});
    if (step.side == 0) {
      before = step.from;
      enter_alone(c, e, g, step.to);
    } else if (c.inferred->peer_count < c.inferred->peer_states.size()) {
      c.inferred->peer_states[c.inferred->peer_count++] = step.to;
    }
  }
  if ((g.flags & tcp_flag::fin) != 0) note_first_fin(c, g, out, closed_before);
  if (c.inferred->tracker.over()) return end(slot, c, e, g, before, out);
  if (settings_.capture || c.forwarded()) return;
  if ((g.flags & tcp_flag::syn) != 0) table_.wait(slot, Wait::wire_connect, now_);
  if (table_.wait_of(slot) == Wait::wire_connect && c.state == State::established) table_.wait(slot, Wait::none, now_);
}

// Both FINs are acknowledged, or its receiver takes a RST.
void WireAlone::end(Slot slot, Connection& c, const Event& e, const Segment& g, State before, bool out) {
  Teardown& teardown = c.ensure_teardown();
  teardown.end = {e.id, e.ts_ns};
  teardown.end_from = before;
  teardown.by_reset = (g.flags & tcp_flag::rst) != 0;
  if (teardown.by_reset) {
    ResetSeen& reset = out ? c.ensure_anomalies().rst_out : c.ensure_anomalies().rst_in;
    if (settings_.capture && g.analysis.again_in_silence == 0) c.anomalies->retransmissions.run.clear();
    reset = {teardown.end, g.seq, g.ack, g.flags, g.socket.type, g.ttl, false, g.ifindex};
  }
  if (c.state == State::time_wait) teardown.time_wait = teardown.end;
  if (!settings_.capture) table_.wait(slot, ttl_differs(c) ? Wait::outsider : Wait::settle, now_);
}

// The RST that ended it was not taken: its receiver goes on.
void WireAlone::resume(Connection& c, const Event& e) {
  const StateTracker::Transitions transitions = c.inferred->tracker.resume();
  if (c.teardown) {
    c.teardown->end = {};
    c.teardown->by_reset = false;
  }
  for (unsigned i = 0; i < transitions.count; ++i) {
    const StateTracker::Transition& step = transitions.list[i];
    if (settings_.timeline) timeline_.infer(e.id, {step.side != 0, step.from, step.to});
    if (step.side == 0) {
      c.enter(step.to);
    } else if (c.inferred->peer_count < c.inferred->peer_states.size()) {
      c.inferred->peer_states[c.inferred->peer_count++] = step.to;
    }
  }
  const StateTracker& tracker = c.inferred->tracker;
  if (c.closed_by == ClosedBy::none) c.closed_by = closer_by_states(tracker.state(0), tracker.state(1));
  if (c.anomalies) c.anomalies->rst_in = c.anomalies->rst_out = {};
}

}  // namespace tcpwitness
