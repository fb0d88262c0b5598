// SPDX-License-Identifier: Apache-2.0
// weaker.hpp: what may still be reported when less was seen: no finding that is surer, no outcome that is another.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "tcpwitness/pipeline.hpp"

namespace tcpwitness::testing {

// What may be reported less surely, never more: outcomes that admit ignorance, and the word that a finer one rests on.
inline bool admits(Outcome reported) { return reported == Outcome::unknown || reported == Outcome::open; }

inline bool may_say(Outcome truth, Outcome reported) {
  if (reported == truth || admits(reported)) return true;
  if (reported == Outcome::connect_timeout)
    return truth == Outcome::connect_unsent || truth == Outcome::connect_ignored;
  if (reported == Outcome::syn_dropped) return truth == Outcome::refused || truth == Outcome::unreachable;
  if (reported == Outcome::unreachable) return truth == Outcome::connect_unsent;
  return reported == Outcome::reset_by_peer && truth == Outcome::reset_by_outsider;
}

// A rule's most certain finding, of all connections.
inline std::map<Rule, Confidence> confidences(const Reports& reports) {
  std::map<Rule, Confidence> most;
  const auto raise = [&](const Finding& finding) {
    const auto [place, fresh] = most.try_emplace(finding.rule, finding.confidence);
    if (!fresh) place->second = std::max(place->second, finding.confidence);
  };
  for (const Report& report : reports) {
    if (const auto* life = std::get_if<Life>(&report)) {
      for (const Finding& finding : life->findings) raise(finding);
    }
    if (const auto* found = std::get_if<FindingReport>(&report)) raise(found->finding);
  }
  return most;
}

// Of each connection by itself.
struct Verdicts {
  std::vector<std::pair<Flow, Finding>> findings;
  std::vector<std::pair<Flow, Outcome>> outcomes;
};

inline Verdicts verdicts(const Reports& reports) {
  Verdicts reported;
  for (const Report& report : reports) {
    if (const auto* life = std::get_if<Life>(&report)) {
      reported.outcomes.emplace_back(life->flow, life->outcome);
      for (const Finding& finding : life->findings) reported.findings.emplace_back(life->flow, finding);
    }
    if (const auto* found = std::get_if<FindingReport>(&report))
      reported.findings.emplace_back(found->flow, found->finding);
  }
  return reported;
}

// The same address pair, as far as it was seen: connect() comes before the kernel has chosen a port.
inline bool same_flow(const Flow& one, const Flow& other) {
  const bool local = one.local == other.local || one.local.port == 0 || other.local.port == 0;
  return local && one.remote == other.remote;
}

// The findings of `less` that are more certain than in `whole`. A rule that found nothing there may find it as
// inconclusive, or as sure as `fresh`.
inline std::vector<Finding> surer(const Verdicts& whole, const Verdicts& less,
                                  Confidence fresh = Confidence::inconclusive) {
  std::vector<Finding> found;
  for (const auto& [flow, finding] : less.findings) {
    std::vector<Confidence> before;
    for (const auto& [known, reported] : whole.findings) {
      if (reported.rule == finding.rule && same_flow(known, flow)) before.push_back(reported.confidence);
    }
    const Confidence allowed = before.empty() ? fresh : *std::ranges::max_element(before);
    if (finding.confidence > allowed) found.push_back(finding);
  }
  return found;
}

// The outcomes of `less` that are neither that connection's in `whole` nor a weaker word for it.
inline std::vector<std::pair<Flow, Outcome>> otherwise(const Verdicts& whole, const Verdicts& less) {
  std::vector<std::pair<Flow, Outcome>> found;
  for (const auto& [flow, outcome] : less.outcomes) {
    const bool said = admits(outcome) || std::ranges::any_of(whole.outcomes, [&](const auto& known) {
                        return same_flow(known.first, flow) && may_say(known.second, outcome);
                      });
    if (!said) found.emplace_back(flow, outcome);
  }
  return found;
}

}  // namespace tcpwitness::testing
