// SPDX-License-Identifier: Apache-2.0
// rules.cpp: each rule where correlation asks for it, and an ending put into words.
#include "pipeline/rules.hpp"

#include "judge/judge.hpp"
#include "judge/rules.hpp"
#include "tcpwitness/ending.hpp"

namespace tcpwitness {
namespace {

class AllRules final : public Rules {
 public:
  Life life(const Connection& c, const RuleContext& context) const override {
    Life life = judge_life(c, context);
    if (life.ending != nullptr) life.explanation = explanation(life);
    return life;
  }
  Outcome outcome(const Connection& c, const RuleContext& context) const override { return judge_outcome(c, context); }
  std::vector<Finding> findings(const Connection& c, const RuleContext& context) const override {
    return judge_findings(c, context);
  }
  std::optional<Finding> close_wait_stuck(const Connection& c, const RuleContext& context) const override {
    return judge_close_wait_stuck(c, context, Outcome::open);
  }
  std::optional<Finding> peer_not_closing(const Connection& c, const RuleContext& context) const override {
    auto finding = judge_peer_not_closing(c, context, Outcome::open);
    if (finding) name_other_end(*finding, c, context);
    return finding;
  }
  Finding stray(const Stray& stray, const Names& names, bool lost) const override {
    return judge_stray(stray, names, lost);
  }
  Finding dropped_syn(const DroppedSyn& syn, const Names& names, bool lost) const override {
    return judge_dropped_syn(syn, names, lost);
  }
  std::optional<Finding> attempts(const Attempts& attempts, const Names& names, bool lost) const override {
    return judge_attempts(attempts, names, lost);
  }
  Finding more_strays(const Crowd& more, bool lost) const override { return judge_more_strays(more, lost); }
  Finding more_dropped_syns(const MoreDroppedSyns& more, const Names& names, bool lost) const override {
    return judge_more_dropped_syns(more, names, lost);
  }
  Finding more_refused(const Crowd& more, bool lost) const override { return judge_more_refused(more, lost); }
};

}  // namespace

const Rules& all_rules() {
  static const AllRules rules;
  return rules;
}

}  // namespace tcpwitness
