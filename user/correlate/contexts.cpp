// SPDX-License-Identifier: Apache-2.0
// contexts.cpp: the same context for a connection that is over, one that goes on, and one at the end of the run.
#include "correlate/contexts.hpp"

namespace tcpwitness {

RuleContext Contexts::of(Slot slot, const Moment& moment) {
  const Connection& c = table_.at(slot);
  RuleContext context{names_};
  context.has_kernel = kernel_judges(c);
  context.has_wire = settings_.has_wire;
  context.explain = settings_.explain;
  context.finished = moment.finished || (moment.end != nullptr && moment.end->cut);
  context.conversation = moment.end != nullptr ? &moment.end->totals : nullptr;
  context.close_wait_stuck_ns = settings_.close_wait_stuck_ns;
  context.every_interface = settings_.every_interface;
  context.slow_handshake_ns = settings_.slow_handshake_ns;
  context.slow_accept_ns = settings_.slow_accept_ns;
  context.late_ns = settings_.late_ns;
  context.now = moment.now;
  context.peer = other_end(c);
  if (settings_.compare) context.measures = &measures(slot);
  return context;
}

const Connection* Contexts::other_end(const Connection& c) const {
  if (!kernel_judges(c) || (!c.isn.has_local && !c.isn.has_remote)) return nullptr;
  const Slot slot = table_.find_flow(Flow{c.flow.remote, c.flow.local});
  if (slot == no_slot) return nullptr;
  const Connection& other = table_.at(slot);
  // One socket that is connected to itself has no other end.
  if (&other == &c) return nullptr;
  // Both initial numbers; of a SYN that nobody answered there is only its own.
  const auto same = [](bool known, std::uint32_t isn, bool other_known, std::uint32_t other_isn) {
    return known && other_known && isn == other_isn;
  };
  const bool mine = same(c.isn.has_local, c.isn.local, other.isn.has_remote, other.isn.remote);
  const bool its = same(c.isn.has_remote, c.isn.remote, other.isn.has_local, other.isn.local);
  const bool begun =
      (mine && !c.isn.has_remote && !c.opening.established) || (its && !c.isn.has_local && !other.opening.established);
  return (mine && its) || begun ? &other : nullptr;
}

Measures& Contexts::measures(Slot slot) {
  if (measures_.size() <= slot) measures_.resize(std::size_t{slot} + 1);
  Measures& of = measures_[slot];
  if (of.conn != table_.at(slot).id) of = {.conn = table_.at(slot).id};
  return of;
}

}  // namespace tcpwitness
