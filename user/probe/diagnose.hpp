// SPDX-License-Identifier: Apache-2.0
// diagnose.hpp: what this machine can do for the tracer, found by trying: each hook is attached for a moment.
//
// Nothing stays: what is attached hangs on this process, and no XDP program is attached at all (that can interrupt a
// link, and generic XDP switches hardware features off for good). What could not be looked at is named.
#pragma once

#include <string>
#include <vector>

#include "probe/features.hpp"
#include "values/checkup.hpp"

namespace tcpwitness {

// interfaces: only these; empty: all that are up. An interface that is not there is an error.
[[nodiscard]] Result<Checkup> diagnose(const std::vector<std::string>& interfaces, std::uint64_t ring_bytes,
                                       const DisabledFeatures& disabled);

}  // namespace tcpwitness
