// SPDX-License-Identifier: Apache-2.0
// wire_alone.hpp: a connection of which only the segments are seen: the states of both ends, and its end.
#pragma once

#include "correlate/correlation.hpp"

namespace tcpwitness {

class WireAlone {
 public:
  // All are kept by reference.
  explicit WireAlone(Correlation& in)
      : settings_(in.settings), table_(in.table), timeline_(in.timeline), now_(in.now) {}

  void take(Slot slot, Connection& c, const Event& e, const Segment& g, bool out);

 private:
  void end(Slot slot, Connection& c, const Event& e, const Segment& g, TcpState before, bool out);
  void resume(Connection& c, const Event& e);

  const CorrelatorSettings& settings_;
  Table& table_;
  Timeline& timeline_;
  const TimeNs& now_;
};

}  // namespace tcpwitness
