// SPDX-License-Identifier: Apache-2.0
// live_alone.hpp: options of commands that are live, or of a file where one is named.
#pragma once

#include <string_view>

#include "cli/options.hpp"

namespace tcpwitness::cli {

// The first option that is given and can do nothing for a file, or "a command"; "" where all have their use.
[[nodiscard]] std::string_view live_alone(const Options& options);

}  // namespace tcpwitness::cli
