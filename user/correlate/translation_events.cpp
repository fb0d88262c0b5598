// SPDX-License-Identifier: Apache-2.0
// translation_events.cpp: connections whose segments have other addresses on the wire than their socket has.
//
// The join was made in the kernel (bpf/nat.h): what leaves a translating socket has its cookie, and from there on every
// segment comes with the socket's addresses. What came in before, the SYN of a connection that this side accepts, had
// the wire's: it belongs to the SYN-ACK that acknowledges its number.
#include "correlate/translation_events.hpp"

#include <algorithm>
#include <cstring>

#include "correlate/process.hpp"
#include "facts/derived.hpp"

namespace tcpwitness {

void TranslationEvents::take(const Event& e, const Translation& t) {
  if (t.header.cookie == 0) return forwarded_.join_hops(t);
  const Flow flow = to_flow(t.tuple);
  const Flow wire = to_flow(t.wire);
  Slot slot = table_.find_cookie(t.header.cookie);
  if (slot == no_slot || table_.at(slot).reported) {
    // A listener on the wire's port seemed to be asked: the SYN of this very connection.
    slot = table_.find_flow(wire);
    if (slot != no_slot) {
      const Connection& c = table_.at(slot);
      const bool asked = !c.reported && only_syn_seen(c) && c.isn.has_remote && c.isn.remote == t.ack - 1;
      if (!asked) slot = no_slot;
    }
    if (slot != no_slot) {
      Connection& c = table_.at(slot);
      table_.bind_flow(slot, flow);
      table_.bind_cookie(slot, t.header.cookie);
      c.owner = {};
      own_by_listener(c, listeners_.find(flow.local, e.ts_ns));
    }
  }
  if (slot == no_slot) {
    early_.push(t);
    return;
  }
  Connection& c = table_.at(slot);
  if (!c.ended()) lives_.adopt_flow(slot, flow);
  c.set_nat(wire);
  if (forwarded_.any()) forwarded_.take_back(c, wire, flow);
  if (e.ts_ns > c.last_ts_ns) c.last_ts_ns = e.ts_ns;
}

void TranslationEvents::take_early(Slot slot, const Segment& g) {
  const auto found = early_.take_oldest([&](const Translation& t) {
    return std::memcmp(&t.tuple, &g.tuple, sizeof t.tuple) == 0 &&
           (g.header.cookie == 0 || t.header.cookie == g.header.cookie);
  });
  if (!found) return;
  Connection& c = table_.at(slot);
  c.set_nat(to_flow(found->wire));
  StateChange connecting{};
  connecting.actor = found->actor;
  if (c.role == Role::active) own_by_connect(c, connecting);
  if (c.role == Role::passive) take_syn(c, *c.on_the_wire(), g.ack - 1);
}

void TranslationEvents::take_syn(Connection& c, const Flow& wire, std::uint32_t isn) {
  if (forwarded_.any()) forwarded_.take_back(c, wire, c.flow);
  while (const auto stray = strays_.take_syn(wire, isn)) {
    const EventId id = stray->evidence.ids[0];
    if (!c.syn) {
      c.syn = {id, stray->ts_ns};
      c.start_ts_ns = std::min(c.start_ts_ns, stray->ts_ns);
    }
    timeline_.belongs_to(id, c.id, c.flow, c.on_the_wire());
  }
}

}  // namespace tcpwitness
