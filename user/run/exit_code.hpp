// SPDX-License-Identifier: Apache-2.0
// exit_code.hpp: with what the program ends.
#pragma once

namespace tcpwitness {

inline constexpr int exit_failed = 1;
inline constexpr int exit_usage = 2;  // what was asked for cannot be

}  // namespace tcpwitness
