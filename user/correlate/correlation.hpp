// SPDX-License-Identifier: Apache-2.0
// correlation.hpp: what the handlers of all kinds of events work on: connections, listeners, the way out, the time.
//
// Plain parts, and no logic but questions about the settings. A handler takes those that it needs (*_events.hpp).
#pragma once

#include <vector>

#include "correlate/attempts.hpp"
#include "correlate/contexts.hpp"
#include "correlate/emitter.hpp"
#include "correlate/listeners.hpp"
#include "correlate/losses.hpp"
#include "correlate/selection.hpp"
#include "correlate/table.hpp"
#include "correlate/timeline.hpp"
#include "facts/rules.hpp"
#include "tcpwitness/pipeline.hpp"

namespace tcpwitness {

struct Correlation {
  Correlation(CorrelatorSettings wanted, const Names& known, const Rules& judging)
      : settings(std::move(wanted)), names(known), rules(judging) {
    table.set_delay(Wait::close_wait, settings.close_wait_stuck_ns);
  }
  Correlation(const Correlation&) = delete;
  Correlation& operator=(const Correlation&) = delete;

  CorrelatorSettings settings;
  const Names& names;
  const Rules& rules;

  Table table;
  Listeners listeners;
  Losses losses;
  AttemptsBySecond attempts{false};  // of listeners here
  Selection selection{settings, listeners};
  Timeline timeline{selection.any(), [this](const Flow& flow) { return selection.wants_alone(flow); }};
  Emitter emitter{settings, selection, timeline};
  Contexts contexts{settings, names, table};
  Summary summary;
  std::vector<Slot> unowned;  // found in an accept queue, or half open, before anything showed who listens

  TimeNs now = 0;
  TimeNs listed_ns = 0;              // when the newest list of all sockets began
  bool finished = false;             // the run is over
  bool summarizes_ordinary = false;  // LiveCorrelator::summarize_ordinary()

  [[nodiscard]] bool shows_states() const { return settings.timeline || settings.states; }
  // There may be any: nobody asks for single events.
  [[nodiscard]] bool digests() const {
    return settings.has_kernel && (!settings.timeline || summarizes_ordinary) && !settings.compare &&
           !settings.every_segment && !settings.capture && !settings.forwarded;
  }
  [[nodiscard]] RuleContext context(Slot slot, const ConversationEnd* end = nullptr) {
    return contexts.of(slot, {now, finished, end});
  }
  // Events of a kind, so far.
  [[nodiscard]] std::uint64_t& count_of(EventKind kind) { return summary.events[static_cast<std::size_t>(kind)]; }
};

}  // namespace tcpwitness
