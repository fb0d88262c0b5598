// SPDX-License-Identifier: Apache-2.0
// checks.hpp: what options allow each by itself but not together.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "cli/options.hpp"

namespace tcpwitness::cli {

// The first sentence about what is wrong; "": nothing. given: whether an option was, by its long name.
[[nodiscard]] std::string wrong_together(const Options& options, const std::function<bool(std::string_view)>& given);

}  // namespace tcpwitness::cli
