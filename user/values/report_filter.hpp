// SPDX-License-Identifier: Apache-2.0
// report_filter.hpp: which connections are printed once they are judged: --problems, --finding, --outcome,
// --slower-than, --longer-than, --larger-than.
//
// A list is an "or", two options are an "and", as journalctl has it. Everything is still followed and counted.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "tcpwitness/connection.hpp"

namespace tcpwitness {

struct ReportFilter {
  bool problems = false;
  std::vector<Rule> rules;        // empty: all
  std::vector<Outcome> outcomes;  // empty: all
  // Connecting, or the first byte of the answer, took longer, or connecting was given up after longer.
  std::optional<std::int64_t> slower_than_ns{};
  std::optional<std::int64_t> longer_than_ns{};  // from its first event to its end
  std::optional<std::uint64_t> larger_than{};    // bytes, both directions together

  bool operator==(const ReportFilter&) const = default;

  [[nodiscard]] bool any() const { return problems || !rules.empty() || !outcomes.empty() || by_amount(); }

  [[nodiscard]] bool wants(Rule rule) const {
    return (!problems || is_problem(rule)) && (rules.empty() || std::ranges::find(rules, rule) != rules.end());
  }
  [[nodiscard]] bool wants(const Life& life) const {
    const auto chosen = [&](const Finding& finding) { return wants(finding.rule); };
    const bool found = std::ranges::any_of(life.findings, chosen);
    if (problems && !found && !(rules.empty() && is_problem(life.outcome))) return false;
    if (!rules.empty() && !found) return false;
    if (!outcomes.empty() && std::ranges::find(outcomes, life.outcome) == outcomes.end()) return false;
    if (longer_than_ns && life.duration_ns <= *longer_than_ns) return false;
    if (larger_than && life.tx_bytes + life.rx_bytes <= *larger_than) return false;
    return !slower_than_ns || connecting_ns(life) > *slower_than_ns ||
           life.phases.first_byte.value_or(0) > *slower_than_ns;
  }
  // Of segments that belong to none: they have no outcome, and connect to nothing.
  [[nodiscard]] bool wants_without_connection(Rule rule) const {
    return outcomes.empty() && !by_amount() && wants(rule);
  }
  // A finding of a connection that may still be open. What it will be at its end is not known yet.
  [[nodiscard]] bool wants_findings_at_once() const {
    return (problems || !rules.empty()) && outcomes.empty() && !by_amount();
  }
  [[nodiscard]] bool wants_at_once(Rule rule) const { return wants_findings_at_once() && wants(rule); }

 private:
  [[nodiscard]] bool by_amount() const { return slower_than_ns || longer_than_ns || larger_than; }
  // From the first SYN to the end of the handshake, or of the attempt.
  static std::int64_t connecting_ns(const Life& life) {
    if (life.handshake_ns) return *life.handshake_ns;
    const bool never_open = life.outcome == Outcome::refused || life.outcome == Outcome::connect_timeout ||
                            life.outcome == Outcome::connect_unsent || life.outcome == Outcome::connect_ignored ||
                            life.outcome == Outcome::unreachable || life.outcome == Outcome::connect_cancelled;
    return never_open ? life.duration_ns : 0;
  }
};

}  // namespace tcpwitness
