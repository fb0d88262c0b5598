// SPDX-License-Identifier: Apache-2.0
// interim_reports.hpp: when connections that go on are reported as they are by then: every so often, for --every,
// metrics and a screen.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "run/live_feed.hpp"
#include "run/live_output.hpp"
#include "run/live_parts.hpp"
#include "run/ring_drain.hpp"

namespace tcpwitness {

class InterimReports {
 public:
  using Clock = std::chrono::steady_clock;

  InterimReports(const LiveParts& parts, LiveFeed& feed, RingDrain& drain, LiveOutput& output);

  // Since the start of the run; nothing: never.
  [[nodiscard]] std::optional<Clock::duration> next() const { return every_ ? std::optional(next_) : std::nullopt; }
  // Where it is time. The last one is the end of the run, which has its own report.
  void report(Clock::duration since_start);

 private:
  void list_sockets(Clock::duration since_start);
  [[nodiscard]] Totals totals();
  void count_evicted(Clock::duration since_start);

  const LiveParts& parts_;
  LiveFeed& feed_;
  RingDrain& drain_;
  LiveOutput& output_;
  std::optional<Clock::duration> every_;
  Clock::duration next_{};
  Clock::duration list_next_{};  // not before that are the sockets listed
  Clock::duration evicted_next_{};
  std::uint64_t evicted_ = 0;  // as of then
};

}  // namespace tcpwitness
