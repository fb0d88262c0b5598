// SPDX-License-Identifier: Apache-2.0
// lives.hpp: a connection begins in the table, and gets its addresses and its process.
#pragma once

#include "correlate/correlation.hpp"
#include "correlate/icmp_events.hpp"

namespace tcpwitness {

class Lives {
 public:
  // All are kept by reference.
  Lives(Correlation& in, IcmpEvents& icmp)
      : settings_(in.settings),
        table_(in.table),
        losses_(in.losses),
        selection_(in.selection),
        timeline_(in.timeline),
        emitter_(in.emitter),
        summary_(in.summary),
        icmp_(icmp) {}

  // begun: its very first event, see Losses::begins().
  Slot create(TimeNs ts, bool begun);
  // Its address pair, if it has none yet.
  void adopt_flow(Slot slot, const Flow& flow);
  void owner_changed(Connection& c, const Event& e);
  // Its own records show that a transition is missing. Where no gap can have it, the kernel ran no program for it.
  void note_missing(Connection& c);
  // No room for another connection that only a segment has shown.
  [[nodiscard]] bool crowded(bool half_open) const;

 private:
  const CorrelatorSettings& settings_;
  Table& table_;
  const Losses& losses_;
  const Selection& selection_;
  Timeline& timeline_;
  Emitter& emitter_;
  Summary& summary_;
  IcmpEvents& icmp_;
};

}  // namespace tcpwitness
