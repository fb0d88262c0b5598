// SPDX-License-Identifier: Apache-2.0
// keepalive.cpp: probes sent, answered, unanswered n of N; the timers; when the peer is declared dead.
//
// Needs the wire: keep-alive has no tracepoint. Certain when the kernel's own view distinguished the probe from
// a zero-window probe, or when it reported why it gave up.
#include <utility>

#include "judge/judge.hpp"
#include "judge/rules.hpp"

namespace tcpwitness {
namespace {

// The silence that the timers allow, give or take the kernel's ticks.
bool as_configured(const KeepaliveFacts& k, std::uint32_t silence_ms) {
  const std::uint64_t allowed = k.time_ms + std::uint64_t{k.probes} * k.intvl_ms;
  const std::uint64_t slack = allowed / 10 + 250;
  return silence_ms <= allowed + slack && silence_ms + slack >= allowed;
}

// Nothing of that direction was seen. Where packets of some interfaces only are traced, or the handshake shows that
// there were some, they went by another one.
bool goes_elsewhere(const Connection& c, const RuleContext& context, std::uint64_t seen) {
  const bool handshake = c.opening.established && !c.opening.preexisting;
  return seen == 0 && (!context.has_kernel || !context.every_interface || handshake);
}

}  // namespace

std::optional<Finding> judge_keepalive(const Connection& c, const RuleContext& context, Outcome outcome) {
  const KeepaliveFacts& k = c.anomalies->keepalive;
  if (k.sent == 0 && k.received == 0) return std::nullopt;
  Finding finding;
  finding.rule = Rule::keepalive;
  finding.confidence = k.by_kernel ? Confidence::certain : Confidence::likely;
  cite(finding, k.evidence);
  arguments::Keepalive found;
  // Of a receiver that was not seen the window can be closed: a probe into that is the same segment.
  const bool closed_unseen = (k.sent != 0 && c.wire.segs_in == 0) || (k.sent == 0 && c.wire.segs_out == 0);
  if (!k.by_kernel && closed_unseen) finding.confidence = Confidence::inconclusive;
  found.sent = k.sent;
  found.answered = k.answered;
  found.unanswered = k.unanswered;
  found.one_way = goes_elsewhere(c, context, c.wire.segs_in);
  found.replies_unseen = goes_elsewhere(c, context, c.wire.segs_out);
  found.received = k.received;
  found.replied = k.replied;
  found.time_ms = k.time_ms;
  found.interval_ms = k.intvl_ms;
  found.probes = k.probes;
  if (k.sent != 0 && k.unanswered != 0) {
    if (outcome == Outcome::keepalive_timeout) {
      const std::uint32_t silence_ms = c.has_cb() ? c.cb.since_received_ms : 0;
      found.death = {context.names.interface(k.ifindex), silence_ms, as_configured(k, silence_ms), k.answers_dropped,
                     k.answers_refused};
    } else if (k.dead_at_ns != 0 && !c.ended()) {
      found.gives_up_ns = k.dead_at_ns - context.now;
    }
  }
  finding.arguments = std::move(found);
  return finding;
}

}  // namespace tcpwitness
