// SPDX-License-Identifier: Apache-2.0
#include "manual/completed.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "cli/help.hpp"
#include "cli/pages.hpp"

namespace tcpwitness::manual {

std::string short_help(const cli::Usage& usage) {
  std::string text = cli::text_of(usage);
  for (const std::string_view end : {": ", ";", " (default", ", in this order"}) {
    const std::size_t at = text.find(end);
    // "recordings: ..." begins with whom it is for.
    if (at != std::string::npos && at > std::string_view("recordings").size()) text.resize(at);
  }
  return text;
}

std::vector<std::string_view> commands_of(const cli::Usage& usage) {
  std::vector<std::string_view> names;
  for (const cli::Page& page : cli::pages()) {
    if (usage.commands.has(page.command)) names.emplace_back(page.name);
  }
  return names;
}

std::string words_of(const cli::Usage& usage) {
  return usage.words == nullptr ? "" : fmt::format("{}", fmt::join(usage.words(), " "));
}

std::vector<std::string_view> names_of(const cli::Option& option) {
  std::vector<std::string_view> names;
  if (const std::string_view name = option.short_name(); !name.empty()) names.push_back(name);
  names.push_back(option.long_name());
  return names;
}

}  // namespace tcpwitness::manual
