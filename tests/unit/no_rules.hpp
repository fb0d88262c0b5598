// SPDX-License-Identifier: Apache-2.0
// no_rules.hpp: rules that find nothing, for tests of correlation alone: a test overrides what it asks about.
#pragma once

#include "facts/rules.hpp"

namespace tcpwitness::testing {

class NoRules : public Rules {
 public:
  [[nodiscard]] Life life(const Connection&, const RuleContext&) const override { return {}; }
  [[nodiscard]] Outcome outcome(const Connection&, const RuleContext&) const override { return Outcome::unknown; }
  [[nodiscard]] std::vector<Finding> findings(const Connection&, const RuleContext&) const override { return {}; }
  [[nodiscard]] std::optional<Finding> close_wait_stuck(const Connection&, const RuleContext&) const override {
    return std::nullopt;
  }
  [[nodiscard]] std::optional<Finding> peer_not_closing(const Connection&, const RuleContext&) const override {
    return std::nullopt;
  }
  [[nodiscard]] Finding stray(const Stray&, const Names&, bool) const override { return {}; }
  [[nodiscard]] Finding dropped_syn(const DroppedSyn&, const Names&, bool) const override { return {}; }
  [[nodiscard]] std::optional<Finding> attempts(const Attempts&, const Names&, bool) const override {
    return std::nullopt;
  }
  [[nodiscard]] Finding more_strays(const Crowd&, bool) const override { return {}; }
  [[nodiscard]] Finding more_dropped_syns(const MoreDroppedSyns&, const Names&, bool) const override { return {}; }
  [[nodiscard]] Finding more_refused(const Crowd&, bool) const override { return {}; }
};

}  // namespace tcpwitness::testing
