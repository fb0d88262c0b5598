// SPDX-License-Identifier: Apache-2.0
// option_table.hpp: the one place where an option is entered: its names, what it takes, its help and default, its
// group, which commands take it, what completes it, and where its value goes.
//
// The parser (options.cpp), the help pages (help.cpp), the manual and the shells' completions are made of this table.
// An option given to a command that has no use for it is refused with the reason, never ignored.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/options.hpp"

namespace tcpwitness::cli {

// A set of commands.
class Commands {
 public:
  constexpr Commands(std::initializer_list<Command> commands) {
    for (const Command command : commands) bits_ |= bit(command);
  }
  [[nodiscard]] constexpr bool has(Command command) const { return (bits_ & bit(command)) != 0; }
  [[nodiscard]] constexpr Commands operator|(Commands other) const { return Commands(bits_ | other.bits_); }

 private:
  constexpr explicit Commands(unsigned bits) : bits_(bits) {}
  static constexpr unsigned bit(Command command) { return 1U << static_cast<unsigned>(command); }
  unsigned bits_ = 0;
};

// Where it stands on a page. own: what only this command has.
enum class Group : std::uint8_t { own, selection, output, capture, general };

enum class Kind : std::uint8_t {
  flag,
  value,       // given at most once
  repeated,    // given any number of times
  maybe_name,  // a flag, behind which a name may follow
  word         // no option: "FILE"
};

// What a shell offers for a value. words: those of Usage::words; list: the same, with commas between them.
enum class Completes : std::uint8_t { nothing, words, list, file, interface, pid, comm, user, netns };

using Words = std::vector<std::string_view> (*)();

// How some commands take it.
struct Usage {
  Commands commands;
  Group group = Group::own;
  const char* help = "";
  const char* value = "";          // as the help has it: "PORT[-PORT]"; of a flag ""
  const char* default_value = "";  // giving this is the same as giving nothing; "": there is no such value
  Words words = nullptr;           // the values that there are
};

// Why some commands do not. The text follows the option's name: "belongs to a recording".
struct Refusal {
  Commands commands;
  const char* why;
};

// Puts the text's value where it belongs, or returns what is wrong with it.
using Take = std::string (*)(std::string_view text, Options& options);

struct Option {
  const char* names;  // CLI11's form, the long one last: "-p,--pid"; of a word what the help calls it
  Kind kind;
  Take take;
  std::vector<Usage> usages;
  Completes completes = Completes::nothing;
  const char* belongs = "";  // where it does, for commands that are not in `refusals`
  std::vector<Refusal> refusals{};

  [[nodiscard]] bool is_word() const { return kind == Kind::word; }
  [[nodiscard]] bool takes_value() const { return kind == Kind::value || kind == Kind::repeated; }
  [[nodiscard]] std::string_view long_name() const;   // "--pid"
  [[nodiscard]] std::string_view short_name() const;  // "-p", or ""
  // Null: the command does not take it.
  [[nodiscard]] const Usage* usage(Command command) const;
};

// In the order of the help pages.
[[nodiscard]] std::span<const Option> option_table();

// Why the command does not take it; "" where it does.
[[nodiscard]] std::string why_not(const Option& option, Command command);

}  // namespace tcpwitness::cli
