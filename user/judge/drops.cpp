// SPDX-License-Identifier: Apache-2.0
// drops.cpp: segments that the kernel threw away: on arrival before TCP had them, on the way out, or by TCP
// itself because it could not believe them.
//
// The kernel's own word (skb:kfree_skb with a reason) is what each rule rests on; where the reason is one
// that a healthy connection meets too (a RST that was taken, a segment received before), there is no finding.
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <initializer_list>

#include "judge/judge.hpp"

namespace tcpwitness {
namespace {

struct Gathered {
  Finding finding;
  std::uint32_t segments = 0;
  std::uint32_t bytes = 0;
  std::string reasons;  // "a firewall rule dropped it (NETFILTER_DROP)"
};

// Everything that was dropped in one direction for one of these kinds of reason; nullopt: nothing.
std::optional<Gathered> gather(const Connection& c, const RuleContext& context, Rule rule, bool out,
                               std::initializer_list<DropKind> kinds) {
  Gathered all;
  all.finding.rule = rule;
  // The kernel is first-hand; that the segment was there is the wire's word.
  all.finding.confidence = c.has_wire ? Confidence::certain : Confidence::likely;
  for (const DropSeen& seen : c.anomalies->drops.seen()) {
    const DropKind kind = drop_kind(context.names, seen.reason);
    if (seen.out != out || std::ranges::find(kinds, kind) == kinds.end()) continue;
    all.segments += seen.count;
    all.bytes += seen.bytes;
    cite(all.finding, seen.evidence);
    if (!context.texts) continue;
    if (!all.reasons.empty()) all.reasons += "; ";
    all.reasons += fmt::format("{} ({})", drop_meaning(kind), context.names.drop_reason(seen.reason));
  }
  if (all.segments == 0) return std::nullopt;
  return all;
}

// Since 6.6 (tcp_sequence()).
bool tells_old_from_outside(const Names& names) {
  return std::ranges::find(names.drop_reasons, "TCP_OLD_SEQUENCE") != names.drop_reasons.end();
}

std::string segments(const Gathered& all) {
  std::string text = fmt::format("{} segment{}", all.segments, all.segments == 1 ? "" : "s");
  if (all.bytes != 0) text += fmt::format(" with {} bytes", all.bytes);
  return text;
}

// tcp_write_xmit() moves SND.NXT when a segment has left, and only then: what the kernel gave up although the peer's
// window was open, with nothing in flight, was never sent.
bool never_sent_at_all(const Connection& c) {
  if (!c.ended() || !c.teardown->end_shown || !c.has_cb() || c.error != ETIMEDOUT) return false;
  const TcpState from = c.teardown->end_from;
  const bool open = from == TcpState::established || from == TcpState::close_wait;
  return open && c.cb.snd_nxt == c.cb.snd_una && c.cb.write_seq != c.cb.snd_una && c.cb.snd_wnd >= c.cb.mss;
}

// SYNs of this side that arrived here, over loopback: the address that they were for is this machine's.
std::optional<Finding> gather_on_arrival(const Connection& c, const RuleContext& context) {
  Finding finding{Rule::rx_dropped, Confidence::certain, "", {}, 0};
  std::uint32_t count = 0;
  std::string reasons;
  for (const DropSeen& here : dropped_on_arrival(c)) {
    cite(finding, here.evidence);
    count += here.count;
    if (!context.texts) continue;
    reasons += fmt::format("{}{} ({})", reasons.empty() ? "" : "; ",
                           drop_meaning(drop_kind(context.names, here.reason)), context.names.drop_reason(here.reason));
  }
  if (count == 0) return std::nullopt;
  if (context.texts) {
    finding.text = fmt::format("{} SYN{} arrived at {} on this machine and never reached TCP there: {}", count,
                               count == 1 ? "" : "s", to_string(c.flow.remote), reasons);
  }
  return finding;
}

}  // namespace

std::optional<Finding> judge_rx_dropped(const Connection& c, const RuleContext& context) {
  auto here = gather_on_arrival(c, context);
  auto all = gather(c, context, Rule::rx_dropped, false,
                    {DropKind::firewall, DropKind::filter, DropKind::queue, DropKind::routing, DropKind::memory,
                     DropKind::not_signed, DropKind::few_hops_left});
  if (!all) return here;
  if (context.texts) {
    all->finding.text =
        fmt::format("{}{} from the peer arrived and never reached {}: {}", here ? here->text + "; " : "",
                    segments(*all), c.owner.pid != 0 ? process_words(c.owner) : "TCP", all->reasons);
  }
  if (here) all->finding.evidence.insert(all->finding.evidence.begin(), here->evidence.begin(), here->evidence.end());
  if (here) all->finding.more_evidence += here->more_evidence;
  return all->finding;
}

std::optional<Finding> judge_tx_not_sent(const Connection& c, const RuleContext& context) {
  auto all = gather(c, context, Rule::tx_not_sent, true,
                    {DropKind::firewall, DropKind::filter, DropKind::queue, DropKind::neighbour, DropKind::routing,
                     DropKind::memory});
  if (const Mark* failed = no_neighbour(c, context); failed != nullptr && !all) {
    // It answers for the neighbour alone, unless a tunnel has sent the segment on (ip6_tnl_xmit()).
    const bool unsent = c.role == Role::active && !c.established && syns_never_left(c, context);
    Finding finding{Rule::tx_not_sent, unsent ? Confidence::certain : Confidence::likely, "", {failed->id}, 0};
    if (context.texts) {
      finding.text = fmt::format("{} never left this machine: {} (ICMPv6 address unreachable, by this machine itself)",
                                 unsent ? "the SYN" : "a segment that TCP sent", drop_meaning(DropKind::neighbour));
    }
    return finding;
  }
  if (!all && never_sent_at_all(c)) {
    // A drop of which no reason is kept: no route any more (dst_discard()), the own address gone, no memory.
    Finding finding{Rule::tx_not_sent, Confidence::likely, "", {c.teardown->end.id}, 0};
    if (context.texts) {
      finding.text = fmt::format(
          "{} bytes that TCP wanted to send never left this machine: each attempt failed here, and the kernel names no "
          "reason; a route or an address that is gone, or a policy",
          c.cb.write_seq - c.cb.snd_una);
    }
    return finding;
  }
  if (!all) return std::nullopt;
  // On its way out the kernel is the only witness that there can be.
  all->finding.confidence = Confidence::certain;
  if (context.texts)
    all->finding.text = fmt::format("{} that TCP sent never left this machine: {}", segments(*all), all->reasons);
  return all->finding;
}

std::optional<Finding> judge_bad_checksum(const Connection& c, const RuleContext& context) {
  auto all = gather(c, context, Rule::bad_checksum, false, {DropKind::bad_checksum});
  if (!all) return std::nullopt;
  if (context.texts)
    all->finding.text = fmt::format("the kernel refused {} from the peer's address: {}", segments(*all), all->reasons);
  return all->finding;
}

std::optional<Finding> judge_out_of_window(const Connection& c, const RuleContext& context) {
  auto all = gather(c, context, Rule::out_of_window, false, {DropKind::out_of_window, DropKind::never_sent});
  const Evidence& resets = c.anomalies->refused_resets;
  if (!all && resets.total != 0) {
    // The kernel names no reason of its own for these (TCP_RESET, as for one that it takes); the numbers decide.
    Finding finding{Rule::out_of_window, Confidence::likely, "", {}, 0};
    cite(finding, resets);
    if (context.texts) {
      finding.text = fmt::format(
          "TCP refused {} RST{} from the peer's address: {} not the number that a RST must have (RFC 5961, 3.2)",
          resets.total, resets.total == 1 ? "" : "s", resets.total == 1 ? "it has" : "they have");
    }
    return finding;
  }
  if (!all) return std::nullopt;
  const bool doubt = !tells_old_from_outside(context.names);
  if (doubt) all->finding.confidence = c.has_wire ? Confidence::likely : Confidence::inconclusive;
  if (context.texts) {
    all->finding.text = fmt::format("TCP refused {} from the peer's address: {}{}", segments(*all), all->reasons,
                                    doubt ? ", or received before: this kernel has one word for both" : "");
  }
  return all->finding;
}

std::optional<Finding> judge_old_timestamp(const Connection& c, const RuleContext& context) {
  auto all = gather(c, context, Rule::old_timestamp, false, {DropKind::old_timestamp});
  if (!all) return std::nullopt;
  if (context.texts)
    all->finding.text = fmt::format("TCP refused {} from the peer's address: {}", segments(*all), all->reasons);
  return all->finding;
}

}  // namespace tcpwitness
