// SPDX-License-Identifier: Apache-2.0
// forwarded_lifetime.cpp: how long a forwarded connection is followed, and how many at a time.
//
// No socket of ours ends it, and its ends may vanish without a word. The model is what the kernel's own table of
// forwarded connections does (nf_conntrack_proto_tcp.c, nf_conntrack_core.c): what only asked is given up after two
// minutes, and so is what is closing; what is open after five days without a segment. Where there is no room for a new
// one (early_drop()), the oldest gives way that nobody has answered, or that is closing; never one that is open.
//
// Ordinary segments are no events, so before a connection is given up its counters are asked for (snapshot_hops).
#include <utility>

#include "correlate/flow_to_delete.hpp"
#include "correlate/forwarded.hpp"
#include "correlate/notes.hpp"

namespace tcpwitness {
namespace {

constexpr std::size_t ended_limit = 4096;

std::uint64_t segments_passed(const ForwardedFacts& forwarded) {
  std::uint64_t sum = 0;
  for (const HopFacts& hop : forwarded.hops) sum += segments_of(hop.wire);
  return sum;
}

}  // namespace

void ForwardedConnections::watch(Slot slot) {
  Connection& c = table_.at(slot);
  if (c.reported || c.ended()) return;
  Wait wait = Wait::forwarded_open;
  if (!c.opening.established && !c.opening.preexisting) {
    wait = Wait::forwarded_attempt;
  } else if (one_way(c) || (c.teardown && (c.teardown->fin_out.sent || c.teardown->fin_in.sent))) {
    wait = Wait::forwarded_closing;
  }
  table_.wait(slot, wait, now_);
}

void ForwardedConnections::time_over(Slot slot, Wait waited) {
  Connection& c = table_.at(slot);
  if (c.ended()) return end(slot);
  ForwardedFacts& forwarded = *c.forwarded();
  if (waited == Wait::forwarded_count) {
    if (segments_passed(forwarded) != forwarded.looked_at) return watch(slot);
    return give_up(slot);
  }
  // Each segment of a handshake that is seen from its SYN on is an event.
  if (waited == Wait::forwarded_attempt && c.syn) return give_up(slot);
  forwarded.looked_at = segments_passed(forwarded);
  hops_look_ = true;
  table_.wait(slot, Wait::forwarded_count, now_);
}

void ForwardedConnections::give_up(Slot slot) {
  Connection& c = table_.at(slot);
  c.expired = true;
  ++summary_.given_up;
  // What comes of it later is an unknown flow's, and begins anew. In a flood the flow map forgets by itself.
  for (unsigned hop = 0; hop < c.forwarded()->hops.size(); ++hop) {
    const HopFacts& facts = c.forwarded()->hops[hop];
    if (facts.known && flows_to_delete_.size() < flows_to_delete_limit)
      flows_to_delete_.push_back(flow_to_delete(c, facts.key, 0, hop != 0));
  }
  host_.forwarded_over(slot);
}

// Ordinary segments are no events: where the end showed on one hop alone, the other one's counters are older.
void ForwardedConnections::end(Slot slot) {
  const Connection& c = table_.at(slot);
  if (counted_to_the_end(c) || ended_hops_.size() >= ended_limit) return host_.forwarded_over(slot);
  for (const HopFacts& hop : c.forwarded()->hops) {
    if (hop.known) ended_hops_.push_back(hop.key);
  }
  table_.wait(slot, Wait::forwarded_ended, now_);
}

// Nobody looks for its flows any more: they leave the flow map, and what comes late begins nothing.
void ForwardedConnections::delete_flows_of(const Connection& c) {
  const ForwardedFacts& forwarded = *c.forwarded();
  const auto discard = [&](unsigned hop, const Flow& key, std::uint64_t segments) {
    const auto found = hops_.find(key);
    if (found == hops_.end() || &table_.at(found->second.slot) != &c) return;  // another connection's by now
    ended_.add(key, c.teardown->end.ts_ns);
    if (flows_to_delete_.size() < flows_to_delete_limit)
      flows_to_delete_.push_back(flow_to_delete(c, key, segments, hop != 0));
  };
  for (unsigned hop = 0; hop < forwarded.hops.size(); ++hop) {
    const HopFacts& facts = forwarded.hops[hop];
    if (facts.known) discard(hop, facts.key, segments_of(facts.wire));
  }
  if (forwarded.untranslated != 0 && forwarded.plain != forwarded.hops[0].key &&
      forwarded.plain != forwarded.hops[1].key)
    discard(1, forwarded.plain, 0);
}

bool ForwardedConnections::make_room() {
  const bool many_ask = table_.waiting(Wait::forwarded_attempt) >= settings_.forwarded_attempt_limit;
  if (!many_ask && followed_ < settings_.forwarded_limit) return true;
  for (const Wait wait : {Wait::forwarded_attempt, Wait::forwarded_closing}) {
    const Slot oldest = table_.first(wait);
    if (oldest == no_slot) continue;
    give_up(oldest);
    timeline_.discard(table_.at(oldest).id);
    release(oldest);
    return true;
  }
  ++summary_.untracked;
  return false;
}

bool ForwardedConnections::wants_hops() { return std::exchange(hops_look_, false); }

std::vector<Flow> ForwardedConnections::ended_hops() { return std::exchange(ended_hops_, {}); }

std::vector<FlowToDelete> ForwardedConnections::flows_to_delete() { return std::exchange(flows_to_delete_, {}); }

}  // namespace tcpwitness
