// SPDX-License-Identifier: Apache-2.0
// evidence.hpp: an event that was seen, and the events that carry a finding.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "tcpwitness/event.hpp"

namespace tcpwitness {

// An event and its time; id 0: it was not seen.
struct Mark {
  EventId id = 0;
  TimeNs ts_ns = 0;
  explicit operator bool() const { return id != 0; }
};

// Both directions of a flow.
[[nodiscard]] inline std::uint64_t segments_of(const WireCounters& wire) {
  return std::uint64_t{wire.segs_in} + wire.segs_out;
}

// The first events that carry a finding, and the newest one.
struct Evidence {
  static constexpr std::size_t limit = 8;
  std::array<EventId, limit> ids{};
  std::uint32_t total = 0;
  TimeNs first_ns = 0;  // of the first and the newest one, where they were given
  TimeNs last_ns = 0;

  void add(EventId id, TimeNs ts_ns = 0) {
    if (total == 0) first_ns = ts_ns;
    last_ns = ts_ns;
    ids[total < limit ? total : limit - 1] = id;
    ++total;
  }
  void clear() { total = 0; }
  [[nodiscard]] EventId newest() const { return total == 0 ? 0 : ids[total < limit ? total - 1 : limit - 1]; }
  [[nodiscard]] std::vector<EventId> list() const {
    return {ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(total < limit ? total : limit)};
  }
  [[nodiscard]] std::uint32_t more() const { return total > limit ? total - static_cast<std::uint32_t>(limit) : 0; }
};

}  // namespace tcpwitness
