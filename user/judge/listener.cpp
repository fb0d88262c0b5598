// SPDX-License-Identifier: Apache-2.0
// listener.cpp: handshakes that met a listener's full queue: not answered, not finished, or only with a cookie.
//
// The kernel refuses such a SYN without any event, so the look-up at the SYN's arrival is the evidence, and that the
// peer sent it again is the proof that it went unanswered. A full queue whose SYN was answered is no finding.
#include <algorithm>
#include <utility>

#include "judge/judge.hpp"
#include "judge/rules.hpp"

namespace tcpwitness {
namespace {

// A SYN of this connection was dropped behind the interface for another reason: then the queue need not be why.
bool syn_dropped_elsewhere(const Connection& c, const RuleContext& context) {
  return std::ranges::any_of(c.anomalies->drops.seen(), [&](const DropSeen& seen) {
    const bool syn = (seen.flags & tcp_flag::syn) != 0 && (seen.flags & tcp_flag::ack) == 0;
    return !seen.out && syn && is_fault(drop_kind(context.names, seen.reason)) &&
           drop_kind(context.names, seen.reason) != DropKind::accept_queue;
  });
}

// The newest SYN met this queue full, and no SYN-ACK was seen since.
bool newest_met(const Connection& c, bool accept) {
  const QueueFacts& q = c.anomalies->queues;
  if (c.opening.answered || c.opening.established || q.newest_full == FullQueue::none) return false;
  return (q.newest_full == FullQueue::accept) == accept;
}

}  // namespace

// A child was made, and given up before it was anybody's: no route back to the peer (tcp_v4_syn_recv_sock()). The
// kernel calls that an overflow, too.
static bool child_given_up(const Connection& c) {
  if (!c.ended() || !c.teardown->end_shown || c.teardown->end_from != TcpState::syn_recv) return false;
  const std::uint8_t actor = c.teardown->end_actor;
  return !c.opening.established && c.has_cb() && c.cb.sk_err == 0 && !actor_owned(actor) && !actor_exiting(actor);
}

AcksDropped acks_dropped(const Connection& c, const RuleContext& context) {
  if (!c.anomalies || child_given_up(c)) return {};
  // The kernel's own word.
  if (const DropSeen* overflow = dropped_for(c, context, false, DropKind::accept_queue); overflow != nullptr)
    return {.drops = overflow, .count = overflow->count};
  // With cookies there is no request socket that could overflow: the ACK finds no socket at all. What comes when the
  // listener has closed finds none either.
  const QueueFacts& q = c.anomalies->queues;
  const DropSeen* refused = q.cookie ? dropped_for(c, context, false, DropKind::no_socket) : nullptr;
  if (refused == nullptr || q.ack_full.total == 0) return {};
  return {.drops = refused, .met = &q.ack_full, .count = std::min(refused->count, q.ack_full.total)};
}

std::optional<Finding> judge_accept_queue_full(const Connection& c, const RuleContext& context, Outcome /*outcome*/) {
  const QueueFacts& q = c.anomalies->queues;
  const AcksDropped acks = acks_dropped(c, context);
  const bool newest = newest_met(c, true);
  const std::uint32_t count_syns = q.accept_full.total + (newest ? 1 : 0);
  const bool syns = count_syns != 0;
  if (!syns && acks.count == 0) return std::nullopt;
  Finding finding;
  finding.rule = Rule::accept_queue_full;
  const bool repeated = q.accept_full.total != 0 && !syn_dropped_elsewhere(c, context);
  finding.confidence = acks.count != 0 || repeated ? Confidence::certain : Confidence::likely;
  cite(finding, q.accept_full);
  if (newest) finding.evidence.push_back(q.newest.id);
  if (acks.met != nullptr) cite(finding, *acks.met);
  if (acks.drops != nullptr) cite(finding, acks.drops->evidence);
  const QueueView& at = newest && acks.met == nullptr ? q.at_newest : q.at_accept;
  arguments::AcceptQueueFull found{.listener = listener_of(c), .local = c.flow.local};
  found.numbers = syns || acks.met != nullptr;
  found.waiting = at.accept_queue;
  found.limit = at.limit;
  found.syns = count_syns;
  found.acks = acks.count;
  finding.arguments = std::move(found);
  return finding;
}

std::optional<Finding> judge_syn_backlog_full(const Connection& c, const RuleContext& context, Outcome /*outcome*/) {
  const QueueFacts& q = c.anomalies->queues;
  const bool newest = newest_met(c, false);
  if (q.cookie || (q.syn_full.total == 0 && !newest)) return std::nullopt;
  const FullQueue kind = std::max(q.worst, newest ? q.newest_full : FullQueue::none);
  Finding finding;
  finding.rule = Rule::syn_backlog_full;
  const bool proved = q.syn_full.total != 0 && kind == FullQueue::syn && !syn_dropped_elsewhere(c, context);
  finding.confidence = proved ? Confidence::certain : Confidence::likely;
  cite(finding, q.syn_full);
  if (newest) finding.evidence.push_back(q.newest.id);
  const QueueView& at = newest ? q.at_newest : q.at_syn;
  const bool by_sysctl = kind == FullQueue::sysctl;
  finding.arguments = arguments::SynBacklogFull{
      .listener = listener_of(c),
      .local = c.flow.local,
      .half_open = at.syn_queue,
      .limit = by_sysctl ? at.max_syn_backlog : at.limit,
      .by_sysctl = by_sysctl,
      .syns = q.syn_full.total + (newest ? 1 : 0),
  };
  return finding;
}

std::optional<Finding> judge_syncookie(const Connection& c, const RuleContext& /*context*/, Outcome /*outcome*/) {
  const QueueFacts& q = c.anomalies->queues;
  // A proxy (SYNPROXY) answers without a socket too, so the listener must have known nothing of the request.
  if (!q.cookie || !c.opening.established || c.role != Role::passive) return std::nullopt;
  Finding finding;
  finding.rule = Rule::syncookie;
  // Without the queue's own reason a proxy of this machine (SYNPROXY) looks the same.
  finding.confidence = q.cookie_cause || q.cookie_always ? Confidence::certain : Confidence::likely;
  if (q.cookie_syn) finding.evidence.push_back(q.newest.id);
  finding.evidence.push_back(q.cookie.id);
  if (q.cookie_ack) finding.evidence.push_back(q.cookie_ack.id);
  finding.arguments = arguments::SynCookie{
      .listener = listener_of(c),
      .local = c.flow.local,
      .queue_full = q.cookie_cause,
      .half_open = q.at_newest.syn_queue,
      .limit = q.at_newest.limit,
  };
  return finding;
}

}  // namespace tcpwitness
