// SPDX-License-Identifier: Apache-2.0
// timestamp.hpp: pcapng timestamps, which count in a unit that each interface chooses, as nanoseconds since 1970.
//
// A time that does not fit is taken as the nearest that does (1970 to 2116), so that differences of times never
// overflow.
#pragma once

#include <algorithm>
#include <cstdint>

#include "tcpwitness/wire.hpp"

namespace tcpwitness {

inline constexpr TimeNs latest_time = TimeNs{1} << 62;

class Timescale {
 public:
  // if_tsresol: units of 10^-n seconds; with the highest bit set, 2^-n. if_tsoffset: seconds to add.
  Timescale(std::uint8_t resolution, std::int64_t offset_s)
      : offset_ns_(std::clamp<std::int64_t>(offset_s, -latest_time / ns_per_s, latest_time / ns_per_s) * ns_per_s),
        exponent_(resolution & 0x7fU),
        binary_((resolution & 0x80U) != 0) {
    if (binary_) return;
    for (unsigned n = exponent_; n < 9; n++) multiplier_ *= 10;
    for (unsigned n = 9; n < exponent_ && divisor_ != 0; n++)
      if (__builtin_mul_overflow(divisor_, std::uint64_t{10}, &divisor_)) divisor_ = 0;
  }

  [[nodiscard]] TimeNs nanoseconds(std::uint64_t ticks) const {
    std::uint64_t ns;
    if (binary_)
      ns = from_binary(ticks);
    else if (divisor_ != 1)
      ns = divisor_ == 0 ? 0 : ticks / divisor_;
    else if (__builtin_mul_overflow(ticks, multiplier_, &ns))
      ns = static_cast<std::uint64_t>(latest_time);
    const auto bounded = static_cast<TimeNs>(std::min(ns, static_cast<std::uint64_t>(latest_time)));
    return offset_ns_ == 0 ? bounded : std::clamp<TimeNs>(bounded + offset_ns_, 0, latest_time);
  }

 private:
  static constexpr std::int64_t ns_per_s = 1'000'000'000;

  [[nodiscard]] std::uint64_t from_binary(std::uint64_t ticks) const {
    __extension__ using Wide = unsigned __int128;
    const Wide ns = (Wide{ticks} * static_cast<std::uint64_t>(ns_per_s)) >> exponent_;
    return ns > Wide{static_cast<std::uint64_t>(latest_time)} ? static_cast<std::uint64_t>(latest_time)
                                                              : static_cast<std::uint64_t>(ns);
  }

  std::int64_t offset_ns_;
  std::uint64_t multiplier_ = 1;
  std::uint64_t divisor_ = 1;  // 0: the unit is too small to matter
  unsigned exponent_;
  bool binary_;
};

}  // namespace tcpwitness
