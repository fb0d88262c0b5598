// SPDX-License-Identifier: Apache-2.0
// connection.hpp: what a picture shows of one connection, as it was reported.
#pragma once

#include <vector>

#include "tcpwitness/report.hpp"

namespace tcpwitness::picture {

struct Connection {
  Life life;
  std::vector<Entry> entries;  // in ring order
  std::vector<FindingReport> findings;
  std::vector<Entry> samples;
  std::uint64_t left_out = 0;  // entries, for want of memory
  bool stray = false;          // none: segments between two ends, and what became of them; of its life only the times
  std::uint64_t stray_segments = 0;
};

}  // namespace tcpwitness::picture
