// SPDX-License-Identifier: Apache-2.0
// keepalive.cpp: probes sent, answered, unanswered n of N; the timers; when the peer is declared dead.
//
// Needs the wire: keep-alive has no tracepoint. Certain when the kernel's own view told the probe from
// a zero-window probe, or when it said why it gave up.
#include <fmt/format.h>

#include "judge/judge.hpp"

namespace tcpwitness {

std::optional<Finding> judge_keepalive(const Connection& c, const Bench& bench, Outcome outcome) {
  const KeepaliveFacts& k = c.trouble->keepalive;
  if (k.sent == 0 && k.received == 0) return std::nullopt;
  Finding finding;
  finding.rule = Rule::keepalive;
  finding.confidence = k.by_kernel ? Confidence::certain : Confidence::likely;
  cite(finding, k.evidence);
  if (!bench.texts) return finding;
  if (k.sent == 0) {
    finding.text =
        fmt::format("the peer sent {} keep-alive probe{}, this side answered {}", k.received,
                    k.received == 1 ? "" : "s", k.replied == k.received ? "all of them" : std::to_string(k.replied));
    if (k.received == 1)
      finding.text = fmt::format("the peer sent 1 keep-alive probe, this side {}",
                                 k.replied != 0 ? "answered it" : "did not answer it");
    return finding;
  }
  finding.text = fmt::format("{} keep-alive probe{} sent, {} answered", k.sent, k.sent == 1 ? "" : "s", k.answered);
  if (k.unanswered != 0) {
    finding.text += k.probes != 0 ? fmt::format(", {} of {} unanswered", k.unanswered, k.probes)
                                  : fmt::format(", {} unanswered", k.unanswered);
  }
  if (k.probes != 0) {
    finding.text += fmt::format("; first probe after {} of silence, then every {}, at most {}",
                                seconds(std::int64_t{k.time_ms} * 1'000'000),
                                seconds(std::int64_t{k.intvl_ms} * 1'000'000), k.probes);
  }
  if (outcome == Outcome::keepalive_timeout) {
    finding.text += "; the kernel gave the peer up";
  } else if (k.unanswered != 0 && k.dead_at_ns != 0 && !c.ended()) {
    finding.text += fmt::format("; the kernel will give the peer up in {}", seconds(k.dead_at_ns - bench.now));
  }
  return finding;
}

}  // namespace tcpwitness
