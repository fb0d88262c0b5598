// SPDX-License-Identifier: Apache-2.0
#include "correlate/payload_times.hpp"

#include <algorithm>
#include <cstddef>

namespace tcpwitness {

std::optional<PayloadTimes> payload_times(const Event& e, const RecordHeader& header, const FlowTimes& times) {
  constexpr std::size_t in = 0;
  constexpr std::size_t out = 1;
  if (times.first_ns[in] == 0 && times.first_ns[out] == 0) return std::nullopt;
  // The kernel's clock and the run's have the same pace.
  const auto at = [&](std::uint64_t ns) { return ns == 0 ? 0 : e.ts_ns - static_cast<TimeNs>(header.ts_ns - ns); };
  // A tick is long: not before the first.
  const auto newest = [&](std::size_t way) {
    const TimeNs ns = e.ts_ns - TimeNs{times.since_ms[way]} * 1'000'000;
    return times.first_ns[way] == 0 ? 0 : std::max(ns, at(times.first_ns[way]));
  };
  PayloadTimes found;
  found.first_out = at(times.first_ns[out]);
  found.first_out_acked = at(times.acked_ns[out]);
  found.last_out = newest(out);
  found.first_in = at(times.first_ns[in]);
  found.first_in_acked = at(times.acked_ns[in]);
  found.last_in = newest(in);
  found.request_end = at(times.asked_ns);
  const auto until = [&](std::size_t way) {
    return (std::int64_t{times.quiet_ms[way]} + times.paused_ms[way]) * 1'000'000;
  };
  found.until_out_ns = until(out);
  found.until_in_ns = until(in);
  return found;
}

}  // namespace tcpwitness
