// SPDX-License-Identifier: Apache-2.0
// options.cpp: CLI11 finds the options and their texts, values.cpp makes values of them, and here is what
// options mean together. CLI11 throws; nothing leaves this file as an exception.
#include "cli/options.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <functional>
#include <ranges>

#include "cli/grammar.hpp"
#include "cli/help.hpp"
#include "cli/values.hpp"
#include "judge/catalogue.hpp"

namespace tcpwitness {
namespace {

constexpr std::string_view try_help = "\nTry 'tcpwitness --help'.";

using cli::Texts;

// The first sentence about what is wrong; later ones are often its consequence.
class Reader {
 public:
  // An option that is given at most once.
  template <typename Convert, typename Take>
  void once(std::string_view option, const std::vector<std::string>& texts, Convert convert, Take take) {
    if (texts.size() > 1) {
      fail(fmt::format("{} is given {} times; it takes one value", option, texts.size()));
    } else {
      each(option, texts, convert, take);
    }
  }
  template <typename Convert, typename Take>
  void each(std::string_view option, const std::vector<std::string>& texts, Convert convert, Take take) {
    for (const std::string& text : texts) {
      auto value = convert(text);
      if (value) {
        take(*std::move(value));
      } else {
        fail(fmt::format("{}: {}", option, value.error()));
      }
    }
  }
  void fail(std::string why) {
    if (wrong_.empty()) wrong_ = std::move(why);
  }
  [[nodiscard]] const std::string& wrong() const { return wrong_; }

 private:
  std::string wrong_;
};

template <typename T>
void add_new(std::vector<T>& list, T value) {
  if (std::ranges::find(list, value) == list.end()) list.push_back(std::move(value));
}

cli::Value<bool> on_off(std::string_view text) {
  const cli::Value<std::size_t> index = cli::one_of(text, {"on", "off"});
  if (!index) return std::unexpected(index.error());
  return *index == 0;
}

// Few are single ports, which the kernel compares; of more the ranges are kept.
void read_ports(const std::vector<PortRange>& ranges, Options& options) {
  for (const PortRange& range : ranges) {
    for (std::uint32_t port = range.first; port <= range.last && options.ports.size() <= TW_MAX_PORTS; ++port) {
      add_new(options.ports, static_cast<std::uint16_t>(port));
    }
  }
  if (options.ports.size() <= TW_MAX_PORTS) return;
  options.ports.clear();
  options.port_ranges = ranges;
}

void read_filters(const Texts& texts, Options& options, Reader& reader) {
  reader.each("--interface", texts.interface, cli::interface,
              [&](std::string value) { add_new(options.interfaces, std::move(value)); });
  reader.once(
      "--pid", texts.pid, [](std::string_view text) { return cli::number(text, 1, 4'194'304); },
      [&](std::uint64_t value) { options.pid = static_cast<std::uint32_t>(value); });
  reader.once("--comm", texts.comm, cli::comm, [&](std::string value) { options.comm = std::move(value); });
  options.children = !texts.children.empty();
  reader.once(
      "--uid", texts.uid,
      [](const std::string& text) -> cli::Value<std::string> {
        if (text.empty()) return std::unexpected("'' is not a user: a number, or a name as in 'getent passwd'");
        return text;
      },
      [&](std::string value) { options.user = std::move(value); });
  std::vector<PortRange> ranges;
  reader.each("--port", texts.port, cli::ports,
              [&](const std::vector<PortRange>& values) { ranges.insert(ranges.end(), values.begin(), values.end()); });
  read_ports(ranges, options);
  reader.each("--host", texts.host, cli::host, [&](const Prefix& value) { options.hosts.push_back(value); });
  if (options.hosts.size() > TW_MAX_HOSTS) {
    reader.fail(
        fmt::format("--host: {} networks are given; at most {} are possible", options.hosts.size(), TW_MAX_HOSTS));
  }
  reader.once(
      "--netns", texts.netns,
      [](const std::string& text) -> cli::Value<std::string> {
        if (text.empty()) return std::unexpected("'' is not a namespace: a name as in 'ip netns', or a path");
        return text;
      },
      [&](std::string value) { options.netns = std::move(value); });
}

void read_printing(const Texts& texts, Options& options, Reader& reader) {
  reader.once(
      "--output", texts.output,
      [](std::string_view text) { return cli::one_of(text, {"text", "json", "csv", "wide"}); },
      [&](std::size_t value) {
        options.wide = value == 3;
        options.format = options.wide ? OutputFormat::text : static_cast<OutputFormat>(value);
      });
  reader.each("--columns", texts.columns, cli::life_columns, [&](const std::vector<LifeColumn>& values) {
    for (const LifeColumn column : values) add_new(options.columns, column);
  });
  reader.once("--every", texts.every, cli::seconds, [&](auto value) { options.every = value; });
  reader.once("--duration", texts.duration, cli::seconds, [&](auto value) { options.duration = value; });
  reader.once(
      "--count", texts.count, [](std::string_view text) { return cli::number(text, 1, 1'000'000'000'000); },
      [&](std::uint64_t value) { options.count = value; });
  reader.once("--stuck-after", texts.stuck_after, cli::seconds, [&](auto value) { options.stuck_after = value; });
  reader.once(
      "--packets", texts.packets, [](std::string_view text) { return cli::one_of(text, {"events", "all"}); },
      [&](std::size_t value) { options.packets_all = value == 1; });
}

void read_choice(const Texts& texts, Choice& choice, Reader& reader) {
  choice.problems = !texts.problems.empty();
  reader.each("--finding", texts.finding, cli::rules, [&](const std::vector<Rule>& values) {
    for (const Rule rule : values) add_new(choice.rules, rule);
  });
  reader.each("--outcome", texts.outcome, cli::outcomes, [&](const std::vector<Outcome>& values) {
    for (const Outcome outcome : values) add_new(choice.outcomes, outcome);
  });
  reader.once("--slower-than", texts.slower_than, cli::short_time,
              [&](std::chrono::nanoseconds value) { choice.slower_than_ns = value.count(); });
}

void read_summary(const Texts& texts, Options& options, Reader& reader) {
  SummaryOptions& summary = options.summary;
  const bool wanted = !texts.summary.empty();
  options.read.summary = wanted && options.command == Command::read;
  summary.after_lives = wanted && options.command == Command::life;
  reader.each("--by", texts.by, cli::group_keys, [&](const std::vector<GroupKey>& values) {
    for (const GroupKey key : values) add_new(summary.by, key);
  });
  if (options.command == Command::read && std::ranges::find(summary.by, GroupKey::container) != summary.by.end())
    reader.fail("--by container asks the running processes, and a file has none: give 'tcpwitness summary'");
  reader.once(
      "--top", texts.top, [](std::string_view text) { return cli::number(text, 1, 1'000'000); },
      [&](std::uint64_t value) { summary.top = static_cast<std::uint32_t>(value); });
  if (!options.summary_alone() && !summary.after_lives) {
    if (!texts.by.empty()) {
      reader.fail("--by belongs to a summary: 'tcpwitness summary', or --summary with life and read");
    }
    if (!texts.top.empty() && !options.comparing()) {
      reader.fail("--top belongs to a summary or a comparison: 'tcpwitness summary', 'tcpwitness compare'");
    }
  }
  if (summary.after_lives && options.format == OutputFormat::csv) {
    reader.fail("lives and a summary are two tables: give 'tcpwitness summary -o csv' for the second");
  }
}

void read_listening(const Texts& texts, Options& options, Reader& reader) {
  const auto page_bytes = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  reader.once("--wire", texts.wire, cli::wire, [&](WireMode value) { options.wire = value; });
  options.forwarded = !texts.forwarded.empty();
  reader.once("--kernel", texts.kernel, on_off, [&](bool value) { options.kernel = value; });
  reader.once(
      "--ring-size", texts.ring_size, [&](std::string_view text) { return cli::ring_size(text, page_bytes); },
      [&](std::uint64_t value) { options.ring_bytes = value; });
  reader.once(
      "--flows", texts.flows, [](std::string_view text) { return cli::number(text, cli::flows_min, cli::flows_max); },
      [&](std::uint64_t value) { options.flows = static_cast<std::uint32_t>(value); });
}

void read_record(const Texts& texts, RecordOptions& record, Reader& reader) {
  reader.once(
      "--write", texts.write,
      [](const std::string& text) -> cli::Value<std::string> {
        if (text.empty()) return std::unexpected("'' is not a file");
        return text;
      },
      [&](std::string value) { record.path = std::move(value); });
  reader.once(
      "--snaplen", texts.snaplen,
      [](std::string_view text) { return cli::number(text, cli::snaplen_min, cli::snaplen_max); },
      [&](std::uint64_t value) { record.snaplen = static_cast<std::uint32_t>(value); });
  reader.once("--rotate-size", texts.rotate_size, cli::rotate_size,
              [&](std::uint64_t value) { record.rotate_bytes = value; });
  reader.once("--rotate-every", texts.rotate_every, cli::period, [&](auto value) { record.rotate_every = value; });
  reader.once(
      "--keep", texts.keep, [](std::string_view text) { return cli::number(text, 1, 1'000'000); },
      [&](std::uint64_t value) { record.keep = static_cast<std::uint32_t>(value); });
  reader.once("--flight-recorder", texts.flight_recorder, cli::seconds, [&](auto value) { record.flight = value; });
  reader.each("--on", texts.on, cli::rules, [&](const std::vector<Rule>& values) {
    for (const Rule rule : values) add_new(record.on, rule);
  });
  record.quiet = !texts.quiet.empty();
}

// "tcpwitness read FILE tcp port 80": all words behind FILE are one expression, as in tcpdump.
void read_read(const Texts& texts, ReadOptions& read, Reader& reader) {
  read.trace = !texts.trace.empty();
  read.explain = !texts.explain.empty();
  read.compare = !texts.compare.empty();
  if (!texts.words.empty()) {
    read.path = texts.words.front();
    read.filter = fmt::format("{}", fmt::join(texts.words.begin() + 1, texts.words.end(), " "));
  }
  const bool twice = !read.filter.empty() && !texts.filter.empty();
  if (twice) reader.fail("--filter and the words behind FILE are both expressions: give one, with 'and' or 'or' in it");
  reader.once(
      "--filter", texts.filter,
      [](const std::string& text) -> cli::Value<std::string> {
        if (text.empty()) return std::unexpected("'' is not an expression: 'tcp port 80 and host 192.0.2.1', say");
        return text;
      },
      [&](std::string value) { read.filter = std::move(value); });
}

// "tcpwitness life 'port 443 and net 10/8' -- COMMAND": the words are an expression, what stands behind "--" is run.
void read_expression_and_program(const Texts& texts, Options& options, Reader& reader) {
  options.expression = fmt::format("{}", fmt::join(texts.words, " "));
  options.program = texts.program;
  const bool recording = options.command == Command::record;
  if (options.command == Command::ls && !options.program.empty()) {
    reader.fail("ls lists what is open; a command is run by life, trace, explain, summary and compare");
  }
  if (options.command == Command::ls && !options.every && (options.duration || options.count)) {
    reader.fail("--duration and --count end a list that is printed again and again: give --every SECONDS too");
  }
  if (recording && !options.program.empty()) reader.fail(cli::of_all_processes);
  if (recording && !options.port_ranges.empty()) {
    reader.fail(fmt::format("--port: record selects in the kernel, by at most {} ports", TW_MAX_PORTS));
  }
  if (options.children && options.pid == 0) {
    reader.fail("--children are those of a process: give -p PID too (those of a command are always followed)");
  }
  if (!options.program.empty() && options.pid != 0) {
    reader.fail("-p PID and '-- COMMAND' are two ways to choose a process: give one of them");
  }
}

// What each option allows but not together.
void check_together(const Texts& texts, const Options& options, Reader& reader) {
  if (options.wire == WireMode::none && !options.kernel) {
    reader.fail("--wire none and --kernel off together leave no witness: give at most one of them");
  }
  if (!options.kernel && options.of_some_processes()) {
    reader.fail(
        "--pid, --uid, --comm and a command need the kernel, which alone knows the processes: leave --kernel off away");
  }
  if (options.forwarded && options.wire == WireMode::none) {
    reader.fail("--forwarded needs packets, and --wire none has none: give one of them");
  }
  if (options.forwarded && options.of_some_processes()) {
    reader.fail(
        "--forwarded is of connections without a process here, and --pid, --uid, --comm and a command select by "
        "process");
  }
  if (options.wire == WireMode::none && !texts.interface.empty()) {
    reader.fail("--interface chooses where to watch packets, and --wire none turns that off: give one of them");
  }
}

void check_record(const RecordOptions& record, Reader& reader) {
  if (record.path.empty()) reader.fail("record needs a file to write to: 'tcpwitness record -w FILE'");
  if (record.path == "-" && (record.rotate_bytes != 0 || record.rotate_every.count() != 0)) {
    reader.fail("--rotate-size and --rotate-every begin new files, and there is one standard output: give -w a file");
  }
  if (record.keep != 0 && record.rotate_bytes == 0 && record.rotate_every.count() == 0) {
    reader.fail("--keep says how many files stay when a new one is begun: give --rotate-size or --rotate-every too");
  }
  if (!record.on.empty() && !record.flight) {
    reader.fail("--on says which findings make the flight recorder write: give --flight-recorder SECONDS too");
  }
}

void check_read(const ReadOptions& read, Reader& reader) {
  if (read.trace + read.explain + read.summary + read.compare > 1) {
    reader.fail("--trace, --explain, --summary and --compare are four ways to print a file: give one of them");
  }
  if (read.path.empty()) reader.fail("read needs a file: 'tcpwitness read FILE', or '-' for standard input");
}

std::vector<std::string_view> catalogue_names() {
  std::vector<std::string_view> names;
  for (const OutcomeEntry& entry : outcome_catalogue()) names.push_back(name(entry.outcome));
  for (const RuleEntry& entry : rule_catalogue()) names.push_back(name(entry.rule));
  return names;
}

void read_doctor(const Texts& texts, DoctorOptions& doctor, Reader& reader) {
  doctor.findings = !texts.findings.empty();
  if (texts.names.empty()) return;
  if (!doctor.findings) {
    return reader.fail(fmt::format("doctor takes no '{}': 'tcpwitness doctor --findings NAME' tells of one finding",
                                   texts.names.front()));
  }
  reader.once(
      "--findings", texts.names,
      [](std::string_view text) -> cli::Value<std::string> {
        const auto index = cli::one_of(text, catalogue_names());
        if (!index) return std::unexpected(index.error());
        return std::string(text);
      },
      [&](std::string value) { doctor.name = std::move(value); });
}

void check_format(const Options& options, Reader& reader) {
  const bool table =
      !options.entries() && !options.comparing() && !options.summary_alone() &&
      (options.command == Command::life || options.command == Command::record || options.command == Command::read);
  if ((options.wide || !options.columns.empty()) && !table)
    reader.fail("--columns and -o wide are for the table of connections: 'tcpwitness life', 'tcpwitness read FILE'");
  if (!options.columns.empty() && (options.wide || options.format != OutputFormat::text))
    reader.fail("--columns is for text: JSON and CSV have every field, and -o wide every column");
  if (options.format != OutputFormat::csv) return;
  if (options.stories()) {
    reader.fail(
        fmt::format("a story does not fit a table: give -o text or -o json, or {} -o csv, which has every event",
                    options.command == Command::read ? "--trace" : "'tcpwitness trace'"));
  }
  if (options.command == Command::doctor) reader.fail("the doctor's words do not fit a table: give -o text or -o json");
}

// Distance in single-letter edits, for "did you mean".
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j < row.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j < row.size(); ++j) {
      const std::size_t change = diagonal + (a[i - 1] == b[j - 1] ? 0U : 1U);
      diagonal = std::exchange(row[j], std::min({row[j] + 1, row[j - 1] + 1, change}));
    }
  }
  return row.back();
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& known) {
  const auto nearest =
      std::ranges::min_element(known, {}, [&](const std::string& candidate) { return distance(word, candidate); });
  const bool near = nearest != known.end() && distance(word, *nearest) <= (word.size() < 5 ? 1U : 2U);
  return near ? fmt::format("; did you mean '{}'?", *nearest) : "";
}

// In the order of Command.
constexpr std::array<std::string_view, 9> commands{"life", "trace",  "explain", "summary", "compare",
                                                   "ls",   "record", "read",    "doctor"};

std::string unknown(std::string_view word, Command command) {
  if (std::ranges::find(commands, word) != commands.end()) {
    return fmt::format("{} and {} are two commands: give one of them", commands[static_cast<std::size_t>(command)],
                       word);
  }
  if (!word.starts_with('-')) {
    return fmt::format("'{}' is not a command: {} are{}; a filter expression of one word: 'tcpwitness life {}'", word,
                       fmt::join(commands, ", "), did_you_mean(word, {commands.begin(), commands.end()}), word);
  }
  std::vector<std::string> known{"--help", "--version"};
  for (const cli::Spec& spec : cli::specs()) known.emplace_back(cli::long_name(spec));
  const std::string_view option = word.substr(0, word.find('='));
  return fmt::format("there is no option '{}'{}", option, did_you_mean(option, known));
}

// Words without a command, as of tcpdump: "port 443". One word alone is a misspelled command.
bool is_expression(const std::vector<std::string>& words) {
  if (words.empty() || words.front().starts_with('-')) return false;
  const bool command = std::ranges::find(commands, words.front()) != commands.end();
  const bool nearly = !did_you_mean(words.front(), {commands.begin(), commands.end()}).empty();
  return !command && !nearly && (words.size() > 1 || words.front().contains(' ') || words.front() == "tcp");
}

// "--port: 1 required TEXT missing" names the option first.
std::string missing_value(const CLI::ArgumentMismatch& mismatch) {
  const std::string what = mismatch.what();
  return fmt::format("{} needs a value", what.substr(0, what.find_first_of(": ")));
}

Parsed usage_error(std::string_view why) { return UsageError{fmt::format("tcpwitness: {}{}", why, try_help)}; }

Parsed evaluate(const Texts& texts, Command command) {
  Options options;
  options.command = command;
  Reader reader;
  const bool live = command != Command::read && command != Command::doctor;
  if (command == Command::read) read_read(texts, options.read, reader);
  read_doctor(texts, options.doctor, reader);
  for (const cli::Spec& spec : cli::specs()) {
    if ((texts.*spec.texts).empty()) continue;
    const std::string why = cli::why_not(spec, command, options.timeline());
    if (!why.empty()) reader.fail(why);
  }
  read_filters(texts, options, reader);
  read_printing(texts, options, reader);
  read_choice(texts, options.choice, reader);
  read_summary(texts, options, reader);
  read_listening(texts, options, reader);
  if (live) read_expression_and_program(texts, options, reader);
  read_record(texts, options.record, reader);
  check_together(texts, options, reader);
  if (command == Command::record) check_record(options.record, reader);
  if (command == Command::read) check_read(options.read, reader);
  check_format(options, reader);
  if (!reader.wrong().empty()) return usage_error(reader.wrong());
  return options;
}

// The option takes the next word as its value: "-p", "--port", "-qo".
bool takes_next(std::string_view word) {
  const auto is_value_of = [](std::string_view option) {
    const auto has = [&](const cli::Spec& spec) {
      const std::string_view names(spec.names);
      return option == cli::long_name(spec) || (names.starts_with(option) && option.size() == 2);
    };
    const auto found = std::ranges::find_if(cli::specs(), has);
    return found != cli::specs().end() && !found->flag;
  };
  if (word.starts_with("--")) return is_value_of(word);
  if (!word.starts_with('-')) return false;
  for (std::size_t i = 1; i < word.size(); ++i) {
    const std::array<char, 2> option{'-', word[i]};
    if (is_value_of({option.data(), option.size()})) return i + 1 == word.size();
  }
  return false;
}

// The first word that is a command, and no option's value; "" where there is none.
std::string_view subcommand_of(std::span<const std::string> arguments) {
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (takes_next(arguments[i])) {
      ++i;
    } else if (std::ranges::find(commands, arguments[i]) != commands.end()) {
      return arguments[i];
    }
  }
  return "";
}

std::string_view help_page(Command command) {
  switch (command) {
    case Command::life:
      return cli::help_life;
    case Command::trace:
      return cli::help_trace;
    case Command::explain:
      return cli::help_explain;
    case Command::summary:
      return cli::help_summary;
    case Command::compare:
      return cli::help_compare;
    case Command::ls:
      return cli::help_ls;
    case Command::record:
      return cli::help_record;
    case Command::read:
      return cli::help_read;
    case Command::doctor:
      return cli::help_doctor;
  }
  return cli::help_main;
}

}  // namespace

Parsed parse(std::span<const std::string> arguments, std::string_view version) {
  CLI::App app;
  app.set_help_flag();
  Texts texts;
  bool help = false;
  bool show_version = false;
  for (const cli::Spec& spec : cli::specs()) {
    std::vector<std::string>& given = texts.*spec.texts;
    if (spec.flag) {
      app.add_flag_callback(spec.names, [&given] { given.emplace_back(); });
    } else {
      app.add_option(spec.names, given)->expected(1)->allow_extra_args(false)->take_all();
    }
  }
  app.add_flag("-h,--help", help);
  app.add_flag("--version", show_version);
  std::array<CLI::App*, commands.size()> apps{};
  for (std::size_t i = 0; i < commands.size(); ++i) {
    apps[i] = app.add_subcommand(std::string(commands[i]));
    apps[i]->set_help_flag();
    apps[i]->fallthrough();
  }
  for (std::size_t i = 0; i < apps.size(); ++i) {
    if (static_cast<Command>(i) != Command::doctor) apps[i]->add_option("words", texts.words);
  }
  apps[static_cast<std::size_t>(Command::doctor)]->add_option("names", texts.names);
  app.require_subcommand(0, 1);
  app.allow_extras();

  // What stands behind the first "--" is a command to run, but behind `read` and `doctor` the names of files and
  // entries.
  const auto dashes = static_cast<std::size_t>(std::ranges::find(arguments, "--") - arguments.begin());
  const std::string_view subcommand = subcommand_of(arguments.first(dashes));
  const bool runs = dashes < arguments.size() && subcommand != "read" && subcommand != "doctor";
  const std::size_t own = runs ? dashes : arguments.size();
  if (runs) texts.program.assign(arguments.begin() + static_cast<std::ptrdiff_t>(dashes) + 1, arguments.end());
  if (runs && texts.program.empty())
    return usage_error("a command is to follow '--': 'tcpwitness explain -- curl URL'");

  // CLI11 takes them from the back. To it --findings is a flag, as its value may be missing.
  std::vector<std::string> reversed;
  constexpr std::string_view with_name = "--findings=";
  for (const std::string& argument : std::views::reverse(arguments.first(own))) {
    const bool named = argument.starts_with(with_name);
    reversed.push_back(named ? argument.substr(with_name.size()) : argument);
    if (named) reversed.emplace_back(with_name.substr(0, with_name.size() - 1));
  }
  try {
    app.parse(std::move(reversed));
  } catch (const CLI::ArgumentMismatch& mismatch) {
    return usage_error(missing_value(mismatch));
  } catch (const CLI::ParseError& error) {
    return usage_error(error.what());
  }
  const auto given = std::ranges::find_if(apps, &CLI::App::parsed);
  const Command command = given == apps.end() ? Command::life : static_cast<Command>(given - apps.begin());
  if (help) {
    const bool alone = command == Command::read || command == Command::doctor || command == Command::ls;
    if (alone) return Information{std::string(help_page(command))};
    const std::string_view page = given == apps.end() ? cli::help_main : help_page(command);
    const bool record = command == Command::record;
    const std::string_view selection = record ? cli::help_record_selection : cli::help_selection;
    return Information{fmt::format("{}{}{}", page, selection, cli::help_shared)};
  }
  if (show_version) return Information{fmt::format("tcpwitness {}\n", version)};
  std::vector<std::string> extras = app.remaining(true);
  std::erase(extras, "--");
  const bool no_command = given == apps.end();
  if (no_command && is_expression(extras)) texts.words = std::exchange(extras, {});
  if (!extras.empty()) return usage_error(unknown(extras.front(), command));
  const auto second = std::ranges::find_first_of(texts.words, commands);
  const bool two = command != Command::read && second != texts.words.end();
  if (two) return usage_error(unknown(*second, command));
  return evaluate(texts, command);
}

Parsed parse(int argc, const char* const* argv, std::string_view version) {
  const std::vector<std::string> arguments(argv + std::min(argc, 1), argv + argc);
  return parse(arguments, version);
}

}  // namespace tcpwitness
