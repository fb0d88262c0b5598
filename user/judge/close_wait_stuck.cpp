// SPDX-License-Identifier: Apache-2.0
// close_wait_stuck.cpp: the peer has closed and this side's process has not, for too long.
//
// While it lasts it rests on the absence of a transition and is only likely, unless the kernel showed the descriptor
// that is still open; once the state was left, both ends of the wait were seen. Both are certain.
#include <optional>
#include <utility>

#include "judge/judge.hpp"
#include "judge/rules.hpp"

namespace tcpwitness {
namespace {

// How long it had sent no payload when it closed, by the flow's counters; nothing: not known.
std::optional<std::int64_t> idle_at_end(const Connection& c) {
  const Teardown& teardown = *c.teardown;
  const bool counted = c.totals.at_destruction && c.seldom && c.seldom->payload && c.seldom->payload->last_out != 0;
  if (counted) return teardown.left_close_wait.ts_ns - c.seldom->payload->last_out;
  return std::nullopt;
}

// It goes on sending: closed in one direction only, as is its right (RFC 9293, 3.6).
bool half_closed_and_busy(const Connection& c, const RuleContext& context) {
  const Teardown& teardown = *c.teardown;
  const bool sent_before_look =
      teardown.descriptor && std::int64_t{teardown.idle_ms} * 1'000'000 < context.close_wait_stuck_ns / 2;
  if (!teardown.left_close_wait) return sent_before_look;
  // The FIN is no byte.
  if (!teardown.sent_known || !seq_before(teardown.sent + 1, c.cb.write_seq)) return false;
  const bool was_idle = teardown.descriptor && !sent_before_look;
  if (was_idle && c.anomalies && c.anomalies->while_open.has_reported(Rule::close_wait_stuck)) return false;
  const auto idle = idle_at_end(c);
  return idle ? *idle < context.close_wait_stuck_ns : !was_idle;
}

// The newest control block can be of the peer's FIN, which may come before accept(): a descriptor, or a process that
// has used the connection, proves that it was accepted since.
bool is_accepted(const Connection& c) {
  const bool used = c.owner.source != PidSource::unknown && c.owner.source != PidSource::listen;
  return used || c.teardown->descriptor || !is_unaccepted(c.cb);
}

// It went on to LAST_ACK, or to CLOSE by a call or the death of its process. A RST, a timer and another process (ss -K)
// end it as well.
bool process_closed(const Connection& c) {
  const Teardown& teardown = *c.teardown;
  if (teardown.left_close_wait.id != teardown.end.id) return true;
  const bool reset = c.anomalies && c.anomalies->reset_received.mark;
  return actor_present(teardown.end_actor) && actor_owned(teardown.end_actor) &&
         !error_ended(c.cb, TcpState::close_wait) && !destroyed_by_other(c) && !reset;
}

}  // namespace

std::optional<Finding> judge_close_wait_stuck(const Connection& c, const RuleContext& context, Outcome /*outcome*/) {
  if (!c.teardown || !c.teardown->close_wait) return std::nullopt;
  const Teardown& teardown = *c.teardown;
  const bool left = static_cast<bool>(teardown.left_close_wait);
  if (!left && c.state != TcpState::close_wait) return std::nullopt;
  const std::int64_t lasted = (left ? teardown.left_close_wait.ts_ns : context.now) - teardown.close_wait.ts_ns;
  if (lasted < context.close_wait_stuck_ns || half_closed_and_busy(c, context)) return std::nullopt;
  Finding finding;
  finding.rule = Rule::close_wait_stuck;
  const bool shown = left || teardown.descriptor;
  finding.confidence = shown ? Confidence::certain : Confidence::likely;
  if (c.incomplete) finding.confidence = Confidence::inconclusive;
  finding.evidence.push_back(teardown.close_wait.id);
  if (teardown.descriptor) finding.evidence.push_back(teardown.descriptor.id);
  if (left) finding.evidence.push_back(teardown.left_close_wait.id);
  arguments::CloseWaitStuck found;
  found.closed = left && process_closed(c);
  found.ended = left && !found.closed;
  found.at_least = teardown.close_wait_found;
  found.lasted_ns = lasted;
  found.accepted = is_accepted(c);
  // Who holds the descriptor is who has not closed.
  const bool held = !found.closed && teardown.descriptor;
  found.process = held ? teardown.holder.named() : c.owner.named();
  found.several = held && teardown.holder.pid == 0;
  if (held && teardown.holder.pid != 0) found.fd = teardown.fd;
  finding.arguments = std::move(found);
  return finding;
}

}  // namespace tcpwitness
