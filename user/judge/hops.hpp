// SPDX-License-Identifier: Apache-2.0
// hops.hpp: the two sides of a connection that passes through this machine, as rules ask for them.
#pragma once

#include <string>

#include "facts/hop_numbers.hpp"
#include "judge/judge.hpp"

namespace tcpwitness {

[[nodiscard]] inline arguments::Side side_of(unsigned side) {
  return side == client ? arguments::Side::client : arguments::Side::server;
}

// The interface behind which that side is; "": not known.
[[nodiscard]] inline std::string interface_of(const Connection& c, const RuleContext& context, unsigned side) {
  const std::uint32_t index = c.forwarded()->hops[side].ifindex;
  return index != 0 ? context.names.interface(index) : "";
}

}  // namespace tcpwitness
