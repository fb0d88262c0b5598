// SPDX-License-Identifier: Apache-2.0
// kernel_clock.hpp: CLOCK_MONOTONIC as BPF programs read it. In a time namespace (time_namespaces(7), `unshare --time`)
// a process reads another one: the kernel adds the namespace's offset for it, and for no BPF program.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <optional>

namespace tcpwitness {

// How far the kernel's is ahead of this process's: 0 outside of time namespaces.
[[nodiscard]] std::int64_t kernel_clock_ahead_ns();

// Likewise, in two ways. By a program that reads it; empty before 5.14, and without CAP_BPF.
[[nodiscard]] std::optional<std::int64_t> ahead_by_program();
// By /proc/self/timens_offsets, whose lines are a clock, seconds and nanoseconds: what the namespace adds. (That of
// this process's children; it is its own but between unshare(2) and fork(2).) 0 where there is no line for it.
[[nodiscard]] std::int64_t ahead_by_offsets(std::istream& lines);

}  // namespace tcpwitness
