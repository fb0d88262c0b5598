// SPDX-License-Identifier: Apache-2.0
// layout.hpp: a model and a view as the rows of a screen. Pure: neither terminal nor clock.
//
//   title      open, ended, bad, the time, how often
//   sparklines four rows, two in each
//   tabs       the tables, the sorting, the filter
//   table
//   findings   a pane of their own
//   keys
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "top/frame.hpp"
#include "top/model.hpp"
#include "top/view.hpp"

namespace tcpwitness::top {

inline constexpr std::size_t least_width = 40;
inline constexpr std::size_t least_height = 12;

struct Surroundings {
  std::size_t width = 80;
  std::size_t height = 24;
  bool utf8 = false;
  std::string source{};     // "live", or a file and its speed
  TimeNs wall_ns = 0;       // what the wall clock shows; 0: not known yet
  std::string note{};       // in place of the keys
  bool ended = false;       // of a file: that was all
  std::vector<Row> text{};  // of a timeline or a story
};

// view: places that are beyond what there is are moved, and how many rows the table has is noted.
[[nodiscard]] Frame layout(const Model& model, View& view, const Surroundings& around);

}  // namespace tcpwitness::top
