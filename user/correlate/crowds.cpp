// SPDX-License-Identifier: Apache-2.0
// crowds.cpp: second by second.
#include "correlate/crowds.hpp"

#include <utility>

namespace tcpwitness {

void Crowds::note_attempt(EventId id, TimeNs ts, const Flow& flow) {
  if (settings_.has_kernel && !selection_.any()) attempts_.begun(id, ts, flow);
}

void Crowds::report_attempts(TimeNs now) {
  for (AttemptsBySecond* const by_second : {&attempts_, &forwarded_.attempts()}) {
    while (const auto attempts = by_second->due(now, finished_)) {
      const bool lost = losses_.reach(attempts->crowd.since());
      if (auto finding = rules_.attempts(*attempts, names_, lost))
        emitter_.finding(attempts->crowd.first(), now, std::move(*finding));
    }
  }
}

// Those of a second that were not reported one by one.
void Crowds::report(TimeNs now) {
  report_attempts(now);
  if (const auto more = more_refused_.due(now, finished_))
    emitter_.finding(more->first(), now, rules_.more_refused(*more, losses_.reach(more->since())));
}

}  // namespace tcpwitness
