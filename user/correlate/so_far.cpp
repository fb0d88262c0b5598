// SPDX-License-Identifier: Apache-2.0
// so_far.cpp: connections that go on, as they are now: judged as if the run ended here.
//
// What is judged is the look at all sockets that came just before. It is no end: the counters go on.
#include <utility>

#include "correlate/correlator_impl.hpp"

namespace tcpwitness {

std::optional<Life> Correlator::Impl::so_far_of(ConnectionId conn, TimeNs now) {
  for (Slot slot = 0; slot < table_.slots(); ++slot) {
    Connection& c = table_.at(slot);
    if (c.id != conn || !c.live || c.reported || c.ended() || !selection_.wants(c)) continue;
    c.incomplete = losses_.may_concern(c);
    RuleContext known = contexts_.of(slot, {now, true});
    known.explain = true;
    Life life = rules_.life(c, known);
    c.totals.final = c.totals.at_destruction;
    return life;
  }
  return std::nullopt;
}

void Correlator::Impl::so_far(TimeNs now, const std::function<void(Life)>& take) {
  for (Slot slot = 0; slot < table_.slots(); ++slot) {
    Connection& c = table_.at(slot);
    if (!c.live || c.reported || c.ended() || c.forwarded() || only_half_open(c, settings_.has_kernel) ||
        !selection_.wants(c))
      continue;
    c.incomplete = losses_.may_concern(c);
    RuleContext known = contexts_.of(slot, {now, true});
    known.explain = false;
    take(rules_.life(c, known));
    c.totals.final = c.totals.at_destruction;
  }
}

}  // namespace tcpwitness
