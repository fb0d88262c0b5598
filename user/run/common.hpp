// SPDX-License-Identifier: Apache-2.0
// common.hpp: what the composition roots share: the outside of a run (errors, clock, signals) and its sink.
#pragma once

#include <memory>

#include "cli/options.hpp"
#include "probe/unique_fd.hpp"
#include "sink/sinks.hpp"
#include "tcpwitness/report.hpp"
#include "tcpwitness/result.hpp"

namespace tcpwitness {

// Says it on stderr and returns exit code 1.
[[nodiscard]] int fail(const Error& error);

// The same of standard output, with the errno of Output::error().
[[nodiscard]] int broken_output(int error);

// CLOCK_REALTIME.
[[nodiscard]] TimeNs realtime_ns();

// SIGINT, SIGTERM and SIGHUP as a descriptor; a closed pipe as an error of write().
[[nodiscard]] Result<UniqueFd> take_signals();

// What the options ask for, on stdout. wire_alone: a capture; nothing is known of processes and the kernel.
[[nodiscard]] std::unique_ptr<Sink> make_sink(const Options& options, Output& output, const Names& names,
                                              bool wire_alone = false);

}  // namespace tcpwitness
