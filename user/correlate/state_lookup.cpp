// SPDX-License-Identifier: Apache-2.0
// state_lookup.cpp: see state_lookup.hpp.
#include "correlate/state_lookup.hpp"

namespace tcpwitness {

using State = TcpState;

namespace {

// A child whose place no second one can have: its end would have been seen. Children of a SYN cookie have a socket
// cookie each.
bool is_newborn(const Connection& c) {
  const bool open = c.state == State::syn_recv || c.state == State::established;
  return open && c.role == Role::passive && c.transitions.in_step && !c.reported;
}

}  // namespace

Slot StateLookup::find(const Event& e, const StateChange& s, const Flow& flow) {
  const State from = s.old_state;
  const State to = s.new_state;
  const bool connects = to == State::syn_sent;
  Slot slot = table_.find_cookie(s.header.cookie);
  if (slot != no_slot) {
    if (!connects || (!table_.at(slot).reported && !table_.at(slot).ended())) {
      // A child that is still being cloned has its listener's addresses.
      if (!table_.at(slot).reported && from != State::listen) lives_.adopt_flow(slot, flow);
      return slot;
    }
    // The process calls connect() again on the same socket: another connection.
    // One that found no port is still asked about; its cookie goes to the new one.
    if (!table_.at(slot).reported && table_.wait_of(slot) != Wait::ports) life_reports_.conclude(slot);
    slot = no_slot;
  }
  const bool whole = flow.local.port != 0 && !flow.remote.address.is_unspecified();
  if (!connects && whole) {
    slot = table_.find_flow(flow);
    if (slot != no_slot) {
      Connection& c = table_.at(slot);
      // A request socket without a cookie yet, or a child that was cloned before it inherited one (before 6.14 or so).
      const bool cloned = (from == State::listen && c.state == State::new_syn_recv) ||
                          (from == State::syn_recv && c.state == State::syn_recv);
      if (!c.reported && (c.cookie == 0 || cloned)) {
        if (c.cookie == 0 || from == State::syn_recv) table_.bind_cookie(slot, s.header.cookie);
        c.transitions.rival = false;  // it had another cookie
        return slot;
      }
      if (from == State::listen && is_newborn(c) && !losses_.may_concern(c)) return no_slot;  // of a rival
    }
  }
  // A clone whose peer is not filled in yet (before 6.14 or so; SYN_RECV -> ESTABLISHED will have it), or the end of a
  // socket that was never in the table: nothing to hang a connection on.
  const bool half_cloned = from == State::listen && (flow.local.port == 0 || flow.remote.port == 0);
  if (flow.remote.address.is_unspecified() || half_cloned || (from == State::close && to == State::close))
    return no_slot;
  // SYN_RECV lasts for a moment only: its beginning can have been hidden, but it was after ours.
  const bool passive = from == State::listen || from == State::syn_recv;
  const bool begun = from == State::close || passive;
  slot = lives_.create(e.ts_ns, begun && !(passive && settings_.has_wire));  // its SYN is first on the wire
  table_.bind_cookie(slot, s.header.cookie);
  lives_.adopt_flow(slot, flow);
  Connection& c = table_.at(slot);
  c.opening.preexisting = !begun && !losses_.any();
  // What came before it is among the lost: its own beginning, or the SYN of a child, a handshake ago.
  constexpr std::int64_t handshake_ns = 3'000'000'000;
  const bool after_gap = losses_.reach(e.ts_ns, handshake_ns);
  if ((!begun && losses_.any()) || (from == State::listen && settings_.has_wire && after_gap)) c.incomplete = true;
  return slot;
}

}  // namespace tcpwitness
