// SPDX-License-Identifier: Apache-2.0
// numbers.hpp: numbers where there is little room: a few characters, and a row of bars.
#pragma once

#include <cstddef>
#include <deque>
#include <string>

#include "top/model.hpp"

namespace tcpwitness::top {

// The newest samples as characters, the highest of them as a full one.
[[nodiscard]] std::string sparkline(const std::deque<Sample>& samples, double Sample::* what, std::size_t cells,
                                    bool utf8);
// "0", "0.3", "12", "1234", "12.3K", "1.2M": at most five characters, 1000-based.
[[nodiscard]] std::string short_count(double count);

}  // namespace tcpwitness::top
