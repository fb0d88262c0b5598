// SPDX-License-Identifier: Apache-2.0
// pages.hpp: the manual's pages and the shells' completions as texts, made of the table of options
// (cli/option_table.hpp), the commands' pages (cli/pages.hpp) and the catalogue of findings. There is no second text.
#pragma once

#include <string>
#include <string_view>

#include "cli/options.hpp"

namespace tcpwitness::manual {

// For the head of a page: "0.1.0", "2026-11-26".
struct Edition {
  std::string version;
  std::string date;
};

// In man(7).
[[nodiscard]] std::string program_page(const Edition& edition);                   // tcpwitness.8
[[nodiscard]] std::string command_page(Command command, const Edition& edition);  // tcpwitness-life.8
[[nodiscard]] std::string findings_page(const Edition& edition);                  // tcpwitness-findings.7

[[nodiscard]] std::string bash_completion();
[[nodiscard]] std::string zsh_completion();
[[nodiscard]] std::string fish_completion();

}  // namespace tcpwitness::manual
