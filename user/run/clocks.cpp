// SPDX-License-Identifier: Apache-2.0
#include "run/clocks.hpp"

#include <ctime>

namespace tcpwitness {
namespace {

TimeNs read_clock(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<TimeNs>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

}  // namespace

TimeNs realtime_ns() { return read_clock(CLOCK_REALTIME); }

// Two between two readings of the third: the error is half the time that those two are apart. The best of a few, as
// somebody else may have had the processor in between.
RunClock::Reading read_clocks(std::int64_t ahead_ns) {
  constexpr TimeNs good_ns = 20'000;
  RunClock::Reading best;
  TimeNs best_apart = 0;
  for (int i = 0; i < 5; ++i) {
    const TimeNs before = read_clock(CLOCK_MONOTONIC);
    const TimeNs wall = read_clock(CLOCK_REALTIME);
    const TimeNs boot = read_clock(CLOCK_BOOTTIME);
    const TimeNs apart = read_clock(CLOCK_MONOTONIC) - before;
    if (i == 0 || apart < best_apart) {
      best = {.ns = before + apart / 2 + ahead_ns, .boot_ns = boot, .wall_ns = wall};
      best_apart = apart;
    }
    if (apart < good_ns) break;
  }
  return best;
}

std::int64_t thread_cpu_ns() { return read_clock(CLOCK_THREAD_CPUTIME_ID); }

}  // namespace tcpwitness
