// SPDX-License-Identifier: Apache-2.0
// man.cpp: the pages of the manual; see pages.hpp.
#include <fmt/format.h>

#include <cctype>

#include "cli/help.hpp"
#include "cli/pages.hpp"
#include "judge/catalogue.hpp"
#include "manual/pages.hpp"
#include "manual/roff.hpp"

namespace tcpwitness::manual {
namespace {

std::string capital(std::string_view text) {
  std::string sentence(text);
  const bool call = sentence.substr(0, sentence.find(' ')).ends_with("()");  // keeps its spelling
  if (!call && !sentence.empty())
    sentence[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(sentence[0])));
  return sentence;
}

// Escaped, in lines that an editor shows whole.
std::string lines(std::string_view text) {
  constexpr std::size_t width = 79;
  std::string broken = cli::fill(plain(text), 0, 0, width);
  for (std::size_t at = 0; (at = broken.find("\n.", at)) != std::string::npos; at += 2) broken.insert(at + 1, "\\&");
  return broken;
}

std::string head(std::string_view title, int section, const Edition& edition, std::string_view summary) {
  std::string upper;
  for (const char c : title) upper += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return fmt::format(
      ".\\\" Generated from tcpwitness' table of options: do not edit.\n"
      ".TH {} {} \"{}\" \"tcpwitness {}\" \"System Administration\"\n.SH NAME\n{}\n\\- {}\n",
      plain(upper), section, edition.date, plain(edition.version), plain(title), lines(summary));
}

std::string section(std::string_view title) {
  std::string upper;
  for (const char c : title) upper += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return fmt::format(".SH {}\n", upper);
}

std::string usage_line(std::string_view usage) { return fmt::format("{} {}\n", bold("tcpwitness"), call(usage)); }

// A command that goes on in another line, in one.
std::string one_line(std::string_view command) {
  std::string line;
  for (const char c : command) {
    if (c == '\n') {
      while (line.ends_with('\\') || line.ends_with(' ')) line.pop_back();
      line += ' ';
    } else if (c != ' ' || !line.ends_with(' ')) {
      line += c;
    }
  }
  return line;
}

std::string examples(std::span<const cli::Example> all) {
  std::string text = section("examples");
  for (const cli::Example& example : all) {
    text += fmt::format(".TP\n{}\n{}\n", bold(one_line(example.command)),
                        *example.what == '\0' ? "\\&" : lines(example.what));
  }
  return text;
}

std::string options(Command command, const std::vector<cli::Group>& groups) {
  std::string text;
  for (const cli::Option* option : cli::options_of(command, groups)) {
    const cli::Usage& usage = *option->usage(command);
    text += fmt::format(".TP\n{}\n{}\n", call(cli::call_of(*option, usage)), lines(cli::text_of(usage)));
  }
  return text;
}

std::string sections(const cli::Page& page, bool with_own) {
  std::string text = section("options");
  for (const cli::Section& part : page.sections) {
    if (!with_own && part.groups.front() == cli::Group::own) continue;
    const std::string some = options(page.command, part.groups);
    if (!some.empty()) text += fmt::format(".SS {}\n{}", part.title, some);
  }
  return text + ".SS General options\n" + options(page.command, {cli::Group::general});
}

std::string environment() {
  return section("environment") +
         ".TP\n\\fBNO_COLOR\\fR\nNo colours, whatever its value.\n"
         ".TP\n\\fBCOLUMNS\\fR\nHow wide tables are where the output is no terminal.\n";
}

std::string see_also(std::string_view but) {
  std::string text = section("see also");
  if (but != "tcpwitness") text += ".BR tcpwitness (8),\n";
  for (const cli::Page& page : cli::pages()) {
    if (but != page.name) text += fmt::format(".BR tcpwitness\\-{} (8),\n", page.name);
  }
  if (but != "findings") text += ".BR tcpwitness\\-findings (7),\n";
  return text + ".BR pcap\\-filter (7),\n.BR ss (8),\n.BR tcpdump (8)\n";
}

std::string paragraph(std::string_view text) { return fmt::format(".PP\n{}\n", lines(text)); }

void row(std::string& text, std::string_view what, std::string_view value) {
  if (!value.empty()) text += fmt::format("{}:\n{}\n.br\n", italic(what), lines(std::string(value) + "."));
}

}  // namespace

std::string program_page(const Edition& edition) {
  std::string text = head("tcpwitness", 8, edition, "trace TCP connections, each explained by kernel and packets");
  text += section("synopsis");
  for (const cli::Page& page : cli::pages()) {
    for (const char* usage : page.usages) text += usage_line(usage) + ".br\n";
  }
  text += usage_line("COMMAND --help") + ".br\n" + usage_line("--version");
  text += section("description") + lines(cli::program_lead) + "\n";
  text += section("commands");
  for (const cli::Page& page : cli::pages())
    text += fmt::format(".TP\n.BR tcpwitness\\-{} (8)\n{}\n", page.name, lines(page.summary));
  text += examples(cli::program_examples());
  text += sections(cli::page_of(Command::life), false);
  text += section("exit status") + lines(cli::page_of(Command::life).ending) + "\n";
  return text + environment() + see_also("tcpwitness");
}

std::string command_page(Command command, const Edition& edition) {
  const cli::Page& page = cli::page_of(command);
  std::string text = head(fmt::format("tcpwitness-{}", page.name), 8, edition, page.summary) + section("synopsis");
  for (const char* usage : page.usages) {
    if (usage != page.usages.front()) text += ".br\n";
    text += usage_line(usage);
  }
  text += section("description") + lines(capital(page.lead)) + "\n";
  for (const char* note : page.notes) text += paragraph(note);
  return text + examples(page.examples) + sections(page, true) + section("exit status") + lines(page.ending) + "\n" +
         environment() + see_also(page.name);
}

std::string findings_page(const Edition& edition) {
  std::string text = head("tcpwitness-findings", 7, edition, "how connections end, and what is found of them");
  text += section("description") +
          lines(
              "Each connection has one outcome and any number of findings. A finding names its evidence, and is "
              "certain, likely or inconclusive.") +
          "\n";
  text += section("outcomes");
  for (const OutcomeEntry& entry : outcome_catalogue()) {
    text += fmt::format(".TP\n{}\n{}\n.br\n", bold(name(entry.outcome)), lines(capital(entry.meaning) + "."));
    row(text, "Evidence", entry.evidence);
    row(text, "Fooled by", entry.fooled_by);
  }
  text += section("findings");
  for (const RuleEntry& entry : rule_catalogue()) {
    text += fmt::format(".TP\n{}\n{}\n.br\n", bold(name(entry.rule)), lines(capital(entry.meaning) + "."));
    row(text, "Kernel", entry.kernel);
    row(text, "Packets", entry.wire);
    row(text, "Certain", entry.certain);
    row(text, "Likely", entry.likely);
    row(text, "Inconclusive", entry.inconclusive);
    row(text, "What to do", entry.advice);
    row(text, "Fooled by", entry.fooled_by);
  }
  return text + see_also("findings");
}

}  // namespace tcpwitness::manual
