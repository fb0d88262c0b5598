// SPDX-License-Identifier: Apache-2.0
// reset_events.hpp: resets that TCP sends and takes, as the kernel reports them.
#pragma once

#include "correlate/correlation.hpp"
#include "correlate/strays.hpp"

namespace tcpwitness {

class ResetEvents {
 public:
  // All are kept by reference.
  ResetEvents(Correlation& in, Strays& strays)
      : settings_(in.settings),
        names_(in.names),
        table_(in.table),
        timeline_(in.timeline),
        emitter_(in.emitter),
        now_(in.now),
        strays_(strays) {}

  void take(const Event& e, const Reset& r);

 private:
  // The stray segment that was answered; 0: not seen.
  EventId stray_reset(const Event& e, const Reset& r, const Flow& flow);
  bool note_answered_here(const Event& e, const Reset& r, const Flow& flow);
  bool end_request(Slot slot, const Event& e, const Reset& r);
  bool refuse_child(const Event& e, const Reset& r, const Flow& flow, ResetEntry& body);
  void take_of(Slot slot, const Event& e, const Reset& r, ResetEntry entry);

  const CorrelatorSettings& settings_;
  const Names& names_;
  Table& table_;
  Timeline& timeline_;
  Emitter& emitter_;
  const TimeNs& now_;
  Strays& strays_;
};

}  // namespace tcpwitness
