// SPDX-License-Identifier: Apache-2.0
// pace.hpp: when to look at the ring next, so that each look is one short piece of work.
//
// Who works for milliseconds in one piece makes whoever waits for that processor late. Under load we look more often
// and work as long as `piece` each time (what a look itself costs, wake-up, system calls and cold caches, is little
// beside it, and who drains gives way within it); without load rarely; and after some looks that found nothing only
// when a record comes. Arithmetic alone: it reads no clock.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>

namespace tcpwitness {

class Pace {
 public:
  using Ns = std::chrono::nanoseconds;
  static constexpr Ns piece = std::chrono::microseconds(500);
  static constexpr Ns shortest = std::chrono::milliseconds(1);
  static constexpr Ns longest = std::chrono::milliseconds(50);
  static constexpr std::size_t quiet_looks = 2;

  // A look `since` the one before it read so many records and worked for `work` (CPU time).
  void looked(std::size_t records, Ns work, Ns since) {
    quiet_ = records == 0 ? quiet_ + 1 : 0;
    // What came in that time took so long, so in which time comes as much as a piece of work?
    const Ns known = std::clamp(since, Ns(0), 20 * longest);
    const Ns wanted = known * piece.count() / std::max(work, Ns(1'000)).count();
    interval_ = std::clamp(std::min(wanted, 2 * interval_), shortest, longest);
  }
  // Until the next look.
  [[nodiscard]] Ns interval() const { return interval_; }
  // Nothing comes: the next record may wake us.
  [[nodiscard]] bool idle() const { return quiet_ >= quiet_looks; }

 private:
  Ns interval_ = longest;
  std::size_t quiet_ = 0;
};

}  // namespace tcpwitness
