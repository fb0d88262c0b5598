// SPDX-License-Identifier: Apache-2.0
// digests.hpp: a stream of events as the kernel writes it where it makes digests: what is ordinary waits in a slot of
// its socket, and goes out in one record at its end, or before anything that is not ordinary.
#pragma once

#include <algorithm>
#include <cstring>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "decode/digest.hpp"
#include "unit/events.hpp"

namespace tcpwitness::testing {

inline constexpr std::uint16_t only_a_cause = TW_EVENT_HANDSHAKE_ACK | TW_EVENT_FIN_ACK;

// The events of a run that reports lives only: without ordinary segments and without those that only name a cause.
inline std::vector<Event> no_timeline(std::vector<Event> events) {
  std::erase_if(events, [](const Event& event) {
    const auto* segment = std::get_if<Segment>(&event.body);
    constexpr std::uint16_t shown = TW_EVENT_FRAGMENT;
    return segment != nullptr && segment->forwarding == Forwarding::none && (segment->event_flags & shown) == 0 &&
           (segment->event_flags & ~only_a_cause) == 0;
  });
  for (std::size_t i = 0; i < events.size(); ++i) events[i].id = i + 1;
  return events;
}

class DigestWriter {
 public:
  // May what could be held be held? Asked once for each socket.
  using Room = std::function<bool(std::uint64_t cookie)>;
  explicit DigestWriter(Room room = [](std::uint64_t) { return true; }) : room_(std::move(room)) {}

  std::vector<Event> write(const std::vector<Event>& events) {
    for (const Event& event : events) {
      clock_ = std::max(clock_, event.ts_ns);
      release_older(event.ts_ns - 1 * s);
      std::visit([&](const auto& body) { take(event, body); }, event.body);
    }
    while (!slots_.empty()) release(slots_.begin()->first);
    release_syns([](const AddressPair&) { return true; });
    return std::move(out_);
  }
  // When each of them came out of the kernel.
  [[nodiscard]] const std::vector<TimeNs>& written_ns() const { return written_ns_; }

 private:
  struct Slot {
    TimeNs since = 0;
    TimeNs newest = 0;
    SocketDigest digest{};
  };
  struct HeldSyn {
    TimeNs ts_ns = 0;
    Segment segment;
  };

  // ---- Out ----

  void put(TimeNs ts_ns, const decltype(Event::body)& body) {
    Event& event = out_.emplace_back(Event{next_id_, ts_ns, body});
    auto* digest = std::get_if<SocketDigest>(&event.body);
    const std::size_t events = digest != nullptr ? events_in(*digest) : 1;
    if (digest != nullptr) digest->counted = static_cast<std::uint8_t>(events);
    next_id_ += events;
    written_ns_.push_back(clock_);
  }
  void release(std::uint64_t cookie) {
    const auto slot = slots_.find(cookie);
    if (slot == slots_.end()) return;
    SocketDigest& digest = slot->second.digest;
    const auto wire = flows_.find(bytes_of(digest.tuple));
    if (wire != flows_.end()) {
      digest.has_wire = 1;
      digest.wire = wire->second.first;
      digest.loss = wire->second.second;
    }
    put(slot->second.newest, digest);
    slots_.erase(slot);
    done_.insert(cookie);
  }
  void release_older(TimeNs than) {
    while (const auto old = find([&](const Slot& one) { return one.since < than; })) release(*old);
    std::erase_if(syns_, [&](const HeldSyn& held) {
      if (held.ts_ns >= than) return false;
      put(held.ts_ns, held.segment);
      return true;
    });
  }
  template <typename Which>
  void release_syns(Which which) {
    std::erase_if(syns_, [&](const HeldSyn& held) {
      if (!which(held.segment.tuple)) return false;
      put(held.ts_ns, held.segment);
      return true;
    });
  }
  template <typename Which>
  std::optional<std::uint64_t> find(Which which) const {
    for (const auto& [cookie, slot] : slots_) {
      if (which(slot)) return cookie;
    }
    return std::nullopt;
  }
  // Something of this socket, or of these addresses, is a record of its own: what is held of them goes first.
  void clear_the_way(std::uint64_t cookie, const AddressPair& tuple) {
    if (cookie != 0) release(cookie);
    if (cookie != 0) done_.insert(cookie);
    const auto mine = [&](const AddressPair& held) { return bytes_of(held) == bytes_of(tuple) || turned(held, tuple); };
    while (const auto held = find([&](const Slot& one) { return mine(one.digest.tuple); })) release(*held);
    release_syns(mine);
  }
  template <typename Body>
  void alone(const Event& event, const Body& body) {
    if constexpr (requires { body.tuple; }) clear_the_way(body.header.cookie, body.tuple);
    put(event.ts_ns, body);
  }

  // ---- In ----

  template <typename Body>
  void take(const Event& event, const Body& body) {
    alone(event, body);
  }

  void take(const Event& event, const StateChange& change) {
    if (!hold(event, change)) alone(event, change);
  }
  void take(const Event& event, const Segment& g) {
    if (g.header.cookie != 0 || g.socket.type == SocketKind::listener) flows_[bytes_of(g.tuple)] = {g.wire, g.loss};
    if (!hold(event, g)) alone(event, g);
  }
  void take(const Event& event, const OwnerSeen& o) {
    Slot* slot = slot_of(o.header.cookie);
    const bool fits = slot != nullptr && slot->digest.held.owner_ns == 0 && o.source != OwnerSource::snapshot &&
                      o.fd == -1 && one_process(*slot, o.actor);
    if (!fits) return alone(event, o);
    slot->digest.held.actor = o.actor;
    slot->digest.held.owner_ns = o.header.ts_ns;
    slot->digest.held.owner_source = o.source;
    slot->digest.held.owner_waited_ms = o.waited_ms;
    touch(*slot, event);
  }
  void take(const Event& event, const SocketDestroyed& d) {
    Slot* slot = slot_of(d.header.cookie);
    if (slot == nullptr || slot->digest.held.state_count == 0) return alone(event, d);
    SocketDigest digest = slot->digest;
    digest.header.ts_ns = d.header.ts_ns;
    digest.tuple = d.tuple;
    digest.destroyed = 1;
    digest.has_wire = d.has_wire;
    digest.cb = d.cb;
    digest.wire = d.wire;
    digest.loss = d.loss;
    digest.times = d.times;
    slots_.erase(d.header.cookie);
    done_.insert(d.header.cookie);
    put(event.ts_ns, digest);
  }

  static bool ordinary(State from, State to) {
    switch (to) {
      case State::syn_sent:
        return from == State::close;
      case State::syn_recv:
        return from == State::listen;
      case State::established:
        return from == State::syn_sent || from == State::syn_recv;
      case State::fin_wait1:
      case State::close_wait:
        return from == State::established;
      case State::fin_wait2:
      case State::closing:
        return from == State::fin_wait1;
      case State::last_ack:
        return from == State::close_wait;
      case State::close:
        return from == State::fin_wait2 || from == State::closing || from == State::last_ack;
      default:
        return false;
    }
  }

  bool hold(const Event& event, const StateChange& change) {
    const auto from = change.old_state;
    const auto to = change.new_state;
    const bool opens = to == State::syn_sent || to == State::syn_recv;
    const bool plain = ordinary(from, to) && change.header.cookie != 0 && change.tuple.remote_port != 0 &&
                       change.cb.sk_err == 0 && (change.cb.flags & (TW_CB_PRESENT | TW_CB_REPAIR)) == TW_CB_PRESENT &&
                       (change.actor.flags & TW_ACTOR_EXITING) == 0 && change.cb.total_retrans == 0;
    if (!plain) return false;
    Slot* slot = slot_of(change.header.cookie);
    if (slot == nullptr && opens) slot = make(event, change.header, change.tuple);
    if (slot == nullptr) return false;
    HeldEvents& held = slot->digest.held;
    const bool follows =
        held.state_count == 0 ? opens : held.states[held.state_count - 1].new_state == change.old_state;
    if (!follows || held.state_count == TW_HELD_STATES || !one_process(*slot, change.actor)) return false;
    if ((change.actor.flags & TW_ACTOR_OWNED) != 0) held.actor = change.actor;
    if (from == State::fin_wait2) held.fin_timeout_ms = change.fin_timeout_ms;
    HeldState& state = held.states[held.state_count++];
    state.ts_ns = change.header.ts_ns;
    state.snd_una = change.cb.snd_una;
    state.snd_nxt = change.cb.snd_nxt;
    state.write_seq = change.cb.write_seq;
    state.rcv_nxt = change.cb.rcv_nxt;
    state.bytes_received = static_cast<std::uint32_t>(change.cb.bytes_received);
    state.mss = change.cb.mss;
    state.segs_out = static_cast<std::uint16_t>(std::min(change.cb.segs_out, 65535U));
    state.packets_out = change.cb.packets_out;
    state.old_state = change.old_state;
    state.new_state = change.new_state;
    state.flags = change.cb.flags;
    state.details = change.cb.details;
    state.actor = change.actor.flags;
    state.port = change.port;
    if (to != State::syn_sent) slot->digest.tuple = change.tuple;
    touch(*slot, event);
    return true;
  }

  bool hold(const Event& event, const Segment& g) {
    const std::uint8_t marks = g.flags & (syn | fin | rst | ack);
    const bool out = g.hook == HookPoint::egress;
    const std::uint16_t event_flags = g.event_flags & ~only_a_cause;
    const bool plain = (event_flags == TW_EVENT_SYN || event_flags == TW_EVENT_FIN) && g.refused == Refusal::none &&
                       g.nat == 0 && g.forwarding == Forwarding::none && g.duplicate == 0 && g.reordered == 0 &&
                       g.vlan_id == 0 && g.segments == 1;
    if (!plain || (marks & rst) != 0) return false;
    const bool for_listener = g.socket.type == SocketKind::listener || g.socket.type == SocketKind::time_wait;
    if (marks == syn && !out && for_listener) {
      const bool known = std::ranges::any_of(syns_, [&](const HeldSyn& held) { return same(held.segment, g); });
      if (known || find([&](const Slot& one) { return bytes_of(one.digest.tuple) == bytes_of(g.tuple); })) return false;
      syns_.push_back({event.ts_ns, g});
      return true;
    }
    const bool answers = marks == (syn | ack) && out && g.socket.type == SocketKind::request;
    if (!answers && g.socket.type != SocketKind::full) return false;
    Slot* slot = slot_of(g.header.cookie);
    if (slot == nullptr && answers) slot = make(event, g.header, g.tuple);
    if (slot == nullptr) return false;
    std::size_t place = marks == syn ? TW_HELD_SYN : TW_HELD_SYN_ACK;
    if ((marks & fin) != 0) place = out ? TW_HELD_FIN_OUT : TW_HELD_FIN_IN;
    if (marks == syn && !out) return false;
    if (slot->digest.held.segments[place].ts_ns != 0) return false;
    if (answers) take_syn(*slot, g);
    put_segment(*slot, place, g);
    slot->digest.tuple = g.tuple;
    touch(*slot, event);
    return true;
  }

  void take_syn(Slot& slot, const Segment& syn_ack) {
    const auto asked = std::ranges::find_if(syns_, [&](const HeldSyn& one) { return same(one.segment, syn_ack); });
    if (asked == syns_.end()) return;
    if (asked->segment.seq + 1 == syn_ack.ack) {
      put_segment(slot, TW_HELD_SYN, asked->segment);
      slot.since = std::min(slot.since, asked->ts_ns);
    } else {
      put(asked->ts_ns, asked->segment);
    }
    syns_.erase(asked);
  }

  static void put_segment(Slot& slot, std::size_t place, const Segment& g) {
    HeldSegment& held = slot.digest.held.segments[place];
    held.ts_ns = g.header.ts_ns;
    held.seq = g.seq;
    held.ack = g.ack;
    held.ts_val = g.ts_val;
    held.ts_ecr = g.ts_ecr;
    if (g.socket.type == SocketKind::listener) {
      held.ack_backlog = g.socket.ack_backlog;
      held.max_ack_backlog = g.socket.max_ack_backlog;
      held.syn_qlen = g.socket.syn_qlen;
      held.max_syn_backlog = g.socket.max_syn_backlog;
      held.syncookies = g.socket.syncookies;
    } else {
      held.snd_una = g.socket.snd_una;
      held.snd_nxt = g.socket.snd_nxt;
      held.rcv_nxt = g.socket.rcv_nxt;
      held.write_seq = g.socket.write_seq;
      held.socket_flags = g.socket.flags;
    }
    held.ifindex = g.ifindex;
    held.len = g.len;
    held.cookie = static_cast<std::uint32_t>(slot.digest.header.cookie);
    held.window = g.window;
    held.mss = g.mss;
    held.flags = g.flags;
    held.hook = g.hook;
    held.ttl = g.ttl;
    held.options = g.options;
    held.wscale = g.wscale;
    held.type = g.socket.type;
    held.state = g.socket.state;
  }

  Slot* make(const Event& event, const RecordHeader& header, const AddressPair& tuple) {
    if (done_.contains(header.cookie) || !room_(header.cookie)) return nullptr;
    Slot& slot = slots_[header.cookie];
    slot.since = event.ts_ns;
    slot.digest.header = header;
    slot.digest.header.kind = TW_KIND_DIGEST;
    slot.digest.tuple = tuple;
    return &slot;
  }
  Slot* slot_of(std::uint64_t cookie) {
    const auto slot = slots_.find(cookie);
    return slot == slots_.end() ? nullptr : &slot->second;
  }
  static void touch(Slot& slot, const Event& event) {
    if (event.ts_ns < slot.newest) return;
    slot.newest = event.ts_ns;
    std::visit(
        [&](const auto& body) {
          if constexpr (requires { body.header; }) slot.digest.header.ts_ns = body.header.ts_ns;
        },
        event.body);
  }
  static bool one_process(const Slot& slot, const Actor& actor) {
    if ((actor.flags & TW_ACTOR_PRESENT) == 0) return true;
    const Actor& held = slot.digest.held.actor;
    return (held.flags & TW_ACTOR_PRESENT) == 0 || held.tgid == actor.tgid;
  }

  using Bytes = std::array<char, sizeof(AddressPair)>;
  static Bytes bytes_of(const AddressPair& tuple) {
    Bytes bytes{};
    std::memcpy(bytes.data(), &tuple, sizeof tuple);
    return bytes;
  }
  static bool same(const Segment& one, const Segment& other) { return bytes_of(one.tuple) == bytes_of(other.tuple); }
  static bool turned(const AddressPair& one, const AddressPair& other) {
    return std::memcmp(one.local_addr, other.remote_addr, 16) == 0 &&
           std::memcmp(one.remote_addr, other.local_addr, 16) == 0 && one.local_port == other.remote_port &&
           one.remote_port == other.local_port;
  }

  Room room_;
  EventId next_id_ = 1;
  TimeNs clock_ = 0;
  std::vector<Event> out_;
  std::vector<TimeNs> written_ns_;
  std::map<std::uint64_t, Slot> slots_;
  std::vector<HeldSyn> syns_;
  std::set<std::uint64_t> done_;  // sockets whose events are records of their own from here on
  std::map<Bytes, std::pair<WireCounters, LossCounters>> flows_;
};

// The stream with each digest as the events it stands for.
inline std::vector<Event> expanded(const std::vector<Event>& events) {
  std::vector<Event> all;
  for (const Event& event : events) {
    if (const auto* digest = std::get_if<SocketDigest>(&event.body)) {
      expand(event, *digest, all);
    } else {
      all.push_back(event);
    }
  }
  return all;
}

// The first digest of these events.
inline Event digest_of(const std::vector<Event>& events) {
  for (const Event& event : DigestWriter().write(no_timeline(events))) {
    if (std::holds_alternative<SocketDigest>(event.body)) return event;
  }
  return {};
}

}  // namespace tcpwitness::testing
