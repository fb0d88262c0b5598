// SPDX-License-Identifier: Apache-2.0
// read.cpp: read: what is in a file.
#include <fmt/core.h>

#include <cstdio>

#include "run/run.hpp"

namespace tcpwitness {

int run_read(const Options& options) {
  fmt::print(stderr, "tcpwitness: cannot read {}: not built yet\n", options.read.path);
  return 1;
}

}  // namespace tcpwitness
