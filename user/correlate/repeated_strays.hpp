// SPDX-License-Identifier: Apache-2.0
// repeated_strays.hpp: segments that fit no connection of this machine and come again, as of a peer whose FIN or data
// nobody acknowledges: one finding for all that are alike.
//
// A sender repeats itself at pauses that double (RFC 6298, 5.5), so they are over when the next one would have come.
#pragma once

#include <deque>
#include <optional>

#include "facts/stray.hpp"

namespace tcpwitness {

class RepeatedStrays {
 public:
  static constexpr std::size_t limit = 64;

  // One that is to be reported. Where there is no room the oldest gives way: returned, to be reported now.
  [[nodiscard]] std::optional<Stray> add(const Stray& stray);
  // The next one that is over, or the run is.
  [[nodiscard]] std::optional<Stray> due(TimeNs now, bool finished);

  [[nodiscard]] bool empty() const { return strays_.empty(); }

 private:
  std::deque<Stray> strays_;  // by the first of each
  TimeNs due_ns_ = 0;         // none of them is over before
};

}  // namespace tcpwitness
