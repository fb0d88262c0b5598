// SPDX-License-Identifier: Apache-2.0
// painted.hpp: what the text sinks print (trace, explain), as rows of a screen.
#pragma once

#include <string_view>
#include <vector>

#include "top/frame.hpp"

namespace tcpwitness::top {

// The escapes are those of paint.hpp; anything else that is no character to be shown is '?'.
[[nodiscard]] std::vector<Row> rows_of(std::string_view painted, std::size_t width, bool utf8);

}  // namespace tcpwitness::top
