// SPDX-License-Identifier: Apache-2.0
// half_open.cpp: one side lived on: the peer had forgotten the connection.
//
// A host without a socket for a connection answers its segment with a RST that has no ACK flag and takes
// its sequence number from that segment (RFC 9293, 3.10.7.1); a process that breaks off sends
// RST+ACK. Only after silence (probes or retransmissions without an answer) is it a forgotten one; a
// firewall can look the same, so it is never certain.
#include "judge/judge.hpp"
#include "judge/rules.hpp"

namespace tcpwitness {
namespace {

// Where the kernel took the RST, its record has since when it had taken nothing else of the peer: not since that time.
bool nothing_since(const Connection& c, TimeNs then) {
  constexpr std::int64_t ticks_ns = 25'000'000;  // the kernel counts in jiffies, and a first copy may have been delayed
  const Anomalies& t = *c.anomalies;
  if (!t.reset_received.mark || !c.has_cb()) return true;
  return t.rst_in.mark.ts_ns - then <= std::int64_t{c.cb.since_received_ms} * 1'000'000 + ticks_ns;
}

}  // namespace

std::optional<Finding> judge_half_open(const Connection& c, const RuleContext& context, Outcome outcome) {
  const Anomalies& t = *c.anomalies;
  if (outcome != Outcome::reset_by_peer || !t.rst_in.mark || !c.opening.established) return std::nullopt;
  if ((t.rst_in.flags & tcp_flag::ack) != 0) return std::nullopt;
  const bool peer_closed = c.teardown && (c.teardown->fin_in.sent || c.teardown->close_wait);
  // Sent again and again, and nothing of it acknowledged to the end. (Without the kernel that is not known.)
  const Retransmissions& r = t.retransmissions;
  const bool unanswered = r.run.total != 0 && r.run_first.id < t.rst_in.mark.id &&
                          nothing_since(c, r.run_first.ts_ns) && !refused_since(c, context, r.run_first.ts_ns) &&
                          (!c.has_cb() || !seq_before(r.run_seq, c.cb.snd_una));
  const bool silence = t.keepalive.unanswered != 0 || unanswered;
  if (peer_closed || (!silence && t.keepalive.sent == 0)) return std::nullopt;
  Finding finding;
  finding.rule = Rule::half_open;
  finding.confidence = silence ? Confidence::likely : Confidence::inconclusive;
  if (unanswered) cite(finding, r.run);
  if (t.keepalive.unanswered != 0) {
    cite(finding, t.keepalive.run);
  } else if (!silence && t.keepalive.last_sent) {
    finding.evidence.push_back(t.keepalive.last_sent.id);
  }
  finding.evidence.push_back(t.rst_in.mark.id);
  using After = arguments::HalfOpen::After;
  arguments::HalfOpen found{After::silence, 0};
  if (t.keepalive.unanswered != 0) {
    found = {After::keepalive_probes, t.keepalive.unanswered};
  } else if (unanswered) {
    // The kernel's own count, where it reported them: the wire shows the same ones.
    found = {After::retransmissions, r.kernel != 0 && r.last_seq == r.run_seq ? r.attempt : r.run.total};
  }
  finding.arguments = found;
  return finding;
}

}  // namespace tcpwitness
