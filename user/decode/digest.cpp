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

std::span<const tw_held_state> states_of(const SocketDigest& d) {
  return std::span(d.held.states).first(d.held.state_count);
}

// The value near `near` whose low 32 bits are these.
std::uint64_t widen(std::uint32_t low, std::uint64_t near) {
  const auto off = static_cast<std::int32_t>(low - static_cast<std::uint32_t>(near));
  const std::uint64_t value = near + static_cast<std::uint64_t>(std::int64_t{off});
  return off < 0 && value > near ? low : value;
}

tw_header header_of(const SocketDigest& d, std::uint8_t kind, std::uint64_t ts_ns) {
  tw_header header = d.header;
  header.kind = kind;
  header.ts_ns = ts_ns;
  return header;
}

// tcp_sock.bytes_acked follows snd_una: 1 for the SYN of who connects, none for the other one's, when the connection is
// open. `total`: what is known of it at a later time.
std::uint64_t bytes_acked(const SocketDigest& d, const tw_held_state& s, std::uint64_t total, std::uint32_t snd_una) {
  if (static_cast<State>(s.new_state) == State::syn_sent || static_cast<State>(s.new_state) == State::syn_recv)
    return 0;
  if (d.destroyed != 0) return total - (snd_una - s.snd_una);
  for (const tw_held_state& open : states_of(d)) {
    if (static_cast<State>(open.new_state) != State::established) continue;
    const std::uint32_t syn = static_cast<State>(open.old_state) == State::syn_sent ? 1 : 0;
    return widen(s.snd_una - open.snd_una + syn, total);
  }
  return 0;
}

// What is not held is as where nothing is out of the ordinary. With the last transition of a socket nothing changes any
// more, so the rest is that of the socket's destruction.
ControlBlock control_block(const SocketDigest& d, const tw_held_state& s) {
  const bool last = d.destroyed != 0 && static_cast<State>(s.new_state) == State::close;
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
  cb.more = s.more;
  cb.sk_err = 0;
  return cb;
}

StateChange state_change(const SocketDigest& d, const tw_held_state& s) {
  StateChange change{};
  change.header = header_of(d, TW_KIND_STATE, s.ts_ns);
  change.tuple = d.tuple;
  // connect() comes before the kernel chooses a port.
  if (static_cast<State>(s.new_state) == State::syn_sent && (s.port & TW_PORT_BOUND) == 0) change.tuple.local_port = 0;
  if ((s.actor & TW_ACTOR_PRESENT) != 0) change.actor = d.held.actor;
  change.actor.flags = s.actor;
  if (static_cast<State>(s.old_state) == State::fin_wait2) change.fin_timeout_ms = d.held.fin_timeout_ms;
  change.cb = control_block(d, s);
  change.old_state = s.old_state;
  change.new_state = s.new_state;
  change.port = s.port;
  return change;
}

bool goes_out(const SocketDigest& d, std::size_t place) { return d.held.segments[place].hook == TW_HOOK_TC_EGRESS; }

// The flow's totals with the segment at `place`: with those of the handshake the flow began, with a FIN they are all
// but final.
void count_segments(const SocketDigest& d, std::size_t place, tw_segment& segment) {
  if (d.has_wire != 0 && place >= TW_HELD_FIN_OUT) {
    segment.wire = d.wire;
    segment.loss = d.loss;
    return;
  }
  for (std::size_t i = 0; i <= place; ++i) {
    const tw_held_segment* held = held_segment(d, static_cast<tw_held_place>(i));
    // The flow is known by it: it was a record of its own.
    if (held == nullptr && i == TW_HELD_SYN)
      ++(goes_out(d, TW_HELD_SYN_ACK) ? segment.wire.segs_in : segment.wire.segs_out);
    if (held == nullptr || (i != place && held->ts_ns > segment.header.ts_ns)) continue;
    const bool out = held->hook == TW_HOOK_TC_EGRESS;
    (out ? segment.wire.bytes_out : segment.wire.bytes_in) += held->len;
    ++(out ? segment.wire.segs_out : segment.wire.segs_in);
  }
}

Segment segment_of(const SocketDigest& d, std::size_t place) {
  const tw_held_segment& s = d.held.segments[place];
  Segment segment{};
  segment.header = header_of(d, TW_KIND_SEGMENT, s.ts_ns);
  if (s.type == TW_SOCKET_LISTENER || s.type == TW_SOCKET_NONE) segment.header.cookie = 0;
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
  segment.why = place == TW_HELD_SYN || place == TW_HELD_SYN_ACK ? TW_WHY_SYN : TW_WHY_FIN;
  segment.flags = s.flags;
  segment.hook = s.hook;
  segment.ttl = s.ttl;
  segment.options = s.options;
  segment.wscale = s.wscale;
  segment.segments = 1;
  count_segments(d, place, segment);
  return segment;
}

OwnerSeen owner_of(const SocketDigest& d) {
  OwnerSeen owner{};
  owner.header = header_of(d, TW_KIND_OWNER, d.held.owner_ns);
  owner.tuple = d.tuple;
  owner.actor = d.held.actor;
  owner.source = d.held.owner_source;
  owner.waited_ms = d.held.owner_waited_ms;
  owner.fd = -1;
  return owner;
}

SocketDestroyed destroyed(const SocketDigest& d) {
  SocketDestroyed gone{};
  gone.header = header_of(d, TW_KIND_DESTROY, d.header.ts_ns);
  gone.tuple = d.tuple;
  gone.has_wire = d.has_wire;
  gone.cb = d.cb;
  gone.wire = d.wire;
  gone.loss = d.loss;
  gone.times = d.times;
  return gone;
}

// At the same time: is the segment the cause of the transition (or older), and not what the transition sends?
bool comes_before(std::size_t place, const tw_held_state& s) {
  switch (static_cast<State>(s.new_state)) {
    case State::syn_sent:
      return false;
    case State::syn_recv:
    case State::established:
      return place == TW_HELD_SYN || place == TW_HELD_SYN_ACK;
    case State::fin_wait1:
      return place != TW_HELD_FIN_OUT && place != TW_HELD_FIN_IN;
    case State::fin_wait2:
      return place != TW_HELD_FIN_IN;
    case State::close_wait:
    case State::last_ack:
      return place != TW_HELD_FIN_OUT;
    default:
      return true;
  }
}

}  // namespace

SocketView view_of(const tw_held_segment& s) {
  SocketView view{};
  view.type = s.type;
  view.state = s.state;
  if (s.type == TW_SOCKET_LISTENER) {
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

std::uint64_t bytes_received(const SocketDigest& digest, const tw_held_state& state) {
  return widen(state.bytes_received, digest.destroyed != 0 ? digest.cb.bytes_received : digest.wire.bytes_in);
}

ControlBlock last_control_block(const SocketDigest& digest) {
  return control_block(digest, digest.held.states[digest.held.state_count - 1]);
}

std::size_t events_in(const SocketDigest& digest) {
  std::size_t count = digest.held.state_count;
  for (std::size_t place = 0; place < TW_HELD_SEGMENTS; ++place)
    count += held_segment(digest, static_cast<tw_held_place>(place)) != nullptr ? 1 : 0;
  if (digest.held.owner_ns != 0) ++count;
  if (digest.destroyed != 0) ++count;
  return count;
}

bool well_formed(const SocketDigest& digest) {
  return digest.held.state_count <= TW_HELD_STATES && events_in(digest) != 0;
}

// Transitions are in their order already. Segments and the first use of the socket are put between them by their times.
void expand(const Event& event, const SocketDigest& digest, std::vector<Event>& out) {
  const tw_held& held = digest.held;
  std::array<std::size_t, TW_HELD_SEGMENTS> places{};
  std::size_t count = 0;
  for (std::size_t place = 0; place < TW_HELD_SEGMENTS; ++place) {
    if (held_segment(digest, static_cast<tw_held_place>(place)) != nullptr) places[count++] = place;
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
  for (const tw_held_state& state : states_of(digest)) {
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
