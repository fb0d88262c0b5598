// SPDX-License-Identifier: Apache-2.0
// clocks.hpp: the clocks that a run reads.
#pragma once

#include <cstdint>

#include "tcpwitness/wire.hpp"
#include "values/run_clock.hpp"

namespace tcpwitness {

// CLOCK_REALTIME.
[[nodiscard]] TimeNs realtime_ns();
// CLOCK_MONOTONIC, CLOCK_BOOTTIME and CLOCK_REALTIME at the same moment. The first is the kernel's, which is `ahead_ns`
// of this process's own (in a time namespace).
[[nodiscard]] RunClock::Reading read_clocks(std::int64_t ahead_ns);
// CPU time of this thread.
[[nodiscard]] std::int64_t thread_cpu_ns();

}  // namespace tcpwitness
