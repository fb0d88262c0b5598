// SPDX-License-Identifier: Apache-2.0
// strays.cpp: findings of no connection: segments that fit none, SYNs that never reached TCP, and what comes in
// numbers.
//
// What the kernel itself reports (no socket) is certain; a segment that merely matched nothing we know is not.
#include <fmt/format.h>

#include "judge/judge.hpp"

namespace tcpwitness {
namespace {

// Half-open connections that a second must add to be a flood: a busy listener has this many in a round trip.
constexpr std::uint64_t flood_from = 100;

std::string segment_words(const Stray& stray) {
  if ((stray.flags & tcp_flag::syn) != 0) return (stray.flags & tcp_flag::ack) != 0 ? "a SYN-ACK" : "a SYN";
  if ((stray.flags & tcp_flag::fin) != 0) return "a FIN";
  return "a segment";
}

// "38 NEIGH_FAILED, 2 NETFILTER_DROP"
std::string reasons_text(const ByReason& by_reason, const Names& names) {
  std::string reasons;
  for (const auto& [reason, count] : by_reason)
    reasons += fmt::format("{}{} {}", reasons.empty() ? "" : ", ", count, names.drop_reason(reason));
  return reasons;
}

// "; 40 were dropped on this machine (38 NEIGH_FAILED, 2 NETFILTER_DROP)"
std::string dropped_answers(const Attempts& attempts, const Names& names) {
  std::uint64_t all = 0;
  for (const auto& [reason, count] : attempts.dropped) all += count;
  return all == 0 ? ""
                  : fmt::format("; {} were dropped on this machine ({})", all, reasons_text(attempts.dropped, names));
}

// What a crowd's finding has beside its sentence.
Finding of_crowd(Rule rule, const Crowd& crowd, bool lost) {
  Finding finding;
  finding.rule = rule;
  finding.confidence = lost ? Confidence::inconclusive : Confidence::likely;
  finding.evidence = crowd.evidence();
  return finding;
}

Finding of_more(Rule rule, const Crowd& more, bool lost, std::string_view which, std::string_view what) {
  Finding finding = of_crowd(rule, more, lost);
  finding.text = fmt::format("{} more {} within {:.1f} s {}, {}", more.size(), which, more.lasted(), what,
                             more.from_where_to_where());
  return finding;
}

}  // namespace

Finding judge_stray(const Stray& stray, const Names& names, bool lost) {
  Finding finding;
  finding.rule = Rule::stray_segment;
  finding.evidence = stray.evidence.list();
  const bool reported = stray.reset_reported && reset_reason(names, stray.reason) == ResetReason::no_socket;
  finding.confidence =
      reported || (stray.no_socket && stray.reset_seen) ? Confidence::certain : Confidence::inconclusive;
  if (finding.confidence != Confidence::certain && stray.reset_reported) finding.confidence = Confidence::likely;
  if (lost) finding.confidence = Confidence::inconclusive;
  std::string fate = "no RST was seen";
  if (stray.reset_seen) fate = "it was answered by RST";
  if (!stray.reset_seen && stray.reset_reported) fate = "the kernel sent a RST";
  const std::string reason = stray.reset_reported ? reset_reason_text(names, stray.reason) : "";
  finding.text = fmt::format("{} from {} to {} fits no connection here: {}{}", segment_words(stray),
                             to_string(stray.flow.remote), to_string(stray.flow.local), fate,
                             reason.empty() ? "" : fmt::format(" (the kernel says {})", reason));
  return finding;
}

Finding judge_turned_away(const TurnedAway& syn, const Names& names, bool lost) {
  const Stray& stray = syn.stray;
  Finding finding;
  finding.rule = Rule::rx_dropped;
  finding.confidence = lost ? Confidence::inconclusive : Confidence::certain;
  cite(finding, syn.evidence);
  const std::string which =
      syn.count == 1 ? "a SYN" : fmt::format("{} SYNs within {}", syn.count, seconds(stray.ts_ns - syn.first_ns));
  std::string nat;
  if (syn.sent_to != stray.flow.local) nat = fmt::format(", was for {} by NAT,", to_string(syn.sent_to));
  std::string answer;
  if (stray.reset_seen) answer = "; it was answered by a RST";
  if (stray.icmp) {
    answer = fmt::format("; this machine answered with an ICMP message: {} (type {}, code {})", name(stray.icmp),
                         stray.icmp.type, stray.icmp.code);
  }
  std::string reasons;
  for (const auto& [reason, count] : syn.reasons) {
    if (!reasons.empty()) reasons += "; ";
    if (syn.reasons.size() > 1) reasons += fmt::format("{} ", count);
    reasons += fmt::format("{} ({})", drop_meaning(drop_kind(names, reason)), names.drop_reason(reason));
  }
  finding.text = fmt::format("{} from {} to {} arrived{} and never reached TCP: {}{}", which,
                             to_string(stray.flow.remote), to_string(stray.flow.local), nat, reasons, answer);
  return finding;
}

Finding judge_more_turned_away(const MoreTurnedAway& more, const Names& names, bool lost) {
  Finding finding = of_crowd(Rule::rx_dropped, more.crowd, lost);
  finding.text = fmt::format("{} more SYNs within {:.1f} s arrived and never reached TCP ({}), {}", more.crowd.size(),
                             more.crowd.lasted(), reasons_text(more.reasons, names), more.crowd.from_where_to_where());
  return finding;
}

std::optional<Finding> judge_attempts(const Attempts& attempts, const Names& names, bool lost) {
  const std::uint64_t begun = attempts.crowd.size();
  if (begun < attempts.completed + attempts.refused + flood_from) return std::nullopt;
  Finding finding = of_crowd(Rule::syn_flood, attempts.crowd, lost);
  const std::string who = attempts.crowd.from_where_to_where();
  if (attempts.forwarded) {
    finding.text = fmt::format(
        "{} connections were begun through this machine within {:.1f} s, {} completed and {} were refused, {}; {} "
        "SYN-ACKs came back; a SYN flood, or clients whose ACKs do not come",
        begun, attempts.crowd.lasted(), attempts.completed, attempts.refused, who, attempts.answered);
  } else {
    finding.text = fmt::format(
        "{} connections were begun within {:.1f} s and {} completed, {}; {} answers of the kernel were seen leaving, "
        "{} of them with a SYN cookie{}; a SYN flood, or clients whose ACKs do not come",
        begun, attempts.crowd.lasted(), attempts.completed, who, attempts.answered + attempts.cookies, attempts.cookies,
        dropped_answers(attempts, names));
  }
  return finding;
}

Finding judge_more_strays(const Crowd& more, bool lost) {
  return of_more(Rule::stray_segment, more, lost, "segments", "fit no connection here");
}

Finding judge_more_refused(const Crowd& more, bool lost) {
  return of_more(Rule::reset_origin, more, lost, "connections through this machine", "were refused by a RST");
}

}  // namespace tcpwitness
