// SPDX-License-Identifier: Apache-2.0
// listener.cpp: handshakes that met a listener's full queue: not answered, not finished, or only with a cookie.
//
// The kernel refuses such a SYN without any event, so the look-up at the SYN's arrival is the evidence, and that the
// peer sent it again is the proof that it went unanswered. A full queue whose SYN was answered is no finding.
#include <fmt/format.h>

#include <algorithm>

#include "judge/judge.hpp"

namespace tcpwitness {
namespace {

std::string listener_words(const Connection& c) {
  return c.owner.pid != 0 ? process_words(c.owner) : fmt::format("the listener on {}", to_string(c.flow.local));
}

std::string times(std::uint32_t number, std::string_view what) {
  return fmt::format("{} {}{}", number, what, number == 1 ? "" : "s");
}

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
  if (c.syn_ack_seen || c.established || q.newest_full == FullQueue::none) return false;
  return (q.newest_full == FullQueue::accept) == accept;
}

}  // namespace

std::optional<Finding> judge_accept_queue_full(const Connection& c, const RuleContext& context) {
  const QueueFacts& q = c.anomalies->queues;
  // The kernel's own word: it dropped the last ACK.
  const DropSeen* overflow = dropped_for(c, context, false, DropKind::accept_queue);
  // With cookies there is no request socket that could overflow: the ACK finds no socket at all.
  const DropSeen* refused = q.cookie ? dropped_for(c, context, false, DropKind::no_socket) : nullptr;
  const bool newest = newest_met(c, true);
  const std::uint32_t count_syns = q.accept_full.total + (newest ? 1 : 0);
  const bool syns = count_syns != 0;
  const bool acks = q.ack_full.total != 0 && refused != nullptr;
  if (!syns && !acks && overflow == nullptr) return std::nullopt;
  Finding finding;
  finding.rule = Rule::accept_queue_full;
  const bool repeated = q.accept_full.total != 0 && !syn_dropped_elsewhere(c, context);
  finding.confidence = overflow != nullptr || acks || repeated ? Confidence::certain : Confidence::likely;
  cite(finding, q.accept_full);
  if (newest) finding.evidence.push_back(q.newest.id);
  if (acks) cite(finding, q.ack_full);
  if (overflow != nullptr) cite(finding, overflow->evidence);
  if (acks) cite(finding, refused->evidence);
  if (!context.texts) return finding;
  std::string what;
  if (syns) what = fmt::format("{} found it full and got no answer", times(count_syns, "SYN"));
  if (overflow != nullptr || acks) {
    const std::uint32_t count = overflow != nullptr ? overflow->count : refused->count;
    what += fmt::format("{}the handshake's last ACK was dropped for it{}", what.empty() ? "" : ", and ",
                        count == 1 ? "" : fmt::format(" {} times", count));
  }
  const bool numbers = syns || acks;
  const QueueView& at = newest && !acks ? q.at_newest : q.at_accept;
  finding.text =
      fmt::format("{} does not accept fast enough: its accept queue is full{}: {}", listener_words(c),
                  numbers ? fmt::format(" ({} wait, the limit is {})", at.accept_queue, at.limit) : "", what);
  return finding;
}

std::optional<Finding> judge_syn_backlog_full(const Connection& c, const RuleContext& context) {
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
  if (!context.texts) return finding;
  const QueueView& at = newest ? q.at_newest : q.at_syn;
  const std::string limit = kind == FullQueue::sysctl
                                ? fmt::format("net.ipv4.tcp_max_syn_backlog is {}", at.max_syn_backlog)
                                : fmt::format("the limit is {}", at.limit);
  finding.text = fmt::format(
      "the SYN queue of {} is full ({} half-open, {}) and SYN cookies are off (net.ipv4.tcp_syncookies is 0): {} got "
      "no "
      "answer",
      listener_words(c), at.syn_queue, limit, times(q.syn_full.total + (newest ? 1 : 0), "SYN"));
  return finding;
}

std::optional<Finding> judge_syncookie(const Connection& c, const RuleContext& context) {
  const QueueFacts& q = c.anomalies->queues;
  // A proxy (SYNPROXY) answers without a socket too, so the listener must have known nothing of the request.
  if (!q.cookie || !c.established || c.role != Role::passive) return std::nullopt;
  Finding finding;
  finding.rule = Rule::syncookie;
  // Without the queue's own reason a proxy of this machine (SYNPROXY) looks the same.
  finding.confidence = q.cookie_cause || q.cookie_always ? Confidence::certain : Confidence::likely;
  if (q.cookie_syn) finding.evidence.push_back(q.newest.id);
  finding.evidence.push_back(q.cookie.id);
  if (q.cookie_ack) finding.evidence.push_back(q.cookie_ack.id);
  if (context.texts) {
    finding.text =
        fmt::format("the kernel answered with a SYN cookie for {}{}: it kept nothing of the request", listener_words(c),
                    q.cookie_cause ? fmt::format(", whose SYN queue was full ({} half-open, the limit is {})",
                                                 q.at_newest.syn_queue, q.at_newest.limit)
                                   : "");
  }
  return finding;
}

}  // namespace tcpwitness
