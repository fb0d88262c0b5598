// SPDX-License-Identifier: Apache-2.0
// outputs.hpp: which output the options ask for, and the reports that it is made of.
#pragma once

#include <memory>

#include "cli/options.hpp"
#include "run/containers.hpp"
#include "sink/sinks.hpp"
#include "tcpwitness/pipeline.hpp"

namespace tcpwitness {

// The reports that what the options ask for is made of.
[[nodiscard]] ReportSettings report_settings(const Options& options);

// What the options ask for, on stdout. wire_alone: a capture; nothing is known of processes and the kernel. containers:
// for --by container.
[[nodiscard]] std::unique_ptr<Sink> make_sink(const Options& options, Output& output, const Names& names,
                                              bool wire_alone = false, Containers* containers = nullptr);

}  // namespace tcpwitness
