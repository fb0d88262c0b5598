// SPDX-License-Identifier: Apache-2.0
// crowds.hpp: attempts that are too many to report one by one: added up, a finding a second.
#pragma once

#include "correlate/correlation.hpp"
#include "correlate/forwarded.hpp"

namespace tcpwitness {

class Crowds {
 public:
  // All are kept by reference.
  Crowds(Correlation& in, ForwardedConnections& forwarded)
      : settings_(in.settings),
        names_(in.names),
        rules_(in.rules),
        losses_(in.losses),
        selection_(in.selection),
        emitter_(in.emitter),
        finished_(in.finished),
        attempts_(in.attempts),
        forwarded_(forwarded) {}

  // A SYN came for a listener here.
  void note_attempt(EventId id, TimeNs ts, const Flow& flow);
  // A forwarded attempt that the server has refused, and that is not listed.
  void note_refused(EventId id, TimeNs now, const Flow& flow) { more_refused_.add(id, now, flow); }
  void report(TimeNs now);
  [[nodiscard]] bool empty() const { return attempts_.empty() && !forwarded_.has_attempts() && more_refused_.empty(); }

 private:
  void report_attempts(TimeNs now);

  const CorrelatorSettings& settings_;
  const Names& names_;
  const Rules& rules_;
  const Losses& losses_;
  const Selection& selection_;
  Emitter& emitter_;
  const bool& finished_;
  AttemptsBySecond& attempts_;
  ForwardedConnections& forwarded_;

  RestOfEachSecond more_refused_;  // forwarded
};

}  // namespace tcpwitness
