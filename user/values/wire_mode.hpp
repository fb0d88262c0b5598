// SPDX-License-Identifier: Apache-2.0
// wire_mode.hpp: which hook the wire witness is asked to use.
#pragma once

#include <cstdint>

namespace tcpwitness {

// xdp is generic XDP; automatic takes the cheapest hook that does no harm.
enum class WireMode : std::uint8_t { automatic, xdp, xdp_native, xdp_generic, tc, none };

}  // namespace tcpwitness
