// SPDX-License-Identifier: Apache-2.0
// keepalive.cpp: probes sent, answered, unanswered n of N; the timers; when the peer is declared dead.
//
// Needs the wire: keep-alive has no tracepoint. Certain when the kernel's own view distinguished the probe from
// a zero-window probe, or when it said why it gave up.
#include <fmt/format.h>

#include "judge/judge.hpp"

namespace tcpwitness {
namespace {

std::string duration(std::uint32_t ms) { return seconds(std::int64_t{ms} * 1'000'000); }

// The silence that the timers allow, give or take the kernel's ticks.
bool as_configured(const KeepaliveFacts& k, std::uint32_t silence_ms) {
  const std::uint64_t allowed = k.time_ms + std::uint64_t{k.probes} * k.intvl_ms;
  const std::uint64_t slack = allowed / 10 + 250;
  return silence_ms <= allowed + slack && silence_ms + slack >= allowed;
}

std::string death(const Connection& c, const RuleContext& context) {
  const KeepaliveFacts& k = c.anomalies->keepalive;
  std::string text = fmt::format("{}{} keep-alive probe{} left {}, no answer arrived: connection declared dead",
                                 k.unanswered, k.probes != 0 ? fmt::format(" of {}", k.probes) : "",
                                 k.unanswered == 1 && k.probes <= 1 ? "" : "s", context.names.interface(k.ifindex));
  const std::uint32_t silence = c.has_cb() ? c.cb.unheard_ms : 0;
  if (silence != 0) {
    text += fmt::format(" after {}{}", duration(silence), as_configured(k, silence) ? " as configured" : "");
  }
  if (k.probes != 0) {
    text += fmt::format(" ({} idle, {} interval, {} probes)", duration(k.time_ms), duration(k.intvl_ms), k.probes);
  }
  return text;
}

}  // namespace

std::optional<Finding> judge_keepalive(const Connection& c, const RuleContext& context, Outcome outcome) {
  const KeepaliveFacts& k = c.anomalies->keepalive;
  if (k.sent == 0 && k.received == 0) return std::nullopt;
  Finding finding;
  finding.rule = Rule::keepalive;
  finding.confidence = k.by_kernel ? Confidence::certain : Confidence::likely;
  cite(finding, k.evidence);
  if (!context.texts) return finding;
  if (k.sent == 0) {
    finding.text =
        fmt::format("the peer sent {} keep-alive probe{}, this side answered {}", k.received,
                    k.received == 1 ? "" : "s", k.replied == k.received ? "all of them" : std::to_string(k.replied));
    if (k.received == 1)
      finding.text = fmt::format("the peer sent 1 keep-alive probe, this side {}",
                                 k.replied != 0 ? "answered it" : "did not answer it");
    return finding;
  }
  if (outcome == Outcome::keepalive_timeout && k.unanswered != 0) {
    finding.text = death(c, context);
    return finding;
  }
  finding.text = fmt::format("{} keep-alive probe{} sent, {} answered", k.sent, k.sent == 1 ? "" : "s", k.answered);
  if (k.unanswered != 0) {
    finding.text += k.probes != 0 ? fmt::format(", {} of {} unanswered", k.unanswered, k.probes)
                                  : fmt::format(", {} unanswered", k.unanswered);
  }
  if (k.probes != 0) {
    finding.text += fmt::format("; first probe after {} of silence, then every {}, at most {}", duration(k.time_ms),
                                duration(k.intvl_ms), k.probes);
  }
  if (k.unanswered != 0 && k.dead_at_ns != 0 && !c.ended()) {
    finding.text += fmt::format("; the kernel will give the peer up in {}", seconds(k.dead_at_ns - context.now));
  }
  return finding;
}

}  // namespace tcpwitness
