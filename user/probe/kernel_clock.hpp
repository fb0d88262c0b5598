// SPDX-License-Identifier: Apache-2.0
// kernel_clock.hpp: CLOCK_MONOTONIC as BPF programs read it. In a time namespace (time_namespaces(7), `unshare --time`)
// a process reads another one: the kernel adds the namespace's offset for it, and for no BPF program.
#pragma once

#include <cstdint>
#include <optional>

#include "tcpwitness/wire.hpp"

namespace tcpwitness {

// CLOCK_MONOTONIC of this process.
[[nodiscard]] TimeNs monotonic_ns();

// How far the kernel's is ahead of it: 0 outside of time namespaces. Empty: the kernel cannot be asked (before 5.14, or
// without CAP_BPF).
[[nodiscard]] std::optional<std::int64_t> kernel_clock_ahead_ns();

}  // namespace tcpwitness
