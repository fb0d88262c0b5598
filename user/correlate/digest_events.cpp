// SPDX-License-Identifier: Apache-2.0
// digest_events.cpp: the ordinary events of one socket, together.
//
// Most connections are ordinary from their beginning to their end, and then one record has all of it: its facts are
// written here at once, as the single events would have written them (state_events.cpp, segment_events.cpp,
// socket_events.cpp). What is less than a whole ordinary life, or slow somewhere, is taken event by event.
#include "correlate/digest_events.hpp"

#include "correlate/notes.hpp"
#include "correlate/payload_times.hpp"
#include "correlate/process.hpp"
#include "decode/digest.hpp"
#include "facts/derived.hpp"

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
  c.seen_by.wire = true;
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

void note_handshake(Connection& c, const WholeLife& at, Marks& marks) {
  if (at.active) marks.next(at.opening->ts_ns);
  if (at.by_syn()) c.enter(State::new_syn_recv);
  if (at.wire) note_opening(c, at, marks);
  if (!at.active) marks.next(at.opening->ts_ns);
  c.enter(at.active ? State::syn_sent : State::syn_recv);
  const Mark established = marks.next(at.established->ts_ns);
  c.enter(State::established);
  c.opening.established = true;
  if (at.active || at.wire) c.handshake_ns = established.ts_ns - handshake_begun(c);
}

// The first process that sends or receives. True: it is the connection's.
bool note_use(Connection& c, const SocketDigest& d, Marks& marks) {
  if (d.held.owner_ns == 0) return false;
  const Owner user =
      present_process(d.held.actor, d.held.owner_source == OwnerSource::send ? PidSource::send : PidSource::receive);
  if (user.pid != 0) c.owner = user;
  marks.next(d.held.owner_ns);
  return user.pid != 0;
}

// The process that acts in a transition closes. True: it is the connection's.
bool note_closer(Connection& c, const SocketDigest& d, const HeldState& state) {
  Teardown& teardown = *c.teardown;
  const Owner owner = acting(d, state, PidSource::close);
  if (teardown.closer.pid == 0) teardown.closer = owner;
  if ((c.owner.pid != 0 && c.owner.source != PidSource::listen) || owner.pid == 0) return false;
  c.owner = owner;
  return true;
}

// FIN_WAIT1, and FIN_WAIT2 or CLOSING. True: the process that closed is the connection's.
bool close_first(Connection& c, const SocketDigest& d, const WholeLife& at, Marks& marks) {
  Teardown& teardown = *c.teardown;
  c.closed_by = at.closes == Closes::both ? ClosedBy::both : ClosedBy::local;
  const bool owns = note_closer(c, d, *at.first);
  if (at.wire) note_fin(teardown.fin_out, *at.fin_out, marks.next(at.fin_out->ts_ns));
  const Mark middle = marks.next(at.middle->ts_ns);
  if (at.closes == Closes::first) teardown.enter_fin_wait2(middle, bytes_received(d, *at.middle), false);
  if (at.fin_in != nullptr) note_fin(teardown.fin_in, *at.fin_in, marks.next(at.fin_in->ts_ns));
  return owns;
}

// CLOSE_WAIT, and LAST_ACK. True: the process that closed is the connection's.
bool close_second(Connection& c, const SocketDigest& d, const WholeLife& at, Marks& marks) {
  Teardown& teardown = *c.teardown;
  c.closed_by = ClosedBy::peer;
  teardown.enter_close_wait(teardown.first, at.first->write_seq);
  teardown.left_close_wait = marks.next(at.middle->ts_ns);
  const bool owns = note_closer(c, d, *at.middle);
  if (at.wire) note_fin(teardown.fin_out, *at.fin_out, marks.next(at.fin_out->ts_ns));
  return owns;
}

bool note_closing(Connection& c, const SocketDigest& d, const WholeLife& at, Marks& marks) {
  Teardown& teardown = c.ensure_teardown();
  const bool second = at.closes == Closes::second;
  if (second && at.wire) note_fin(teardown.fin_in, *at.fin_in, marks.next(at.fin_in->ts_ns));
  teardown.first = marks.next(at.first->ts_ns);
  teardown.first_actor = at.first->actor;
  c.enter(at.first->new_state);
  const bool owns = second ? close_second(c, d, at, marks) : close_first(c, d, at, marks);
  c.enter(at.middle->new_state);
  return owns;
}

// What the FINs show besides: windows, hops, and that the second one acknowledges the first.
void note_fins(Connection& c, const WholeLife& at) {
  if (!at.wire) return;
  c.last_window_local = at.fin_out->window;
  if (at.fin_in == nullptr) return;
  c.from_peer.note(at.fin_in->ifindex, at.fin_in->ttl, true);
  c.last_window_peer = at.fin_in->window;
  Teardown& teardown = *c.teardown;
  if (at.fin_out->ts_ns < at.fin_in->ts_ns) {
    acknowledge(teardown.fin_out, *at.fin_in, teardown.fin_in.sent);
  } else {
    acknowledge(teardown.fin_in, *at.fin_out, teardown.fin_out.sent);
  }
}

// The last transition. True: the process that closed is the connection's.
bool note_end(Connection& c, const SocketDigest& d, const WholeLife& at, Marks& marks) {
  Teardown& teardown = *c.teardown;
  teardown.end = marks.next(at.last->ts_ns);
  teardown.end_from = at.last->old_state;
  teardown.end_shown = true;
  teardown.end_actor = at.last->actor;
  teardown.end_pid = acting(d, *at.last, PidSource::close).pid;
  const bool owns = note_closer(c, d, *at.last);
  c.last_ts_ns = teardown.end.ts_ns;
  c.cb = last_control_block(d);
  if (at.leaves_mini_socket) {  // no transition
    teardown.mini_fin_wait2 = true;
    teardown.close_both(teardown.end.ts_ns, c.cb.bytes_received);
    teardown.fin_timeout_ns = orphan_lasts(d.held.fin_timeout_ms, c.cb.rto_us);
  } else {
    const bool second = at.closes == Closes::second;
    c.enter(second ? State::close : State::time_wait);
    if (!second) teardown.time_wait = teardown.end;
  }
  return owns;
}

// The counters of the flow and of payload, as they were when the socket went away.
void note_totals(Connection& c, const Event& e, const SocketDigest& d) {
  c.wire = d.wire;
  c.totals.final = true;
  c.totals.at_destruction = true;
  c.set_payload(payload_times(e, d.header, d.times));
}

}  // namespace

bool DigestEvents::take_whole(const Event& e, const SocketDigest& d) {
  const auto at = in_.digests() ? find_whole_life(d, settings_) : std::nullopt;
  if (!at) return false;
  const Flow flow = to_flow(d.tuple);
  const Place place = place_of(e, d, *at, flow);
  if (!place.is_new) return false;

  Marks marks(e, d);
  const Slot slot = create(e, d, *at, flow, place);
  Connection& c = table_.at(slot);
  bool owns = begin(c, e, d, *at);
  note_handshake(c, *at, marks);
  owns = note_use(c, d, marks) || owns;
  owns = note_closing(c, d, *at, marks) || owns;
  note_fins(c, *at);
  owns = note_end(c, d, *at, marks) || owns;
  if (owns) selection_.ask_of(c.owner);
  if (at->wire) note_totals(c, e, d);
  table_.wait(slot, at->leaves_mini_socket ? Wait::fin_wait2 : Wait::settle, now_);
  count(d, *at);
  return true;
}

const std::vector<Event>& DigestEvents::events_of(const Event& e, const SocketDigest& d) {
  events_.clear();
  expand(e, d, events_);
  return events_;
}

DigestEvents::Place DigestEvents::place_of(const Event& e, const SocketDigest& d, const WholeLife& at,
                                           const Flow& flow) const {
  // What was lost may be of it, where its beginning is not behind the loss.
  if (losses_.any() && (losses_.reach(time_of(e, d, at.begun_ns())) || !(at.wire || at.active))) return {};
  if (forwarded_.any() || !icmp_.none_early() || (at.by_syn() && lives_.crowded(true))) return {};
  if (table_.find_cookie(d.header.cookie) != no_slot) return {};
  const std::uint32_t hash = Table::hash_of(flow);
  const Slot before = table_.find_flow(flow, hash);
  return {before == no_slot || table_.at(before).reported, before == no_slot, hash};
}

Slot DigestEvents::create(const Event& e, const SocketDigest& d, const WholeLife& at, const Flow& flow,
                          const Place& place) {
  const Slot slot = lives_.create(time_of(e, d, at.begun_ns()), true);
  if (place.free) {
    table_.bind_new(slot, d.header.cookie, flow, place.hash);
  } else {
    table_.bind_cookie(slot, d.header.cookie);
    table_.bind_flow(slot, flow);
  }
  return slot;
}

// Who opened it, and the attempt at a listener here. True: a process has it.
bool DigestEvents::begin(Connection& c, const Event& e, const SocketDigest& d, const WholeLife& at) {
  c.netns = d.header.netns;
  c.seen_by.kernel = true;
  c.transitions.in_step = true;
  c.role = at.active ? Role::active : Role::passive;
  if (at.active) {
    c.owner = acting(d, *at.opening, PidSource::connect);
    return c.owner.pid != 0;
  }
  const bool owns = own_by_listener(c, listeners_.find(c.flow.local, time_of(e, d, at.opening->ts_ns))) && !at.wire;
  if (at.by_syn()) {
    crowds_.note_attempt(e.id, time_of(e, d, at.begun_ns()), c.flow);
    attempts_.answered(false);
  }
  attempts_.completed();
  return owns;
}

void DigestEvents::count(const SocketDigest& d, const WholeLife& at) {
  in_.count_of(EventKind::state) += d.held.state_count;
  in_.count_of(EventKind::segment) += at.wire ? held_place::count - (at.leaves_mini_socket ? 1 : 0) : 0;
  in_.count_of(EventKind::owner) += d.held.owner_ns != 0 ? 1 : 0;
  ++in_.count_of(EventKind::destroy);
}

}  // namespace tcpwitness
