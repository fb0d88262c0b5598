// SPDX-License-Identifier: Apache-2.0
// segment_events.hpp: what a segment on the wire shows of its connection.
#pragma once

#include "correlate/correlation.hpp"
#include "correlate/forwarded.hpp"
#include "correlate/local_syn.hpp"
#include "correlate/newest.hpp"
#include "correlate/segment_entries.hpp"
#include "correlate/segment_lookup.hpp"
#include "correlate/state_events.hpp"
#include "correlate/unmatched.hpp"
#include "correlate/wire_alone.hpp"

namespace tcpwitness {

class SegmentEvents {
 public:
  // All are kept by reference.
  SegmentEvents(Correlation& in, SegmentLookup& lookup, StateEvents& states, ForwardedConnections& forwarded,
                Unmatched& unmatched)
      : in_(in),
        settings_(in.settings),
        table_(in.table),
        attempts_(in.attempts),
        timeline_(in.timeline),
        emitter_(in.emitter),
        contexts_(in.contexts),
        now_(in.now),
        lookup_(lookup),
        states_(states),
        forwarded_(forwarded),
        unmatched_(unmatched),
        entries_(in),
        wire_alone_(in) {}

  void take(const Event& e, const Segment& g);
  // Of a connection that is known. shown: the timeline gets it.
  void take_known(Slot slot, const Event& e, const Segment& g, const Flow& flow, bool out, bool shown = true);

 private:
  [[nodiscard]] bool is_refused(Connection& c, const Event& e, const Segment& g, bool out) const;
  [[nodiscard]] Slot take_refused(const Event& e, const Segment& g, const Flow& flow, bool out);
  void note_syn(Slot slot, Connection& c, const Event& e, const Segment& g, bool out);
  void note_syn_ack(Slot slot, Connection& c, const Event& e, const Segment& g, bool out);
  void note_handshake(Slot slot, Connection& c, const Event& e, const Segment& g, bool out);
  void note_fins(Connection& c, const Event& e, const Segment& g, bool out) const;
  void note_faults(Connection& c, const Event& e, const Segment& g, bool out) const;
  void note_mini_socket(Slot slot, Connection& c, const Event& e, const Segment& g, bool out);
  [[nodiscard]] bool kernel_judges(const Connection& c) const { return contexts_.kernel_judges(c); }

  const Correlation& in_;
  const CorrelatorSettings& settings_;
  Table& table_;
  AttemptsBySecond& attempts_;
  Timeline& timeline_;
  Emitter& emitter_;
  Contexts& contexts_;
  const TimeNs& now_;
  SegmentLookup& lookup_;
  StateEvents& states_;
  ForwardedConnections& forwarded_;
  Unmatched& unmatched_;

  SegmentEntries entries_;
  WireAlone wire_alone_;
  Newest<LocalSyn, 256> unmatched_syns_;  // packets alone: SYNs that found no socket
};

}  // namespace tcpwitness
