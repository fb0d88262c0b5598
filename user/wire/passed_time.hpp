// SPDX-License-Identifier: Apache-2.0
// passed_time.hpp: how much time a capture has shown to pass, whatever its timestamps say.
//
// A clock can be set while it is captured, captures can be joined or merged, and a timestamp can be damaged. So each
// step, forth or back, counts as a second at most: one jump is no silence, and of clocks that take turns none is.
#pragma once

#include <algorithm>

#include "wire/frame_order.hpp"

namespace tcpwitness {

class PassedTime {
 public:
  // A frame of this time was read; or none was, and yet it is that late.
  void step_to(TimeNs ts_ns) {
    if (begun_) passed_ns_ += std::clamp(ts_ns - at_ns_, -FrameOrder::apart_ns, FrameOrder::apart_ns);
    at_ns_ = ts_ns;
    begun_ = true;
  }
  [[nodiscard]] TimeNs passed_ns() const { return passed_ns_; }
  [[nodiscard]] TimeNs at_ns() const { return at_ns_; }  // by the newest timestamp

 private:
  TimeNs at_ns_ = 0;
  TimeNs passed_ns_ = 0;
  bool begun_ = false;
};

}  // namespace tcpwitness
