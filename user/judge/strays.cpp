// SPDX-License-Identifier: Apache-2.0
// strays.cpp: findings of no connection: segments that fit none, SYNs that never reached TCP, and what comes in
// numbers.
//
// What the kernel itself reports (no socket) is certain; a segment that merely matched nothing we know is not.
#include <utility>

#include "judge/judge.hpp"

namespace tcpwitness {
namespace {

// Half-open connections that a second must add to be a flood: a busy listener has this many in a round trip.
constexpr std::uint64_t flood_from = 100;

arguments::StraySegment::Segment segment_of(const Stray& stray) {
  using Segment = arguments::StraySegment::Segment;
  if ((stray.flags & tcp_flag::syn) != 0) return (stray.flags & tcp_flag::ack) != 0 ? Segment::syn_ack : Segment::syn;
  return (stray.flags & tcp_flag::fin) != 0 ? Segment::fin : Segment::other;
}

// What a crowd's finding has beside its sentence.
Finding of_crowd(Rule rule, const Crowd& crowd, bool lost) {
  Finding finding;
  finding.rule = rule;
  finding.confidence = lost ? Confidence::inconclusive : Confidence::likely;
  finding.evidence = crowd.evidence();
  return finding;
}

Finding of_more(Rule rule, const Crowd& more, bool lost, arguments::More::What what) {
  Finding finding = of_crowd(rule, more, lost);
  finding.arguments = arguments::More{what, more.numbers(), {}};
  return finding;
}

}  // namespace

Finding judge_stray(const Stray& stray, const Names& names, bool lost) {
  Finding finding;
  finding.rule = Rule::stray_segment;
  cite(finding, stray.evidence);
  const bool reported = stray.reset_reported && reset_reason(names, stray.reason) == ResetReason::no_socket;
  finding.confidence =
      reported || (stray.no_socket && stray.reset_seen) ? Confidence::certain : Confidence::inconclusive;
  if (finding.confidence != Confidence::certain && stray.reset_reported) finding.confidence = Confidence::likely;
  if (lost) finding.confidence = Confidence::inconclusive;
  using Fate = arguments::StraySegment::Fate;
  finding.arguments = arguments::StraySegment{
      .segment = segment_of(stray),
      .remote = stray.flow.remote,
      .local = stray.flow.local,
      .fate = stray.reset_seen       ? Fate::reset_seen
              : stray.reset_reported ? Fate::reset_reported
                                     : Fate::nothing_seen,
      .reason = stray.reset_reported ? reset_reason_text(names, stray.reason) : "",
      .count = stray.count,
      .within_ns = stray.count > 1 ? stray.last_ns - stray.ts_ns : 0,
  };
  if (stray.asked.port != 0) std::get<arguments::StraySegment>(finding.arguments).asked = stray.asked;
  return finding;
}

Finding judge_dropped_syn(const DroppedSyn& syn, const Names& names, bool lost) {
  const Stray& stray = syn.stray;
  Finding finding;
  finding.rule = Rule::rx_dropped;
  finding.confidence = lost ? Confidence::inconclusive : Confidence::certain;
  cite(finding, syn.evidence);
  arguments::DroppedSyn found;
  found.count = syn.count;
  found.within_ns = stray.ts_ns - syn.first_ns;
  found.remote = stray.flow.remote;
  found.local = stray.flow.local;
  if (syn.sent_to != stray.flow.local) found.sent_to = syn.sent_to;
  found.reasons = drop_reasons(names, syn.reasons);
  found.reset_seen = stray.reset_seen;
  found.icmp = stray.icmp;
  finding.arguments = std::move(found);
  return finding;
}

Finding judge_more_dropped_syns(const MoreDroppedSyns& more, const Names& names, bool lost) {
  Finding finding = of_crowd(Rule::rx_dropped, more.crowd, lost);
  finding.arguments =
      arguments::More{arguments::More::What::dropped_syns, more.crowd.numbers(), drop_reasons(names, more.reasons)};
  return finding;
}

std::optional<Finding> judge_attempts(const Attempts& attempts, const Names& names, bool lost) {
  const std::uint64_t begun = attempts.crowd.size();
  if (begun < attempts.completed + attempts.refused + flood_from) return std::nullopt;
  Finding finding = of_crowd(Rule::syn_flood, attempts.crowd, lost);
  finding.arguments = arguments::SynFlood{
      .crowd = attempts.crowd.numbers(),
      .forwarded = attempts.forwarded,
      .completed = attempts.completed,
      .refused = attempts.refused,
      .answered = attempts.answered,
      .cookies = attempts.cookies,
      .dropped = drop_reasons(names, attempts.dropped),
  };
  return finding;
}

Finding judge_more_strays(const Crowd& more, bool lost) {
  return of_more(Rule::stray_segment, more, lost, arguments::More::What::strays);
}

Finding judge_more_refused(const Crowd& more, bool lost) {
  return of_more(Rule::reset_origin, more, lost, arguments::More::What::refused_through_here);
}

}  // namespace tcpwitness
