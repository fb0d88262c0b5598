// SPDX-License-Identifier: Apache-2.0
// duration.hpp: a duration as people read it, the same everywhere.
#pragma once

#include <cstdint>
#include <string>

namespace tcpwitness {

// Three digits, and none behind the point of what is whole: "999 ns", "21 us", "20 ms", "20.1 ms", "7.15 s", "60 s",
// "2 min 5 s", "2 h", "4 d 4 h". A negative one is 0. (Columns of tables have a shorter form: sink/format.hpp.)
[[nodiscard]] std::string duration_in_words(std::int64_t ns);
// The same of what the kernel counts in milliseconds or microseconds.
[[nodiscard]] std::string milliseconds_in_words(std::int64_t ms);
[[nodiscard]] std::string microseconds_in_words(std::int64_t us);

}  // namespace tcpwitness
