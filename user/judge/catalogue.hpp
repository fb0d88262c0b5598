// SPDX-License-Identifier: Apache-2.0
// catalogue.hpp: every outcome and every finding there is, in words: the one source of `doctor --findings`, of
// docs/findings.md and of what the rules promise.
//
// A test asserts that each enumerator has its entry, in order.
#pragma once

#include <span>
#include <string_view>

#include "tcpwitness/connection.hpp"
#include "tcpwitness/finding.hpp"

namespace tcpwitness {

struct OutcomeEntry {
  Outcome outcome{};
  std::string_view meaning;
  std::string_view evidence;   // what it rests on
  std::string_view fooled_by;  // a situation in which all of that is there and the word is wrong all the same
};

struct RuleEntry {
  Rule rule{};
  std::string_view meaning;
  std::string_view kernel;  // what it needs from the kernel; "" nothing
  std::string_view wire;    // what it needs from the wire; "" nothing
  std::string_view certain;
  std::string_view likely;        // "" never
  std::string_view inconclusive;  // beside the rule for all: the connection's life overlaps a gap
  std::string_view advice;        // what to do about it
  std::string_view fooled_by;     // a situation in which all of that is there and the finding is wrong all the same
};

[[nodiscard]] std::span<const OutcomeEntry> outcome_catalogue();
[[nodiscard]] std::span<const RuleEntry> rule_catalogue();

}  // namespace tcpwitness
