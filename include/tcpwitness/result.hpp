// SPDX-License-Identifier: Apache-2.0
// result.hpp: how every fallible step of the project reports failure.
//
// An Error has what failed, on what, why in words, and what to do about it. No exceptions cross a
// stage of the pipeline; a Result is looked at or passed on.
#pragma once

#include <expected>
#include <string>
#include <utility>

namespace tcpwitness {

// A value like any other: it owns its texts.
struct Error {
  std::string what;  // the step and its object: "attach the XDP program to eth0"
  std::string why;   // in words: "another XDP program is attached there"
  std::string hint;  // what to do; may be empty

  // "cannot WHAT: WHY" and, where there is one, "; HINT".
  [[nodiscard]] std::string message() const {
    return "cannot " + what + ": " + why + (hint.empty() ? "" : "; " + hint);
  }
};

// What a step yields, or why it failed. No function of the public headers throws on its own account (std::bad_alloc
// apart).
template <typename T>
using Result = std::expected<T, Error>;

// For `return failure(...)` from a function that returns a Result.
[[nodiscard]] inline std::unexpected<Error> failure(std::string what, std::string why, std::string hint = {}) {
  return std::unexpected(Error{std::move(what), std::move(why), std::move(hint)});
}

}  // namespace tcpwitness
