// SPDX-License-Identifier: Apache-2.0
// state_tracker.cpp: RFC 9293's state diagram, from outside.
//
// The kernel's names: NEW_SYN_RECV is SYN-RECEIVED of a listener's request, SYN_RECV that of a simultaneous open.
#include "wire/state_tracker.hpp"

namespace tcpwitness {
namespace {

using State = TcpState;

bool opening(State state) {
  return state == State::unknown || state == State::syn_sent || state == State::syn_recv ||
         state == State::new_syn_recv;
}

}  // namespace

void StateTracker::enter(Transitions& transitions, unsigned side, State to) {
  End& end = ends_[side];
  if (end.state == to) return;
  add(transitions, side, end.state, to);
  end.state = to;
}

void StateTracker::add(Transitions& transitions, unsigned side, State from, State to) {
  if (from != to && transitions.count < transitions.list.size())
    transitions.list[transitions.count++] = {side, from, to};
}

void StateTracker::sent_syn(Transitions& transitions, const SeenSegment& g, unsigned side) {
  End& me = ends_[side];
  End& peer = ends_[side ^ 1U];
  const bool ack = g.has(tcp_flag::ack);
  if (!ack) {
    if (me.state == State::unknown) enter(transitions, side, State::syn_sent);
    // Both have sent a SYN, and neither an answer yet (3.5, figure 7).
    if (peer.state == State::syn_sent && me.state == State::syn_sent) {
      enter(transitions, side, State::syn_recv);
      enter(transitions, side ^ 1U, State::syn_recv);
    }
    return;
  }
  if (me.state == State::unknown) enter(transitions, side, State::new_syn_recv);
  // It answers a SYN, seen or not.
  if (peer.state == State::unknown) enter(transitions, side ^ 1U, State::syn_sent);
}

// A segment without SYN from an end that was not open yet: it must have been opened meanwhile.
void StateTracker::opened(Transitions& transitions, const SeenSegment& g, unsigned side) {
  End& me = ends_[side];
  End& peer = ends_[side ^ 1U];
  if (me.state == State::unknown || me.state == State::syn_sent) {
    enter(transitions, side, State::established);
  } else if (me.state == State::new_syn_recv || me.state == State::syn_recv) {
    // It may close before the handshake is done (3.10.4, SYN-RECEIVED); data proves that it is, seen or not.
    const bool done =
        g.len != 0 || peer.state == State::established || !g.has(tcp_flag::fin) || behind_handshake(g, me, peer);
    // It goes on, so the handshake's last ACK has come, seen or not, and its sender was open.
    if (done && me.state == State::new_syn_recv && peer.state == State::syn_sent) {
      enter(transitions, side ^ 1U, State::established);
    }
    if (done) enter(transitions, side, State::established);
  }
  // Its acknowledgement finishes the peer's handshake.
  const bool half = peer.state == State::new_syn_recv || peer.state == State::syn_recv;
  if (half && g.has(tcp_flag::ack) && covers_syn(g.ack, peer)) enter(transitions, side ^ 1U, State::established);
}

// Its number is behind more than its sender's SYN, or its acknowledgement behind more than the receiver's, and the
// payload that came in that one: both have gone on from there, seen or not.
bool StateTracker::behind_handshake(const SeenSegment& g, const End& me, const End& peer) {
  const bool number = me.half.syn() && seq_before(me.half.isn() + 1, g.seq);
  return number || (g.has(tcp_flag::ack) && peer.half.syn() && seq_before(peer.half.snd_nxt(), g.ack));
}

// A RST whose numbers prove that the connection was open: what opened it is not here.
void StateTracker::was_open(Transitions& transitions, const SeenSegment& g, unsigned side) {
  const End& me = ends_[side];
  const End& peer = ends_[side ^ 1U];
  if (!me.half.syn_ack() && !peer.half.syn_ack()) return;
  if (!behind_handshake(g, me, peer)) return;
  for (const unsigned end : {side, side ^ 1U}) {
    if (opening(ends_[end].state) && ends_[end].state != State::unknown) enter(transitions, end, State::established);
  }
}

void StateTracker::close(Transitions& transitions) {
  for (unsigned side = 0; side < 2; ++side) {
    const End& me = ends_[side];
    const HalfConnection& sent = me.half;
    const HalfConnection& received = ends_[side ^ 1U].half;
    const bool got = received.fin() && me.state != State::unknown;
    if (got && me.state == State::established) enter(transitions, side, State::close_wait);
    if (sent.fin() && me.state == State::established) enter(transitions, side, State::fin_wait1);
    // Whose FIN does not acknowledge the other one had closed before that was taken: they crossed (3.6, figure 13).
    if (sent.fin() && me.state == State::close_wait)
      enter(transitions, side, received.fin_acked() ? State::last_ack : State::closing);
    if (me.state == State::fin_wait1 && sent.fin_acked()) enter(transitions, side, State::fin_wait2);
    if (me.state == State::fin_wait1 && got) enter(transitions, side, State::closing);
    if (me.state == State::fin_wait2 && got && received.fin_acked()) enter(transitions, side, State::time_wait);
    // Where the peer's FIN is not acknowledged it was not taken, whoever saw it come.
    const bool both = sent.fin_acked() && received.fin_acked();
    if (me.state == State::closing && both) enter(transitions, side, State::time_wait);
    if (me.state == State::last_ack && both) enter(transitions, side, State::close);
  }
}

StateTracker::Transitions StateTracker::observe(const SeenSegment& g, unsigned side) {
  Transitions transitions;
  if (over_) {
    // Should the RST turn out not to have been taken, what happens meanwhile counts.
    if (reset_ && !g.has(tcp_flag::rst)) {
      Transitions ignored;
      segment(ignored, g, side);
    }
    return transitions;
  }
  if (!g.has(tcp_flag::rst)) {
    segment(transitions, g, side);
    over_ = both_fins_acked();
    return transitions;
  }
  was_open(transitions, g, side);
  over_ = true;
  reset_ = true;
  for (const unsigned end : {side, side ^ 1U}) {
    // Of the RST's sender only what was seen before; its receiver has a connection that it can end.
    if (end == side && ends_[end].state == State::unknown) continue;
    closed_[end] = true;
    add(transitions, end, ends_[end].state, State::close);
  }
  return transitions;
}

void StateTracker::late_fin(unsigned side, std::uint32_t end) {
  SeenSegment fin;
  fin.seq = end - 1;
  fin.flags = tcp_flag::fin;
  take(fin, ends_[side].half, ends_[side ^ 1U].half);
}

StateTracker::Transitions StateTracker::resume() {
  Transitions transitions;
  if (!reset_) return transitions;
  for (unsigned side = 0; side < 2; ++side) {
    if (closed_[side]) add(transitions, side, State::close, ends_[side].state);
  }
  closed_ = {};
  reset_ = false;
  over_ = both_fins_acked();
  return transitions;
}

void StateTracker::segment(Transitions& transitions, const SeenSegment& g, unsigned side) {
  End& me = ends_[side];
  End& peer = ends_[side ^ 1U];
  if (me.half.fin() || peer.half.fin()) close(transitions);  // late_fin() came before this segment
  take(g, me.half, peer.half);
  if (g.has(tcp_flag::syn)) {
    if (opening(me.state)) sent_syn(transitions, g, side);
    // In a simultaneous open the SYN-ACK acknowledges the peer's SYN.
    if (g.has(tcp_flag::ack) && peer.state == State::syn_recv && g.ack == peer.half.isn() + 1) {
      enter(transitions, side ^ 1U, State::established);
    }
    return;
  }
  if (opening(me.state) || opening(peer.state)) opened(transitions, g, side);
  if (g.has(tcp_flag::fin) && opening(me.state)) enter(transitions, side, State::fin_wait1);
  if (me.half.fin() || peer.half.fin()) close(transitions);
}

}  // namespace tcpwitness
