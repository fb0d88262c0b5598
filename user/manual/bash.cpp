// SPDX-License-Identifier: Apache-2.0
// bash.cpp: completion for bash 4 and later; bash-completion is used where it is there, and not needed.
#include <fmt/format.h>

#include "cli/pages.hpp"
#include "manual/completed.hpp"
#include "manual/pages.hpp"

namespace tcpwitness::manual {
namespace {

using cli::Completes;
using cli::Kind;

constexpr const char* before = R"sh(# bash completion for tcpwitness(8)
# Generated from tcpwitness' table of options: do not edit.

# What completes the last of several words with commas between them.
_tcpwitness_list() {
  local done=''
  [[ $cur != *,* ]] || done=${cur%,*},
  mapfile -t COMPREPLY < <(compgen -P "$done" -W "$1" -- "${cur##*,}")
  compopt -o nospace 2>/dev/null
}

_tcpwitness_words() { mapfile -t COMPREPLY < <(compgen -W "$1" -- "$cur"); }

_tcpwitness() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} command='' asked='' file='' i
  COMPREPLY=()
  # "--output=json" are three words here.
  if [[ $cur == = ]]; then
    cur=''
  elif [[ $prev == = ]]; then
    prev=${COMP_WORDS[COMP_CWORD - 2]}
  fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    case ${COMP_WORDS[i]} in
      --)
        if [[ $command != read && $command != doctor && $command != wireshark ]]; then
          if declare -F _command_offset >/dev/null; then
            _command_offset $((i + 1))
          elif ((COMP_CWORD == i + 1)); then
            mapfile -t COMPREPLY < <(compgen -c -- "$cur")
          else
            mapfile -t COMPREPLY < <(compgen -f -- "$cur")
          fi
          return
        fi
        ;;
)sh";

std::string all_names(bool with_value) {
  std::vector<std::string_view> names;
  for (const cli::Option& option : cli::option_table()) {
    if (option.is_word() || option.takes_value() != with_value) continue;
    for (const std::string_view name : names_of(option)) names.push_back(name);
  }
  return fmt::format("{}", fmt::join(names, " | "));
}

std::string system_values(Completes completes) {
  switch (completes) {
    case Completes::file:
      return "compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -f -- \"$cur\")";
    case Completes::interface:
      return "_tcpwitness_words \"$(command ls /sys/class/net 2>/dev/null)\"";
    case Completes::pid:
      return "_tcpwitness_words \"$(cd /proc && echo [0-9]*)\"";
    case Completes::comm:
      return "_tcpwitness_words \"$(cat /proc/[0-9]*/comm 2>/dev/null | sort -u)\"";
    case Completes::user:
      return "mapfile -t COMPREPLY < <(compgen -u -- \"$cur\")";
    case Completes::netns:
      return "_tcpwitness_words \"$(command ls /run/netns 2>/dev/null)\"";
    case Completes::words:
    case Completes::list:
    case Completes::nothing:
      break;
  }
  return ":";
}

// "life:--port | life:-p": the command is always there.
std::string patterns(const cli::Option& option, const cli::Usage& usage) {
  std::vector<std::string> all;
  for (const std::string_view command : commands_of(usage)) {
    for (const std::string_view name : names_of(option)) all.push_back(fmt::format("{}:{}", command, name));
  }
  return fmt::format("{}", fmt::join(all, " | "));
}

std::string values() {
  std::string text = "  case ${command:-life}:$prev in\n";
  for (const cli::Option& option : cli::option_table()) {
    if (!option.takes_value()) continue;
    if (option.completes == Completes::words || option.completes == Completes::list) {
      for (const cli::Usage& usage : option.usages) {
        text += fmt::format("    {})\n      {} '{}'\n      return\n      ;;\n", patterns(option, usage),
                            option.completes == Completes::list ? "_tcpwitness_list" : "_tcpwitness_words",
                            words_of(usage));
      }
      continue;
    }
    std::vector<std::string> names;
    for (const std::string_view name : names_of(option)) names.push_back(fmt::format("*:{}", name));
    text += fmt::format("    {})\n      {}\n      return\n      ;;\n", fmt::join(names, " | "),
                        system_values(option.completes));
  }
  return text + "  esac\n";
}

// What stands where a word may begin.
std::string words() {
  std::string text = "  case ${command:-life} in\n";
  for (const cli::Page& page : cli::pages()) {
    std::vector<std::string_view> names;
    std::string files;
    std::string asked;
    for (const cli::Option& option : cli::option_table()) {
      const cli::Usage* usage = option.usage(page.command);
      if (usage == nullptr) continue;
      if (option.is_word()) {
        if (option.completes == Completes::file) files = " file=1";
        continue;
      }
      for (const std::string_view name : names_of(option)) names.push_back(name);
      if (option.kind == Kind::maybe_name)
        asked = fmt::format("\n      [[ -z $asked ]] || asked='{}'", words_of(*usage));
    }
    text += fmt::format("    {})\n      options='{}'{}{}\n      ;;\n", page.name, fmt::join(names, " "), files, asked);
  }
  return text + "  esac\n";
}

constexpr const char* after = R"sh(  if [[ $cur == -* ]]; then
    _tcpwitness_words "$options"
  elif [[ -n $file ]]; then
    compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(compgen -f -- "$cur")
  elif [[ -n $asked ]]; then
    _tcpwitness_words "$asked"
  elif [[ -z $command ]]; then
    _tcpwitness_words "$commands"
  fi
}
complete -F _tcpwitness tcpwitness
)sh";

}  // namespace

std::string bash_completion() {
  const std::string commands = fmt::format("{}", fmt::join(cli::command_names(), " | "));
  std::string text = before;
  text += fmt::format("      {})\n        [[ ${{COMP_WORDS[i + 1]-}} != = ]] || ((i++))\n        ((i++))\n        ;;\n",
                      all_names(true));
  std::string maybe;
  for (const cli::Option& option : cli::option_table()) {
    if (option.kind == Kind::maybe_name) maybe += fmt::format("      {}) asked=1 ;;\n", option.long_name());
  }
  text += maybe;
  text += fmt::format("      {}) [[ -n $command ]] || command=${{COMP_WORDS[i]}} ;;\n    esac\n  done\n", commands);
  text += values();
  text += fmt::format("  local options='' commands='{}'\n", fmt::join(cli::command_names(), " "));
  return text + words() + after;
}

}  // namespace tcpwitness::manual
