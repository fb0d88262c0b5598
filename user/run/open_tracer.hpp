// SPDX-License-Identifier: Apache-2.0
// open_tracer.hpp: the tracer is loaded and its ring watched; no hook is attached yet.
#pragma once

#include <memory>
#include <optional>
#include <span>

#include "probe/features.hpp"
#include "probe/tracer.hpp"
#include "source/ring.hpp"
#include "source/urgency.hpp"
#include "tcpwitness/result.hpp"
#include "values/unique_fd.hpp"

namespace tcpwitness {

struct OpenTracer {
  Features features;
  std::unique_ptr<Tracer> tracer;
  std::unique_ptr<RingSource> ring;
  UniqueFd clock_set;  // see watch_for_clock_set()
  std::unique_ptr<Urgency> urgency;
};

// Loads the programs; no hook is attached yet. A wait for the ring ends too when one of `watched` is readable, and once
// when `ends` (a process, -1: none) becomes so.
[[nodiscard]] Result<OpenTracer> open_tracer(const TracerSettings& settings, std::span<const int> watched, int ends);

}  // namespace tcpwitness
