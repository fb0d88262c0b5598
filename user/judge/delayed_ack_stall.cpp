// SPDX-License-Identifier: Apache-2.0
// delayed_ack_stall.cpp: Nagle's algorithm beside delayed acknowledgements (RFC 9293, 3.7.4; RFC 1122, 4.2.3.2
// and 4.2.3.4).
//
// bpf/stall.h counts: a small write that the kernel's own rule (tcp_nagle_check()) held back when send() returned, and
// that left when a bare ACK came, much later than the fastest one on this path.
#include "judge/judge.hpp"
#include "judge/rules.hpp"

namespace tcpwitness {

std::optional<Finding> judge_delayed_ack_stall(const Connection& c, const RuleContext& /*context*/,
                                               Outcome /*outcome*/) {
  constexpr std::uint32_t enough = 2;
  const LossCounters& loss = c.anomalies->loss;
  if (loss.stalls < enough) return std::nullopt;
  Finding finding;
  finding.rule = Rule::delayed_ack_stall;
  finding.confidence = Confidence::likely;
  cite(finding, c.anomalies->stalls);
  finding.arguments = arguments::DelayedAckStall{
      .writes = loss.stalls,
      .process = c.owner.named(),
      .waited_ns = std::int64_t{loss.stall_ms} * 1'000'000,
  };
  return finding;
}

}  // namespace tcpwitness
