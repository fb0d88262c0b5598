// SPDX-License-Identifier: Apache-2.0
#include "cli/checks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <string>
#include <string_view>

namespace tcpwitness::cli {
namespace {

struct Check {
  bool wrong;
  std::string why;
};

std::string first_wrong(std::initializer_list<Check> checks) {
  for (const Check& check : checks) {
    if (check.wrong) return check.why;
  }
  return "";
}

// Why a command is not run beside this one; "": it is.
std::string_view why_it_runs_none(Command command) {
  if (command == Command::ls) return "ls lists what is open";
  if (command == Command::serve) return "serve gives metrics of what runs";
  return command == Command::top ? "top has the terminal for itself" : "";
}

std::string wrong_selection(const Options& o) {
  const std::string_view runs_none = why_it_runs_none(o.command);
  return first_wrong({
      {!o.program.empty() && !runs_none.empty(),
       fmt::format("{}; a command is run by life, trace, explain, summary, compare, record and picture", runs_none)},
      {o.children && o.pid == 0,
       "--children are those of a process: give -p PID too (those of a command are always followed)"},
      {!o.program.empty() && o.record.path == "-",
       "record -w - and the command would both write to standard output: record to a file"},
      {!o.program.empty() && o.pid != 0, "-p PID and '-- COMMAND' are two ways to choose a process: give one of them"},
  });
}

std::string wrong_summary(const Options& o, bool top_given) {
  const bool summary = o.summary_alone() || o.summary.after_lives;
  return first_wrong({
      {!summary && !o.summary.by.empty(),
       "--by belongs to a summary: 'tcpwitness summary', or --summary with life and read"},
      {!summary && !o.comparing() && top_given,
       "--top belongs to a summary or a comparison: 'tcpwitness summary', 'tcpwitness compare'"},
      {o.command == Command::read && std::ranges::find(o.summary.by, GroupKey::container) != o.summary.by.end(),
       "--by container asks the running processes, and a file has none: give 'tcpwitness summary'"},
      {o.summary.after_lives && o.format == OutputFormat::csv,
       "lives and a summary are two tables: give 'tcpwitness summary -o csv' for the second"},
  });
}

std::string wrong_capture(const Options& o) {
  const bool no_packets = o.wire == WireMode::none;
  return first_wrong({
      {no_packets && !o.kernel,
       "--wire none and --kernel off together leave nothing to trace: give at most one of them"},
      {o.command == Command::compare && (no_packets || !o.kernel),
       "compare needs the kernel's counts and the packets: leave out --wire none and --kernel off"},
      {!o.kernel && o.of_some_processes(),
       "--pid, --uid, --comm and a command need the kernel, which alone knows the processes: leave out --kernel off"},
      {o.forwarded && no_packets, "--forwarded needs packets, and --wire none has none: give one of them"},
      {o.forwarded && o.of_some_processes(),
       "--forwarded is of connections without a process here, and --pid, --uid, --comm and a command select by "
       "process"},
      {no_packets && !o.interfaces.empty(),
       "--interface chooses where to watch packets, and --wire none turns that off: give one of them"},
  });
}

std::string wrong_record(const RecordOptions& record) {
  const bool rotates = record.rotate_bytes != 0 || record.rotate_every.count() != 0;
  const bool removes = record.total_bytes != 0 || record.longest.count() != 0;
  const std::string_view directory = std::string_view(record.path).substr(0, record.path.rfind('/') + 1);
  return first_wrong({
      {record.path.empty(), "record needs a file to write to: 'tcpwitness record -w FILE'"},
      {record.path == "-" && rotates,
       "--rotate-size and --rotate-every begin new files, and there is one standard output: give -w a file"},
      {record.keep != 0 && !rotates,
       "--keep says how many files stay when a new one is begun: give --rotate-size or --rotate-every too"},
      {record.path == "-" && removes,
       "--max-total and --max-age remove old files, and standard output has none: give -w a file"},
      {removes && directory.find('%') != std::string_view::npos,
       "--max-total and --max-age look into one directory: have the time in the file's name alone"},
      {record.total_bytes != 0 && record.total_bytes <= record.rotate_bytes,
       "--max-total is of several files: it must be more than --rotate-size"},
      {record.total_bytes != 0 && !rotates,
       "--max-total removes the files before the newest: give --rotate-size or --rotate-every too"},
      {!record.on.empty() && !record.flight,
       "--on says which findings make the flight recorder write: give --flight-recorder SECONDS too"},
  });
}

std::string wrong_read(const Options& o, bool packets_given) {
  const ReadOptions& read = o.read;
  return first_wrong({
      {read.trace + read.explain + read.summary + read.compare > 1,
       "--trace, --explain, --summary and --compare are four ways to print a file: give one of them"},
      {read.path.empty(), "read needs a file: 'tcpwitness read FILE', or '-' for standard input"},
      {packets_given && !read.trace, "--packets belongs to the timeline: 'tcpwitness read --trace FILE'"},
  });
}

std::string wrong_picture(const Options& o) {
  const std::string& path = o.picture.path;
  if (o.command == Command::picture && path.empty())
    return "picture needs a file to write to: 'tcpwitness picture -o FILE.html'";
  if (!path.empty() && !path.ends_with(".html") && !path.ends_with(".svg")) {
    return fmt::format("{}: a picture is a page (.html) or a ladder alone (.svg), and '{}' ends in neither",
                       o.command == Command::picture ? "--output" : "--picture", path);
  }
  return "";
}

std::string wrong_wireshark(const WiresharkOptions& wireshark) {
  if (wireshark.install && wireshark.uninstall) return "--install and --uninstall are opposites: give one of them";
  return "";
}

std::string wrong_format(const Options& o) {
  const bool table = !o.entries() && !o.comparing() && !o.summary_alone() &&
                     (o.command == Command::life || o.command == Command::record || o.command == Command::read);
  if (o.stories() && o.format == OutputFormat::csv) {
    return fmt::format("a story does not fit a table: give -o text or -o json, or {} -o csv, which has every event",
                       o.command == Command::read ? "--trace" : "'tcpwitness trace'");
  }
  return first_wrong({
      {(o.wide || !o.columns.empty()) && !table,
       "--columns and -o wide are for the table of connections: 'tcpwitness life', 'tcpwitness read FILE'"},
      {o.sample && (o.command == Command::trace || o.command == Command::explain) && o.format != OutputFormat::json,
       "--sample is for '-o json' here: a timeline for people has no samples"},
      {!o.columns.empty() && (o.wide || o.format != OutputFormat::text),
       "--columns is for text: JSON and CSV have every field, and -o wide every column"},
      {o.command == Command::doctor && o.format == OutputFormat::csv,
       "the doctor's words do not fit a table: give -o text or -o json"},
      {o.command == Command::ls && !o.every && (o.duration || o.count),
       "--duration and --count end a list that is printed again and again: give --every SECONDS too"},
  });
}

}  // namespace

std::string wrong_together(const Options& options, const std::function<bool(std::string_view)>& given) {
  for (const std::string& wrong :
       {wrong_selection(options), wrong_summary(options, given("--top")), wrong_capture(options),
        options.command == Command::record ? wrong_record(options.record) : "",
        options.command == Command::read ? wrong_read(options, given("--packets")) : "", wrong_picture(options),
        wrong_wireshark(options.wireshark), wrong_format(options)}) {
    if (!wrong.empty()) return wrong;
  }
  return "";
}

}  // namespace tcpwitness::cli
