// SPDX-License-Identifier: Apache-2.0
// state_events.cpp: what a socket's state change shows of its connection.
//
// The tracepoint does not show everything: FIN_WAIT2 -> CLOSE and CLOSING -> CLOSE are moves into a
// TIME_WAIT mini-socket, a passive child appears only at LISTEN -> SYN_RECV. What is concluded instead
// of shown is marked as inferred.
#include "correlate/state_events.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "correlate/listeners.hpp"
#include "correlate/notes.hpp"
#include "correlate/process.hpp"
#include "facts/derived.hpp"
#include "facts/reasons.hpp"
#include "values/kernel.hpp"

namespace tcpwitness {

using State = TcpState;

namespace {

// Behind the end of a listener its children end.
constexpr std::int64_t listener_moment_ns = 1'000'000'000;

// connect() failed before it made a SYN: inet_hash_connect() found no local port (EADDRNOTAVAIL), or the routing
// refused the port that it had found (ip_route_newports()). Nothing was sent, no number chosen since SYN_SENT. close()
// sets sk_shutdown before the state: a Fast Open that waits for its first data has made no SYN either.
bool made_no_syn(const Connection& c, const StateChange& s) {
  const ControlBlock& begun = c.cb;  // still that of CLOSE -> SYN_SENT
  const ControlBlock& cb = s.cb;
  if (c.state != State::syn_sent || c.syn || !was_read(begun) || !was_read(cb)) return false;
  const bool nothing = cb.packets_out == 0 && cb.segs_out == begun.segs_out && cb.write_seq == begun.write_seq &&
                       cb.snd_nxt == begun.snd_nxt;
  const bool by_call = actor_owned(s.actor.flags) && !actor_exiting(s.actor.flags);
  return nothing && by_call && cb.sk_shutdown == 0 && cb.sk_err == 0 && begun.packets_out == 0;
}

void note_no_syn(Connection& c, const StateChange& s) {
  Teardown& teardown = c.ensure_teardown();
  teardown.no_syn = true;
  teardown.port_bound = has(s.port, PortChoice::bound);
  teardown.port_chosen = !teardown.port_bound && s.tuple.local_port != 0;
  teardown.own_range = has(s.port, PortChoice::own_range);
  teardown.first_port = teardown.port_bound ? s.tuple.local_port : s.first_port;
  teardown.last_port = teardown.port_bound ? s.tuple.local_port : s.last_port;
}

// Two processors can make a child of one request each, where its last ACK comes twice or with data close behind, and
// both have the request's cookie. The one that is too late is closed at once (inet_ehash_nolisten()). No socket comes
// back to SYN_RECV.
bool is_of_a_rival(const Connection& c, State from, State to) {
  if (c.role != Role::passive || c.opening.preexisting || c.transitions.from_snapshot) return false;
  if (from == State::listen && to == State::syn_recv) return c.opening.established || c.state == State::syn_recv;
  return from == State::syn_recv && to == State::close && c.opening.established;
}

// It was in a digest already, which another CPU released at that moment (bpf/digest.h).
bool is_newest(const Connection& c, const Event& e, const StateChange& s) {
  constexpr std::int64_t moment_ns = 1'000'000;
  if (c.state_count == 0 || e.ts_ns - c.last_ts_ns > moment_ns) return false;
  const State from = s.old_state;
  const State to = s.new_state;
  if (to == State::close) return c.ended() && c.teardown->end_shown && c.teardown->end_from == from;
  if (c.state != to || !c.transitions.in_step) return false;
  const State before = c.state_count > 1 ? c.states[c.state_count - 2] : State::close;
  return before == from || from == State::listen;
}

}  // namespace

void StateEvents::take(const Event& e, const StateChange& s) {
  const State from = s.old_state;
  const State to = s.new_state;
  const Flow flow = to_flow(s.tuple);
  if (to == State::listen) {
    listeners_.opened(s.header.cookie, flow.local, acting_process(s, PidSource::listen), e.ts_ns);
    return;
  }
  if (from == State::listen && to == State::close) {
    listeners_.closed(s.header.cookie, e.ts_ns);
    note_closed_listener(e, flow.local, s);
    return;
  }
  // Of a rival, too, which the other child may still be to follow.
  if (has(s.port, PortChoice::kept)) {
    if (const Slot winner = table_.find_cookie(s.header.cookie); winner != no_slot)
      table_.at(winner).transitions.rival = true;
    return;
  }
  const Slot slot = lookup_.find(e, s, flow);
  if (slot == no_slot) return;
  Connection& c = table_.at(slot);
  if (c.reported || (in_.digests() && is_newest(c, e, s))) return;
  if (is_of_a_rival(c, from, to)) {
    c.transitions.rival = to == State::close;
    return;
  }

  c.seen_by.kernel = true;
  if (c.netns == 0) c.netns = s.header.netns;
  if (e.ts_ns > c.last_ts_ns) c.last_ts_ns = e.ts_ns;
  if (from == State::syn_sent && to == State::close && made_no_syn(c, s)) note_no_syn(c, s);
  if (was_read(s.cb)) c.cb = s.cb;
  if (from == to) {  // close() after shutdown()
    const bool both = to == State::fin_wait2 && s.cb.sk_shutdown == kernel::shutdown_mask;
    if (both && c.teardown) c.teardown->close_both(e.ts_ns, s.cb.bytes_received);
    return;
  }
  if (from == State::syn_recv && c.state == State::new_syn_recv) infer_child(c, e, s);
  begin(c, s);
  change_owner(c, e, s);
  note_reaction(c, e, s, settings_.late_ns);
  note_unaccepted(c, e, s.cb, settings_.slow_accept_ns);
  change_state(slot, e, s, shows_states() ? find_cause(c, s, e.ts_ns) : Cause{});
}

// The child's LISTEN -> SYN_RECV is missing, or could not be distinguished from its listener.
void StateEvents::infer_child(Connection& c, const Event& e, const StateChange& s) {
  c.enter(State::syn_recv);
  if (!shows_states()) return;
  StateChange hidden = s;
  hidden.old_state = State::listen;
  hidden.new_state = State::syn_recv;
  report(c, e, StateEntry{State::listen, State::syn_recv, true, {}, find_cause(c, hidden, e.ts_ns), {}});
}

// The first state event of a connection: fills in what came before it.
void StateEvents::begin(Connection& c, const StateChange& s) {
  const State from = s.old_state;
  if (c.transitions.from_snapshot) {
    // The snapshot was taken after this event was queued, or just before it: the event shows the order.
    c.transitions.from_snapshot = false;
    if (from != c.state) c.state_count = 0;
    if (from == State::close || from == State::listen) c.opening.preexisting = false;
    c.state = from;
  }
  if (c.state_count == 0 && from != State::close && from != State::listen) c.enter(from);
  const bool follows = c.state == from || c.state == State::unknown ||
                       (from == State::listen && !c.opening.established) ||
                       (from == State::close && c.state_count == 0);
  if (!follows) {
    c.transitions.inconsistent = true;
    lives_.note_missing(c);
    if (from != State::close && from != State::listen) c.enter(from);
  }
  c.transitions.in_step = true;
  if (s.new_state == State::syn_sent) c.role = Role::active;
  if (c.role == Role::unknown && (from == State::listen || from == State::syn_recv)) c.role = Role::passive;
}

void StateEvents::change_owner(Connection& c, const Event& e, const StateChange& s) {
  const State from = s.old_state;
  const State to = s.new_state;
  bool changed = false;
  if (to == State::syn_sent) {
    changed = own_by_connect(c, s);
  } else if (from == State::listen || from == State::syn_recv) {
    changed = own_by_listener(c, listeners_.find(c.flow.local, e.ts_ns));
  }
  if (to == State::fin_wait1 || to == State::last_ack || to == State::close) changed = own_by_close(c, s) || changed;
  if (!changed) return;
  selection_.ask_of(c.owner);
  emitter_.decide(c, false);
}

void StateEvents::report(Connection& c, const Event& e, StateEntry body) {
  if (!settings_.timeline) {
    if (settings_.states) emitter_.entry_at_once(c, e, std::move(body));
    return;
  }
  if (body.cause.kind == Cause::Kind::segment) {
    timeline_.transition_of(body.cause.id, Transition{e.id, body.from, body.to, body.cause.delay_ns});
  }
  if (!c.recent) c.recent = std::make_unique<Recent>();
  c.recent->push(RecentTransition{e.id, e.ts_ns, body.from, body.to});
  // connect() comes before the kernel has chosen a port; the SYN shows it.
  const bool waits = body.to == State::syn_sent && c.flow.local.port == 0 && settings_.has_wire;
  if (waits) {
    timeline_.push_held(Emitter::entry_of(&c, e, c.flow, std::move(body)), now_ + settings_.hold_ns);
  } else {
    emitter_.entry(&c, e, c.flow, std::move(body));
  }
}

void StateEvents::change_state(Slot slot, const Event& e, const StateChange& s, const Cause& cause) {
  Connection& c = table_.at(slot);
  const State from = s.old_state;
  const State to = s.new_state;
  if (to == State::close) {
    end(slot, e, s, cause);
    return;
  }
  c.enter(to);
  if (to == State::established) {
    c.opening.established = true;
    if (c.role == Role::passive) attempts_.completed();
    const TimeNs begun = handshake_begun(c);
    c.opening.restored = from == State::syn_sent && in_repair(s.cb);  // tcp_connect(): no SYN is sent
    if (!c.opening.preexisting && !c.opening.restored && (c.role == Role::active || c.syn))
      c.handshake_ns = e.ts_ns > begun ? e.ts_ns - begun : 0;
    if (settings_.of_flow) emitter_.decide(c, false);
  }
  if (table_.wait_of(slot) != Wait::none) table_.wait(slot, Wait::none, now_);
  if (to == State::fin_wait1 || to == State::close_wait || to == State::last_ack || to == State::closing)
    begin_closing(slot, e, s);
  if (to == State::fin_wait2) {
    c.ensure_teardown().enter_fin_wait2({e.id, e.ts_ns}, s.cb.bytes_received, is_orphaned(s.cb));
    table_.wait(slot, Wait::fin_wait2, std::min(e.ts_ns, now_));
  }
  if (!shows_states()) return;
  StateEntry body{from, to, false, {}, cause, {}};
  if (cause.kind == Cause::Kind::call) {
    body.process = acting_process(s, to == State::syn_sent ? PidSource::connect : PidSource::close).process();
  }
  if (was_read(s.cb)) body.cb = s.cb;
  report(c, e, std::move(body));
}

// One side has closed, or the other one too.
void StateEvents::begin_closing(Slot slot, const Event& e, const StateChange& s) {
  Connection& c = table_.at(slot);
  const State to = s.new_state;
  Teardown& teardown = c.ensure_teardown();
  if (!teardown.first) {
    teardown.first = {e.id, e.ts_ns};
    teardown.first_actor = s.actor.flags;
    c.closed_by = to == State::fin_wait1 ? ClosedBy::local : ClosedBy::peer;
    if (actor_exiting(s.actor.flags)) teardown.signal = static_cast<int>(s.actor.exit_code & 0x7fU);
  }
  if (to == State::closing) {
    // Ours still waits behind data: the peer's left first.
    const bool waits = was_read(s.cb) && s.cb.snd_nxt != s.cb.write_seq;
    c.closed_by = waits ? ClosedBy::peer : ClosedBy::both;
    teardown.closing = {e.id, e.ts_ns};
  }
  if (to == State::close_wait) {
    teardown.enter_close_wait({e.id, e.ts_ns}, was_read(s.cb) ? std::optional(s.cb.write_seq) : std::nullopt);
    table_.wait(slot, Wait::close_wait, std::min(e.ts_ns, now_));
  }
  if (s.old_state == State::close_wait) teardown.left_close_wait = {e.id, e.ts_ns};
  if (to == State::fin_wait1 || to == State::last_ack) note_closer(c, s);
}

void StateEvents::end(Slot slot, const Event& e, const StateChange& s, const Cause& cause) {
  Connection& c = table_.at(slot);
  const State from = s.old_state;
  Teardown& teardown = c.ensure_teardown();
  teardown.end = {e.id, e.ts_ns};
  teardown.end_from = from;
  teardown.end_shown = true;
  teardown.end_actor = s.actor.flags;
  const bool with_listener = ends_with_listener(c, e, s);
  teardown.end_pid = with_listener ? closed_listener_.closer.pid : acting_process(s, PidSource::close).pid;
  if (!teardown.first) teardown.first = teardown.end;
  if (with_listener && teardown.closer.pid == 0) teardown.closer = closed_listener_.closer;
  note_closer(c, s);
  if (from == State::close_wait) teardown.left_close_wait = teardown.end;
  if (const int error = closing_error(c, s); error != 0) c.error = static_cast<std::uint16_t>(error);
  if (actor_exiting(s.actor.flags) && teardown.signal == 0) {
    teardown.signal = static_cast<int>(s.actor.exit_code & 0x7fU);
  }

  const bool broken =
      error_ended(s.cb, from) || (c.anomalies && (c.anomalies->reset_received.mark || c.anomalies->reset_sent.mark));
  // A close with SO_LINGER 0 leaves CLOSING before the peer has acknowledged the FIN.
  const bool given_up = from == State::closing && was_read(s.cb) && s.cb.snd_una != s.cb.write_seq;
  const bool mini = !broken && !given_up && (from == State::fin_wait2 || from == State::closing);
  if (mini) {
    move_to_mini_socket(slot, e, s, cause);
  } else {
    close(slot, e, s, cause);
  }
}

// Two that close listeners on one port at the same time (SO_REUSEPORT): no child shows which of them was its own.
void StateEvents::note_closed_listener(const Event& e, const Endpoint& local, const StateChange& s) {
  const ClosedListener before = closed_listener_;
  closed_listener_ = {local, s.header.netns, e.ts_ns, acting_process(s, PidSource::close)};
  const bool same = before.local.port == local.port && before.netns == s.header.netns;
  const bool at_once = e.ts_ns - before.ts_ns <= listener_moment_ns;
  if (same && at_once && before.closer.pid != closed_listener_.closer.pid) closed_listener_.closer = {};
}

// inet_csk_listen_stop(): no process holds the lock of a child that waits for accept(), and none of its errors shows
// why.
bool StateEvents::ends_with_listener(const Connection& c, const Event& e, const StateChange& s) const {
  const ClosedListener& of = closed_listener_;
  const bool waits = c.role == Role::passive && is_unaccepted(s.cb) && !actor_owned(s.actor.flags) && s.cb.sk_err == 0;
  const bool its = of.local.port == c.flow.local.port && of.netns == s.header.netns &&
                   serves(of.local.address, c.flow.local.address);
  return waits && its && of.ts_ns != 0 && e.ts_ns - of.ts_ns <= listener_moment_ns;
}

void StateEvents::close(Slot slot, const Event& e, const StateChange& s, const Cause& cause) {
  Connection& c = table_.at(slot);
  const State from = s.old_state;
  c.enter(State::close);
  if (s.cb.sk_err == ETIMEDOUT && s.cb.snd_una == s.cb.write_seq) note_given_up(c, s.cb);
  if (shows_states()) {
    StateEntry body{from, State::close, false, {}, cause, {}};
    if (cause.kind == Cause::Kind::unknown && ends_with_listener(c, e, s)) {
      body.cause.kind = Cause::Kind::call;
      body.cause.what = "listener closed";
      body.process = closed_listener_.closer.process();
    }
    if (cause.kind == Cause::Kind::call) body.process = acting_process(s, PidSource::close).process();
    if (was_read(s.cb)) body.cb = s.cb;
    report(c, e, std::move(body));
    const bool probed = c.anomalies && c.anomalies->keepalive.unanswered != 0;
    if (probed && s.cb.sk_err == ETIMEDOUT && s.cb.snd_una == s.cb.write_seq) {
      const KeepaliveFacts& k = c.anomalies->keepalive;
      emitter_.entry(&c, e, c.flow,
                     KeepaliveEntry{KeepaliveEntry::What::gave_up, k.unanswered, k.probes, k.time_ms, k.intvl_ms,
                                    e.ts_ns, k.last_sent.id});
    }
  }
  if (c.teardown->found_no_port() && c.teardown->last_port != 0 && !ports_.knows(c)) {
    table_.wait(slot, Wait::ports, now_);
  } else if (from == State::syn_sent && settings_.has_wire && given_up_unsent(c)) {
    table_.wait(slot, Wait::unsent_syn, now_);
  } else {
    table_.wait(slot, ttl_differs(c) ? Wait::outsider : Wait::settle, now_);
  }
}

// FIN_WAIT2 -> CLOSE and CLOSING -> CLOSE: a mini-socket stands for it, in TIME_WAIT or still in FIN_WAIT2.
void StateEvents::move_to_mini_socket(Slot slot, const Event& e, const StateChange& s, const Cause& cause) {
  Connection& c = table_.at(slot);
  const State from = s.old_state;
  Teardown& teardown = c.ensure_teardown();
  const bool fin_processed = from == State::closing || fin_received(s.cb);
  // The wire can have seen the FIN already while TCP still had it before it: it goes to the mini-socket.
  const bool fin_on_its_way =
      teardown.fin_in.sent && (!was_read(s.cb) || takes_last_fin(s.cb.rcv_nxt, teardown.fin_in.end));
  teardown.fin_timeout_ns = orphan_lasts(s.fin_timeout_ms, s.cb.rto_us);
  if (s.cb.is(SocketDetail::time_wait_full)) {
    teardown.time_wait_full = true;
    c.enter(State::close);
    if (shows_states()) {
      StateEntry body{from, State::close, false, {}, cause, {}};
      if (was_read(s.cb)) body.cb = s.cb;
      report(c, e, std::move(body));
    }
    table_.wait(slot, Wait::settle, now_);
    return;
  }
  if (fin_processed || fin_on_its_way) {
    Cause why = cause;
    if (!fin_processed) {
      why = Cause{};
      why.kind = Cause::Kind::segment;
      why.id = teardown.fin_in.sent.id;
      why.delay_ns = e.ts_ns > teardown.fin_in.sent.ts_ns ? e.ts_ns - teardown.fin_in.sent.ts_ns : 0;
      why.what = "FIN";
    }
    if (!fin_processed) teardown.infer_end(teardown.fin_in.sent, teardown.fin_in.end);
    enter_time_wait(slot, e, e.ts_ns, why, &s.cb);
    return;
  }
  // A mini-socket in FIN_WAIT2: the peer has not closed yet. Without the wire only a look at it shows when it does.
  // The socket is gone but TCP is still in FIN_WAIT2: no transition, so no entry.
  teardown.mini_fin_wait2 = true;
  teardown.close_both(e.ts_ns, s.cb.bytes_received);
  table_.wait(slot, Wait::fin_wait2, now_);
}

void StateEvents::enter_time_wait(Slot slot, const Event& e, TimeNs ts, const Cause& cause, const ControlBlock* cb) {
  Connection& c = table_.at(slot);
  const State from = c.state;
  Teardown& teardown = c.ensure_teardown();
  teardown.time_wait = {e.id, ts};
  teardown.mini_fin_wait2 = false;
  c.enter(State::time_wait);
  if (shows_states()) {
    StateEntry body{from, State::time_wait, true, {}, cause, {}};
    if (cb != nullptr && was_read(*cb)) body.cb = *cb;
    report(c, e, std::move(body));
  }
  table_.wait(slot, Wait::settle, now_);
}

void StateEvents::end_by_reset(Slot slot, const Event& e, const Segment& g) {
  Connection& c = table_.at(slot);
  Teardown& teardown = c.ensure_teardown();
  teardown.infer_end({e.id, e.ts_ns}, g.seq + seq_length(g.len, g.flags));
  teardown.end = {e.id, e.ts_ns};
  // tcp_timewait_state_process() drops the mini-socket at once: the peer broke off instead of closing.
  const bool mini = std::exchange(teardown.mini_fin_wait2, false);
  teardown.end_from = mini ? State::fin_wait2 : State::new_syn_recv;
  if (mini) {
    c.enter(State::close);
    if (shows_states()) {
      report(c, e,
             StateEntry{State::fin_wait2, State::close, true, {}, Cause{Cause::Kind::segment, e.id, 0, "RST", 0}, {}});
    }
  }
  table_.wait(slot, Wait::settle, now_);
}

void StateEvents::take_back_end(Slot slot, const Event& e) {
  Connection& c = table_.at(slot);
  Teardown& teardown = *c.teardown;
  const bool request = teardown.end_from == State::new_syn_recv;
  teardown.end = std::exchange(teardown.inferred_end, {}).before;
  if (request) {
    teardown.end_from = State::unknown;
    table_.wait(slot, Wait::request, now_);
    return;
  }
  const State inferred = c.state;
  teardown.mini_fin_wait2 = true;
  teardown.fin_on_mini = false;
  teardown.time_wait = {};
  teardown.close_both(teardown.end.ts_ns, c.cb.bytes_received);
  if (c.state_count != 0 && c.states[c.state_count - 1] == inferred) --c.state_count;
  c.state = State::fin_wait2;
  if (shows_states()) report(c, e, StateEntry{inferred, State::fin_wait2, true, {}, {}, {}});
  table_.wait(slot, Wait::fin_wait2, now_);
}

}  // namespace tcpwitness
