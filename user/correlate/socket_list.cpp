// SPDX-License-Identifier: Apache-2.0
// socket_list.cpp: connections that are older than the run begin here, and transitions that were lost show here.
#include "correlate/socket_list.hpp"

#include <algorithm>
#include <cstdint>

#include "correlate/notes.hpp"
#include "correlate/payload_times.hpp"
#include "correlate/process.hpp"
#include "facts/derived.hpp"

namespace tcpwitness {
namespace {

using State = TcpState;

// What its flow has counted by then. False: nothing newer.
bool take_counters(Connection& c, const Event& e, const SocketFound& f) {
  const std::uint64_t counted = segments_of(f.wire);
  if (f.has_wire == 0 || counted == 0 || counted < segments_of(c.wire)) return false;
  c.take_counters(e.id, f.wire, f.loss);
  c.seen_by.wire = true;
  c.totals.final = true;
  return true;
}

// A look at a socket: at the start of the run, and at its end for what is still open.
void refresh(Connection& c, const Event& e, const SocketFound& f) {
  if (c.reported || c.ended()) return;
  if (e.ts_ns > c.last_ts_ns) c.last_ts_ns = e.ts_ns;
  // The first look comes behind what the hooks reported meanwhile, and can be older.
  const bool newer = f.cb.bytes_acked >= c.cb.bytes_acked && f.cb.bytes_received >= c.cb.bytes_received;
  if (was_read(f.cb) && newer) c.cb = f.cb;
  if (take_counters(c, e, f)) c.set_payload(payload_times(e, f.header, f.times));
}

// A segment in the middle can be the first of a connection whose beginning was lost. One whose SYN was seen, and which
// the kernel does not show, is of another namespace, whose device has handed its segments to one of this.
bool is_of_list(const Connection& c) { return c.seen_by.kernel || (c.role == Role::unknown && !c.opening.preexisting); }

// Who closed first, of a connection that is in this state.
ClosedBy closed_first_in(State state) {
  switch (state) {
    case State::fin_wait1:
    case State::fin_wait2:
      return ClosedBy::local;
    case State::close_wait:
    case State::last_ack:
      return ClosedBy::peer;
    case State::closing:
      return ClosedBy::both;
    default:
      return ClosedBy::none;
  }
}

void note_role(Connection& c, const SocketFound& f, State state) {
  if (c.role != Role::unknown) return;
  if (state == State::syn_sent || f.cb.is(SocketFlag::connected)) c.role = Role::active;
  if (state == State::new_syn_recv || is_unaccepted(f.cb)) c.role = Role::passive;
}

// A segment of it came while the sockets were listed.
void note_older(Connection& c, const SocketFound& f, State state) {
  if (!c.opening.preexisting || c.reported || c.ended()) return;
  note_role(c, f, state);
  if (c.closed_by == ClosedBy::none) c.closed_by = closed_first_in(state);
}

// What an open connection waits for in this state.
Wait wait_in(State state) {
  if (state == State::new_syn_recv) return Wait::request;
  if (state == State::close_wait) return Wait::close_wait;
  return state == State::fin_wait2 ? Wait::fin_wait2 : Wait::none;
}

}  // namespace

void SocketList::take(const Event& e, const SocketFound& f) {
  if (f.type == SocketKind::none) {
    if (f.has_wire != 0) return take_flow(e, f);
    if (f.cb.state == State::fin_wait2) return half_closed_.note_left_fin_wait2(e);
    in_.listed_ns = e.ts_ns;
    return;
  }
  const Flow flow = to_flow(f.tuple);
  if (f.type == SocketKind::listener) {
    if (listeners_.find(f.header.cookie) == nullptr) listeners_.opened(f.header.cookie, flow.local, Owner{}, 0);
    return;
  }
  if (f.type == SocketKind::full || f.type == SocketKind::time_wait) half_closed_.note_still_fin_wait2(e, f);
  if (f.type != SocketKind::full && f.type != SocketKind::request) return;
  const auto state = f.type == SocketKind::request ? State::new_syn_recv : f.cb.state;
  if (state == State::close) return take_kept(e, f);
  if (flow.remote.address.is_unspecified()) return;
  if (const Slot slot = table_.find_cookie(f.header.cookie); slot != no_slot) {
    catch_up(slot, e, f.cb, state);
    note_older(table_.at(slot), f, state);
    refresh(table_.at(slot), e, f);
    const bool older = settings_.compare && table_.at(slot).opening.preexisting && f.type == SocketKind::full;
    if (older) note_first_look(contexts_.measures(slot), table_.at(slot));
    if (!table_.at(slot).reported && !table_.at(slot).ended()) {
      note_unaccepted(table_.at(slot), e, f.cb, settings_.slow_accept_ns);
    }
    return;
  }
  const Slot known = table_.find_flow(flow);
  if (known != no_slot && !table_.at(known).reported) {
    if (table_.at(known).cookie == 0) table_.bind_cookie(known, f.header.cookie);
    if (table_.at(known).cookie != f.header.cookie) return;
    catch_up(known, e, f.cb, state);
    note_older(table_.at(known), f, state);
    refresh(table_.at(known), e, f);
    return;
  }
  begin(e, f, flow, state);
}

// Of the flow map: one hop of a forwarded connection or, where the kernel is not traced, a connection of this machine.
void SocketList::take_flow(const Event& e, const SocketFound& f) {
  if (forwarded_.refresh_hop(e, f) || settings_.has_kernel) return;
  const Slot slot = table_.find_flow(to_flow(f.tuple));
  if (slot == no_slot) return;
  Connection& c = table_.at(slot);
  if (c.reported || c.ended()) return;
  const std::uint64_t before = segments_of(c.wire);
  if (take_counters(c, e, f) && segments_of(c.wire) > before) c.last_ts_ns = std::max(c.last_ts_ns, e.ts_ns);
}

// It has ended, and its process has it yet: what its flow counted until then.
void SocketList::take_kept(const Event& e, const SocketFound& f) {
  const Slot slot = table_.find_cookie(f.header.cookie);
  if (slot == no_slot) return;
  Connection& c = table_.at(slot);
  const bool closed = c.ended() && !c.reported && !c.totals.at_destruction;
  if (closed && take_counters(c, e, f)) c.set_payload(payload_times(e, f.header, f.times));
}

// One that is older than the run, or whose beginning was lost.
void SocketList::begin(const Event& e, const SocketFound& f, const Flow& flow, State state) {
  const Slot slot = lives_.create(e.ts_ns, false);
  Connection& c = table_.at(slot);
  table_.bind_cookie(slot, f.header.cookie);
  lives_.adopt_flow(slot, flow);
  c.netns = f.header.netns;
  c.opening.preexisting = true;
  c.transitions.from_snapshot = true;
  c.seen_by.kernel = true;
  c.opening.established = state != State::syn_sent && state != State::syn_recv && state != State::new_syn_recv;
  note_role(c, f, state);
  refresh(c, e, f);
  if (settings_.compare) note_first_look(contexts_.measures(slot), c);
  find_in(slot, e, f.cb, state);
  if (state == State::new_syn_recv) table_.wait(slot, Wait::request, now_);
  if (state != State::new_syn_recv && !is_unaccepted(f.cb)) return;
  own_by_listener(c, listeners_.find(flow.local, e.ts_ns));
  if (waits_unowned(c)) in_.unowned.push_back(slot);
}

// The sockets were listed, and this one is in a state that no event has shown.
void SocketList::find_in(Slot slot, const Event& e, const ControlBlock& found, State state) {
  Connection& c = table_.at(slot);
  c.seen_by.kernel = true;
  if (table_.wait_of(slot) != Wait::none) table_.wait(slot, Wait::none, now_);
  c.enter(state);
  if (const ClosedBy first = closed_first_in(state); first != ClosedBy::none) c.closed_by = first;
  if (state == State::close_wait) {
    c.ensure_teardown().enter_close_wait({e.id, e.ts_ns},
                                         was_read(found) ? std::optional(found.write_seq) : std::nullopt);
    c.teardown->close_wait_found = true;
    table_.wait(slot, Wait::close_wait, now_);
  } else if (state == State::fin_wait2) {
    const ControlBlock& cb = was_read(found) ? found : c.cb;
    c.ensure_teardown().enter_fin_wait2({e.id, e.ts_ns}, cb.bytes_received, is_orphaned(cb));
    c.teardown->fin_wait2_found = true;
    table_.wait(slot, Wait::fin_wait2, now_);
  }
}

// Transitions that were lost show in the list of the sockets.
void SocketList::catch_up(Slot slot, const Event& e, const ControlBlock& found, State state) {
  Connection& c = table_.at(slot);
  if (c.reported || c.ended() || state == c.state || e.ts_ns <= c.last_ts_ns || !losses_.may_concern(c)) return;
  c.opening.established =
      c.opening.established || (state != State::syn_sent && state != State::syn_recv && state != State::new_syn_recv);
  find_in(slot, e, found, state);
}

void SocketList::finish(TimeNs begun) {
  constexpr std::size_t slice = 256;
  constexpr std::int64_t slice_ns = 1'000'000;
  std::erase_if(in_.unowned, [this](Slot slot) { return !waits_unowned(table_.at(slot)); });
  if (in_.listed_ns < begun) return;  // it was not a whole list
  std::size_t gone = table_.waiting(Wait::gone);
  for (Slot slot = 0; slot < table_.slots(); ++slot) {
    const Connection& c = table_.at(slot);
    if (!c.live || c.reported || c.ended() || !c.bound.cookie || !is_of_list(c)) continue;
    if (table_.wait_of(slot) == Wait::gone || !losses_.may_concern(c) || c.last_ts_ns >= begun) continue;
    table_.wait(slot, Wait::gone, now_ + static_cast<std::int64_t>(gone / slice) * slice_ns);
    ++gone;
  }
}

// It was seen again: not gone, after all.
void SocketList::not_gone(Slot slot) {
  const Connection& c = table_.at(slot);
  const bool reported = c.anomalies && c.anomalies->while_open.has_reported(Rule::close_wait_stuck);
  table_.wait(slot, reported ? Wait::none : wait_in(c.state), now_);
}

void SocketList::take_turn(Slot slot) {
  Connection& c = table_.at(slot);
  if (c.last_ts_ns > in_.listed_ns) return not_gone(slot);
  c.expired = true;
  life_reports_.conclude(slot);
}

void SocketList::conclude_gone() {
  while (table_.first(Wait::gone) != no_slot) {
    const Slot slot = table_.first(Wait::gone);
    table_.wait(slot, Wait::none, now_);
    take_turn(slot);
  }
}

}  // namespace tcpwitness
