// SPDX-License-Identifier: Apache-2.0
// hop_numbers.hpp: the two hops of a connection that passes through this machine, as indices: the client's side and the
// server's.
#pragma once

namespace tcpwitness {

inline constexpr unsigned client = 0;
inline constexpr unsigned server = 1;

}  // namespace tcpwitness
