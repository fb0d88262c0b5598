// SPDX-License-Identifier: Apache-2.0
// wall_clock.hpp: what the wall clock showed at a time of the run.
//
// Times in the core never step: they are CLOCK_MONOTONIC plus an offset that is fixed when the run begins, so a clock
// that somebody sets changes no order and no duration. Only where a time is shown does it become the wall's, by what
// that clock showed then.
#pragma once

#include <cstdint>
#include <vector>

#include "tcpwitness/wire.hpp"

namespace tcpwitness {

// A value; not for two threads at once while one sets it.
class WallClock {
 public:
  // From this time of the run on, the wall clock is so far ahead of the run's. (An earlier `from` than the last is
  // taken as that.)
  void set(TimeNs from, std::int64_t ahead_ns);
  // What the wall clock showed then, in nanoseconds since 1970.
  [[nodiscard]] TimeNs of(TimeNs at) const { return steps_.empty() ? at : at + ahead(at); }
  // Whether it ever differed from the run's clock.
  [[nodiscard]] bool was_set() const { return !steps_.empty(); }

 private:
  struct Step {
    TimeNs from = 0;
    std::int64_t ahead_ns = 0;
  };
  [[nodiscard]] std::int64_t ahead(TimeNs at) const;

  std::vector<Step> steps_;  // the newest of them
};

}  // namespace tcpwitness
