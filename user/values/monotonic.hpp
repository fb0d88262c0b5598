// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ctime>

#include "tcpwitness/wire.hpp"

namespace tcpwitness {

// CLOCK_MONOTONIC of this process. A signal handler may ask.
inline TimeNs monotonic_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return TimeNs{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

}  // namespace tcpwitness
