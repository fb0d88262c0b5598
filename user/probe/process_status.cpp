// SPDX-License-Identifier: Apache-2.0
#include "probe/process_status.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <fstream>
#include <string>

#include "values/number.hpp"

namespace tcpwitness {

namespace {

// What is behind `key` in its line.
std::optional<std::string> status_line(std::uint32_t pid, std::string_view key) {
  std::ifstream status(fmt::format("/proc/{}/status", pid));
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(key)) return line.substr(key.size());
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::uint32_t> process_status(std::uint32_t pid, std::string_view key) {
  const auto line = status_line(pid, key);
  if (!line) return std::nullopt;
  const auto is_digit = [](unsigned char c) { return std::isdigit(c) != 0; };
  const auto begin = std::ranges::find_if(*line, is_digit);
  return number_in<std::uint32_t>(std::string_view(begin, std::find_if_not(begin, line->end(), is_digit)));
}

bool process_is_gone(std::uint32_t pid) {
  const auto state = status_line(pid, "State:\t");
  if (!state) return true;
  const bool ended = state->starts_with('Z') || state->starts_with('X');
  return ended && process_status(pid, "Threads:").value_or(1) <= 1;
}

}  // namespace tcpwitness
