// SPDX-License-Identifier: Apache-2.0
#include "decode/digest.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "tcpwitness/tcp.hpp"

namespace tcpwitness {
namespace {

using State = TcpState;

std::span<const HeldState> states_of(const SocketDigest& d) {
  return std::span(d.held.states).first(d.held.state_count);
}

// The value near `near` whose low 32 bits are these.
std::uint64_t widen(std::uint32_t low, std::uint64_t near) {
  const auto off = static_cast<std::int32_t>(low - static_cast<std::uint32_t>(near));
  const std::uint64_t value = near + static_cast<std::uint64_t>(std::int64_t{off});
  return off < 0 && value > near ? low : value;
}

RecordHeader header_of(const SocketDigest& d, EventKind kind, std::uint64_t ts_ns) {
  RecordHeader header = d.header;
  header.kind = static_cast<std::uint8_t>(kind);
  header.ts_ns = ts_ns;
  return header;
}

// tcp_sock.bytes_acked follows snd_una: 1 for the SYN of who connects, none for the other one's, when the connection is
// open. `total`: what is known of it at a later time.
std::uint64_t bytes_acked(const SocketDigest& d, const HeldState& s, std::uint64_t total, std::uint32_t snd_una) {
  if (s.new_state == State::syn_sent || s.new_state == State::syn_recv) return 0;
  if (d.destroyed != 0) return total - (snd_una - s.snd_una);
  for (const HeldState& open : states_of(d)) {
    if (open.new_state != State::established) continue;
    const std::uint32_t syn = open.old_state == State::syn_sent ? 1 : 0;
    return widen(s.snd_una - open.snd_una + syn, total);
  }
  return 0;
}

// What is not held is as where nothing is out of the ordinary. With the last transition of a socket nothing changes any
// more, so the rest is that of the socket's destruction.
ControlBlock control_block(const SocketDigest& d, const HeldState& s) {
  const bool last = d.destroyed != 0 && s.new_state == State::close;
  ControlBlock cb = last ? d.cb : ControlBlock{};
  cb.bytes_acked = bytes_acked(d, s, d.destroyed != 0 ? d.cb.bytes_acked : d.wire.bytes_out, d.cb.snd_una);
  cb.bytes_received = bytes_received(d, s);
  cb.snd_una = s.snd_una;
  cb.snd_nxt = s.snd_nxt;
  cb.write_seq = s.write_seq;
  cb.rcv_nxt = s.rcv_nxt;
  if (!last) cb.copied_seq = s.rcv_nxt;  // nothing is known to be unread
  cb.mss = s.mss;
  if (!last || s.segs_out != 0xffff) cb.segs_out = s.segs_out;
  cb.packets_out = s.packets_out;
  cb.state = s.old_state;  // the tracepoint comes before the state changes
  cb.flags = s.flags;
  cb.details = s.details;
  cb.sk_err = 0;
  return cb;
}

StateChange state_change(const SocketDigest& d, const HeldState& s) {
  StateChange change{};
  change.header = header_of(d, EventKind::state, s.ts_ns);
  change.tuple = d.tuple;
  // connect() comes before the kernel chooses a port.
  if (s.new_state == State::syn_sent && !has(s.port, PortChoice::bound)) change.tuple.local_port = 0;
  if (has(s.actor, ActorFlag::present)) change.actor = d.held.actor;
  change.actor.flags = s.actor;
  if (s.old_state == State::fin_wait2) change.fin_timeout_ms = d.held.fin_timeout_ms;
  change.cb = control_block(d, s);
  change.old_state = s.old_state;
  change.new_state = s.new_state;
  change.port = s.port;
  return change;
}

bool goes_out(const SocketDigest& d, std::size_t place) { return d.held.segments[place].outgoing(); }

// The flow's totals with the segment at `place`: with those of the handshake the flow began, with a FIN they are all
// but final.
void count_segments(const SocketDigest& d, std::size_t place, Segment& segment) {
  if (d.has_wire != 0 && place >= held_place::fin_out) {
    segment.wire = d.wire;
    segment.loss = d.loss;
    return;
  }
  for (std::size_t i = 0; i <= place; ++i) {
    const HeldSegment* held = held_segment(d, i);
    // The flow is known by it: it was a record of its own.
    if (held == nullptr && i == held_place::syn)
      ++(goes_out(d, held_place::syn_ack) ? segment.wire.segs_in : segment.wire.segs_out);
    if (held == nullptr || (i != place && held->ts_ns > segment.header.ts_ns)) continue;
    const bool out = held->outgoing();
    (out ? segment.wire.bytes_out : segment.wire.bytes_in) += held->len;
    ++(out ? segment.wire.segs_out : segment.wire.segs_in);
  }
}

Segment segment_of(const SocketDigest& d, std::size_t place) {
  const HeldSegment& s = d.held.segments[place];
  Segment segment{};
  segment.header = header_of(d, EventKind::segment, s.ts_ns);
  if (s.type == SocketKind::listener || s.type == SocketKind::none) segment.header.cookie = 0;
  segment.tuple = d.tuple;
  segment.socket = view_of(s);
  segment.ifindex = s.ifindex;
  segment.seq = s.seq;
  segment.ack = s.ack;
  segment.len = s.len;
  segment.ts_val = s.ts_val;
  segment.ts_ecr = s.ts_ecr;
  segment.window = s.window;
  segment.mss = s.mss;
  segment.event_flags =
      place == held_place::syn || place == held_place::syn_ack ? bits(SegmentEvent::syn) : bits(SegmentEvent::fin);
  segment.flags = s.flags;
  segment.seen_at(s.hook);
  segment.ttl = s.ttl;
  segment.options = s.options;
  segment.wscale = s.wscale;
  segment.segments = 1;
  count_segments(d, place, segment);
  return segment;
}

OwnerSeen owner_of(const SocketDigest& d) {
  OwnerSeen owner{};
  owner.header = header_of(d, EventKind::owner, d.held.owner_ns);
  owner.tuple = d.tuple;
  owner.actor = d.held.actor;
  owner.source = d.held.owner_source;
  owner.waited_ms = d.held.owner_waited_ms;
  owner.fd = -1;
  return owner;
}

SocketDestroyed destroyed(const SocketDigest& d) {
  SocketDestroyed gone{};
  gone.header = header_of(d, EventKind::destroy, d.header.ts_ns);
  gone.tuple = d.tuple;
  gone.has_wire = d.has_wire;
  gone.cb = d.cb;
  gone.wire = d.wire;
  gone.loss = d.loss;
  gone.times = d.times;
  return gone;
}

// At the same time: is the segment the cause of the transition (or older), and not what the transition sends?
bool comes_before(std::size_t place, const HeldState& s) {
  switch (s.new_state) {
    case State::syn_sent:
      return false;
    case State::syn_recv:
    case State::established:
      return place == held_place::syn || place == held_place::syn_ack;
    case State::fin_wait1:
      return place != held_place::fin_out && place != held_place::fin_in;
    case State::fin_wait2:
      return place != held_place::fin_in;
    case State::close_wait:
    case State::last_ack:
      return place != held_place::fin_out;
    default:
      return true;
  }
}

}  // namespace

SocketView view_of(const HeldSegment& s) {
  SocketView view{};
  view.type = s.type;
  view.state = s.state;
  if (s.type == SocketKind::listener) {
    view.ack_backlog = s.ack_backlog;
    view.max_ack_backlog = s.max_ack_backlog;
    view.syn_qlen = s.syn_qlen;
    view.syncookies = s.syncookies;
    view.max_syn_backlog = s.max_syn_backlog;
    return view;
  }
  view.snd_una = s.snd_una;
  view.snd_nxt = s.snd_nxt;
  view.rcv_nxt = s.rcv_nxt;
  view.write_seq = s.write_seq;
  view.flags = s.socket_flags;
  return view;
}

std::uint64_t bytes_received(const SocketDigest& digest, const HeldState& state) {
  return widen(state.bytes_received, digest.destroyed != 0 ? digest.cb.bytes_received : digest.wire.bytes_in);
}

ControlBlock last_control_block(const SocketDigest& digest) {
  return control_block(digest, digest.held.states[digest.held.state_count - 1]);
}

std::size_t events_in(const SocketDigest& digest) {
  std::size_t count = digest.held.state_count;
  for (std::size_t place = 0; place < held_place::count; ++place)
    count += held_segment(digest, place) != nullptr ? 1 : 0;
  if (digest.held.owner_ns != 0) ++count;
  if (digest.destroyed != 0) ++count;
  return count;
}

bool well_formed(const SocketDigest& digest) {
  return digest.held.state_count <= held_state_limit && events_in(digest) != 0;
}

// Transitions are in their order already. Segments and the first use of the socket are put between them by their times.
void expand(const Event& event, const SocketDigest& digest, std::vector<Event>& out) {
  const HeldEvents& held = digest.held;
  std::array<std::size_t, held_place::count> places{};
  std::size_t count = 0;
  for (std::size_t place = 0; place < held_place::count; ++place) {
    if (held_segment(digest, place) != nullptr) places[count++] = place;
  }
  const std::span<std::size_t> in_time(places.data(), count);
  std::ranges::sort(in_time, {}, [&](std::size_t place) { return std::pair(held.segments[place].ts_ns, place); });

  EventId id = event.id;
  const auto add = [&](const auto& body) {
    out.push_back(Event{id++, time_of(event, digest, body.header.ts_ns), body});
  };
  bool owner_left = held.owner_ns != 0;
  std::size_t next = 0;
  const auto add_segment = [&] {
    const std::uint64_t ts_ns = held.segments[in_time[next]].ts_ns;
    if (owner_left && held.owner_ns < ts_ns) {
      add(owner_of(digest));
      owner_left = false;
    }
    add(segment_of(digest, in_time[next++]));
  };
  for (const HeldState& state : states_of(digest)) {
    while (next < count) {
      const std::uint64_t ts_ns = held.segments[in_time[next]].ts_ns;
      if (ts_ns > state.ts_ns || (ts_ns == state.ts_ns && !comes_before(in_time[next], state))) break;
      add_segment();
    }
    if (owner_left && held.owner_ns < state.ts_ns) {
      add(owner_of(digest));
      owner_left = false;
    }
    add(state_change(digest, state));
  }
  while (next < count) add_segment();
  if (owner_left) add(owner_of(digest));
  if (digest.destroyed != 0) add(destroyed(digest));
}

}  // namespace tcpwitness
