// SPDX-License-Identifier: Apache-2.0
// No entry of the catalogue is empty, each rule is judged, and docs/schema has the same names. (That the catalogue has
// each enumerator is asserted where it is compiled.)
#include "judge/catalogue.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <vector>

#include "judge/rules.hpp"

namespace tcpwitness {
namespace {

TEST(Catalogue, HasEveryRuleWithNameAndWords) {
  std::set<std::string_view> names;
  for (const RuleEntry& entry : rule_catalogue()) {
    EXPECT_TRUE(names.insert(entry.name).second) << "two rules have one name: " << entry.name;
    EXPECT_FALSE(entry.meaning.empty()) << name(entry.rule);
    EXPECT_FALSE(entry.advice.empty()) << name(entry.rule);
    EXPECT_FALSE(entry.fooled_by.empty()) << name(entry.rule);
    EXPECT_FALSE(entry.kernel.empty() && entry.wire.empty()) << name(entry.rule);
    EXPECT_FALSE(entry.certain.empty() && entry.likely.empty()) << name(entry.rule);
    EXPECT_FALSE(entry.name.empty()) << "rule " << static_cast<int>(entry.rule);
  }
}

// What is left out would not be asked: has_facts(). The others are in their order.
TEST(Catalogue, ConnectionsWithoutAnomaliesAreAskedEveryRuleThatTheyCanHave) {
  Connection c;
  for (const bool ends : {false, true}) {
    if (ends) c.ensure_teardown();
    std::vector<JudgeRule*> of_all;
    std::vector<JudgeRule*> of_these;
    for (const ConnectionRule& each : connection_rules) {
      if (has_facts(c, each.needs)) of_all.push_back(each.judge);
    }
    for (const ConnectionRule& each : rules_without_anomalies) {
      if (has_facts(c, each.needs)) of_these.push_back(each.judge);
    }
    EXPECT_EQ(of_all, of_these);
    EXPECT_FALSE(of_these.empty());
  }
  EXPECT_LT(rules_without_anomalies.size(), connection_rules.size());
}

TEST(Catalogue, HasEveryOutcomeWithNameAndWords) {
  std::set<std::string_view> names;
  for (const OutcomeEntry& entry : outcome_catalogue()) {
    EXPECT_TRUE(names.insert(entry.name).second) << "two outcomes have one name: " << entry.name;
    EXPECT_FALSE(entry.name.empty()) << "outcome " << static_cast<int>(entry.outcome);
    EXPECT_FALSE(entry.meaning.empty()) << entry.name;
    const auto needs_escape = [](char c) { return c < ' ' || c > '~' || c == '"' || c == '\\'; };
    EXPECT_TRUE(std::ranges::none_of(entry.meaning, needs_escape)) << "JSON has it as it is: " << entry.name;
    EXPECT_FALSE(entry.evidence.empty()) << entry.name;
    EXPECT_FALSE(entry.fooled_by.empty()) << entry.name;
  }
}

TEST(Catalogue, HasNoRuleThatNothingJudges) {
  // forwarded.cpp, strays.cpp
  std::set<Rule> judged{Rule::forward_dropped, Rule::asymmetric_route, Rule::stray_segment, Rule::syn_flood};
  for (const ConnectionRule& each : connection_rules) judged.insert(each.rule);
  for (const RuleEntry& entry : rule_catalogue()) {
    EXPECT_TRUE(judged.contains(entry.rule)) << entry.name << " is not in judge/rules.hpp";
  }
}

// A list of names as lines of docs/schema.
template <typename Entries>
std::string schema_lines(const Entries& entries) {
  constexpr std::size_t width = 150;
  const std::string indent(8, ' ');
  std::string text;
  std::string line;
  for (const auto& entry : entries) {
    const std::string word = '"' + std::string(entry.name) + "\",";
    if (!line.empty() && line.size() + 1 + word.size() > width) {
      text += line + '\n';
      line.clear();
    }
    line += (line.empty() ? indent : " ") + word;
  }
  line.back() = '\n';
  return text + line;
}

// TCPWITNESS_UPDATE_GOLDEN=1 writes the lists anew.
TEST(Catalogue, IsTheSchemasListOfNames) {
  std::ifstream file(TCPWITNESS_SCHEMA);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  const auto hold = [&](std::string_view what, const std::string& names) {
    const std::string begin = "    \"" + std::string(what) + "\": {\n      \"enum\": [\n";
    const std::size_t from = text.find(begin) + begin.size();
    const std::size_t to = text.find("      ]\n", from);
    ASSERT_TRUE(text.contains(begin) && to != std::string::npos) << what << " in " << TCPWITNESS_SCHEMA;
    if (std::getenv("TCPWITNESS_UPDATE_GOLDEN") != nullptr) text.replace(from, to - from, names);
    EXPECT_EQ(text.substr(from, to - from), names) << "TCPWITNESS_UPDATE_GOLDEN=1 writes it anew";
  };
  hold("outcome", schema_lines(outcome_catalogue()));
  hold("rule", schema_lines(rule_catalogue()));
  if (std::getenv("TCPWITNESS_UPDATE_GOLDEN") != nullptr) std::ofstream(TCPWITNESS_SCHEMA) << text;
}

}  // namespace
}  // namespace tcpwitness
