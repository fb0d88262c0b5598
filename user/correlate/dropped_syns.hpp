// SPDX-License-Identifier: Apache-2.0
// dropped_syns.hpp: SYNs for no connection of this machine that it dropped before TCP had them.
//
// A SYN that is not answered comes again, so an attempt is over when the next one would have come.
#pragma once

#include <deque>
#include <memory>
#include <optional>

#include "facts/stray.hpp"
#include "tcpwitness/event.hpp"

namespace tcpwitness {

class DroppedSyns {
 public:
  static constexpr std::size_t limit = 256;

  // Where there is no room the oldest attempt gives way: returned, to be reported.
  [[nodiscard]] std::optional<DroppedSyn> add(const Stray& syn, const Event& e, const Drop& d);
  // The next one that is over, or the run is.
  [[nodiscard]] std::optional<DroppedSyn> due(TimeNs now, bool finished);

  // Not reported alone: added up until a second is over.
  void add_up(const DroppedSyn& syn, TimeNs now);
  [[nodiscard]] std::optional<MoreDroppedSyns> sum_due(TimeNs now, bool finished);

  [[nodiscard]] bool empty() const { return attempts_.empty() && !sum_; }

 private:
  std::deque<DroppedSyn> attempts_;  // the oldest first
  TimeNs due_ns_ = 0;                // none of them is over before
  std::unique_ptr<MoreDroppedSyns> sum_;
};

}  // namespace tcpwitness
