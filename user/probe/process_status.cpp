// SPDX-License-Identifier: Apache-2.0
#include "probe/process_status.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <fstream>
#include <string>

#include "values/number.hpp"

namespace tcpwitness {

std::optional<std::uint32_t> process_status(std::uint32_t pid, std::string_view key) {
  std::ifstream status(fmt::format("/proc/{}/status", pid));
  for (std::string line; std::getline(status, line);) {
    if (!line.starts_with(key)) continue;
    const auto is_digit = [](unsigned char c) { return std::isdigit(c) != 0; };
    const auto begin = std::find_if(line.begin() + static_cast<std::ptrdiff_t>(key.size()), line.end(), is_digit);
    return number_in<std::uint32_t>(std::string_view(begin, std::find_if_not(begin, line.end(), is_digit)));
  }
  return std::nullopt;
}

}  // namespace tcpwitness
