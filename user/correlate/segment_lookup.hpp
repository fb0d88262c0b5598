// SPDX-License-Identifier: Apache-2.0
// segment_lookup.hpp: the connection of a segment, known or begun by it.
#pragma once

#include <vector>

#include "correlate/correlation.hpp"
#include "correlate/crowds.hpp"
#include "correlate/forwarded.hpp"
#include "correlate/lives.hpp"
#include "correlate/translation_events.hpp"

namespace tcpwitness {

class SegmentLookup {
 public:
  // All are kept by reference.
  SegmentLookup(Correlation& in, Lives& lives, Crowds& crowds, ForwardedConnections& forwarded,
                TranslationEvents& translations)
      : settings_(in.settings),
        table_(in.table),
        listeners_(in.listeners),
        losses_(in.losses),
        summary_(in.summary),
        now_(in.now),
        lives_(lives),
        crowds_(crowds),
        forwarded_(forwarded),
        translations_(translations) {}

  // no_slot: it is of none.
  [[nodiscard]] Slot find(const Event& e, const Segment& g, const Flow& flow, bool out);
  // Of one that is not known: some segments begin one.
  [[nodiscard]] Slot begin(const Event& e, const Segment& g, const Flow& flow, bool out);
  // Of a capture's conversation, by its number; take: its number is free again.
  [[nodiscard]] Slot find_captured(std::uint32_t conversation) const;
  [[nodiscard]] Slot take_captured(std::uint32_t conversation);

 private:
  [[nodiscard]] Slot find_by_socket(const Event& e, const Segment& g, const Flow& flow, bool out);
  [[nodiscard]] Slot find_by_number(const Event& e, const Segment& g, const Flow& flow, bool out);
  [[nodiscard]] bool begins(const Segment& g, const Flow& flow, bool out) const;

  const CorrelatorSettings& settings_;
  Table& table_;
  Listeners& listeners_;
  const Losses& losses_;
  Summary& summary_;
  const TimeNs& now_;
  Lives& lives_;
  Crowds& crowds_;
  ForwardedConnections& forwarded_;
  TranslationEvents& translations_;

  std::vector<Slot> captured_;  // by Analysis::conversation
};

}  // namespace tcpwitness
