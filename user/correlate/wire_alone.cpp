// SPDX-License-Identifier: Apache-2.0
// wire_alone.cpp: the state of a connection when only its segments are heard.
//
// The states are what a socket would have to be in to send and receive these segments (RFC 9293,
// section 3.3.2); nobody has shown them. A connection ends when both FINs are acknowledged or at a RST.
#include "correlate/witness_impl.hpp"

namespace tcpwitness {

using State = TcpState;

void Witness::Impl::wire_alone(Slot slot, Connection& c, const Event& e, const Segment& g, bool out) {
  if (c.ended()) return;
  const auto enter = [&](State to) { c.enter(to); };
  const auto over = [&](State to) {
    Closing& closing = c.ending();
    closing.end = {e.id, e.ts_ns};
    closing.end_from = c.state;
    enter(to);
    if (to == State::time_wait) closing.time_wait = closing.end;
    table_.wait(slot, Wait::settle, now_);
  };
  const bool ack = (g.flags & tcp_flag::ack) != 0;
  if ((g.flags & tcp_flag::rst) != 0) {
    over(State::close);
    return;
  }
  if ((g.flags & tcp_flag::syn) != 0) {
    if (!ack && c.state == State::unknown) enter(out ? State::syn_sent : State::new_syn_recv);
    if (ack && c.state == State::unknown) enter(out ? State::new_syn_recv : State::syn_sent);
    table_.wait(slot, Wait::wire_connect, now_);
    return;
  }
  // The ACK of the SYN-ACK comes from the side that connected.
  const bool opening = c.state == State::syn_sent || c.state == State::new_syn_recv;
  if (opening && ack && c.syn_ack_seen && out == (c.state == State::syn_sent)) {
    enter(State::established);
    c.established = true;
    if (c.syn) c.handshake_ns = e.ts_ns > c.syn.ts_ns ? e.ts_ns - c.syn.ts_ns : 0;
  }
  if (c.state == State::unknown) enter(State::established);
  if (c.waiting == Wait::wire_connect && c.state == State::established) table_.wait(slot, Wait::none, now_);
  if (!c.closing) return;

  const Closing& closing = *c.closing;
  const bool sent = static_cast<bool>(closing.fin_out.sent);
  const bool got = static_cast<bool>(closing.fin_in.sent);
  if (c.state == State::established && sent) {
    enter(State::fin_wait1);
    c.closed_by = ClosedBy::local;
  } else if (c.state == State::established && got) {
    enter(State::close_wait);
    c.closed_by = ClosedBy::peer;
  } else if (c.state == State::close_wait && sent) {
    enter(State::last_ack);
  }
  if (c.state == State::fin_wait1 && closing.fin_out.acked) enter(State::fin_wait2);
  if (c.state == State::fin_wait1 && got) {
    enter(State::closing);
    c.closed_by = ClosedBy::both;
  }
  if (c.state == State::fin_wait2 && closing.fin_in.acked) over(State::time_wait);
  if (c.state == State::closing && closing.fin_out.acked) over(State::time_wait);
  if (c.state == State::last_ack && closing.fin_out.acked) over(State::close);
}

void Witness::Impl::on_conversation_end(const Event& e, const ConversationEnd& end) {
  const Slot slot = table_.find_flow(end.flow);
  if (slot == no_slot) return;
  Connection& c = table_.at(slot);
  if (e.ts_ns > c.last_ts_ns) c.last_ts_ns = e.ts_ns;
  if (!c.told) tell(slot);
}

}  // namespace tcpwitness
