// SPDX-License-Identifier: Apache-2.0
// interface_names.hpp: the names of interfaces, also of those that are gone: connections have passed through them that
// are reported later.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tcpwitness/report.hpp"

namespace tcpwitness {

// `there`: all that exist, by index. Of those that are gone the newest `kept` stay at least, twice as many at most: an
// index is higher than all before it.
inline void learn_interfaces(Names& names, const std::map<std::uint32_t, std::string>& there,
                             std::size_t kept = 16'384) {
  for (const auto& [index, name] : there) names.interfaces[index] = name;
  if (names.interfaces.size() <= there.size() + 2 * kept) return;
  std::vector<std::uint32_t> gone;
  for (const auto& [index, name] : names.interfaces) {
    if (!there.contains(index)) gone.push_back(index);
  }
  const auto newest = gone.end() - static_cast<std::ptrdiff_t>(kept);
  std::ranges::nth_element(gone, newest);
  std::for_each(gone.begin(), newest, [&](std::uint32_t index) { names.interfaces.erase(index); });
}

}  // namespace tcpwitness
