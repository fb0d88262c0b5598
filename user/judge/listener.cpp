// SPDX-License-Identifier: Apache-2.0
// listener.cpp: handshakes that met a listener's full queue: not answered, not finished, or only with a cookie.
//
// The kernel refuses such a SYN without any event, so the look-up at the SYN's arrival is the evidence, and that the
// peer sent it again is the proof that it went unanswered. A full queue whose SYN was answered is no finding.
#include <fmt/format.h>

#include "judge/judge.hpp"

namespace tcpwitness {
namespace {

std::string listener_words(const Connection& c) {
  return c.owner.pid != 0 ? process_words(c.owner) : fmt::format("the listener on {}", to_string(c.flow.local));
}

std::string times(std::uint32_t number, std::string_view what) {
  return fmt::format("{} {}{}", number, what, number == 1 ? "" : "s");
}

// Answered at once all the same: the queue had room again when TCP looked.
bool answered(const Connection& c) { return c.established && c.trouble->queues.syns <= 1; }

}  // namespace

std::optional<Finding> judge_accept_queue_full(const Connection& c, const Bench& bench) {
  const QueueFacts& q = c.trouble->queues;
  // The kernel's own word: it dropped the last ACK.
  const DropSeen* overflow = dropped_for(c, bench, false, DropKind::accept_queue);
  // With cookies there is no request socket that could overflow: the ACK finds no socket at all.
  const DropSeen* refused = q.cookie ? dropped_for(c, bench, false, DropKind::no_socket) : nullptr;
  const bool syns = q.accept_full.total != 0 && !answered(c);
  const bool acks = q.ack_full.total != 0 && refused != nullptr;
  if (!syns && !acks && overflow == nullptr) return std::nullopt;
  Finding finding;
  finding.rule = Rule::accept_queue_full;
  const bool repeated = syns && q.syns >= 2;
  finding.confidence = overflow != nullptr || acks || repeated ? Confidence::certain : Confidence::likely;
  if (syns) cite(finding, q.accept_full);
  if (acks) cite(finding, q.ack_full);
  if (overflow != nullptr) cite(finding, overflow->evidence);
  if (acks) cite(finding, refused->evidence);
  if (!bench.texts) return finding;
  std::string what;
  if (syns) what = fmt::format("{} found it full and got no answer", times(q.accept_full.total, "SYN"));
  if (overflow != nullptr || acks) {
    const std::uint32_t count = overflow != nullptr ? overflow->count : refused->count;
    what += fmt::format("{}the handshake's last ACK was dropped for it{}", what.empty() ? "" : ", and ",
                        count == 1 ? "" : fmt::format(" {} times", count));
  }
  const bool numbers = syns || acks;
  finding.text = fmt::format("{} does not accept fast enough: its accept queue is full{}: {}", listener_words(c),
                             numbers ? fmt::format(" ({} wait, the limit is {})", q.accept_queue, q.limit) : "", what);
  return finding;
}

std::optional<Finding> judge_syn_backlog_full(const Connection& c, const Bench& bench) {
  const QueueFacts& q = c.trouble->queues;
  // Answered by a cookie, or at once: not refused.
  if (q.syn_full.total == 0 || q.cookie || answered(c)) return std::nullopt;
  if (c.syn_ack_seen && q.syns < 2) return std::nullopt;
  Finding finding;
  finding.rule = Rule::syn_backlog_full;
  finding.confidence = q.syns >= 2 && q.beyond ? Confidence::certain : Confidence::likely;
  cite(finding, q.syn_full);
  if (bench.texts) {
    finding.text = fmt::format(
        "the SYN queue of {} is full ({} half-open, the limit is {}) and SYN cookies are off: {} got no answer",
        listener_words(c), q.syn_queue, q.limit, times(q.syn_full.total, "SYN"));
  }
  return finding;
}

std::optional<Finding> judge_syncookie(const Connection& c, const Bench& bench) {
  const QueueFacts& q = c.trouble->queues;
  // A proxy (SYNPROXY) answers without a socket too, so the listener must have known nothing of the request.
  if (!q.cookie || !c.established || c.role != Role::passive) return std::nullopt;
  Finding finding;
  finding.rule = Rule::syncookie;
  finding.confidence = q.cookie_ack || q.cookie_cause ? Confidence::certain : Confidence::likely;
  if (q.syn_full.total != 0) cite(finding, q.syn_full);
  finding.evidence.push_back(q.cookie.id);
  if (q.cookie_ack) finding.evidence.push_back(q.cookie_ack.id);
  if (bench.texts) {
    finding.text = fmt::format(
        "the kernel answered with a SYN cookie for {}{}: it kept nothing of the request", listener_words(c),
        q.cookie_cause ? fmt::format(", whose SYN queue was full ({} half-open, the limit is {})", q.syn_queue, q.limit)
                       : "");
  }
  return finding;
}

}  // namespace tcpwitness
