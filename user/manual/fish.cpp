// SPDX-License-Identifier: Apache-2.0
// fish.cpp: completion for fish: a line for each option, with the commands that it is for.
#include <fmt/format.h>

#include "cli/pages.hpp"
#include "manual/completed.hpp"
#include "manual/pages.hpp"

namespace tcpwitness::manual {
namespace {

using cli::Completes;
using cli::Kind;

constexpr const char* functions = R"sh(# fish completion for tcpwitness(8)
# Generated from tcpwitness' table of options: do not edit.

# The command that was given; none.
function __tcpwitness_command
    set -l before
    for word in (commandline -opc)[2..-1]
        if not contains -- "$before" $__tcpwitness_with_value; and contains -- $word $__tcpwitness_commands
            echo $word
            return
        end
        set before $word
    end
    echo none
end

# Of a command that is to be run: what stands behind "--".
function __tcpwitness_runs
    contains -- -- (commandline -opc)
    and not contains -- (__tcpwitness_command) read doctor wireshark
end

function __tcpwitness_is
    not __tcpwitness_runs
    and contains -- (__tcpwitness_command) $argv
end

function __tcpwitness_program
    set -l words (commandline -opc) (commandline -ct)
    set -l at (contains -i -- -- $words)
    complete -C (string join ' ' -- (string escape -- $words[(math $at + 1)..-2]) $words[-1])
end

# The last of several words with commas between them.
function __tcpwitness_list
    set -l before (string replace -r '^--[a-z-]+=' '' -- (commandline -ct) | string replace -r '[^,]*$' '')
    for word in $argv
        echo $before$word
    end
end

complete -c tcpwitness -f
complete -c tcpwitness -n __tcpwitness_runs -a '(__tcpwitness_program)'
)sh";

std::string quoted(std::string_view text) {
  std::string safe;
  for (const char c : text) {
    if (c == '\'' || c == '\\') safe += '\\';
    safe += c;
  }
  return safe;
}

std::string arguments(const cli::Option& option, const cli::Usage& usage) {
  switch (option.completes) {
    case Completes::words:
      return fmt::format(" -x -a '{}'", words_of(usage));
    case Completes::list:
      return fmt::format(" -x -a '(__tcpwitness_list {})'", words_of(usage));
    case Completes::file:
      return " -r -F";
    case Completes::interface:
      return " -x -a '(command ls /sys/class/net 2>/dev/null)'";
    case Completes::pid:
      return " -x -a '(__fish_complete_pids)'";
    case Completes::comm:
      return " -x -a '(cat /proc/*/comm 2>/dev/null | sort -u)'";
    case Completes::user:
      return " -x -a '(__fish_complete_users)'";
    case Completes::netns:
      return " -x -a '(command ls /run/netns 2>/dev/null)'";
    case Completes::nothing:
      break;
  }
  return " -x";
}

// Without a command it is life.
std::string condition(const cli::Usage& usage) {
  return fmt::format("'__tcpwitness_is{} {}'", usage.commands.has(Command::life) ? " none" : "",
                     fmt::join(commands_of(usage), " "));
}

std::string line(const cli::Option& option, const cli::Usage& usage) {
  if (option.is_word()) {
    return option.completes == Completes::file ? fmt::format("complete -c tcpwitness -n {} -F\n", condition(usage))
                                               : "";
  }
  std::string text = fmt::format("complete -c tcpwitness -n {}", condition(usage));
  if (const std::string_view name = option.short_name(); !name.empty()) text += fmt::format(" -s {}", name.substr(1));
  text += fmt::format(" -l {}", option.long_name().substr(2));
  if (option.takes_value()) text += arguments(option, usage);
  text += fmt::format(" -d '{}'\n", quoted(short_help(usage)));
  if (option.kind == Kind::maybe_name) {
    text += fmt::format("complete -c tcpwitness -n {} -n '__fish_contains_opt {}' -a '{}'\n", condition(usage),
                        option.long_name().substr(2), words_of(usage));
  }
  return text;
}

}  // namespace

std::string fish_completion() {
  std::vector<std::string_view> with_value;
  for (const cli::Option& option : cli::option_table()) {
    if (!option.takes_value()) continue;
    for (const std::string_view name : names_of(option)) with_value.push_back(name);
  }
  std::string text = functions;
  text += fmt::format("set -g __tcpwitness_commands {}\nset -g __tcpwitness_with_value {}\n",
                      fmt::join(cli::command_names(), " "), fmt::join(with_value, " "));
  for (const cli::Page& page : cli::pages()) {
    text += fmt::format("complete -c tcpwitness -n '__tcpwitness_is none' -a {} -d '{}'\n", page.name,
                        quoted(page.summary));
  }
  for (const cli::Option& option : cli::option_table()) {
    for (const cli::Usage& usage : option.usages) text += line(option, usage);
  }
  return text;
}

}  // namespace tcpwitness::manual
