// SPDX-License-Identifier: Apache-2.0
// options.hpp: the command line as plain values. No I/O: what is to be printed comes back as text.
//
// Values are checked here as far as they can be without asking the system (whether an interface exists
// is not known here). A message names the option, what was wrong and what is valid.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "tcpwitness/address.hpp"
#include "tcpwitness/finding.hpp"
#include "values/group_key.hpp"
#include "values/life_column.hpp"
#include "values/metric_label.hpp"
#include "values/port_range.hpp"
#include "values/report_filter.hpp"
#include "values/wire_mode.hpp"

namespace tcpwitness {

enum class Command : std::uint8_t {
  life,
  trace,
  explain,
  summary,
  compare,
  picture,
  serve,
  ls,
  top,
  record,
  read,
  doctor,
  wireshark
};
enum class OutputFormat : std::uint8_t { text, json, csv };
[[nodiscard]] std::string_view name(WireMode mode);  // as on the command line: "auto", "xdp-native"

struct RecordOptions {
  std::string path;
  std::uint32_t snaplen = 128;                     // bytes kept of each frame
  std::uint64_t rotate_bytes = 0;                  // a new file after so many; 0: never
  std::chrono::nanoseconds rotate_every{};         // a new file after so long; 0: never
  std::uint32_t keep = 0;                          // of the rotated files, the newest so many; 0: all
  std::optional<std::chrono::nanoseconds> flight;  // written only when a finding fires: it and so long before it
  std::vector<Rule> on;                            // flight: the findings that count; empty: all but time-wait
  std::uint64_t total_bytes = 0;                   // of all its files, those of earlier runs too; 0: any
  std::chrono::nanoseconds longest{};              // since a file was last written: then it is removed; 0: never
  bool quiet = false;                              // nothing on stdout
  bool operator==(const RecordOptions&) const = default;
};

struct ReadOptions {
  std::string path;      // "-": standard input
  std::string filter;    // a pcap-filter expression; empty: all
  bool trace = false;    // the timeline, not the lives
  bool explain = false;  // the stories, not the lives
  bool summary = false;  // what they come to, not the lives
  bool compare = false;  // kernel beside wire, not the lives
  bool operator==(const ReadOptions&) const = default;
};

struct SummaryOptions {
  bool after_lives = false;  // of life: the lives, and the summary at the end
  std::vector<GroupKey> by;  // empty: by the process's name
  std::uint32_t top = 20;    // groups that are printed
  bool operator==(const SummaryOptions&) const = default;
};

struct PictureOptions {
  std::string path;                // what is written: .html or .svg; empty: no picture
  std::vector<std::string> words;  // of the command: a file and an expression, or an expression
  int fd = -1;                     // the path, opened by the run
  [[nodiscard]] bool ladder_alone() const { return path.ends_with(".svg"); }
  bool operator==(const PictureOptions&) const = default;
};

// Of 127.0.0.1.
inline constexpr std::array<std::uint8_t, 16> loopback_bytes{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127, 0, 0, 1};

struct ServeOptions {
  Endpoint listen{.address = {loopback_bytes}, .port = 9435};  // port 0: any that is free
  std::vector<MetricLabel> labels{MetricLabel::process};
  std::uint32_t label_limit = 100;  // values of a label
  bool operator==(const ServeOptions&) const = default;
};

struct TopOptions {
  std::vector<std::string> words;  // a file, and what is selected from it, or an expression
  std::optional<double> speed;     // of a file: so much faster than it was
  bool operator==(const TopOptions&) const = default;
};

struct DoctorOptions {
  bool findings = false;  // the catalogue, not the machine
  std::string name;       // of it only this outcome or finding; empty: all
  bool operator==(const DoctorOptions&) const = default;
};

struct WiresharkOptions {
  bool install = false;
  bool uninstall = false;  // neither: what is installed
  bool operator==(const WiresharkOptions&) const = default;
};

struct Options {
  Command command = Command::life;
  std::vector<std::string> interfaces;  // empty: all that are up
  std::uint32_t pid = 0;                // 0: all
  bool children = false;                // of the process and of its descendants
  std::string user;                     // of the processes of this user, a number or a name; empty: all
  std::string comm;                     // empty: all
  std::vector<PortRange> ports;         // either end; empty: all
  std::vector<Prefix> hosts;            // either end; empty: all
  std::string expression;               // live: of pcap-filter(7), about addresses and ports; empty: all
  std::vector<std::string> program;     // a command and its arguments: run, and followed until it ends; empty: none
  OutputFormat format = OutputFormat::text;
  std::string append;               // the file that takes the output; empty: stdout
  bool wide = false;                // -o wide: the table with all columns
  std::vector<LifeColumn> columns;  // of the table; empty: what fits
  std::optional<std::chrono::nanoseconds> duration;
  std::optional<std::uint64_t> count;             // connections that are reported; of ls: listings
  std::optional<std::chrono::nanoseconds> every;  // ls, compare: again and again; empty: once
  WireMode wire = WireMode::automatic;
  bool kernel = true;
  bool forwarded = false;  // connections too that only pass through
  std::string netns;       // path or name; empty: this one
  std::uint64_t ring_bytes = 8ULL << 20U;
  std::uint32_t flows = 65536;
  std::optional<std::chrono::nanoseconds> stuck_after;  // else the default; of a recording, its recorder's
  // live: how open connections send is looked at so often; 0: never. Empty: as the command does without it.
  std::optional<std::chrono::nanoseconds> sample;
  bool packets_all = false;    // timelines and recordings: every segment is an event
  ReportFilter report_filter;  // of the connections that were followed: which are printed
  SummaryOptions summary;
  RecordOptions record;
  ReadOptions read;
  PictureOptions picture;
  ServeOptions serve;
  DoctorOptions doctor;
  TopOptions top;
  WiresharkOptions wireshark;

  // Everything that processes are chosen by.
  [[nodiscard]] bool of_some_processes() const {
    return pid != 0 || !comm.empty() || !user.empty() || !program.empty();
  }
  [[nodiscard]] bool timeline() const { return command == Command::trace || read.trace; }
  [[nodiscard]] bool stories() const { return command == Command::explain || read.explain; }
  [[nodiscard]] std::chrono::nanoseconds sample_every() const {
    const bool by_itself = command == Command::record || drawing();
    return sample.value_or(std::chrono::milliseconds(by_itself ? 100 : 0));
  }
  [[nodiscard]] bool drawing() const { return !picture.path.empty(); }
  // All are made of the timeline's entries.
  [[nodiscard]] bool entries() const { return timeline() || stories() || drawing(); }
  [[nodiscard]] bool comparing() const { return command == Command::compare || read.compare; }
  [[nodiscard]] bool summary_alone() const { return command == Command::summary || read.summary; }
  bool operator==(const Options&) const = default;
};

// Help or version: text for stdout, exit code 0.
struct Information {
  std::string text;
};
// Text for stderr, exit code 2.
struct UsageError {
  std::string text;
};
using Parsed = std::variant<Options, Information, UsageError>;

// arguments: without the program's name. version: what --version prints after "tcpwitness ".
[[nodiscard]] Parsed parse(std::span<const std::string> arguments, std::string_view version);
// The same for main's arguments.
[[nodiscard]] Parsed parse(int argc, const char* const* argv, std::string_view version);

}  // namespace tcpwitness
