// SPDX-License-Identifier: Apache-2.0
// observer.cpp: RFC 9293's state diagram, from outside.
//
// The kernel's names: NEW_SYN_RECV is SYN-RECEIVED of a listener's request, SYN_RECV that of a simultaneous open.
#include "wire/observer.hpp"

namespace tcpwitness {
namespace {

using State = TcpState;

bool opening(State state) {
  return state == State::unknown || state == State::syn_sent || state == State::syn_recv ||
         state == State::new_syn_recv;
}

}  // namespace

void Observer::enter(Transitions& told, unsigned side, State to) {
  End& end = ends_[side];
  if (end.state == to) return;
  if (told.count < told.list.size()) told.list[told.count++] = {side, end.state, to};
  end.state = to;
}

// RFC 9293, 3.10.7.3: a RST for a SYN must acknowledge it. 3.10.7.4: any other must lie in the window, so not before
// what its receiver has acknowledged.
bool Observer::believes(const End& receiver, const SeenSegment& g) {
  const bool waiting = receiver.state == State::syn_sent;
  if (waiting) return g.has(tcp_flag::ack) ? g.ack == receiver.syn_end : receiver.acked;
  return !receiver.acked || !seq_before(g.seq, receiver.ack);
}

void Observer::sent_syn(Transitions& told, const SeenSegment& g, unsigned side) {
  End& me = ends_[side];
  End& peer = ends_[side ^ 1U];
  const bool ack = g.has(tcp_flag::ack);
  if (!me.syn || opening(me.state)) {
    me.syn = true;
    me.syn_end = g.seq + 1;
  }
  if (!ack) {
    if (me.state == State::unknown) enter(told, side, State::syn_sent);
    // Both have sent a SYN, and neither an answer yet (3.5, figure 7).
    if (peer.state == State::syn_sent && me.state == State::syn_sent) {
      enter(told, side, State::syn_recv);
      enter(told, side ^ 1U, State::syn_recv);
    }
    return;
  }
  if (me.state == State::unknown) enter(told, side, State::new_syn_recv);
  // It answers a SYN, seen or not.
  if (peer.state == State::unknown) enter(told, side ^ 1U, State::syn_sent);
}

// A segment without SYN from an end that was not open yet: it must have been opened meanwhile.
void Observer::opened(Transitions& told, const SeenSegment& g, unsigned side) {
  End& me = ends_[side];
  End& peer = ends_[side ^ 1U];
  if (me.state == State::unknown || me.state == State::syn_sent) {
    enter(told, side, State::established);
  } else if (me.state == State::new_syn_recv || me.state == State::syn_recv) {
    // It may close before the handshake is done (3.10.4, SYN-RECEIVED); data proves that it is.
    const bool done = g.len != 0 || peer.state == State::established || !g.has(tcp_flag::fin);
    if (done) enter(told, side, State::established);
  }
  // Its acknowledgement finishes the peer's handshake.
  const bool half = peer.state == State::new_syn_recv || peer.state == State::syn_recv;
  const bool covers = peer.syn && !seq_before(g.ack, peer.syn_end);
  if (half && g.has(tcp_flag::ack) && covers) enter(told, side ^ 1U, State::established);
}

void Observer::close(Transitions& told) {
  for (unsigned side = 0; side < 2; ++side) {
    const End& me = ends_[side];
    const End& peer = ends_[side ^ 1U];
    const bool got = peer.fin && me.state != State::unknown;
    if (got && me.state == State::established) enter(told, side, State::close_wait);
    if (me.fin && me.state == State::established) enter(told, side, State::fin_wait1);
    if (me.fin && me.state == State::close_wait) enter(told, side, State::last_ack);
    if (me.state == State::fin_wait1 && me.fin_acked) enter(told, side, State::fin_wait2);
    if (me.state == State::fin_wait1 && got) enter(told, side, State::closing);
    if (me.state == State::fin_wait2 && got && peer.fin_acked) enter(told, side, State::time_wait);
    if (me.state == State::closing && me.fin_acked) enter(told, side, State::time_wait);
    if (me.state == State::last_ack && me.fin_acked) enter(told, side, State::close);
  }
  over_ = ends_[0].fin_acked && ends_[1].fin_acked;
}

Observer::Transitions Observer::observe(const SeenSegment& g, unsigned side) {
  Transitions told;
  if (over_) return told;
  End& me = ends_[side];
  End& peer = ends_[side ^ 1U];
  if (g.has(tcp_flag::rst)) {
    if (!believes(peer, g)) return told;
    over_ = true;
    if (me.state != State::unknown) enter(told, side, State::close);
    enter(told, side ^ 1U, State::close);
    return told;
  }
  if (g.has(tcp_flag::ack) && (!me.acked || seq_before(me.ack, g.ack))) {
    me.acked = true;
    me.ack = g.ack;
  }
  if (g.has(tcp_flag::syn)) {
    if (opening(me.state)) sent_syn(told, g, side);
    // In a simultaneous open the SYN-ACK acknowledges the peer's SYN.
    if (g.has(tcp_flag::ack) && peer.state == State::syn_recv && g.ack == peer.syn_end) {
      enter(told, side ^ 1U, State::established);
    }
    return told;
  }
  if (opening(me.state) || opening(peer.state)) opened(told, g, side);
  if (g.has(tcp_flag::ack) && peer.fin && !seq_before(g.ack, peer.fin_end)) peer.fin_acked = true;
  if (g.has(tcp_flag::fin)) {
    if (opening(me.state)) enter(told, side, State::fin_wait1);
    me.fin_end = g.seq + seq_length(g.len, g.flags);
    me.fin = true;
  }
  if (me.fin || peer.fin) close(told);
  return told;
}

}  // namespace tcpwitness
