// SPDX-License-Identifier: Apache-2.0
// samples.hpp: every so often (--sample): how the open connections send, of those where that has changed.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <unordered_map>

#include "run/live_feed.hpp"
#include "run/live_parts.hpp"
#include "run/ring_drain.hpp"

namespace tcpwitness {

class Samples {
 public:
  using Clock = std::chrono::steady_clock;

  Samples(const LiveParts& parts, LiveFeed& feed, RingDrain& drain)
      : parts_(parts), feed_(feed), drain_(drain), every_(parts.options.sample_every()) {}

  // Since the start of the run; nothing: never.
  [[nodiscard]] std::optional<Clock::duration> next() const {
    return every_.count() != 0 ? std::optional(next_) : std::nullopt;
  }
  // Where it is time.
  void take(Clock::duration since_start);

 private:
  const LiveParts& parts_;
  LiveFeed& feed_;
  RingDrain& drain_;
  std::chrono::nanoseconds every_;  // 0: never
  Clock::duration next_{};
  std::unordered_map<std::uint64_t, std::uint64_t> seen_;  // fingerprint of each socket's sending, by cookie
};

}  // namespace tcpwitness
