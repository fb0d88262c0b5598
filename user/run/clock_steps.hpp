// SPDX-License-Identifier: Apache-2.0
// clock_steps.hpp: the wall clock of a live run is set, or the machine was suspended: what is printed from then on has
// the new times, and nothing else changes.
#pragma once

#include "recording/recorder.hpp"
#include "tcpwitness/report.hpp"
#include "values/run_clock.hpp"
#include "values/unique_fd.hpp"

namespace tcpwitness {

// Becomes readable each time that the wall clock is set. Not valid: that is seen at the next look.
[[nodiscard]] UniqueFd watch_for_clock_set();

// Compares the clocks. After a step: `names` has it, and the recording (null: none); stderr has a line.
void follow_clock_steps(RunClock& clock, Names& names, Recorder* recorder);

}  // namespace tcpwitness
