// SPDX-License-Identifier: Apache-2.0
// drop_events.hpp: segments that the kernel dropped.
#pragma once

#include "correlate/correlation.hpp"
#include "correlate/forwarded.hpp"
#include "correlate/lives.hpp"
#include "correlate/state_events.hpp"
#include "correlate/unmatched.hpp"

namespace tcpwitness {

class DropEvents {
 public:
  // All are kept by reference.
  DropEvents(Correlation& in, Lives& lives, StateEvents& states, ForwardedConnections& forwarded, Unmatched& unmatched)
      : in_(in),
        settings_(in.settings),
        names_(in.names),
        table_(in.table),
        listeners_(in.listeners),
        attempts_(in.attempts),
        timeline_(in.timeline),
        emitter_(in.emitter),
        summary_(in.summary),
        now_(in.now),
        lives_(lives),
        states_(states),
        forwarded_(forwarded),
        unmatched_(unmatched) {}

  void take(const Event& e, const Drop& d);

 private:
  [[nodiscard]] Slot locate(const Drop& d, const Flow& flow, bool& out);
  void note(Connection& c, const Event& e, const Drop& d, bool out, bool no_fault) const;
  void take_back_end(Slot slot, const Event& e, const Drop& d);
  void pass_on(const Drop& d, const Flow& flow);
  void report(const Connection* c, const Event& e, const Drop& d, const Flow& shown, bool out, DropKind kind);

  const Correlation& in_;
  const CorrelatorSettings& settings_;
  const Names& names_;
  Table& table_;
  Listeners& listeners_;
  AttemptsBySecond& attempts_;
  Timeline& timeline_;
  Emitter& emitter_;
  Summary& summary_;
  const TimeNs& now_;
  Lives& lives_;
  StateEvents& states_;
  ForwardedConnections& forwarded_;
  Unmatched& unmatched_;
};

}  // namespace tcpwitness
