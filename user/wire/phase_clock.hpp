// SPDX-License-Identifier: Apache-2.0
// phase_clock.hpp: what each moment between a connection's first and last payload was spent on.
//
// Fed with every segment of both sides, in the order in which they passed. Side 0 is local.
#pragma once

#include <array>
#include <cstdint>

#include "tcpwitness/phases.hpp"
#include "wire/analysis.hpp"

namespace tcpwitness {

class PhaseClock {
 public:
  enum class Kind : std::uint8_t { ordinary, again, probe };  // probe: a keep-alive, or into a closed window

  void observe(const SeenSegment& segment, unsigned from, Kind kind) {
    if (segment.len == 0 && idle_ && segment.window != 0) return;  // a bare ACK that changes nothing
    look(segment, from, kind);
  }
  // Nothing where the clock was set meanwhile.
  [[nodiscard]] PayloadTimes times() const;

 private:
  struct Half {
    std::int64_t first_ns = 0;
    std::int64_t first_acked_ns = 0;
    std::int64_t last_ns = 0;
    std::uint32_t first_end = 0;  // number behind the first segment with payload
    std::uint32_t end = 0;        // behind the highest one
    std::uint32_t acked = 0;      // the highest acknowledgement of the other side
    bool acked_any = false;
    bool closed = false;      // it has closed its window,
    bool was_closed = false;  // or had since the other side's newest payload
  };
  void look(const SeenSegment& segment, unsigned from, Kind kind);
  void payload(const SeenSegment& segment, unsigned from, bool again);
  void between(std::int64_t gap_ns, unsigned from);
  [[nodiscard]] bool all_acknowledged(const Half& half) const;

  std::array<Half, 2> half_{};
  std::int64_t now_ns_ = 0;      // of the newest segment
  std::int64_t payload_ns_ = 0;  // of the newest one with payload
  std::int64_t request_end_ns_ = 0;
  std::int64_t transfer_ns_ = 0;
  std::int64_t stalled_ns_ = 0;
  std::array<std::int64_t, 2> until_ns_{};  // until this side sent; see PayloadTimes
  std::uint8_t first_ = 0;                  // the side that sent payload first
  std::uint8_t last_ = 0;                   // and last
  bool ran_back_ = false;                   // by more than a disorder of the capture
  bool idle_ = false;                       // everything is acknowledged, no window is closed
  bool answer_late_ = false;                // before the first answer was whole, something was sent again or is missing
};

}  // namespace tcpwitness
