// SPDX-License-Identifier: Apache-2.0
// zero_window.cpp: a receive window that was closed for a while; never called keep-alive.
//
// Needs the wire: only there the receiver shows it. Its process reads more slowly than payload comes, or not at all.
#include <utility>

#include "judge/judge.hpp"
#include "judge/rules.hpp"

namespace tcpwitness {
namespace {

std::int64_t closed_for(const ZeroWindowFacts& window, const Connection& c, const RuleContext& context) {
  std::int64_t total = window.total_ns;
  if (window.since) {
    // Of a capture nothing is known behind the connection's last segment.
    const TimeNs newest = context.conversation != nullptr ? c.last_ts_ns : context.now;
    const TimeNs until = c.ended() ? c.teardown->end.ts_ns : newest;
    if (until > window.since.ts_ns) total += until - window.since.ts_ns;
  }
  return total;
}

// A reader that keeps up fills its buffer for a moment now and then; that is flow control at work. One that is slower
// keeps the window closed for longer than a time slice. Where its closing was not seen the probes show it: the first
// one comes after an RTO, 200 ms at least.
bool closed_long_enough(const ZeroWindowFacts& window, const Connection& c, const RuleContext& context) {
  constexpr std::int64_t momentary_ns = 10'000'000;
  if (window.periods == 0) return window.probes != 0;
  return closed_for(window, c, context) >= momentary_ns;
}

arguments::ClosedWindow period(const ZeroWindowFacts& window, const Connection& c, const RuleContext& context) {
  using Now = arguments::ClosedWindow::Now;
  const Now now = !window.since ? Now::open : c.ended() ? Now::never_opened : Now::closed;
  return {closed_for(window, c, context), window.periods, window.probes, now};
}

}  // namespace

std::optional<Finding> judge_zero_window(const Connection& c, const RuleContext& context, Outcome /*outcome*/) {
  const ZeroWindowFacts& local = c.anomalies->local_window;
  const ZeroWindowFacts& peer = c.anomalies->peer_window;
  const bool ours = local.periods != 0 && closed_long_enough(local, c, context);
  const bool theirs = (peer.periods != 0 || peer.probes != 0) && closed_long_enough(peer, c, context);
  if (!ours && !theirs) return std::nullopt;
  Finding finding;
  finding.rule = Rule::zero_window;
  finding.confidence =
      (ours && local.periods != 0) || peer.periods != 0 || peer.by_kernel ? Confidence::certain : Confidence::likely;
  if (theirs) cite(finding, peer.evidence);
  if (ours) cite(finding, local.evidence);
  if (theirs && context.peer != nullptr) finding.peer = peer_end(*context.peer);
  arguments::ZeroWindow found{.forwarded = c.forwarded() != nullptr};
  if (theirs) {
    found.peer = period(peer, c, context);
    found.waiting_bytes = peer.unsent_bytes;
    if (context.peer != nullptr) found.peer_process = context.peer->owner.named();
  }
  if (ours) {
    found.local = period(local, c, context);
    found.local_process = c.owner.named();
  }
  finding.arguments = std::move(found);
  return finding;
}

}  // namespace tcpwitness
