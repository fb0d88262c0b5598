// SPDX-License-Identifier: Apache-2.0
#include "cli/help.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "cli/pages.hpp"

namespace tcpwitness::cli {
namespace {

constexpr std::size_t options_column = 30;
constexpr std::size_t examples_column = 39;
constexpr std::size_t commands_column = 37;

// `left` behind `indent` spaces, `right` from `column` on: on the next line where there is no room for both.
std::string entry(std::size_t indent, const std::string& left, std::size_t column, std::string_view right) {
  std::string text = fmt::format("{:{}}{}", "", indent, left);
  if (right.empty()) return text + "\n";
  const std::size_t last = text.size() - (text.rfind('\n') == std::string::npos ? 0 : text.rfind('\n') + 1);
  const bool room = last + 2 <= column;
  text += room ? std::string(column - last, ' ') : fmt::format("\n{:{}}", "", column);
  return text + fill(right, column, column) + "\n";
}

std::string examples_text(std::span<const Example> examples) {
  std::string text = "Examples:\n";
  for (const Example& example : examples) {
    std::string command;
    for (const char c : std::string_view(example.command))
      command += c == '\n' ? std::string("\n  ") : std::string(1, c);
    text += entry(2, command, examples_column, example.what);
  }
  return text + "\n";
}

std::string options_text(Command command, const std::vector<Group>& groups) {
  std::string text;
  for (const Option* option : options_of(command, groups)) {
    const Usage& usage = *option->usage(command);
    const bool deeper = !option->is_word() && option->short_name().empty();
    text += entry(deeper ? 6 : 2, call_of(*option, usage), options_column, text_of(usage));
  }
  return text;
}

std::string sections_text(const Page& page, bool with_own) {
  std::string text;
  for (const Section& section : page.sections) {
    if (!with_own && section.groups.front() == Group::own) continue;
    const std::string options = options_text(page.command, section.groups);
    if (!options.empty()) text += fmt::format("{}:\n{}\n", section.title, options);
  }
  return fmt::format("{}{}\n{}\n", text, options_text(page.command, {Group::general}), fill(page.ending, 0, 0));
}

}  // namespace

std::string fill(std::string_view text, std::size_t indent, std::size_t column, std::size_t width) {
  std::string lines;
  const std::size_t begin = column;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find(' ', at), text.size());
    const std::string_view word = text.substr(at, end - at);
    const bool first = column == begin && lines.empty();
    if (!first && column + 1 + word.size() > width) {
      lines += fmt::format("\n{:{}}", "", indent);
      column = indent;
    } else if (!first) {
      lines += ' ';
      ++column;
    }
    lines += word;
    column += word.size();
    at = end + 1;
  }
  return lines;
}

std::string call_of(const Option& option, const Usage& usage) {
  if (option.is_word()) return option.names;
  const std::string_view short_name = option.short_name();
  return fmt::format("{}{}{}{}{}", short_name, short_name.empty() ? "" : ", ", option.long_name(),
                     *usage.value == '\0' ? "" : " ", usage.value);
}

std::string text_of(const Usage& usage) {
  constexpr std::string_view place = "{words}";
  std::string text = usage.help;
  const std::size_t at = text.find(place);
  if (at != std::string::npos) text.replace(at, place.size(), fmt::format("{}", fmt::join(usage.words(), ", ")));
  return text;
}

std::vector<const Option*> options_of(Command command, const std::vector<Group>& groups) {
  std::vector<const Option*> found;
  for (const Group group : groups) {
    for (const Option& option : option_table()) {
      const Usage* usage = option.usage(command);
      if (usage != nullptr && usage->group == group) found.push_back(&option);
    }
  }
  return found;
}

std::string help_of_program() {
  std::string text = fill(program_lead, 0, 0) + "\n\n";
  for (const Page& page : pages()) {
    const char* before = &page == pages().data() ? "Usage: tcpwitness " : "       tcpwitness ";
    text += entry(0, before + std::string(page.call), commands_column, page.summary);
  }
  text += entry(7, "tcpwitness COMMAND --help", commands_column, "more about one command");
  text += "       tcpwitness --version\n\n";
  return text + examples_text(program_examples()) + sections_text(page_of(Command::life), false);
}

std::string help_of(Command command) {
  const Page& page = page_of(command);
  std::string text = fill(fmt::format("tcpwitness {}: {}", page.name, page.lead), 0, 0) + "\n\n";
  for (const char* usage : page.usages) {
    text += fmt::format("{}tcpwitness {}\n", usage == page.usages.front() ? "Usage: " : "       ", usage);
  }
  text += "\n" + examples_text(page.examples);
  for (const char* note : page.notes) text += fill(note, 0, 0) + "\n\n";
  return text + sections_text(page, true);
}

}  // namespace tcpwitness::cli
