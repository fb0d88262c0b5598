// SPDX-License-Identifier: Apache-2.0
// zero_window.cpp: somebody stopped reading; never called keep-alive.
//
// Needs the wire: the receiver's closed window is only said there. Who advertised it stopped reading.
#include <fmt/format.h>

#include "judge/judge.hpp"

namespace tcpwitness {
namespace {

std::int64_t closed_for(const ZeroWindowFacts& window, const Connection& c, const RuleContext& context) {
  std::int64_t total = window.total_ns;
  if (window.since) {
    const TimeNs until = c.ended() ? c.teardown->end.ts_ns : context.now;
    if (until > window.since.ts_ns) total += until - window.since.ts_ns;
  }
  return total;
}

// A reader that keeps up fills its buffer for a moment now and then; that is flow control at work. One that stopped
// kept the window closed for longer than a time slice. Where its closing was not seen the probes say so: the first one
// comes after an RTO, 200 ms at least.
bool stopped_reading(const ZeroWindowFacts& window, const Connection& c, const RuleContext& context) {
  constexpr std::int64_t momentary_ns = 10'000'000;
  if (window.periods == 0) return window.probes != 0;
  return closed_for(window, c, context) >= momentary_ns;
}

std::string period_words(const ZeroWindowFacts& window, const Connection& c, const RuleContext& context) {
  const std::string probes = fmt::format("{} zero-window probe{}", window.probes, window.probes == 1 ? "" : "s");
  if (window.periods == 0) return probes + ", but its closing window was not seen";
  std::string text = fmt::format("the window was closed for {}", seconds(closed_for(window, c, context)));
  if (window.periods > 1) text += fmt::format(" in {} periods", window.periods);
  if (window.since) text += c.ended() || context.finished ? " and never opened again" : " and is still closed";
  return text + ", " + probes;
}

}  // namespace

std::optional<Finding> judge_zero_window(const Connection& c, const RuleContext& context) {
  const ZeroWindowFacts& local = c.anomalies->local_window;
  const ZeroWindowFacts& peer = c.anomalies->peer_window;
  const bool ours = local.periods != 0 && stopped_reading(local, c, context);
  const bool theirs = (peer.periods != 0 || peer.probes != 0) && stopped_reading(peer, c, context);
  if (!ours && !theirs) return std::nullopt;
  Finding finding;
  finding.rule = Rule::zero_window;
  finding.confidence =
      (ours && local.periods != 0) || peer.periods != 0 || peer.by_kernel ? Confidence::certain : Confidence::likely;
  if (theirs) cite(finding, peer.evidence);
  if (ours) cite(finding, local.evidence);
  if (theirs && context.peer != nullptr) finding.peer = peer_end(*context.peer);
  if (!context.texts) return finding;
  if (theirs) {
    const std::string who = c.passage() ? "the server's process"
                            : context.peer != nullptr && context.peer->owner.pid != 0
                                ? process_words(context.peer->owner)
                                : "the peer's process";
    finding.text = fmt::format("{} stopped reading: {}", who, period_words(peer, c, context));
    if (peer.unsent_bytes != 0) finding.text += fmt::format(", {} bytes waited here", peer.unsent_bytes);
  }
  if (ours) {
    if (theirs) finding.text += "; ";
    finding.text +=
        fmt::format("{} stopped reading: {} came in", c.passage() ? "the client's process" : process_words(c.owner),
                    period_words(local, c, context));
  }
  return finding;
}

}  // namespace tcpwitness
