// SPDX-License-Identifier: Apache-2.0
//
// The catalogue of outcomes and findings as Markdown, one entry at a time: scripts/cases puts what a case printed
// under each.
//
// tw_catalogue             every entry: "outcome NAME" or "rule NAME", a line each
// tw_catalogue rule NAME   its paragraph and its table
// tw_catalogue outcome NAME
// tw_catalogue rules       all of them as one table

#include "judge/catalogue.hpp"

#include <cctype>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>

namespace {

using tcpwitness::outcome_catalogue;
using tcpwitness::rule_catalogue;

void paragraph(std::string_view text) {
  std::printf("%c%.*s.\n", std::toupper(static_cast<unsigned char>(text[0])), static_cast<int>(text.size()) - 1,
              text.data() + 1);
}

std::string cell(std::string_view text) {
  std::string cell;
  for (const char letter : text) {
    if (letter == '|') cell += '\\';
    cell += letter;
  }
  return cell;
}

void row(const char* name, std::string_view text) {
  if (!text.empty()) std::printf("| %s | %s |\n", name, cell(text).c_str());
}

void table() { std::printf("\n| | |\n|---|---|\n"); }

int list() {
  for (const auto& entry : outcome_catalogue()) {
    const std::string_view word = name(entry.outcome);
    std::printf("outcome %.*s\n", static_cast<int>(word.size()), word.data());
  }
  for (const auto& entry : rule_catalogue()) {
    const std::string_view word = name(entry.rule);
    std::printf("rule %.*s\n", static_cast<int>(word.size()), word.data());
  }
  return 0;
}

int rules() {
  std::printf("| rule | what it finds | certain when |\n|---|---|---|\n");
  for (const auto& entry : rule_catalogue()) {
    const std::string name(entry.name);
    std::printf("| [%s](#%s) | %s | %s |\n", name.c_str(), name.c_str(), cell(entry.meaning).c_str(),
                entry.certain.empty() ? "never" : cell(entry.certain).c_str());
  }
  return 0;
}

int outcome(std::string_view wanted) {
  for (const auto& entry : outcome_catalogue()) {
    if (name(entry.outcome) != wanted) continue;
    paragraph(entry.meaning);
    table();
    row("rests on", entry.evidence);
    row("fooled by", entry.fooled_by);
    return 0;
  }
  return 1;
}

int rule(std::string_view wanted) {
  for (const auto& entry : rule_catalogue()) {
    if (name(entry.rule) != wanted) continue;
    paragraph(entry.meaning);
    table();
    row("needs of the kernel", entry.kernel.empty() ? "nothing" : entry.kernel);
    row("needs of the wire", entry.wire.empty() ? "nothing" : entry.wire);
    row("certain", entry.certain);
    row("likely", entry.likely);
    row("inconclusive", entry.inconclusive);
    row("fooled by", entry.fooled_by);
    row("what to do", entry.advice);
    return 0;
  }
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 1) return list();
  if (argc == 2 && std::strcmp(argv[1], "rules") == 0) return rules();
  if (argc == 3 && std::strcmp(argv[1], "outcome") == 0) return outcome(argv[2]);
  if (argc == 3 && std::strcmp(argv[1], "rule") == 0) return rule(argv[2]);
  std::fprintf(stderr, "usage: tw_catalogue [rules | outcome NAME | rule NAME]\n");
  return 2;
}
