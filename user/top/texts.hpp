// SPDX-License-Identifier: Apache-2.0
// texts.hpp: one connection as text: its timeline as `trace` prints it, its story as `explain` does.
#pragma once

#include <vector>

#include "tcpwitness/report.hpp"
#include "top/frame.hpp"
#include "top/kept.hpp"

namespace tcpwitness::top {

struct TextLook {
  std::size_t width = 80;
  bool colour = false;
  bool utf8 = false;
  bool wire_alone = false;
};

[[nodiscard]] std::vector<Row> timeline_of(const Kept::Of& of, const Names& names, const TextLook& look);
// of: null where no event is kept.
[[nodiscard]] std::vector<Row> story_of(const Kept::Of* of, const Life& life, const Names& names, const TextLook& look);

}  // namespace tcpwitness::top
