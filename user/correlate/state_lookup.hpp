// SPDX-License-Identifier: Apache-2.0
// state_lookup.hpp: the connection of a state change, known or begun by it.
#pragma once

#include "correlate/correlation.hpp"
#include "correlate/life_reports.hpp"
#include "correlate/lives.hpp"

namespace tcpwitness {

class StateLookup {
 public:
  // All are kept by reference.
  StateLookup(Correlation& in, Lives& lives, LifeReports& life_reports)
      : settings_(in.settings), table_(in.table), losses_(in.losses), lives_(lives), life_reports_(life_reports) {}

  // no_slot: it is of none.
  [[nodiscard]] Slot find(const Event& e, const StateChange& s, const Flow& flow);

 private:
  const CorrelatorSettings& settings_;
  Table& table_;
  const Losses& losses_;
  Lives& lives_;
  LifeReports& life_reports_;
};

}  // namespace tcpwitness
