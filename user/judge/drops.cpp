// SPDX-License-Identifier: Apache-2.0
// drops.cpp: segments that the kernel dropped: on arrival before TCP had them, on the way out, or by TCP
// itself because they failed its checks.
//
// The kernel's own word (skb:kfree_skb with a reason) is what each rule rests on; where the reason is one
// that a healthy connection meets too (a RST that was taken, a segment received before), there is no finding.
#include <algorithm>
#include <cerrno>
#include <initializer_list>
#include <string_view>
#include <utility>

#include "judge/judge.hpp"
#include "judge/rules.hpp"

namespace tcpwitness {
namespace {

using Or = arguments::Refused::Or;

struct Gathered {
  Finding finding;
  arguments::Dropped dropped;
};

// Everything that was dropped in one direction for one of these kinds of reason; nullopt: nothing.
std::optional<Gathered> gather(const Connection& c, const RuleContext& context, Rule rule, bool out,
                               std::initializer_list<DropKind> kinds) {
  Gathered all;
  all.finding.rule = rule;
  // The kernel is first-hand; that the segment was there is the wire's word.
  all.finding.confidence = c.seen_by.wire ? Confidence::certain : Confidence::likely;
  for (const DropSeen& seen : c.anomalies->drops.seen()) {
    const DropKind kind = drop_kind(context.names, seen.reason);
    if (seen.out != out || std::ranges::find(kinds, kind) == kinds.end()) continue;
    all.dropped.segments += seen.segments;
    all.dropped.bytes += seen.bytes;
    cite(all.finding, seen.evidence);
    all.dropped.reasons.push_back(drop_reason(context.names, seen));
  }
  if (all.dropped.segments == 0) return std::nullopt;
  return all;
}

bool has_reason(const Names& names, std::string_view reason) {
  return std::ranges::find(names.drop_reasons, reason) != names.drop_reasons.end();
}

// Since 6.6 (tcp_sequence()).
bool names_old_apart(const Names& names) { return has_reason(names, "TCP_OLD_SEQUENCE"); }

// Since 6.14 (tcp_disordered_ack_check()): an ACK without data that came behind what its sender sent later, as where
// two processors send for one socket.
bool names_overtaken_acks(const Names& names) { return has_reason(names, "TCP_RFC7323_PAWS_ACK"); }

bool only_acks(const Connection& c, const Names& names, DropKind kind) {
  constexpr std::uint8_t others = tcp_flag::syn | tcp_flag::fin | tcp_flag::rst;
  return std::ranges::all_of(c.anomalies->drops.seen(), [&](const DropSeen& seen) {
    return seen.out || drop_kind(names, seen.reason) != kind ||
           (seen.empty == seen.count && (seen.flags & others) == 0);
  });
}

Confidence doubtful(const Connection& c) { return c.seen_by.wire ? Confidence::likely : Confidence::inconclusive; }

// tcp_write_xmit() moves SND.NXT when a segment has left, and only then: what the kernel gave up although the peer's
// window was open, with nothing in flight, was never sent.
bool never_sent_at_all(const Connection& c) {
  if (!c.ended() || !c.teardown->end_shown || !c.has_cb() || c.error != ETIMEDOUT) return false;
  const TcpState from = c.teardown->end_from;
  const bool open = from == TcpState::established || from == TcpState::close_wait;
  return open && c.cb.snd_nxt == c.cb.snd_una && c.cb.write_seq != c.cb.snd_una && c.cb.snd_wnd >= c.cb.mss;
}

Finding not_sent(Confidence confidence, const Evidence& evidence, arguments::TxNotSent how) {
  Finding finding{.rule = Rule::tx_not_sent, .confidence = confidence};
  cite(finding, evidence);
  finding.arguments = std::move(how);
  return finding;
}

// No drop has been reported for what did not leave.
std::optional<Finding> unsent_without_a_drop(const Connection& c, const RuleContext& context) {
  using How = arguments::TxNotSent::How;
  if (const Mark* failed = no_neighbour(c, context); failed != nullptr) {
    // It answers for the neighbour alone, unless a tunnel has sent the segment on (ip6_tnl_xmit()).
    const bool unsent = c.role == Role::active && !c.opening.established && syns_never_left(c, context);
    return Finding{.rule = Rule::tx_not_sent,
                   .confidence = unsent ? Confidence::certain : Confidence::likely,
                   .arguments = arguments::TxNotSent{.how = How::no_neighbour, .syn = unsent},
                   .evidence = {failed->id}};
  }
  const Retransmissions& again = c.anomalies->retransmissions;
  if (const Evidence& tries = again.no_route; tries.total != 0)
    return not_sent(Confidence::certain, tries,
                    {.how = How::no_route, .attempts = tries.total, .within_ns = tries.last_ns - tries.first_ns});
  if (never_sent_at_all(c)) {
    // A drop of which no reason is kept: no route any more (dst_discard()), the own address gone, no memory.
    return Finding{.rule = Rule::tx_not_sent,
                   .confidence = Confidence::likely,
                   .arguments = arguments::TxNotSent{.how = How::unexplained, .bytes = c.cb.write_seq - c.cb.snd_una},
                   .evidence = {c.teardown->end.id}};
  }
  if (keepalive_unsent(c, context)) {
    return Finding{.rule = Rule::tx_not_sent,
                   .confidence = Confidence::likely,
                   .arguments = arguments::TxNotSent{.how = How::keepalive},
                   .evidence = {c.anomalies->reset_sent.mark.id}};
  }
  // By a queue or a device that names no reason: a veth whose other end is down, or takes no such length.
  if (again.refused != 0 && again.refused == again.kernel && !c.incomplete)
    return not_sent(Confidence::likely, again.evidence, {.how = How::refused, .segments = again.refused});
  if (again.held_long()) {
    const Evidence& held = again.held;
    return not_sent(Confidence::likely, held,
                    {.how = How::held, .attempts = held.total, .within_ns = held.last_ns - held.first_ns});
  }
  return std::nullopt;
}

}  // namespace

std::optional<Finding> judge_rx_dropped(const Connection& c, const RuleContext& context, Outcome /*outcome*/) {
  Finding finding{.rule = Rule::rx_dropped, .confidence = Confidence::certain};
  arguments::RxDropped found{.remote = c.flow.remote, .process = c.owner.named()};
  // SYNs of this side that arrived here, over loopback: the address that they were for is this machine's.
  for (const DropSeen& here : dropped_on_arrival(c)) {
    cite(finding, here.evidence);
    found.syns_here += here.count;
    found.reasons_here.push_back(drop_reason(context.names, here));
  }
  auto all = gather(c, context, Rule::rx_dropped, false,
                    {DropKind::firewall, DropKind::filter, DropKind::queue, DropKind::routing, DropKind::memory,
                     DropKind::not_signed, DropKind::few_hops_left});
  if (found.syns_here == 0 && !all) return std::nullopt;
  if (all) {
    finding.confidence = all->finding.confidence;
    finding.evidence.insert(finding.evidence.end(), all->finding.evidence.begin(), all->finding.evidence.end());
    finding.more_evidence += all->finding.more_evidence;
    found.dropped = std::move(all->dropped);
    // sk_filter_trim_cap(); PFMEMALLOC has a name since Linux 6.17.
    const auto by_filter = [](const arguments::DropReason& reason) { return reason.name == "SOCKET_FILTER"; };
    found.or_reserves =
        std::ranges::any_of(found.dropped.reasons, by_filter) && !has_reason(context.names, "PFMEMALLOC");
    if (found.or_reserves) finding.confidence = Confidence::likely;
  }
  finding.arguments = std::move(found);
  return finding;
}

std::optional<Finding> judge_tx_not_sent(const Connection& c, const RuleContext& context, Outcome /*outcome*/) {
  auto all = gather(c, context, Rule::tx_not_sent, true,
                    {DropKind::firewall, DropKind::filter, DropKind::queue, DropKind::neighbour, DropKind::routing,
                     DropKind::memory});
  if (!all) return unsent_without_a_drop(c, context);
  // On its way out the kernel is the only witness that there can be.
  all->finding.confidence = Confidence::certain;
  all->finding.arguments =
      arguments::TxNotSent{.how = arguments::TxNotSent::How::dropped, .dropped = std::move(all->dropped)};
  return std::move(all->finding);
}

std::optional<Finding> judge_bad_checksum(const Connection& c, const RuleContext& context, Outcome /*outcome*/) {
  auto all = gather(c, context, Rule::bad_checksum, false, {DropKind::bad_checksum});
  if (!all) return std::nullopt;
  all->finding.arguments = arguments::Refused{.by_checksum = true, .dropped = std::move(all->dropped)};
  return std::move(all->finding);
}

std::optional<Finding> judge_out_of_window(const Connection& c, const RuleContext& context, Outcome /*outcome*/) {
  auto all = gather(c, context, Rule::out_of_window, false, {DropKind::out_of_window, DropKind::never_sent});
  const Evidence& resets = c.anomalies->refused_resets;
  if (!all && resets.total != 0) {
    // The kernel names no reason of its own for these (TCP_RESET, as for one that it takes); the numbers decide.
    Finding finding{.rule = Rule::out_of_window, .confidence = Confidence::likely};
    cite(finding, resets);
    finding.arguments = arguments::Refused{.resets = resets.total};
    return finding;
  }
  if (!all) return std::nullopt;
  const bool doubt = !names_old_apart(context.names);
  if (doubt) all->finding.confidence = doubtful(c);
  all->finding.arguments =
      arguments::Refused{.dropped = std::move(all->dropped), .or_was = doubt ? Or::received_before : Or::nothing};
  return std::move(all->finding);
}

std::optional<Finding> judge_old_timestamp(const Connection& c, const RuleContext& context, Outcome /*outcome*/) {
  auto all = gather(c, context, Rule::old_timestamp, false, {DropKind::old_timestamp});
  if (!all) return std::nullopt;
  const bool doubt = !names_overtaken_acks(context.names) && only_acks(c, context.names, DropKind::old_timestamp);
  if (doubt) all->finding.confidence = doubtful(c);
  all->finding.arguments =
      arguments::Refused{.dropped = std::move(all->dropped), .or_was = doubt ? Or::overtaken : Or::nothing};
  return std::move(all->finding);
}

}  // namespace tcpwitness
