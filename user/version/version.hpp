// SPDX-License-Identifier: Apache-2.0
// version.hpp: what this is a build of; the values are written at every build (cmake/version.cmake).
#pragma once

#include <string>

namespace tcpwitness {

extern const char* const version;      // "0.1.0": what recordings and `ready` name
extern const char* const commit;       // "9afebfc8f8", "v0.1.0-3-g9afebfc8f8-dirty"; "" where it is not known
extern const char* const commit_date;  // "2026-11-26"

// "0.1.0 (9afebfc8f8)".
[[nodiscard]] inline std::string version_and_commit() {
  std::string text = version;
  if (*commit != '\0') text += " (" + std::string(commit) + ")";
  return text;
}

}  // namespace tcpwitness
