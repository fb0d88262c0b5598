// SPDX-License-Identifier: Apache-2.0
// json_lines.hpp: NDJSON as objects.
#pragma once

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "read/program.hpp"

namespace tcpwitness::read_test {

inline std::vector<nlohmann::json> objects(const std::string& text) {
  std::vector<nlohmann::json> all;
  for (const std::string& line : lines_of(text)) all.push_back(nlohmann::json::parse(line));
  return all;
}

inline std::vector<nlohmann::json> only(const std::vector<nlohmann::json>& all, std::string_view type) {
  std::vector<nlohmann::json> some;
  std::ranges::copy_if(all, std::back_inserter(some), [&](const auto& object) { return object["type"] == type; });
  return some;
}

}  // namespace tcpwitness::read_test
