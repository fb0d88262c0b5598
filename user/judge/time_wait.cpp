// SPDX-License-Identifier: Apache-2.0
// time_wait.cpp: who waits in TIME_WAIT, until when, and which tuple is blocked.
//
// Certain when the kernel's socket had processed the peer's FIN, or when the mini-socket itself showed it:
// its ACK of that FIN left in TIME_WAIT, or the FIN met it in FIN_WAIT2 and was acknowledged. Likely when
// only the wire showed that FIN on its way.
#include <algorithm>
#include <optional>
#include <utility>

#include "facts/derived.hpp"
#include "judge/judge.hpp"
#include "judge/rules.hpp"
#include "values/kernel.hpp"

namespace tcpwitness {
std::optional<Finding> judge_time_wait(const Connection& c, const RuleContext& /*context*/, Outcome /*outcome*/) {
  const Teardown& teardown = *c.teardown;
  if (first_fin_stands_behind(c)) return std::nullopt;  // the peer's
  if (!teardown.time_wait || c.state != TcpState::time_wait) return std::nullopt;
  std::optional<Finding> found(std::in_place);
  Finding& finding = *found;
  finding.rule = Rule::time_wait;
  finding.evidence.reserve(3);
  const bool shown = c.seen_by.kernel && (fin_received(c.cb) || teardown.end_from == TcpState::closing);
  const bool mini =
      c.seen_by.kernel && (teardown.time_wait_answered || (teardown.fin_on_mini && teardown.fin_in.acked));
  finding.confidence = shown || mini ? Confidence::certain : Confidence::likely;
  const auto cite_once = [&](const Mark& mark) {
    if (mark && std::ranges::find(finding.evidence, mark.id) == finding.evidence.end()) {
      finding.evidence.push_back(mark.id);
    }
  };
  cite_once(teardown.time_wait);
  cite_once(teardown.fin_in.sent);
  cite_once(teardown.fin_in.acked);
  finding.arguments.emplace<arguments::TimeWait>(arguments::TimeWait{
      .closer = closer_of(c).named(),
      .with_peer = closed_first(c) == ClosedBy::both || teardown.end_from == TcpState::closing,
      .lasts_ns = kernel::time_wait_ns,
      .local = c.flow.local,
      .remote = c.flow.remote,
  });
  return found;
}

}  // namespace tcpwitness
