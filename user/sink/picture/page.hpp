// SPDX-License-Identifier: Apache-2.0
// page.hpp: the page: one HTML file with its styles, its scripts and its data, which asks nobody for anything.
//
// The data are the reports as -o json has them (lives, findings) and, of each connection, its segments in columns for
// the graphs. Ladders are text until they are looked at: a hundred rows at a time become elements.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <vector>

#include "sink/output.hpp"
#include "sink/picture/connection.hpp"
#include "sink/picture/ladder.hpp"

namespace tcpwitness::picture {

struct Page {
  std::vector<const Connection*> connections;  // in their order
  std::function<const Connection*(const Connection&)> peer_of;
  std::optional<Ready> ready;
  std::optional<Summary> summary;
  std::vector<GapReport> gaps;
  std::size_t left_out = 0;  // connections
};

void write_page(Output& output, const Page& page, const Names& names, const LadderSettings& settings);

}  // namespace tcpwitness::picture
