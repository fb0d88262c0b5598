// SPDX-License-Identifier: Apache-2.0
// port_events.hpp: who has the local ports that connect() did not find: asked, and answered by an event.
#pragma once

#include <optional>

#include "correlate/correlation.hpp"
#include "correlate/port_questions.hpp"
#include "values/kernel_questions.hpp"

namespace tcpwitness {

class PortEvents {
 public:
  // All are kept by reference.
  explicit PortEvents(Correlation& in) : settings_(in.settings), table_(in.table), emitter_(in.emitter), now_(in.now) {}

  void take(const Event& e, const PortsFound& p);
  // connect() found none. True: the answer is known already.
  [[nodiscard]] bool knows(Connection& c);
  // For the run; see LiveCorrelator::wants_ports().
  [[nodiscard]] std::optional<PortsQuestion> wants();

 private:
  const CorrelatorSettings& settings_;
  Table& table_;
  Emitter& emitter_;
  const TimeNs& now_;

  PortQuestions questions_;
};

}  // namespace tcpwitness
