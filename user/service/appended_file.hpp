// SPDX-License-Identifier: Apache-2.0
// appended_file.hpp: the file of --append: made where there is none, and never cut off.
#pragma once

#include <string>

#include "tcpwitness/result.hpp"
#include "values/unique_fd.hpp"

namespace tcpwitness {

struct AppendedFile {
  UniqueFd fd;
  bool empty = true;
};

// What ends within a line (its writer was killed, its disk was full) gets a newline first, so that the next line is
// whole.
[[nodiscard]] Result<AppendedFile> append_to(const std::string& path);

}  // namespace tcpwitness
