// SPDX-License-Identifier: Apache-2.0
// replay.hpp: read: a recording of ours, judged as the live run judged it.
#pragma once

#include <memory>

#include "capture/capture_file.hpp"
#include "cli/options.hpp"

namespace tcpwitness {

// The exit code: 1 where the file is damaged, or was never ended.
[[nodiscard]] int replay(const Options& options, std::unique_ptr<CaptureFile> file);

}  // namespace tcpwitness
