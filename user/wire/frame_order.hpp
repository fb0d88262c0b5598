// SPDX-License-Identifier: Apache-2.0
// frame_order.hpp: the order of a capture's segments, where the file has another one than their timestamps.
//
// Who captures several queues or interfaces at once writes what each of them brings, a few segments at a time. Where
// clocks disagree it is the timestamps that are wrong. Which of both it is the first disorder shows: that order is
// right in which fewer segments are below what their sender has sent, or acknowledge what nobody has sent yet. An
// ordinary file costs a comparison a segment; only its first ones are held back.
#pragma once

#include <cstddef>
#include <vector>

#include "tcpwitness/wire.hpp"

namespace tcpwitness {

class FrameOrder {
 public:
  static constexpr std::size_t window = 256;
  // Further back than that, the clock was set, or another capture begins.
  static constexpr TimeNs apart_ns = 1'000'000'000;

  // `take` gets this segment and those before it that need not wait any longer, in their order.
  template <typename Take>
  void put(const TcpFrame& frame, const Take& take) {
    const bool back = frame.ts_ns < newest_ns_;
    if (straight_ && (!back || rule_ == Rule::file)) [[likely]] {
      newest_ns_ = frame.ts_ns;
      take(frame);
      return;
    }
    if (back && newest_ns_ - frame.ts_ns > apart_ns) {
      finish(take);
      newest_ns_ = 0;
    }
    hold(frame);
    if (held_.size() < window) return;
    arrange();
    release(rule_ == Rule::time ? window / 2 : window, take);
  }
  // There are no more.
  template <typename Take>
  void finish(const Take& take) {
    arrange();
    release(held_.size(), take);
  }

 private:
  enum class Rule : unsigned char { none, file, time };

  void hold(const TcpFrame& frame);
  // Brings the held ones into their order, and decides by which rule where there is a disorder among them.
  void arrange();
  template <typename Take>
  void release(std::size_t count, const Take& take) {
    for (std::size_t i = 0; i < count; ++i) take(held_[i]);
    held_.erase(held_.begin(), held_.begin() + static_cast<std::ptrdiff_t>(count));
  }

  std::vector<TcpFrame> held_;
  TimeNs newest_ns_ = 0;
  Rule rule_ = Rule::none;
  bool straight_ = false;  // nothing is held back
  bool disorder_ = false;  // among the held ones
};

}  // namespace tcpwitness
