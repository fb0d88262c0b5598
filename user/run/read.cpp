// SPDX-License-Identifier: Apache-2.0
// read.cpp: read: what is in a file.
#include <fmt/core.h>

#include <cstdio>

#include "recording/recording.hpp"
#include "run/common.hpp"
#include "run/replay.hpp"
#include "run/run.hpp"

namespace tcpwitness {

int run_read(const Options& options) {
  auto file = CaptureFile::open(options.read.path);
  if (!file) return fail(file.error());
  if (is_recording(**file)) return replay(options, std::move(*file));
  fmt::print(stderr, "tcpwitness: cannot read {}: not built yet\n", options.read.path);
  return 1;
}

}  // namespace tcpwitness
