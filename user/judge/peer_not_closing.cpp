// SPDX-License-Identifier: Apache-2.0
// peer_not_closing.cpp: this side has closed, the peer acknowledged it and does not close itself, for too long.
//
// The other end of close-wait-stuck. Where the process here is gone (close()), nothing but the peer's FIN can come any
// more; where it only shut its sending side down, the peer may still have an answer to send (RFC 9293, 3.6), so that is
// never more than likely, and nothing while data comes.
#include <algorithm>

#include "judge/judge.hpp"
#include "judge/rules.hpp"

namespace tcpwitness {

namespace {

// One that was dropped here came, too.
const Mark& fin_came(const Teardown& teardown) {
  if (teardown.fin_dropped) return teardown.fin_dropped;
  return teardown.fin_in.sent ? teardown.fin_in.sent : teardown.time_wait;
}

}  // namespace

std::optional<Finding> judge_peer_not_closing(const Connection& c, const RuleContext& context, Outcome /*outcome*/) {
  if (!c.teardown || !c.teardown->fin_wait2) return std::nullopt;
  const Teardown& teardown = *c.teardown;
  const bool closed = teardown.closed_both_ns != 0;
  const Mark& left = fin_came(teardown);
  if (!left && c.state != TcpState::fin_wait2) return std::nullopt;
  TimeNs until = left ? left.ts_ns : context.now;
  if (!left && c.ended() && !teardown.mini_fin_wait2) until = teardown.end.ts_ns;
  // A mini-socket takes no data. The FIN counts as a byte.
  const std::uint64_t fin = fin_received(c.cb) ? 1 : 0;
  const bool busy = c.cb.bytes_received > teardown.fin_wait2_bytes + fin;
  const TimeNs since = std::max(teardown.fin_wait2.ts_ns, teardown.closed_both_ns);
  if (busy || until - teardown.fin_wait2_quiet_ns < context.close_wait_stuck_ns) return std::nullopt;
  const bool seen = left || teardown.fin_wait2_seen.ts_ns > since;
  if (waits_unseen(c) && (!seen || teardown.fin_wait2_left)) return std::nullopt;  // its FIN may have come
  if (!closed && !seen) return std::nullopt;  // whether data comes is not known without a look
  Finding finding;
  finding.rule = Rule::peer_not_closing;
  finding.confidence = closed && seen ? Confidence::certain : Confidence::likely;
  if (c.incomplete) finding.confidence = Confidence::inconclusive;
  finding.evidence.push_back(teardown.fin_wait2.id);
  if (left) finding.evidence.push_back(left.id);
  finding.arguments = arguments::PeerNotClosing{
      .closer = closer_of(c).named(),
      .both_directions = closed,
      .remote = c.flow.remote,
      .closed = static_cast<bool>(left),
      .at_least = teardown.fin_wait2_found,
      .lasted_ns = until - since,
  };
  return finding;
}

}  // namespace tcpwitness
