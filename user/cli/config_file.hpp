// SPDX-License-Identifier: Apache-2.0
// config_file.hpp: the file of options that --config names. CLI11 reads it; here is what it has no message for.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace tcpwitness::cli {

// Why a file that --config names cannot be read. "": it can be, or none is named.
[[nodiscard]] std::string unreadable_file(std::span<const std::string> arguments);

// The file sets this option in one line, and the arguments do not.
[[nodiscard]] bool is_once_in_file(std::string_view name, std::span<const std::string> arguments);

// " (line 2 of FILE)": where an option that `why` names is set, if the file sets it and the arguments do not; else "".
[[nodiscard]] std::string place_in_file(std::string_view why, std::span<const std::string> arguments);

}  // namespace tcpwitness::cli
