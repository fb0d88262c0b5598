// SPDX-License-Identifier: Apache-2.0
// netns.hpp: entering the network namespace that is to be traced.
#pragma once

#include <string>

#include "tcpwitness/result.hpp"

namespace tcpwitness {

// A name as `ip netns` knows it (/run/netns/NAME), or a path (/proc/PID/ns/net). The whole process moves
// there: sockets, interfaces and the iterators all belong to the namespace of the caller.
[[nodiscard]] Result<void> enter_netns(const std::string& name_or_path);

}  // namespace tcpwitness
