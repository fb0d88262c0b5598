// SPDX-License-Identifier: Apache-2.0
// options.cpp: CLI11 finds the options and their texts, the table (option_table.hpp) has what they are and where their
// values go, checks.cpp what they mean together. CLI11 throws; nothing leaves this file as an exception.
#include "cli/options.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <ranges>

#include "cli/checks.hpp"
#include "cli/config_file.hpp"
#include "cli/help.hpp"
#include "cli/option_table.hpp"
#include "cli/pages.hpp"
#include "cli/suggest.hpp"

namespace tcpwitness {
namespace {

using cli::Kind;
using cli::Option;

// What was given, as texts.
struct Given {
  std::vector<std::vector<std::string>> texts;  // in the order of the table; a flag has one text each time
  std::vector<std::string> words;               // what is no option: an expression; of read FILE, then the expression
  std::vector<std::string> program;             // what stands behind "--": a command and its arguments
};

Parsed usage_error(std::string_view why) { return UsageError{std::string(why)}; }

// "--port: 1 required TEXT missing" names the option first.
std::string missing_value(const CLI::ArgumentMismatch& mismatch) {
  const std::string what = mismatch.what();
  const std::string name = what.substr(0, what.find_first_of(": "));
  return fmt::format("{} {}", name, what.contains("received") ? "is given twice" : "needs a value");
}

// One word alone is a misspelled command, unless it is an expression by itself: a protocol, an address, or signs that
// no command has. ("80" is an address to libpcap, 0.0.0.80, and to nobody else.)
bool is_expression_word(std::string_view word) {
  constexpr std::array<std::string_view, 9> protocols{"tcp", "udp", "icmp", "icmp6", "sctp",
                                                      "ip",  "ip6", "arp",  "vlan"};
  if (std::ranges::find(protocols, word) != protocols.end() || word.contains(' ')) return true;
  if (word.find_first_of("[]()!=&|<>:/") != std::string_view::npos) return true;
  return parse_prefix(word).has_value();
}

// Words without a command, as of tcpdump: "port 443".
bool is_expression(const std::vector<std::string>& words) {
  if (words.empty() || words.front().starts_with('-')) return false;
  const std::vector<std::string_view> commands = cli::command_names();
  const bool command = std::ranges::find(commands, words.front()) != commands.end();
  // "tcp" is no misspelled "top".
  const bool nearly = !is_expression_word(words.front()) && !cli::did_you_mean(words.front(), commands).empty();
  return !command && !nearly && (words.size() > 1 || is_expression_word(words.front()));
}

// "tcpwitness read FILE tcp port 80": all words behind FILE are one expression, as in tcpdump.
void take_words(const Given& given, Options& options) {
  const bool read = options.command == Command::read;
  if (options.command == Command::doctor || options.command == Command::wireshark) return;
  options.program = given.program;
  if (options.command == Command::picture) {
    options.picture.words = given.words;
    return;
  }
  if (read && !given.words.empty()) options.read.path = given.words.front();
  const auto words = given.words | std::views::drop(read ? 1 : 0);
  (read ? options.read.filter : options.expression) = fmt::format("{}", fmt::join(words, " "));
  if (options.command == Command::top) options.top.words = given.words;
}

// doctor --findings [NAME].
std::string take_names(const Given& given, bool findings, Options& options) {
  if (options.command != Command::doctor || given.words.empty()) return "";
  if (!findings) {
    return fmt::format("doctor takes no '{}': 'tcpwitness doctor --findings NAME' shows one finding",
                       given.words.front());
  }
  if (given.words.size() > 1) {
    return fmt::format("--findings is given {} times; it takes one value", given.words.size());
  }
  for (const Option& option : cli::option_table()) {
    if (option.kind != Kind::maybe_name) continue;
    const std::string wrong = option.take(given.words.front(), options);
    if (!wrong.empty()) return fmt::format("{}: {}", option.long_name(), wrong);
  }
  return "";
}

std::string take_option(const Option& option, std::vector<std::string> texts, std::span<const std::string> arguments,
                        Options& options) {
  if (texts.empty()) return "";
  // CLI11 splits a value of a file at its commas and spaces.
  if (option.kind == Kind::value && option.completes == cli::Completes::list)
    texts = {fmt::format("{}", fmt::join(texts, ","))};
  if (const std::string why = cli::why_not(option, options.command); !why.empty()) return why;
  const std::string_view name = option.long_name();
  if (option.kind == Kind::value && texts.size() > 1) {
    if (cli::is_once_in_file(name, arguments))
      return fmt::format("{}: its value has spaces or commas: put it in quotes", name);
    return fmt::format("{} is given {} times; it takes one value", name, texts.size());
  }
  for (const std::string& text : texts) {
    const std::string wrong = option.take(text, options);
    if (!wrong.empty()) return fmt::format("{}: {}", name, wrong);
  }
  return "";
}

// The first sentence about what is wrong; later ones are often its consequence.
Parsed evaluate(const Given& given, Command command, std::span<const std::string> arguments) {
  Options options;
  options.command = command;
  options.packets_all = command == Command::picture;
  const auto table = cli::option_table();
  const auto is_given = [&](std::string_view name) {
    const auto at = std::ranges::find(table, name, &Option::long_name);
    return at != table.end() && !given.texts[static_cast<std::size_t>(at - table.begin())].empty();
  };
  if (command == Command::wireshark && !given.words.empty())
    return usage_error(fmt::format("wireshark takes no '{}': it takes --install or --uninstall", given.words.front()));
  take_words(given, options);
  if (!options.read.filter.empty() && is_given("--filter"))
    return usage_error("--filter and the words behind FILE are both expressions: give one, with 'and' or 'or' in it");
  for (std::size_t i = 0; i < table.size(); ++i) {
    const std::string wrong = take_option(table[i], given.texts[i], arguments, options);
    if (!wrong.empty()) return usage_error(wrong);
  }
  if (const std::string wrong = take_names(given, is_given("--findings"), options); !wrong.empty())
    return usage_error(wrong);
  if (const std::string wrong = cli::wrong_together(options, is_given); !wrong.empty()) return usage_error(wrong);
  return options;
}

// The option takes the next word as its value: "-p", "--port", "-qo".
bool takes_next(std::string_view word) {
  const auto is_value_of = [](std::string_view name) {
    return std::ranges::any_of(cli::option_table(), [&](const Option& option) {
      return option.takes_value() && (option.long_name() == name || option.short_name() == name);
    });
  };
  if (word.starts_with("--")) return is_value_of(word);
  if (!word.starts_with('-')) return false;
  for (std::size_t i = 1; i < word.size(); ++i) {
    if (is_value_of(fmt::format("-{}", word[i]))) return i + 1 == word.size();
  }
  return false;
}

// The first word that is a command, and no option's value; "" where there is none.
std::string_view subcommand_of(std::span<const std::string> arguments) {
  const std::vector<std::string_view> commands = cli::command_names();
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (takes_next(arguments[i])) {
      ++i;
    } else if (std::ranges::find(commands, arguments[i]) != commands.end()) {
      return arguments[i];
    }
  }
  return "";
}

// CLI11 takes them from the back. To it --findings is a flag, as its value may be missing.
std::vector<std::string> reversed(std::span<const std::string> arguments) {
  std::vector<std::string> backward;
  constexpr std::string_view with_name = "--findings=";
  for (const std::string& argument : std::views::reverse(arguments)) {
    const bool named = argument.starts_with(with_name);
    backward.push_back(named ? argument.substr(with_name.size()) : argument);
    if (named) backward.emplace_back(with_name.substr(0, with_name.size() - 1));
  }
  return backward;
}

void add_options(CLI::App& app, std::vector<std::vector<std::string>>& texts) {
  const auto table = cli::option_table();
  texts.resize(table.size());
  for (std::size_t i = 0; i < table.size(); ++i) {
    const Option& option = table[i];
    std::vector<std::string>& given = texts[i];
    if (option.is_word() || option.take == nullptr) continue;
    if (option.takes_value()) {
      app.add_option(option.names, given)->expected(1)->allow_extra_args(false)->take_all();
    } else {
      app.add_flag_callback(option.names, [&given] { given.emplace_back(); });
    }
  }
}

// A usage error has the reason alone.
Parsed parse_arguments(std::span<const std::string> arguments, std::string_view version) {
  CLI::App app;
  app.set_help_flag();
  Given given;
  bool help = false;
  bool show_version = false;
  add_options(app, given.texts);
  app.add_flag("-h,--help", help);
  app.add_flag("--version", show_version);
  app.set_config("--config");
  app.allow_config_extras(CLI::config_extras_mode::error);
  std::vector<CLI::App*> apps;
  for (const std::string_view name : cli::command_names()) {
    apps.push_back(app.add_subcommand(std::string(name)));
    apps.back()->set_help_flag();
    apps.back()->fallthrough();
    apps.back()->add_option("words", given.words);
  }
  app.require_subcommand(0, 1);
  app.allow_extras();

  // What stands behind the first "--" is a command to run, but behind `read` and `doctor` the names of files and
  // entries.
  const auto dashes = static_cast<std::size_t>(std::ranges::find(arguments, "--") - arguments.begin());
  const std::string_view subcommand = subcommand_of(arguments.first(dashes));
  const bool runs =
      dashes < arguments.size() && subcommand != "read" && subcommand != "doctor" && subcommand != "wireshark";
  const std::size_t own = runs ? dashes : arguments.size();
  if (runs) given.program.assign(arguments.begin() + static_cast<std::ptrdiff_t>(dashes) + 1, arguments.end());
  if (runs && given.program.empty())
    return usage_error("a command is to follow '--': 'tcpwitness explain -- curl URL'");
  if (const std::string wrong = cli::unreadable_file(arguments.first(own)); !wrong.empty()) return usage_error(wrong);
  try {
    app.parse(reversed(arguments.first(own)));
  } catch (const CLI::FileError&) {
    return usage_error("--config: the file cannot be read");
  } catch (const CLI::ConfigError& error) {
    return usage_error(cli::wrong_in_file(error.what()));
  } catch (const CLI::ConversionError& error) {
    return usage_error(cli::wrong_flag(error.what()));
  } catch (const CLI::ArgumentMismatch& mismatch) {
    return usage_error(missing_value(mismatch));
  } catch (const CLI::ParseError& error) {
    return usage_error(error.what());
  }
  const auto found = std::ranges::find_if(apps, &CLI::App::parsed);
  const bool no_command = found == apps.end();
  const Command command = no_command ? Command::life : static_cast<Command>(found - apps.begin());
  if (help) return Information{no_command ? cli::help_of_program() : cli::help_of(command)};
  if (show_version) return Information{fmt::format("tcpwitness {}\n", version)};
  std::vector<std::string> extras = app.remaining(true);
  std::erase(extras, "--");
  if (no_command && is_expression(extras)) given.words = std::exchange(extras, {});
  const bool address = no_command && given.words.size() == 1 && parse_prefix(given.words.front());
  if (address) given.words.insert(given.words.begin(), given.words.front().contains('/') ? "net" : "host");
  if (!extras.empty()) return usage_error(cli::unknown(extras.front(), command));
  const auto second = std::ranges::find_first_of(given.words, cli::command_names());
  const bool names_file = command == Command::read || command == Command::picture || command == Command::top;
  const bool two = !names_file && second != given.words.end();
  if (two) return usage_error(cli::unknown(*second, command));
  return evaluate(given, command, arguments.first(own));
}

}  // namespace

Parsed parse(std::span<const std::string> arguments, std::string_view version) {
  std::vector<std::string> asked;  // "help trace": "trace --help"
  if (!arguments.empty() && arguments.front() == "help") {
    asked.assign(arguments.begin() + 1, arguments.end());
    asked.emplace_back("--help");
    arguments = asked;
  }
  Parsed parsed = parse_arguments(arguments, version);
  if (auto* error = std::get_if<UsageError>(&parsed)) {
    const std::string_view command = subcommand_of(arguments);
    error->text = fmt::format("tcpwitness: {}{}\nTry 'tcpwitness {}{}--help'.", error->text,
                              cli::place_in_file(error->text, arguments), command, command.empty() ? "" : " ");
  }
  return parsed;
}

Parsed parse(int argc, const char* const* argv, std::string_view version) {
  const std::vector<std::string> arguments(argv + std::min(argc, 1), argv + argc);
  return parse(arguments, version);
}

}  // namespace tcpwitness
