// SPDX-License-Identifier: Apache-2.0
// slow.cpp: time that went by in the handshake, before accept(), and between a segment and its effect.
//
// Which leg was slow is shown by both ends of it. The time before accept() is bounded from below by events that
// show the socket without a process, from above by the process's first call.
#include <algorithm>
#include <utility>

#include "judge/judge.hpp"
#include "judge/rules.hpp"

namespace tcpwitness {
namespace {

std::uint32_t sent_again(const Connection& c, RetransmitKind kind) {
  return c.anomalies ? c.anomalies->retransmissions.by_kind[static_cast<std::size_t>(kind)] : 0;
}

// The peer's ACK came, and got no further on this machine.
bool ack_dropped(const Connection& c, const RuleContext& context) {
  if (!c.anomalies) return false;
  const TimeNs until = handshake_begun(c) + c.handshake_ns;
  const auto meanwhile = [&](const Mark& mark) { return mark.ts_ns >= c.syn_ack.ts_ns && mark.ts_ns <= until; };
  return std::ranges::any_of(c.anomalies->drops.seen(), [&](const DropSeen& seen) {
    return !seen.out && (seen.flags & tcp_flag::ack) != 0 && is_fault(drop_kind(context.names, seen.reason)) &&
           (meanwhile(seen.first) || meanwhile(seen.last));
  });
}

}  // namespace

std::optional<Finding> judge_slow_handshake(const Connection& c, const RuleContext& context, Outcome /*outcome*/) {
  if (c.handshake_ns < context.slow_handshake_ns || !c.opening.established) return std::nullopt;
  Finding finding;
  finding.rule = Rule::slow_handshake;
  finding.confidence = Confidence::likely;
  const bool active = c.role == Role::active;
  if (c.syn) finding.evidence.push_back(c.syn.id);
  if (c.syn_ack) finding.evidence.push_back(c.syn_ack.id);
  if (c.anomalies) cite(finding, c.anomalies->retransmissions.evidence);
  using Leg = arguments::SlowHandshake::Leg;
  arguments::SlowHandshake found{.active = active, .total_ns = c.handshake_ns};
  found.resent = sent_again(c, active ? RetransmitKind::syn : RetransmitKind::syn_ack);
  if (!c.syn || !c.syn_ack) {
    finding.arguments = found;
    return finding;
  }
  const TimeNs begun = handshake_begun(c);
  // Where the next hop's address is not known yet, or a queue is full, the SYN waits on this machine.
  const std::int64_t unsent = c.syn.ts_ns - begun;
  const std::int64_t first = c.syn_ack.ts_ns - c.syn.ts_ns;
  const std::int64_t second = begun + c.handshake_ns - c.syn_ack.ts_ns;
  // ESTABLISHED late, and the ACK was there: the listener waits for data (TCP_DEFER_ACCEPT), or has no room to accept.
  const bool repeated = sent_again(c, RetransmitKind::syn_ack) != 0;
  const bool ack_was_there = !repeated || (c.anomalies && c.anomalies->retransmissions.ack_waits);
  if (!active && first < context.slow_handshake_ns && ack_was_there) return std::nullopt;
  // TCP took a copy of the SYN-ACK, not the first one: what became of that is not known.
  const bool took_a_copy = active && c.anomalies && c.anomalies->syn_ack_copy && second >= first;
  const bool asked = first >= second;
  const bool left_late = unsent >= context.slow_handshake_ns && unsent > first && unsent > second;
  // A capture does not show when a segment came to the other end, and not whether it has all of them.
  const bool captured = context.conversation != nullptr;
  const bool by_one = first >= context.slow_handshake_ns || second >= context.slow_handshake_ns;
  if (by_one && !took_a_copy && (!captured || asked)) finding.confidence = Confidence::certain;
  const bool repeated_answer = c.inferred && c.inferred->syn_ack_repeated;
  if (captured && !asked && !repeated_answer) finding.confidence = Confidence::inconclusive;
  if (left_late) finding.confidence = Confidence::certain;
  if (!active && !asked && ack_dropped(c, context)) {
    finding.confidence = Confidence::likely;
    finding.arguments = found;
    return finding;
  }
  found.leg_ns = asked ? first : second;
  if (left_late) {
    found.leg = Leg::leaving;
    found.leg_ns = unsent;
  } else if (captured) {
    found.leg = asked ? Leg::capture_answer : Leg::capture_ack;
    found.answer_ns = first;
    found.answer_repeated = repeated_answer;
  } else if (active) {
    found.leg = asked ? Leg::answer : took_a_copy ? Leg::taking_a_copy : Leg::taking;
  } else {
    found.leg = asked ? Leg::own_answer : Leg::ack;
  }
  finding.arguments = found;
  return finding;
}

std::optional<Finding> judge_slow_accept(const Connection& c, const RuleContext& /*context*/, Outcome /*outcome*/) {
  const AcceptFacts& accept = c.anomalies->accept;
  if (!accept.unaccepted && !accept.first_call) return std::nullopt;
  Finding finding;
  finding.rule = Rule::slow_accept;
  finding.confidence = accept.unaccepted ? Confidence::certain : Confidence::likely;
  if (accept.unaccepted) finding.evidence.push_back(accept.unaccepted.id);
  if (accept.first_call) finding.evidence.push_back(accept.first_call.id);
  arguments::SlowAccept found{.process = accept.unaccepted ? acceptor(c) : c.owner.named(),
                              .unaccepted = static_cast<bool>(accept.unaccepted)};
  found.waited_ns = std::int64_t{accept.waited_ms} * 1'000'000;
  if (accept.unaccepted) {
    found.waited_ns = accept.unaccepted.ts_ns - accept.since_ns;
    if (accept.first_call) found.first_call_ns = accept.first_call.ts_ns - accept.since_ns;
  }
  finding.arguments = std::move(found);
  return finding;
}

std::optional<Finding> judge_late(const Connection& c, const RuleContext& context, Outcome /*outcome*/) {
  const ReactionFacts& worst = c.anomalies->reaction;
  if (!worst.segment || worst.delay_ns < context.late_ns) return std::nullopt;
  // What was dropped behind the interface came again: the delay is the peer's timer, not this kernel.
  for (const DropSeen& seen : c.anomalies->drops.seen()) {
    if (!seen.out) return std::nullopt;
  }
  Finding finding;
  finding.rule = Rule::late;
  finding.confidence = Confidence::likely;
  finding.evidence = {worst.segment.id, worst.transition};
  finding.arguments = arguments::Late{worst.what, worst.delay_ns};
  return finding;
}

}  // namespace tcpwitness
