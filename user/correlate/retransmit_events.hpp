// SPDX-License-Identifier: Apache-2.0
// retransmit_events.hpp: the kernel's own reports of what it sends again.
#pragma once

#include "correlate/correlation.hpp"
#include "correlate/lives.hpp"

namespace tcpwitness {

class RetransmitEvents {
 public:
  // All are kept by reference.
  RetransmitEvents(Correlation& in, Lives& lives)
      : settings_(in.settings), table_(in.table), timeline_(in.timeline), emitter_(in.emitter), lives_(lives) {}

  void take(const Event& e, const Retransmit& r);

 private:
  [[nodiscard]] Slot locate(const Retransmit& r) const;
  void report(const Connection& c, const Event& e, const Retransmit& r, RetransmitEntry entry);

  const CorrelatorSettings& settings_;
  Table& table_;
  Timeline& timeline_;
  Emitter& emitter_;
  Lives& lives_;
};

}  // namespace tcpwitness
