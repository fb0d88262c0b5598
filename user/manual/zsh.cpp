// SPDX-License-Identifier: Apache-2.0
// zsh.cpp: completion for zsh: a table of _arguments' specifications for each command.
#include <fmt/format.h>

#include "cli/pages.hpp"
#include "manual/completed.hpp"
#include "manual/pages.hpp"

namespace tcpwitness::manual {
namespace {

using cli::Completes;
using cli::Kind;

constexpr const char* before = R"sh(#compdef tcpwitness
# zsh completion for tcpwitness(8)
# Generated from tcpwitness' table of options: do not edit.

_tcpwitness_comms() { compadd -- ${(fu)"$(cat /proc/[0-9]*/comm 2>/dev/null)"} }
_tcpwitness_pids() { compadd -- /proc/<->(N:t) }
_tcpwitness_netns() { compadd -- /run/netns/*(N:t) }
_tcpwitness_interfaces() { compadd -- /sys/class/net/*(N:t) }

_tcpwitness() {
  local curcontext=$curcontext command=none word
  local -i i
  local -a specs
)sh";

// Text in single quotes, within an _arguments specification.
std::string quoted(std::string_view text) {
  std::string safe;
  for (const char c : text) {
    if (c == '\'') {
      safe += "'\\''";
    } else if (c == '[' || c == ']' || c == ':' || c == '\\') {
      safe += '\\';
      safe += c;
    } else {
      safe += c;
    }
  }
  return safe;
}

std::string action(const cli::Option& option, const cli::Usage& usage) {
  switch (option.completes) {
    case Completes::words:
      return fmt::format("({})", words_of(usage));
    case Completes::list:
      return fmt::format("_sequence compadd - {}", words_of(usage));
    case Completes::file:
      return "_files";
    case Completes::interface:
      return "_tcpwitness_interfaces";
    case Completes::pid:
      return "_tcpwitness_pids";
    case Completes::comm:
      return "_tcpwitness_comms";
    case Completes::user:
      return "_users";
    case Completes::netns:
      return "_tcpwitness_netns";
    case Completes::nothing:
      break;
  }
  return " ";
}

std::string option_spec(const cli::Option& option, const cli::Usage& usage) {
  const bool value = option.takes_value();
  const std::string help = quoted(short_help(usage));
  const std::string behind = value ? fmt::format(":{}:{}", quoted(usage.value), action(option, usage)) : "";
  const std::string_view short_name = option.short_name();
  const std::string long_name = fmt::format("{}{}", option.long_name(), value ? "=" : "");
  if (short_name.empty()) {
    return fmt::format("'{}{}[{}]{}'", option.kind == Kind::repeated ? "*" : "", long_name, help, behind);
  }
  const std::string both = fmt::format("{{{}{},{}}}", short_name, value ? "+" : "", long_name);
  if (option.kind == Kind::repeated) return fmt::format("'*'{}'[{}]{}'", both, help, behind);
  return fmt::format("'({} {})'{}'[{}]{}'", short_name, option.long_name(), both, help, behind);
}

std::string specs_of(const cli::Page& page) {
  std::string text;
  std::string words;
  for (const cli::Option& option : cli::option_table()) {
    const cli::Usage* usage = option.usage(page.command);
    if (usage == nullptr) continue;
    if (option.is_word()) {
      if (option.completes == Completes::file) words = "'*:file:_files'";
      continue;
    }
    text += fmt::format("        {}\n", option_spec(option, *usage));
    if (option.kind == Kind::maybe_name) words = fmt::format("'*:name:({})'", words_of(*usage));
  }
  if (!words.empty()) text += fmt::format("        {}\n", words);
  return text;
}

}  // namespace

std::string zsh_completion() {
  std::string text = before;
  text += fmt::format(R"sh(  for ((i = 2; i < CURRENT; i++)); do
    word=${{words[i]}}
    if [[ $word == -- && $command != (read|doctor|wireshark) ]]; then
      words=("${{(@)words[i + 1,-1]}}")
      ((CURRENT -= i))
      _normal
      return
    fi
    if [[ $command == none && $word == ({}) && ${{words[i - 1]}} != ({}) ]]; then
      command=$word
      words[i]=()
      ((CURRENT--, i--))
    fi
  done
  case $command in
)sh",
                      fmt::join(cli::command_names(), "|"), [] {
                        std::vector<std::string_view> names;
                        for (const cli::Option& option : cli::option_table()) {
                          if (!option.takes_value()) continue;
                          for (const std::string_view name : names_of(option)) names.push_back(name);
                        }
                        return fmt::format("{}", fmt::join(names, "|"));
                      }());
  for (const cli::Page& page : cli::pages()) {
    const bool first = page.command == Command::life;
    text +=
        fmt::format("    {}{})\n      specs=(\n{}      )\n      ;;\n", page.name, first ? "|none" : "", specs_of(page));
  }
  text += "  esac\n  if [[ $command == none ]]; then\n    local -a commands=(\n";
  for (const cli::Page& page : cli::pages()) text += fmt::format("      '{}:{}'\n", page.name, quoted(page.summary));
  text += R"sh(    )
    specs+=('1: :{ _describe command commands }')
  fi
  _arguments -s -S : $specs
}

_tcpwitness "$@"
)sh";
  return text;
}

}  // namespace tcpwitness::manual
