// SPDX-License-Identifier: Apache-2.0
// words.hpp: numbers and names as people read them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tcpwitness {

[[nodiscard]] std::string counted(std::uint64_t number, std::string_view what);  // "1 segment", "3 segments"
// "ETIMEDOUT"; "errno 4711" where libc has no name.
[[nodiscard]] std::string errno_name(int error);

}  // namespace tcpwitness
