// SPDX-License-Identifier: Apache-2.0
// segment_entries.hpp: segments for the timeline, and what of them can have caused a transition.
#pragma once

#include <optional>

#include "correlate/correlation.hpp"

namespace tcpwitness {

class SegmentEntries {
 public:
  // All are kept by reference.
  explicit SegmentEntries(Correlation& in)
      : settings_(in.settings), timeline_(in.timeline), emitter_(in.emitter), contexts_(in.contexts), now_(in.now) {}

  // c: null where it is of no connection.
  void report(Connection* c, const Event& e, const Segment& g, const Flow& flow, bool out);

 private:
  [[nodiscard]] SegmentEntry entry_of(Connection* c, const Event& e, const Segment& g, bool out);
  // Of a segment, where all of them are seen.
  [[nodiscard]] std::optional<Analysis> analyse(Connection* c, const Event& e, const Segment& g, bool out) const;
  // No event behind it can show more.
  [[nodiscard]] bool waits(const Connection* c, const Segment& g, bool out) const;

  const CorrelatorSettings& settings_;
  Timeline& timeline_;
  Emitter& emitter_;
  Contexts& contexts_;
  const TimeNs& now_;
};

}  // namespace tcpwitness
