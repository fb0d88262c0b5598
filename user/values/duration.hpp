// SPDX-License-Identifier: Apache-2.0
// duration.hpp: a duration as people read it: three digits.
#pragma once

#include <cstdint>
#include <string>

namespace tcpwitness {

// "999 ns", "21 us", "20.0 ms", "7.15 s", "2 min 5 s", "4 d 4 h"
[[nodiscard]] std::string duration_in_words(std::int64_t ns);
// The same inside a sentence, which says "20 ms", "60 s" and "125 s".
[[nodiscard]] std::string seconds(std::int64_t ns);

}  // namespace tcpwitness
