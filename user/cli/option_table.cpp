// SPDX-License-Identifier: Apache-2.0
// option_table.cpp: the rows of option_rows_*.cpp as one table, and why a command does not take an option; see
// option_table.hpp.
#include "cli/option_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "cli/option_rows.hpp"

namespace tcpwitness::cli {
namespace {

using enum Command;

std::vector<Option> make_table() {
  std::vector<Option> table;
  for (auto part : {rows::selection, rows::own, rows::output, rows::capture, rows::general})
    std::ranges::move(part(), std::back_inserter(table));
  return table;
}

// The long names of the options that a command takes, but for --help and --version.
std::string taken_by(Command command) {
  std::vector<std::string_view> names;
  for (const Option& option : option_table()) {
    const Usage* usage = option.usage(command);
    if (usage != nullptr && !option.is_word() && usage->group != Group::general) names.push_back(option.long_name());
  }
  const std::string_view last = names.back();
  names.pop_back();
  return fmt::format("{} and {}", fmt::join(names, ", "), last);
}

}  // namespace

std::string_view Option::long_name() const {
  const std::string_view all_names(names);
  return is_word() ? all_names : all_names.substr(all_names.find("--"));
}

std::string_view Option::short_name() const {
  const std::string_view all_names(names);
  return is_word() || all_names.starts_with("--") ? "" : all_names.substr(0, 2);
}

const Usage* Option::usage(Command command) const {
  const auto has = [&](const Usage& usage) { return usage.commands.has(command); };
  const auto found = std::ranges::find_if(usages, has);
  return found == usages.end() ? nullptr : &*found;
}

std::span<const Option> option_table() {
  static const std::vector<Option> table = make_table();
  return table;
}

std::string why_not(const Option& option, Command command) {
  if (option.usage(command) != nullptr) return "";
  const std::string_view name = option.long_name();
  for (const Refusal& refusal : option.refusals) {
    if (refusal.commands.has(command)) return fmt::format("{} {}", name, refusal.why);
  }
  if (command == doctor) {
    return fmt::format("{} is for connections, and the doctor looks at the machine: it takes {}", name,
                       taken_by(doctor));
  }
  if (command == wireshark) return fmt::format("{} is for connections: wireshark takes {}", name, taken_by(wireshark));
  if (command == ls) {
    return fmt::format("{} is for connections that are followed, and ls looks at them once: it takes {}", name,
                       taken_by(ls));
  }
  if (command == serve && *option.belongs == '\0') {
    return fmt::format("{} is for connections one by one, and serve gives metrics of all: it takes {}", name,
                       taken_by(serve));
  }
  if (command == top && *option.belongs == '\0')
    return fmt::format("{} is for what is printed, and top draws: it takes {}", name, taken_by(top));
  if (*option.belongs != '\0') return fmt::format("{} {}", name, option.belongs);
  return fmt::format("{} is for live tracing; to select from a file: --port, --host or an expression", name);
}

}  // namespace tcpwitness::cli
