// SPDX-License-Identifier: Apache-2.0
#include "correlate/whole_life.hpp"

#include <algorithm>
#include <cstring>
#include <initializer_list>
#include <span>

#include "correlate/notes.hpp"
#include "decode/digest.hpp"
#include "tcpwitness/tcp.hpp"
#include "values/handshake_segments.hpp"

namespace tcpwitness {
namespace {

using State = TcpState;

bool leads(const HeldState& state, State from, State to) { return state.old_state == from && state.new_state == to; }

bool find_transitions(const SocketDigest& d, WholeLife& life) {
  constexpr std::size_t whole = 5;
  if (d.held.state_count != whole) return false;
  const auto& states = d.held.states;
  life.opening = states;
  life.established = states + 1;
  life.first = states + 2;
  life.middle = states + 3;
  life.last = states + 4;
  life.active = leads(states[0], State::close, State::syn_sent);
  if (!life.active && !leads(states[0], State::listen, State::syn_recv)) return false;
  if (!leads(states[1], life.active ? State::syn_sent : State::syn_recv, State::established)) return false;
  if (leads(states[2], State::established, State::close_wait)) {
    life.closes = Closes::second;
    return leads(states[3], State::close_wait, State::last_ack) && leads(states[4], State::last_ack, State::close);
  }
  if (!leads(states[2], State::established, State::fin_wait1)) return false;
  const bool both = leads(states[3], State::fin_wait1, State::closing);
  life.closes = both ? Closes::both : Closes::first;
  if (both) return leads(states[4], State::closing, State::close);
  return leads(states[3], State::fin_wait1, State::fin_wait2) && leads(states[4], State::fin_wait2, State::close);
}

bool find_segments(const SocketDigest& d, WholeLife& life) {
  life.syn = held_segment(d, held_place::syn);
  life.syn_ack = held_segment(d, held_place::syn_ack);
  life.fin_out = held_segment(d, held_place::fin_out);
  life.fin_in = held_segment(d, held_place::fin_in);
  const int seen = (life.syn != nullptr) + (life.syn_ack != nullptr) + (life.fin_out != nullptr);
  life.leaves_mini_socket = life.closes == Closes::first && !has(life.last->flags, SocketFlag::fin_received);
  life.wire = seen == 3 && (life.fin_in == nullptr) == life.leaves_mini_socket;
  return life.wire || (seen == 0 && life.fin_in == nullptr);
}

bool in_order(std::initializer_list<std::uint64_t> times) { return std::ranges::is_sorted(times); }

// Each came behind what it follows from.
bool in_order(const WholeLife& at) {
  if (!in_order({at.opening->ts_ns, at.established->ts_ns, at.first->ts_ns, at.middle->ts_ns, at.last->ts_ns}))
    return false;
  if (!at.wire) return true;
  const bool opened = at.active ? in_order({at.opening->ts_ns, at.syn->ts_ns, at.syn_ack->ts_ns, at.established->ts_ns})
                                : in_order({at.syn->ts_ns, at.syn_ack->ts_ns, at.opening->ts_ns});
  if (!opened) return false;
  if (at.closes == Closes::second) {
    return in_order({at.established->ts_ns, at.fin_in->ts_ns, at.first->ts_ns}) &&
           in_order({at.middle->ts_ns, at.fin_out->ts_ns, at.last->ts_ns}) && at.fin_in->ts_ns < at.fin_out->ts_ns;
  }
  if (!in_order({at.first->ts_ns, at.fin_out->ts_ns, at.middle->ts_ns})) return false;
  return at.fin_in == nullptr ||
         (in_order({at.established->ts_ns, at.fin_in->ts_ns, at.last->ts_ns}) && at.fin_in->ts_ns != at.fin_out->ts_ns);
}

bool goes_out(const HeldSegment& segment) { return segment.outgoing(); }

bool answers(const WholeLife& at) {
  const bool asked = at.active && at.syn_ack->type == SocketKind::full && at.syn_ack->state == State::syn_sent;
  return acknowledges_syn(at.syn_ack->ack, at.syn->seq, asked ? at.syn_ack->snd_nxt : at.syn->seq);
}

// Each segment went the way, and was of the socket, that it has to be of.
bool are_ordinary(const WholeLife& at) {
  const auto of_socket = [](const HeldSegment& segment) {
    return segment.type == SocketKind::full || segment.type == SocketKind::unknown;
  };
  constexpr std::uint8_t control_bits = tcp_flag::syn | tcp_flag::fin | tcp_flag::rst | tcp_flag::ack;
  const auto is = [](const HeldSegment& segment, std::uint8_t flags) {
    return (segment.flags & control_bits) == flags;
  };
  if (!is(*at.syn, tcp_flag::syn) || !is(*at.syn_ack, tcp_flag::syn | tcp_flag::ack)) return false;
  const auto is_fin = [&](const HeldSegment& segment) {
    return is(segment, tcp_flag::fin | tcp_flag::ack) && of_socket(segment);
  };
  if (!is_fin(*at.fin_out) || !goes_out(*at.fin_out)) return false;
  if (at.fin_in != nullptr && (!is_fin(*at.fin_in) || goes_out(*at.fin_in))) return false;
  if (goes_out(*at.syn) != at.active || goes_out(*at.syn_ack) == at.active) return false;
  if (!answers(at)) return false;
  if (at.active) return at.syn->type == SocketKind::full && of_socket(*at.syn_ack);
  if (at.syn_ack->type != SocketKind::request) return false;
  // TIME_WAIT gives way to it, and the listener's queues were not looked at: it has been answered.
  return at.syn->type == SocketKind::time_wait || (at.syn->type == SocketKind::listener && has_room(view_of(*at.syn)));
}

bool are_ordinary(const SocketDigest& d, const WholeLife& at) {
  constexpr std::uint8_t wanted = bits(SocketFlag::present);
  constexpr std::uint8_t asked = bits(SocketFlag::present, SocketFlag::repair);
  for (const HeldState& state : std::span(d.held.states).first(d.held.state_count)) {
    if ((state.flags & asked) != wanted || actor_exiting(state.actor)) return false;
  }
  // It would wait for nothing, as too many wait.
  return !has(at.last->details, SocketDetail::time_wait_full) && was_read(d.cb);
}

// The first use comes when the child is open, and before its process closes it.
bool is_ordinary_use(const SocketDigest& d, const WholeLife& at, std::int64_t slow_ns) {
  if (d.held.owner_ns == 0) return true;
  const std::uint64_t closed = at.closes == Closes::second ? at.middle->ts_ns : at.first->ts_ns;
  if (at.active || d.held.owner_ns < at.established->ts_ns || d.held.owner_ns >= closed) return false;
  if (d.held.owner_source != OwnerSource::send && d.held.owner_source != OwnerSource::receive) return false;
  return d.held.owner_source == OwnerSource::send || std::int64_t{d.held.owner_waited_ms} * 1'000'000 < slow_ns;
}

std::int64_t between(std::uint64_t from, std::uint64_t to) { return static_cast<std::int64_t>(to - from); }

// Nothing of it took long: neither the kernel for a segment nor the process for a connection.
bool is_prompt(const SocketDigest& d, const WholeLife& at, const CorrelatorSettings& settings) {
  if (!at.wire) return true;
  if (at.active && between(at.syn_ack->ts_ns, at.established->ts_ns) >= settings.late_ns) return false;
  const bool waits_for_fin = at.closes == Closes::second;
  if (waits_for_fin && between(at.fin_in->ts_ns, at.first->ts_ns) >= settings.late_ns) return false;
  if (at.active) return true;
  return std::ranges::none_of(std::span(d.held.states).subspan(2, 3), [&](const HeldState& state) {
    return has(state.details, SocketDetail::unaccepted) &&
           between(at.established->ts_ns, state.ts_ns) >= settings.slow_accept_ns;
  });
}

bool is_zero(const LossCounters& loss) {
  constexpr LossCounters nothing{};
  return std::memcmp(&loss, &nothing, sizeof loss) == 0;
}

bool has_both_ends(const AddressPair& tuple) {
  return tuple.local_port != 0 && !to_flow(tuple).remote.address.is_unspecified();
}

}  // namespace

std::optional<WholeLife> find_whole_life(const SocketDigest& d, const CorrelatorSettings& settings) {
  WholeLife at;
  if (d.destroyed == 0 || d.header.cookie == 0 || !has_both_ends(d.tuple)) return std::nullopt;
  if (!find_transitions(d, at) || !find_segments(d, at) || !in_order(at) || !are_ordinary(d, at)) return std::nullopt;
  if (at.wire && (d.has_wire == 0 || !are_ordinary(at))) return std::nullopt;
  if (!is_zero(d.loss) || !is_ordinary_use(d, at, settings.slow_accept_ns) || !is_prompt(d, at, settings))
    return std::nullopt;
  return at;
}

}  // namespace tcpwitness
