// SPDX-License-Identifier: Apache-2.0
// suggest.hpp: "did you mean": what a word that is none was probably to be.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/options.hpp"

namespace tcpwitness::cli {

// "; did you mean 'port'?", or "".
[[nodiscard]] std::string did_you_mean(std::string_view word, const std::vector<std::string_view>& known);

// Why the word is neither a command nor an option. command: which one is given already, or else life.
[[nodiscard]] std::string unknown(std::string_view word, Command command);

// The same of a line in a file of options; said: CLI11's words, which end with the name.
[[nodiscard]] std::string wrong_in_file(std::string_view said);
// Likewise of a flag's value, which these words end with, behind the name.
[[nodiscard]] std::string wrong_flag(std::string_view said);

}  // namespace tcpwitness::cli
