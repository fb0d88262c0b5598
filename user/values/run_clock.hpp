// SPDX-License-Identifier: Apache-2.0
// run_clock.hpp: the clock of a live run, and how far the wall clock is from it.
//
// It is the events' clock, CLOCK_MONOTONIC: nobody can set it, and it stands still during a suspend, as TCP's timers
// do. A fixed offset makes its times look like the wall's as long as nobody sets that one, and the machine does not
// sleep. Which clocks are read is the caller's: this is arithmetic.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "tcpwitness/wire.hpp"

namespace tcpwitness {

class RunClock {
 public:
  struct Reading {
    TimeNs ns = 0;       // all at the same moment
    TimeNs boot_ns = 0;  // CLOCK_BOOTTIME, which goes on during a suspend
    TimeNs wall_ns = 0;
  };
  using Read = std::function<Reading()>;
  // The wall clock was set, or the machine was suspended.
  struct Step {
    TimeNs from = 0;            // of the run: at this time it was still as before
    std::int64_t by_ns = 0;     // since the last look
    std::int64_t slept_ns = 0;  // of it: how long the machine was suspended
    std::int64_t ahead_ns = 0;  // of the run's clock, from now on
  };

  explicit RunClock(Read read);
  // Of an event's CLOCK_MONOTONIC to the run's time.
  [[nodiscard]] std::int64_t offset_ns() const { return offset_ns_; }
  [[nodiscard]] TimeNs now() const { return read_().ns + offset_ns_; }
  // Looks at both. Less than a millisecond is the reading's own error, and is made up for by the next look that sees
  // more.
  [[nodiscard]] std::optional<Step> look();

 private:
  Read read_;
  std::int64_t offset_ns_ = 0;
  std::int64_t ahead_ns_ = 0;
  std::int64_t slept_ns_ = 0;  // since boot
  TimeNs looked_ = 0;
};

}  // namespace tcpwitness
