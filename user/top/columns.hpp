// SPDX-License-Identifier: Apache-2.0
// columns.hpp: the columns of a table as they fit a width: the last ones give way, and the name gets what is left.
#pragma once

#include <cstddef>
#include <vector>

#include "top/view.hpp"

namespace tcpwitness::top {

struct Place {
  Column column;
  const char* title;
  std::size_t width;
  bool right;
};

[[nodiscard]] std::vector<Place> places_of(const View& view, std::size_t width);

}  // namespace tcpwitness::top
