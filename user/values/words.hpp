// SPDX-License-Identifier: Apache-2.0
// words.hpp: numbers and names as people read them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tcpwitness {

[[nodiscard]] std::string counted(std::uint64_t number, std::string_view what);  // "1 segment", "3 segments"
[[nodiscard]] std::string error_name(int error);                                 // "ETIMEDOUT"

}  // namespace tcpwitness
