// SPDX-License-Identifier: Apache-2.0
// svg.hpp: a ladder as SVG: lanes, rows, findings. The page (HTML) and a picture for documents have the same.
#pragma once

#include <cstddef>

#include "sink/output.hpp"
#include "sink/picture/ladder.hpp"

namespace tcpwitness::picture {

// Where the lanes are.
struct Lanes {
  double number = 34;    // right edge of the event numbers
  double time = 108;     // right edge
  double process = 330;  // right edge of its words
  double kernel = 346;   // left edge
  double local = 536;    // this end's line
  double remote = 992;   // the peer's line
  double peer_kernel = 0;
  double peer_process = 0;
  double remarks = 0;  // left edge
  double width = 0;
};
[[nodiscard]] Lanes lanes_of(const Ladder& ladder);

inline constexpr double head_height = 76;

// The title, how it ended, the names of the lanes: head_height high.
void append_head(Buffer& out, const Ladder& ladder);
// Rows first to last, but not last; y as in the ladder.
void append_rows(Buffer& out, const Ladder& ladder, std::size_t first, std::size_t last);
// The findings whose top is between two heights.
void append_remarks(Buffer& out, const Ladder& ladder, double from, double to);

// A whole file of ladders, one below the other. more: so many connections are left out.
void append_svg(Buffer& out, const std::vector<Ladder>& ladders, std::size_t more);

}  // namespace tcpwitness::picture
