// SPDX-License-Identifier: Apache-2.0
// contexts.hpp: what rules get beside a connection: settings, the time, its other end, what is compared.
#pragma once

#include <vector>

#include "correlate/table.hpp"
#include "facts/measures.hpp"
#include "facts/rules.hpp"
#include "tcpwitness/pipeline.hpp"

namespace tcpwitness {

class Contexts {
 public:
  // All are kept by reference.
  Contexts(const CorrelatorSettings& settings, const Names& names, const Table& table)
      : settings_(settings), names_(names), table_(table) {}

  // When it is judged.
  struct Moment {
    TimeNs now = 0;
    bool finished = false;                 // the run is over, or judged as if it were
    const ConversationEnd* end = nullptr;  // of a capture
  };
  [[nodiscard]] RuleContext of(Slot slot, const Moment& moment);

  // The kernel shows its states; otherwise the segments alone judge.
  [[nodiscard]] bool kernel_judges(const Connection& c) const { return settings_.has_kernel && !c.forwarded(); }
  // The other end of the same connection, if it is a socket of this run too; nullptr: not known.
  [[nodiscard]] const Connection* other_end(const Connection& c) const;
  // Of the connection that has the slot now.
  [[nodiscard]] Measures& measures(Slot slot);

 private:
  const CorrelatorSettings& settings_;
  const Names& names_;
  const Table& table_;
  std::vector<Measures> measures_;  // by slot
};

}  // namespace tcpwitness
