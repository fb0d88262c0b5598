// SPDX-License-Identifier: Apache-2.0
// slow.cpp: time that went by in the handshake, before accept(), and between a segment and its effect.
//
// Which leg was slow is shown by both ends of it. The time before accept() is bounded from below by events that
// show the socket without a process, from above by the process's first call.
#include <fmt/format.h>

#include "judge/judge.hpp"

namespace tcpwitness {
namespace {

std::string sent_again(const Connection& c, RetransmitKind kind, std::string_view what) {
  if (!c.anomalies) return "";
  const std::uint32_t count = c.anomalies->retransmissions.by_kind[static_cast<std::size_t>(kind)];
  if (count == 0) return "";
  return fmt::format("; the {} was sent {} times", what, count + 1);
}

}  // namespace

std::optional<Finding> judge_slow_handshake(const Connection& c, const RuleContext& context) {
  if (c.handshake_ns < context.slow_handshake_ns || !c.established) return std::nullopt;
  Finding finding;
  finding.rule = Rule::slow_handshake;
  finding.confidence = Confidence::likely;
  const bool active = c.role == Role::active;
  if (c.syn) finding.evidence.push_back(c.syn.id);
  if (c.syn_ack) finding.evidence.push_back(c.syn_ack.id);
  if (c.anomalies) cite(finding, c.anomalies->retransmissions.evidence);
  if (!c.syn || !c.syn_ack) {
    if (context.texts) {
      finding.text = fmt::format(
          "the handshake took {}{}", seconds(c.handshake_ns),
          sent_again(c, active ? RetransmitKind::syn : RetransmitKind::syn_ack, active ? "SYN" : "SYN-ACK"));
    }
    return finding;
  }
  const TimeNs begun = active ? c.start_ts_ns : c.syn.ts_ns;
  // Where the next hop's address is not known yet, or a queue is full, the SYN waits on this machine.
  const std::int64_t unsent = c.syn.ts_ns - begun;
  const std::int64_t first = c.syn_ack.ts_ns - c.syn.ts_ns;
  const std::int64_t second = begun + c.handshake_ns - c.syn_ack.ts_ns;
  // ESTABLISHED late, and the ACK was there: the listener waits for data (TCP_DEFER_ACCEPT), or has no room to accept.
  const bool repeated = !sent_again(c, RetransmitKind::syn_ack, "").empty();
  const bool ack_was_there = !repeated || (c.anomalies && c.anomalies->retransmissions.ack_waits);
  if (!active && first < context.slow_handshake_ns && ack_was_there) return std::nullopt;
  // TCP took a copy of the SYN-ACK, not the first one: what became of that nobody says.
  const bool took_a_copy = active && c.anomalies && c.anomalies->syn_ack_copy && second >= first;
  const bool asked = first >= second;
  const bool left_late = unsent >= context.slow_handshake_ns && unsent > first && unsent > second;
  // A capture does not show when a segment came to the other end, and not whether it has all of them.
  const bool captured = context.conversation != nullptr;
  const bool by_one = first >= context.slow_handshake_ns || second >= context.slow_handshake_ns;
  if (by_one && !took_a_copy && (!captured || asked)) finding.confidence = Confidence::certain;
  const bool repeated_answer = c.ends && c.ends->syn_ack_repeated;
  if (captured && !asked && !repeated_answer) finding.confidence = Confidence::inconclusive;
  if (left_late) finding.confidence = Confidence::certain;
  if (!context.texts) return finding;
  if (left_late) {
    finding.text = fmt::format("the first SYN to leave this machine left {} after connect()", seconds(unsent));
  } else if (captured) {
    finding.text =
        asked ? fmt::format("the SYN-ACK came {} after the first SYN", seconds(first))
              : fmt::format("the SYN-ACK came {} after the first SYN, the ACK of it only {} later: ", seconds(first),
                            seconds(second)) +
                    (repeated_answer ? "one of the two was lost behind the place of the capture, or came late"
                                     : "it came late, or an earlier one was not captured");
  } else if (active) {
    finding.text = asked ? fmt::format("the peer's SYN-ACK came {} after our first SYN{}", seconds(first),
                                       sent_again(c, RetransmitKind::syn, "SYN"))
                         : fmt::format("this machine took {} only {} after the first one came",
                                       took_a_copy ? "a copy of the SYN-ACK" : "the SYN-ACK", seconds(second));
    if (!asked && !took_a_copy) {
      finding.text = fmt::format("this kernel took the SYN-ACK only {} after it came", seconds(second));
    }
  } else {
    finding.text = asked
                       ? fmt::format("this machine answered the peer's SYN only {} after the first one", seconds(first))
                       : fmt::format("the peer's ACK came {} after our first SYN-ACK{}", seconds(second),
                                     sent_again(c, RetransmitKind::syn_ack, "SYN-ACK"));
  }
  finding.text += fmt::format(" (handshake: {} in all)", seconds(c.handshake_ns));
  return finding;
}

std::optional<Finding> judge_slow_accept(const Connection& c, const RuleContext& context) {
  const AcceptFacts& accept = c.anomalies->accept;
  if (!accept.unaccepted && !accept.first_call) return std::nullopt;
  Finding finding;
  finding.rule = Rule::slow_accept;
  finding.confidence = accept.unaccepted ? Confidence::certain : Confidence::likely;
  if (accept.unaccepted) finding.evidence.push_back(accept.unaccepted.id);
  if (accept.first_call) finding.evidence.push_back(accept.first_call.id);
  if (!context.texts) return finding;
  if (!accept.unaccepted) {
    finding.text = fmt::format(
        "the peer's data waited {} until the first call of {}: accept() or the first read came late (no later than "
        "that call)",
        seconds(std::int64_t{accept.waited_ms} * 1'000'000), process_words(c.owner));
    return finding;
  }
  const std::int64_t waited = accept.unaccepted.ts_ns - accept.since_ns;
  finding.text = fmt::format("{} after the handshake {} had not accepted the connection", seconds(waited),
                             c.owner.pid != 0 ? process_words(c.owner) : "the listening process");
  if (accept.first_call) {
    finding.text += fmt::format("; its first call came after {}", seconds(accept.first_call.ts_ns - accept.since_ns));
  }
  return finding;
}

std::optional<Finding> judge_late(const Connection& c, const RuleContext& context) {
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
  if (context.texts) {
    finding.text = fmt::format("this kernel took the {} {} after it arrived", worst.what, seconds(worst.delay_ns));
  }
  return finding;
}

}  // namespace tcpwitness
