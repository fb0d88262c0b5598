// SPDX-License-Identifier: Apache-2.0
// completed.hpp: what the shells' completions have in common.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/option_table.hpp"

namespace tcpwitness::manual {

// The first clause of an option's help: what fits behind its name.
[[nodiscard]] std::string short_help(const cli::Usage& usage);

// The names of the commands that the usage is for.
[[nodiscard]] std::vector<std::string_view> commands_of(const cli::Usage& usage);

// The words of a value, with spaces between them.
[[nodiscard]] std::string words_of(const cli::Usage& usage);

// "-p", "--pid".
[[nodiscard]] std::vector<std::string_view> names_of(const cli::Option& option);

}  // namespace tcpwitness::manual
