// SPDX-License-Identifier: Apache-2.0
// The catalogue and the enumerators are the same, in the same order, and no entry is empty.
#include "judge/catalogue.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace tcpwitness {
namespace {

TEST(Catalogue, HasEveryRuleInOrderWithWords) {
  const auto entries = rule_catalogue();
  ASSERT_EQ(entries.size(), rule_count);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const RuleEntry& entry = entries[i];
    EXPECT_EQ(static_cast<std::size_t>(entry.rule), i) << name(entry.rule);
    EXPECT_FALSE(entry.meaning.empty()) << name(entry.rule);
    EXPECT_FALSE(entry.advice.empty()) << name(entry.rule);
    EXPECT_FALSE(entry.fooled_by.empty()) << name(entry.rule);
    EXPECT_FALSE(entry.kernel.empty() && entry.wire.empty()) << name(entry.rule);
    EXPECT_FALSE(entry.certain.empty() && entry.likely.empty()) << name(entry.rule);
    EXPECT_FALSE(name(entry.rule).empty());
  }
}

TEST(Catalogue, HasEveryOutcomeInOrderWithWords) {
  const auto entries = outcome_catalogue();
  for (std::size_t i = 0; i < entries.size(); ++i) {
    EXPECT_EQ(static_cast<std::size_t>(entries[i].outcome), i);
    EXPECT_FALSE(entries[i].meaning.empty());
    const auto needs_escape = [](char c) { return c < ' ' || c > '~' || c == '"' || c == '\\'; };
    EXPECT_TRUE(std::ranges::none_of(entries[i].meaning, needs_escape))
        << "JSON has it as it is: " << name(entries[i].outcome);
    EXPECT_FALSE(entries[i].evidence.empty());
    EXPECT_FALSE(entries[i].fooled_by.empty()) << name(entries[i].outcome);
  }
  EXPECT_EQ(static_cast<std::size_t>(Outcome::open) + 1, entries.size()) << "the last enumerator";
}

}  // namespace
}  // namespace tcpwitness
