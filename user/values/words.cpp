// SPDX-License-Identifier: Apache-2.0
#include "values/words.hpp"

#include <fmt/format.h>

#include <cerrno>

namespace tcpwitness {

std::string counted(std::uint64_t number, std::string_view what) {
  return fmt::format("{} {}{}", number, what, number == 1 ? "" : "s");
}

std::string error_name(int error) {
  switch (error) {
    case 0:
      return "no error";
    case EPIPE:
      return "EPIPE";
    case ECONNREFUSED:
      return "ECONNREFUSED";
    case ETIMEDOUT:
      return "ETIMEDOUT";
    case ECONNRESET:
      return "ECONNRESET";
    case ECONNABORTED:
      return "ECONNABORTED";
    case EHOSTUNREACH:
      return "EHOSTUNREACH";
    case ENETUNREACH:
      return "ENETUNREACH";
    case EADDRNOTAVAIL:
      return "EADDRNOTAVAIL";
    case EACCES:
      return "EACCES";
    case ENOPROTOOPT:
      return "ENOPROTOOPT";
    default:
      return fmt::format("errno {}", error);
  }
}

}  // namespace tcpwitness
