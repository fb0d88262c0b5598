// SPDX-License-Identifier: Apache-2.0
// failing_memory.hpp: memory that is short for once.
#pragma once

#include <atomic>

namespace tcpwitness::testing {

// Of this thread (and another may set it): so many allocations from now on, the last one fails. 0: none does.
[[nodiscard]] std::atomic<int>& failing_allocation();

}  // namespace tcpwitness::testing
