// SPDX-License-Identifier: Apache-2.0
#include "top/painted.hpp"

namespace tcpwitness::top {
namespace {

// The colour that a text begins to set, and how many bytes that takes; 0: it sets none.
std::size_t set_colour(std::string_view text, Look& look) {
  if (text.starts_with(colour_off)) {
    look = {};
    return colour_off.size();
  }
  for (auto colour = Colour::dim; colour <= Colour::hue5; colour = static_cast<Colour>(static_cast<int>(colour) + 1)) {
    if (!text.starts_with(escape_of(colour))) continue;
    look = {colour, false};
    return escape_of(colour).size();
  }
  return 0;
}

}  // namespace

std::vector<Row> rows_of(std::string_view painted, std::size_t width, bool utf8) {
  std::vector<Row> rows;
  while (!painted.empty()) {
    const std::size_t end = std::min(painted.find('\n'), painted.size());
    std::string_view line = painted.substr(0, end);
    painted.remove_prefix(std::min(end + 1, painted.size()));
    Row& row = rows.emplace_back(width);
    Look look;
    while (!line.empty()) {
      if (line.front() == '\x1b') {
        const std::size_t escape = set_colour(line, look);
        if (escape == 0) row.put("?", look);
        line.remove_prefix(escape == 0 ? 1 : escape);
        continue;
      }
      const std::string_view text = line.substr(0, line.find('\x1b'));
      row.put(shown(text, utf8), look);
      line.remove_prefix(text.size());
    }
  }
  return rows;
}

}  // namespace tcpwitness::top
