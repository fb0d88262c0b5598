// SPDX-License-Identifier: Apache-2.0
#include "values/words.hpp"

#include <fmt/format.h>

#include <cstring>

namespace tcpwitness {
namespace {

struct Scaled {
  double value;
  std::size_t unit;  // 0: as it is
};

// The largest unit in which the value, rounded as it will be printed, is at least 1.
Scaled scale(std::uint64_t bytes) {
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= (unit == 0 ? 1024.0 : 1023.5) && unit < 6) {
    value /= 1024.0;
    ++unit;
  }
  return {value, unit};
}

}  // namespace

std::string counted(std::uint64_t number, std::string_view what) {
  return fmt::format("{} {}{}", number, what, number == 1 ? "" : "s");
}

std::string process_name(std::string_view comm, std::uint32_t pid) {
  return fmt::format("{}[{}]", comm.empty() ? "?" : comm, pid);
}

std::string errno_name(int error) {
  const char* name = ::strerrorname_np(error);
  return name != nullptr ? name : fmt::format("errno {}", error);
}

std::string bytes_in_words(std::uint64_t bytes) {
  const Scaled scaled = scale(bytes);
  if (scaled.unit == 0) return fmt::format("{} byte{}", bytes, bytes == 1 ? "" : "s");
  return fmt::format("{:.{}f} {}iB", scaled.value, scaled.value < 9.95 ? 1 : 0, "BKMGTPE"[scaled.unit]);
}

}  // namespace tcpwitness
