// SPDX-License-Identifier: Apache-2.0
// help.hpp: the page of keys, columns and notes.
#pragma once

#include <cstddef>
#include <vector>

#include "top/frame.hpp"

namespace tcpwitness::top {

[[nodiscard]] std::vector<Row> help_rows(std::size_t width);

}  // namespace tcpwitness::top
