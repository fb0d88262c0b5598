// SPDX-License-Identifier: Apache-2.0
// on_digest.cpp: the ordinary events of one socket, together.
//
// Most connections are ordinary from their beginning to their end, and then one record has all of it: its facts are
// written here at once, as the single events would have written them (on_state.cpp, on_segment.cpp, on_kernel.cpp).
// What is less than a whole ordinary life, or slow somewhere, is taken event by event.
#include <algorithm>

#include "correlate/correlator_impl.hpp"
#include "correlate/notes.hpp"
#include "correlate/payload_times.hpp"
#include "correlate/whole_life.hpp"
#include "decode/digest.hpp"

namespace tcpwitness {
namespace {

using State = TcpState;

// `current` of a transition, if it is a process that acts for the socket.
Owner acting(const SocketDigest& d, const HeldState& state, PidSource source) {
  if ((!actor_owned(state.actor) && !has(state.flags, SocketFlag::locked)) || !actor_present(state.actor) ||
      actor_kernel_thread(state.actor) || d.held.actor.tgid == 0)
    return {};
  Owner owner;
  owner.pid = d.held.actor.tgid;
  std::memcpy(owner.comm.data(), d.held.actor.comm, owner.comm.size());
  owner.source = source;
  return owner;
}

void note_fin(FinFacts& fin, const HeldSegment& segment, Mark mark) {
  fin.sent = mark;
  fin.end = segment.seq + seq_length(segment.len, segment.flags);
  fin.seq = fin.end - 1;
}

// `segment` came behind the FIN.
void acknowledge(FinFacts& fin, const HeldSegment& segment, Mark mark) {
  if (seq_not_after(fin.end, segment.ack)) fin.acked = mark;
}

std::uint8_t window_scale(const HeldSegment& segment) {
  return segment.has(TcpOption::window_scale) ? segment.wscale : wscale_absent;
}

// The events of one digest with their numbers and times, in the order in which they are asked for.
class Marks {
 public:
  Marks(const Event& e, const SocketDigest& d) : id_(e.id), event_(e), digest_(d) {}
  Mark next(std::uint64_t ns) { return {id_++, time_of(event_, digest_, ns)}; }

 private:
  EventId id_;
  const Event& event_;
  const SocketDigest& digest_;
};

void note_opening(Connection& c, const WholeLife& at, Marks& marks) {
  const HeldSegment& own = at.active ? *at.syn : *at.syn_ack;
  const HeldSegment& other = at.active ? *at.syn_ack : *at.syn;
  c.has_wire = true;
  c.syn = marks.next(at.syn->ts_ns);
  c.opening.by_write = at.active && at.syn->len != 0;
  c.syn_ack = marks.next(at.syn_ack->ts_ns);
  c.opening.answered = true;
  c.isn.local = own.seq;
  c.isn.remote = other.seq;
  c.isn.has_local = true;
  c.isn.has_remote = true;
  c.wscale_local = window_scale(own);
  c.wscale_peer = window_scale(other);
  c.from_peer.note(other.ifindex, other.ttl, true);
}

}  // namespace

void Correlator::Impl::on_digest(const Event& e, const SocketDigest& d) {
  if (const auto life = digests() ? find_whole_life(d, settings_) : std::nullopt) {
    const Flow flow = to_flow(d.tuple);
    if (const Place place = place_of(e, d, *life, flow); place.is_new) return take_whole(e, d, *life, flow, place.free);
  }
  expanded_.clear();
  expand(e, d, expanded_);
  for (const Event& event : expanded_) take(event);
}

Correlator::Impl::Place Correlator::Impl::place_of(const Event& e, const SocketDigest& d, const WholeLife& at,
                                                   const Flow& flow) const {
  // What was lost may be of it, where its beginning is not behind the loss.
  if (losses_.any() && (losses_.reach(time_of(e, d, at.begun_ns())) || !(at.wire || at.active))) return {};
  if (forwarded_.any() || !early_icmp_.empty() || (at.by_syn() && crowded(true))) return {};
  if (table_.find_cookie(d.header.cookie) != no_slot) return {};
  const Slot before = table_.find_flow(flow);
  return {before == no_slot || table_.at(before).reported, before == no_slot};
}

void Correlator::Impl::take_whole(const Event& e, const SocketDigest& d, const WholeLife& at, const Flow& flow,
                                  bool free) {
  Marks marks(e, d);

  const TimeNs begun = time_of(e, d, at.begun_ns());
  const Slot slot = create(begun, true);
  Connection& c = table_.at(slot);
  if (free) {
    table_.bind_new(slot, d.header.cookie, flow);
  } else {
    table_.bind_cookie(slot, d.header.cookie);
    table_.bind_flow(slot, flow);
  }
  c.netns = d.header.netns;
  c.has_kernel = true;
  c.transitions.in_step = true;
  c.role = at.active ? Role::active : Role::passive;
  bool changed = false;
  if (at.active) {
    c.owner = acting(d, *at.opening, PidSource::connect);
    changed = c.owner.pid != 0;
  } else {
    changed = own_by_listener(c, listeners_.find(flow.local, time_of(e, d, at.opening->ts_ns))) && !at.wire;
  }

  // The handshake.
  if (at.active) marks.next(at.opening->ts_ns);
  if (at.by_syn()) {
    note_attempt(Event{e.id, begun, {}}, flow);
    attempts_.answered(false);
    c.enter(State::new_syn_recv);
  }
  if (at.wire) note_opening(c, at, marks);
  if (!at.active) marks.next(at.opening->ts_ns);
  c.enter(at.active ? State::syn_sent : State::syn_recv);
  const Mark established = marks.next(at.established->ts_ns);
  c.enter(State::established);
  c.established = true;
  if (!at.active) attempts_.completed();
  if (at.active || at.wire) c.handshake_ns = established.ts_ns - handshake_begun(c);

  // Its process.
  if (d.held.owner_ns != 0) {
    const Owner user =
        present_process(d.held.actor, d.held.owner_source == OwnerSource::send ? PidSource::send : PidSource::receive);
    if (user.pid != 0) {
      c.owner = user;
      changed = true;
    }
    marks.next(d.held.owner_ns);
  }

  // The end.
  Teardown& teardown = c.ensure_teardown();
  const bool second = at.closes == Closes::second;
  const auto close_by = [&](const HeldState& state) {
    const Owner owner = acting(d, state, PidSource::close);
    if (teardown.closer.pid == 0) teardown.closer = owner;
    if ((c.owner.pid != 0 && c.owner.source != PidSource::listen) || owner.pid == 0) return;
    c.owner = owner;
    changed = true;
  };
  if (second && at.wire) note_fin(teardown.fin_in, *at.fin_in, marks.next(at.fin_in->ts_ns));
  teardown.first = marks.next(at.first->ts_ns);
  teardown.first_actor = at.first->actor;
  c.enter(at.first->new_state);
  Mark middle;
  if (second) {
    c.closed_by = ClosedBy::peer;
    teardown.close_wait = teardown.first;
    teardown.sent = at.first->write_seq;
    teardown.sent_known = true;
    middle = marks.next(at.middle->ts_ns);
    teardown.left_close_wait = middle;
    close_by(*at.middle);
    if (at.wire) note_fin(teardown.fin_out, *at.fin_out, marks.next(at.fin_out->ts_ns));
  } else {
    c.closed_by = at.closes == Closes::both ? ClosedBy::both : ClosedBy::local;
    close_by(*at.first);
    if (at.wire) note_fin(teardown.fin_out, *at.fin_out, marks.next(at.fin_out->ts_ns));
    middle = marks.next(at.middle->ts_ns);
    if (at.closes == Closes::first) {
      teardown.fin_wait2 = middle;
      teardown.fin_wait2_bytes = bytes_received(d, *at.middle);
      teardown.fin_wait2_quiet_ns = middle.ts_ns;
    }
    if (at.fin_in != nullptr) note_fin(teardown.fin_in, *at.fin_in, marks.next(at.fin_in->ts_ns));
  }
  c.enter(at.middle->new_state);
  if (at.wire) c.last_window_local = at.fin_out->window;
  if (at.fin_in != nullptr) {
    c.from_peer.note(at.fin_in->ifindex, at.fin_in->ttl, true);
    c.last_window_peer = at.fin_in->window;
    const bool out_first = at.fin_out->ts_ns < at.fin_in->ts_ns;
    if (out_first) {
      acknowledge(teardown.fin_out, *at.fin_in, teardown.fin_in.sent);
    } else {
      acknowledge(teardown.fin_in, *at.fin_out, teardown.fin_out.sent);
    }
  }

  // The last transition, and the socket's own end.
  teardown.end = marks.next(at.last->ts_ns);
  teardown.end_from = at.last->old_state;
  teardown.end_shown = true;
  teardown.end_actor = at.last->actor;
  teardown.end_pid = acting(d, *at.last, PidSource::close).pid;
  close_by(*at.last);
  c.last_ts_ns = teardown.end.ts_ns;
  c.cb = last_control_block(d);
  if (at.leaves_mini_socket) {  // no transition
    teardown.mini_fin_wait2 = true;
    teardown.fin_timeout_ns = orphan_lasts(d.held.fin_timeout_ms, c.cb.rto_us);
  } else {
    c.enter(second ? State::close : State::time_wait);
    if (!second) teardown.time_wait = teardown.end;
  }
  if (changed) selection_.ask_of(c.owner);
  if (at.wire) {
    c.wire = d.wire;
    c.totals.final = true;
    c.totals.at_destruction = true;
    c.set_payload(payload_times(e, d.header, d.times));
  }
  table_.wait(slot, at.wire && at.leaves_mini_socket ? Wait::fin_wait2 : Wait::settle, now_);

  count_of(EventKind::state) += d.held.state_count;
  count_of(EventKind::segment) += at.wire ? held_place::count - (at.leaves_mini_socket ? 1 : 0) : 0;
  count_of(EventKind::owner) += d.held.owner_ns != 0 ? 1 : 0;
  ++count_of(EventKind::destroy);
}

}  // namespace tcpwitness
