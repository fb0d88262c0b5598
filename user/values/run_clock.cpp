// SPDX-License-Identifier: Apache-2.0
#include "values/run_clock.hpp"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "tcpwitness/wall_clock.hpp"

namespace tcpwitness {
namespace {

constexpr std::int64_t noise_ns = 1'000'000;
constexpr std::size_t steps_kept = 64;  // a clock that is set all the time costs no more

}  // namespace

RunClock::RunClock(Read read) : read_(std::move(read)) {
  const Reading first = read_();
  offset_ns_ = first.wall_ns - first.ns;
  slept_ns_ = first.boot_ns - first.ns;
  looked_ = first.wall_ns;
}

std::optional<RunClock::Step> RunClock::look() {
  const Reading reading = read_();
  const TimeNs before = std::exchange(looked_, reading.ns + offset_ns_);
  const std::int64_t ahead = reading.wall_ns - looked_;
  const std::int64_t by = ahead - ahead_ns_;
  if (std::abs(by) < noise_ns) return std::nullopt;
  ahead_ns_ = ahead;
  const std::int64_t slept = reading.boot_ns - reading.ns - std::exchange(slept_ns_, reading.boot_ns - reading.ns);
  return Step{.from = before, .by_ns = by, .slept_ns = slept < noise_ns ? 0 : slept, .ahead_ns = ahead};
}

void WallClock::set(TimeNs from, std::int64_t ahead_ns) {
  if (steps_.size() >= steps_kept) steps_.erase(steps_.begin());
  if (!steps_.empty()) from = std::max(from, steps_.back().from);
  steps_.push_back({.from = from, .ahead_ns = ahead_ns});
}

// The last step that had been made by then.
std::int64_t WallClock::ahead(TimeNs at) const {
  const auto later = std::ranges::upper_bound(steps_, at, {}, &Step::from);
  return later == steps_.begin() ? 0 : std::prev(later)->ahead_ns;
}

}  // namespace tcpwitness
