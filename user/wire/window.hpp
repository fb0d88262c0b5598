// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace tcpwitness {

// The most bytes that a receive window can have (RFC 7323, section 2.3): no two sequence numbers of one time are further apart.
inline constexpr std::uint32_t largest_window = 1U << 30U;

}  // namespace tcpwitness
