// SPDX-License-Identifier: Apache-2.0
// help.hpp: the help pages, made of the commands' pages and the table of options.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/option_table.hpp"

namespace tcpwitness::cli {

[[nodiscard]] std::string help_of_program();
[[nodiscard]] std::string help_of(Command command);

// An option as the help has it: "-p, --pid PID", "FILE".
[[nodiscard]] std::string call_of(const Option& option, const Usage& usage);
// Its help: with the words that it takes, where it lists them.
[[nodiscard]] std::string text_of(const Usage& usage);
// The options of these groups, in the table's order.
[[nodiscard]] std::vector<const Option*> options_of(Command command, const std::vector<Group>& groups);

// Words in lines of at most `width` columns, each after the first behind `indent` spaces; the first begins at `column`.
[[nodiscard]] std::string fill(std::string_view text, std::size_t indent, std::size_t column, std::size_t width = 80);

}  // namespace tcpwitness::cli
