// SPDX-License-Identifier: Apache-2.0
// grammar.cpp: see grammar.hpp.
#include "cli/grammar.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace tcpwitness::cli {
namespace {

constexpr std::array<Spec, 40> all_specs{{
    {"-i,--interface", &Texts::interface, For::machine},
    {"-p,--pid", &Texts::pid},
    {"--children", &Texts::children, For::listening, true},
    {"--uid", &Texts::uid, For::listening},
    {"--comm", &Texts::comm},
    {"--port", &Texts::port},
    {"--host", &Texts::host},
    {"--netns", &Texts::netns, For::machine},
    {"--filter", &Texts::filter, For::reading},
    {"-o,--output", &Texts::output},
    {"--columns", &Texts::columns, For::connections},
    {"-d,--duration", &Texts::duration, For::listening},
    {"-c,--count", &Texts::count},
    {"--every", &Texts::every, For::listing},
    {"--stuck-after", &Texts::stuck_after},
    {"--packets", &Texts::packets, For::timeline},
    {"--problems", &Texts::problems, For::connections, true},
    {"--finding", &Texts::finding, For::connections},
    {"--outcome", &Texts::outcome, For::connections},
    {"--slower-than", &Texts::slower_than, For::connections},
    {"--summary", &Texts::summary, For::summing, true},
    {"--by", &Texts::by, For::summing},
    {"--top", &Texts::top, For::summing},
    {"--trace", &Texts::trace, For::reading, true},
    {"--explain", &Texts::explain, For::reading, true},
    {"--compare", &Texts::compare, For::reading, true},
    {"--wire", &Texts::wire, For::listening},
    {"--kernel", &Texts::kernel, For::listening},
    {"--forwarded", &Texts::forwarded, For::listening, true},
    {"--ring-size", &Texts::ring_size, For::listening},
    {"--flows", &Texts::flows, For::listening},
    {"-w,--write", &Texts::write, For::recording},
    {"--snaplen", &Texts::snaplen, For::recording},
    {"--rotate-size", &Texts::rotate_size, For::recording},
    {"--rotate-every", &Texts::rotate_every, For::recording},
    {"--keep", &Texts::keep, For::recording},
    {"--flight-recorder", &Texts::flight_recorder, For::recording},
    {"--on", &Texts::on, For::recording},
    {"-q,--quiet", &Texts::quiet, For::recording, true},
    {"--findings", &Texts::findings, For::doctor, true},
}};

}  // namespace

std::span<const Spec> specs() { return all_specs; }

std::string_view long_name(const Spec& spec) {
  const std::string_view names(spec.names);
  return names.substr(names.find("--"));
}

std::string why_not(const Spec& spec, Command command, bool timeline) {
  const std::string_view option = long_name(spec);
  if (command == Command::doctor && spec.whom != For::machine && spec.whom != For::doctor && option != "--output") {
    return fmt::format(
        "{} is for connections, and the doctor looks at the machine: it takes --interface, "
        "--netns, --output and --findings",
        option);
  }
  const std::array<std::string_view, 9> of_ls{"--pid",      "--children", "--uid",      "--comm",   "--netns",
                                              "--duration", "--every",    "--problems", "--finding"};
  const bool for_ls = spec.whom == For::all || std::ranges::find(of_ls, option) != of_ls.end();
  if (command == Command::ls && !for_ls) {
    return fmt::format(
        "{} is for connections that are followed, and ls looks at them once: it selects by --port, "
        "--host, --pid, --uid, --comm, --problems and --finding",
        option);
  }
  if (command == Command::record && (option == "--children" || option == "--uid")) return of_all_processes;
  switch (spec.whom) {
    case For::listing:
      if (command == Command::ls || command == Command::compare) break;
      return fmt::format("{0} prints again and again: 'tcpwitness ls {0} SECONDS', 'tcpwitness compare {0} SECONDS'",
                         option);
    case For::all:
    case For::connections:
      break;
    case For::summing:
      if (command == Command::life || command == Command::read || command == Command::summary) break;
      if (command == Command::compare && option == "--top") break;
      return fmt::format("{} belongs to a summary: 'tcpwitness summary', or life and read with --summary", option);
    case For::machine:
    case For::listening:
      if (command != Command::read) break;
      if (option == "--duration") return "--duration ends listening; a file ends by itself, and --count sooner";
      return fmt::format("{} is for live tracing; to select from a file: --port, --host or an expression", option);
    case For::recording:
      if (command == Command::record) break;
      return fmt::format("{} belongs to a recording: 'tcpwitness record -w FILE'", option);
    case For::reading:
      if (command == Command::read) break;
      if (option == "--trace" || option == "--explain" || option == "--compare") {
        return fmt::format("{0} belongs to 'tcpwitness read {0} FILE'; live, the command is '{1}'", option,
                           option.substr(2));
      }
      return fmt::format("{} selects from a file: 'tcpwitness read FILE {} EXPRESSION'; live, --port and --host select",
                         option, option);
    case For::timeline:
      if (timeline || command == Command::record) break;
      if (command == Command::explain) {
        return fmt::format("{} belongs to the timeline, 'tcpwitness trace {} all': a story sums ordinary segments up",
                           option, option);
      }
      return command == Command::read
                 ? fmt::format("{} belongs to the timeline: 'tcpwitness read --trace FILE'", option)
                 : fmt::format("{} belongs to the timeline: 'tcpwitness trace {} all'", option, option);
    case For::doctor:
      if (command == Command::doctor) break;
      return fmt::format("{} belongs to the doctor: 'tcpwitness doctor {} [NAME]'", option, option);
  }
  return "";
}

}  // namespace tcpwitness::cli
