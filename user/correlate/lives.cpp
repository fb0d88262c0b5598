// SPDX-License-Identifier: Apache-2.0
// lives.cpp: how a connection comes into the table.
#include "correlate/lives.hpp"

namespace tcpwitness {

Slot Lives::create(TimeNs ts, bool begun) {
  const Slot slot = table_.create(ts);
  losses_.begins(table_.at(slot), ts, begun);
  return slot;
}

void Lives::adopt_flow(Slot slot, const Flow& flow) {
  const Connection& c = table_.at(slot);
  if (c.bound.flow) return;
  if (flow.local.port == 0 || flow.remote.address.is_unspecified()) {
    table_.at(slot).flow = flow;  // not whole yet: shown, but not looked up
    return;
  }
  table_.bind_flow(slot, flow);
  if (settings_.timeline) timeline_.flow_of(c.id, flow);
  if (settings_.of_flow) emitter_.decide(c, false);
  if (!icmp_.none_early()) icmp_.take_early(flow);
}

void Lives::owner_changed(Connection& c, const Event& e) {
  if (c.owner.pid != 0) emitter_.entry(&c, e, c.flow, OwnerEntry{c.owner.process()});
  selection_.ask_of(c.owner);
  emitter_.decide(c, false);
}

void Lives::note_missing(Connection& c) {
  // Of one that is older than the run the first state events can have been before the hooks.
  const bool followed =
      c.transitions.in_step || (c.seen_by.kernel && !c.opening.preexisting && c.state != TcpState::new_syn_recv);
  if (!followed || losses_.may_concern(c)) return;
  c.incomplete = true;
  ++summary_.missed;
}

bool Lives::crowded(bool half_open) const {
  if (!settings_.has_kernel && table_.size() >= settings_.wire_alone_limit) return true;
  const std::size_t waiting =
      table_.waiting(Wait::unanswered_syn) + table_.waiting(Wait::request) + table_.waiting(Wait::wire_connect);
  return half_open && waiting >= settings_.half_open_limit;
}

}  // namespace tcpwitness
