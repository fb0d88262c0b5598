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
  std::string_view evidence;  // what it rests on
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
};

[[nodiscard]] std::span<const OutcomeEntry> outcome_catalogue();
[[nodiscard]] std::span<const RuleEntry> rule_catalogue();

}  // namespace tcpwitness
