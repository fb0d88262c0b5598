// SPDX-License-Identifier: Apache-2.0
// time_share.hpp: how rarely something is done that takes long, so that it has no more than its share of the time.
#pragma once

#include <cstdint>

namespace tcpwitness {

// Times what it took, from its beginning to the next.
inline constexpr std::int64_t one_per_cent = 100;
inline constexpr std::int64_t two_per_cent = 50;

}  // namespace tcpwitness
