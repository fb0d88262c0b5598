// SPDX-License-Identifier: Apache-2.0
// catalogue.hpp: every outcome and every finding there is: its name, and in words what it means: the one source of
// `doctor --findings`, of docs/findings.md and of what the rules promise.
//
// An enumerator without its entry does not compile.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "tcpwitness/connection.hpp"
#include "tcpwitness/finding.hpp"

namespace tcpwitness {

struct OutcomeEntry {
  Outcome outcome{};
  std::string_view name;      // "connect-timeout"
  std::array<int, 2> errors;  // the errno that it implies for its process
  std::string_view meaning;
  std::string_view evidence;   // what it rests on
  std::string_view fooled_by;  // a situation in which all of that is there and the word is wrong all the same
};

// Which of several findings a table names first: what made a connection suffer, what it waits for, what is seen of it.
// A healthy connection has what is normal.
enum class Rank : std::uint8_t { cause, condition, symptom, normal };

struct RuleEntry {
  Rule rule{};
  std::string_view name;  // "zero-window"
  Rank rank{};
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
[[nodiscard]] const OutcomeEntry& entry_of(Outcome outcome);
[[nodiscard]] const RuleEntry& entry_of(Rule rule);

}  // namespace tcpwitness
