// SPDX-License-Identifier: Apache-2.0
#include "values/words.hpp"

#include <fmt/format.h>

#include <cstring>

namespace tcpwitness {

std::string counted(std::uint64_t number, std::string_view what) {
  return fmt::format("{} {}{}", number, what, number == 1 ? "" : "s");
}

std::string errno_name(int error) {
  const char* name = ::strerrorname_np(error);
  return name != nullptr ? name : fmt::format("errno {}", error);
}

}  // namespace tcpwitness
