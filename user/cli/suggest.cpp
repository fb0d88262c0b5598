// SPDX-License-Identifier: Apache-2.0
#include "cli/suggest.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "cli/option_table.hpp"
#include "cli/pages.hpp"

namespace tcpwitness::cli {
namespace {

// In single-letter edits.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j < row.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j < row.size(); ++j) {
      const std::size_t change = diagonal + (a[i - 1] == b[j - 1] ? 0U : 1U);
      diagonal = std::exchange(row[j], std::min({row[j] + 1, row[j - 1] + 1, change}));
    }
  }
  return row.back();
}

}  // namespace

std::string did_you_mean(std::string_view word, const std::vector<std::string_view>& known) {
  const auto nearest =
      std::ranges::min_element(known, {}, [&](std::string_view candidate) { return distance(word, candidate); });
  const bool near = nearest != known.end() && distance(word, *nearest) <= (word.size() < 5 ? 1U : 2U);
  return near ? fmt::format("; did you mean '{}'?", *nearest) : "";
}

std::string unknown(std::string_view word, Command command) {
  const std::vector<std::string_view> commands = command_names();
  if (std::ranges::find(commands, word) != commands.end()) {
    return fmt::format("{} and {} are two commands: give one of them", page_of(command).name, word);
  }
  if (!word.starts_with('-')) {
    return fmt::format("'{}' is not a command (commands: {}); as a filter expression: 'tcpwitness life {}'{}", word,
                       fmt::join(commands, ", "), word, did_you_mean(word, commands));
  }
  std::vector<std::string_view> known;
  for (const Option& option : option_table()) {
    if (!option.is_word()) known.push_back(option.long_name());
  }
  const std::string_view name = word.substr(0, word.find('='));
  return fmt::format("there is no option '{}'{}", name, did_you_mean(name, known));
}

std::string wrong_in_file(std::string_view said) {
  const std::string_view name = said.substr(said.rfind(' ') + 1);
  if (!said.contains("not able to parse")) return fmt::format("--config: {}", said);
  if (name.contains('.'))
    return fmt::format("--config: a file of options has no sections ([{}])", name.substr(0, name.find('.')));
  return fmt::format("--config: {}", unknown(fmt::format("--{}", name), Command::life));
}

std::string wrong_flag(std::string_view said) {
  return fmt::format("{}: neither true nor false", said.substr(std::min(said.find("--"), said.size())));
}

}  // namespace tcpwitness::cli
