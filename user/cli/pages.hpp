// SPDX-License-Identifier: Apache-2.0
// pages.hpp: the help of each command besides its options: what it is for, examples, notes, exit codes. The help
// pages (help.cpp) and the manual are made of it and of the table of options.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "cli/option_table.hpp"

namespace tcpwitness::cli {

struct Example {
  const char* command;  // may have a line feed
  const char* what;
};

// A heading over the options of some groups.
struct Section {
  const char* title;
  std::vector<Group> groups;
};

struct Page {
  Command command;
  const char* name;                 // "life"
  const char* call;                 // in the list of commands: "[life] [OPTIONS]"
  const char* summary;              // there, too: a clause
  const char* lead;                 // what it is for: behind "tcpwitness NAME: "
  std::vector<const char*> usages;  // behind "tcpwitness "
  std::vector<Example> examples;
  std::vector<const char*> notes;  // paragraphs
  std::vector<Section> sections;
  const char* ending;  // exit codes, and where output goes
};

// In the order of Command.
[[nodiscard]] std::span<const Page> pages();
[[nodiscard]] const Page& page_of(Command command);
[[nodiscard]] std::vector<std::string_view> command_names();

// Of the program itself.
inline constexpr const char* program_lead =
    "tcpwitness traces TCP connections from kernel tracepoints and from packets, and explains each by the other.";
[[nodiscard]] std::span<const Example> program_examples();

}  // namespace tcpwitness::cli
