// SPDX-License-Identifier: Apache-2.0
// losses.hpp: how much was lost so far, and whether something of a connection can be among it.
#pragma once

#include <algorithm>
#include <cstdint>

#include "facts/connection.hpp"
#include "tcpwitness/event.hpp"

namespace tcpwitness {

class Losses {
 public:
  void add(const Gap& gap) {
    ++serial_;
    until_ns_ = std::max(until_ns_, gap.to_ts_ns);
  }

  [[nodiscard]] bool any() const { return serial_ != 0; }
  // Something was lost then or later, or at most so long before.
  [[nodiscard]] bool reach(TimeNs ts, std::int64_t before_ns = 0) const { return any() && until_ns_ + before_ns >= ts; }
  // A connection begins with an event of that time. first: its very first one; if not, and something was lost at any
  // time before, then that may have been of it.
  void begins(Connection& c, TimeNs ts, bool first) const {
    c.gap_serial = serial_;
    c.incomplete = first ? reach(ts) : any();
  }
  // Something was lost since it was first seen.
  [[nodiscard]] bool since_begun(const Connection& c) const { return serial_ != c.gap_serial; }
  // Events of it may be missing.
  [[nodiscard]] bool may_concern(const Connection& c) const { return since_begun(c) || c.incomplete; }

 private:
  TimeNs until_ns_ = 0;  // the end of the newest
  std::uint32_t serial_ = 0;
};

}  // namespace tcpwitness
