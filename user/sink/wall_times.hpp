// SPDX-License-Identifier: Apache-2.0
// wall_times.hpp: times of the run become those that the wall clock showed.
//
// For sinks that print times and no differences between them. Those that reckon with them ask Names::wall where they
// print one. Costs nothing as long as nobody has set the clock.
#pragma once

#include <memory>

#include "tcpwitness/pipeline.hpp"

namespace tcpwitness {

void show_wall_times(Report& report, const WallClock& wall);
// A sink before a sink.
[[nodiscard]] std::unique_ptr<Sink> with_wall_times(std::unique_ptr<Sink> sink, const Names& names);

}  // namespace tcpwitness
