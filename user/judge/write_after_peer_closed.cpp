// SPDX-License-Identifier: Apache-2.0
// write_after_peer_closed.cpp: data sent into a connection that the other side had closed, answered by a RST.
//
// The race behind "connection reset by peer" of kept-alive connections: the server closes an idle one, the client uses
// it once more. A FIN closes one direction only (RFC 9293, 3.6), so CLOSE_WAIT alone is no fault: what the peer
// acknowledges after its FIN shows that it still reads. So does a RST that acknowledges: its process has broken off,
// and can have read before. A socket that is closed refuses by a RST without ACK (RFC 9293, 3.10.7.1).
#include <algorithm>

#include "judge/judge.hpp"
#include "judge/rules.hpp"

namespace tcpwitness {
std::optional<Finding> judge_write_after_peer_closed(const Connection& c, const RuleContext& /*context*/,
                                                     Outcome outcome) {
  if (outcome != Outcome::reset_by_peer || !c.teardown || !c.anomalies) return std::nullopt;
  const Teardown& teardown = *c.teardown;
  const Anomalies& t = *c.anomalies;
  const bool behind_fin = teardown.end_from == TcpState::close_wait || teardown.end_from == TcpState::last_ack;
  if (!behind_fin || !teardown.close_wait || !teardown.sent_known || !c.has_cb()) return std::nullopt;
  if (!t.reset_received.mark) return std::nullopt;
  const std::uint32_t own_fin = teardown.end_from == TcpState::last_ack ? 1 : 0;
  const std::uint32_t end = c.cb.write_seq - own_fin;
  const auto lost = static_cast<std::int32_t>(end - c.cb.snd_una);
  // The peer took something that was written after its FIN: it had closed one direction only.
  if (lost <= 0 || seq_before(teardown.sent, c.cb.snd_una)) return std::nullopt;
  if ((t.rst_in.flags & tcp_flag::ack) != 0 && seq_before(teardown.sent, t.rst_in.ack)) return std::nullopt;
  const std::uint32_t after = end - teardown.sent;
  Finding finding;
  finding.rule = Rule::write_after_peer_closed;
  // By a RST with ACK the peer breaks off, whatever came; who refuses what came sends none (RFC 9293, 3.10.7.1).
  const bool refuses = t.rst_in.mark && (t.rst_in.flags & tcp_flag::ack) == 0;
  finding.confidence = refuses ? Confidence::certain : Confidence::likely;
  finding.evidence.push_back(teardown.close_wait.id);
  finding.evidence.push_back(t.reset_received.mark.id);
  if (t.rst_in.mark) finding.evidence.push_back(t.rst_in.mark.id);
  // Of the newest sending, which can be a retransmission: not later than the first of these.
  std::int64_t sent_ns = t.reset_received.mark.ts_ns - std::int64_t{t.reset_received.sent_ms} * 1'000'000;
  const Unanswered& run = t.retransmissions.current;
  if (run.tries != 0 && run.seq == c.cb.snd_una && run.seq == teardown.sent) sent_ns = std::min(sent_ns, run.first_ns);
  finding.arguments = arguments::WriteAfterPeerClosed{
      .remote = c.flow.remote,
      .process = c.owner.shared ? arguments::NamedProcess{} : c.owner.named(),
      .lost_bytes = static_cast<std::uint32_t>(lost),
      .after_bytes = after,
      .later_ns = sent_ns - teardown.close_wait.ts_ns,
  };
  return finding;
}

}  // namespace tcpwitness
