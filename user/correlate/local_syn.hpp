// SPDX-License-Identifier: Apache-2.0
// local_syn.hpp: a SYN that seemed to be for this machine, and may turn out to be sent on by NAT.
#pragma once

#include <optional>
#include <utility>

#include "tcpwitness/event.hpp"

namespace tcpwitness {

struct LocalSyn {
  EventId id = 0;
  TimeNs ts_ns = 0;
  Segment segment;
  // The ICMP error that answered it: by a rule for what is forwarded, if it turns out that NAT sends it on.
  std::optional<std::pair<Event, IcmpSeen>> refusal{};
};

}  // namespace tcpwitness
