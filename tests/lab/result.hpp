// SPDX-License-Identifier: Apache-2.0
//
// How the lab reports failure: a value or one sentence: what failed, on what, and why.
// No exception leaves any function declared in this directory.

#pragma once

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <expected>
#include <string>
#include <string_view>

namespace tcpwitness::lab {

template <typename T>
using Result = std::expected<T, std::string>;

inline std::unexpected<std::string> failure(std::string text) { return std::unexpected(std::move(text)); }

// "what: No such file or directory"; reads errno unless one is given.
inline std::unexpected<std::string> system_failure(std::string_view what, int error = errno) {
  return std::unexpected(fmt::format("{}: {}", what, std::strerror(error)));
}

}  // namespace tcpwitness::lab
