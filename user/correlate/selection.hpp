// SPDX-License-Identifier: Apache-2.0
// selection.hpp: which connections the core reports: by process and by address, decided for each while it is followed.
//
// Its process and its form behind NAT may show late, so the answer can be open for a while. (run/live_filter.hpp has
// what it asks of a live run; run/file_filter.hpp selects in files, values/report_filter.hpp by what was judged.)
#pragma once

#include "correlate/listeners.hpp"
#include "facts/connection.hpp"
#include "tcpwitness/pipeline.hpp"

namespace tcpwitness {

class Selection {
 public:
  // Both are kept by reference.
  Selection(const CorrelatorSettings& settings, const Listeners& listeners);

  // Not everything is wanted.
  [[nodiscard]] bool any() const { return by_process_ || settings_.of_flow; }
  [[nodiscard]] bool wants(const Connection& c) const { return !any() || (wants_flow(c) && wants_process(c.owner)); }
  // What belongs to no connection: where processes are selected, only what concerns a listener of theirs.
  [[nodiscard]] bool wants_alone(const Flow& flow) const;
  // No later event can make it another answer.
  [[nodiscard]] bool is_final(const Connection& c) const;
  // Asks about its process once; what changes later (its name) does not count.
  void ask_of(Owner& owner) const;

 private:
  [[nodiscard]] bool wants_flow(const Connection& c) const;
  [[nodiscard]] bool wants_process(const Owner& owner) const;

  const CorrelatorSettings& settings_;
  const Listeners& listeners_;
  bool by_process_;
};

}  // namespace tcpwitness
