// SPDX-License-Identifier: Apache-2.0
// unsent.cpp: a connect() that timed out: did its SYN leave, and did its answer come?
//
// Both refine connect-timeout on positive evidence alone: each SYN that the kernel counts was dropped on its way
// out by the kernel's own word, or one was and no interface showed any; a SYN-ACK that acknowledges our SYN was on the
// interface, or was dropped behind it. Where one of these is missing the weaker word stands.
#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <utility>

#include "judge/judge.hpp"
#include "values/kernel.hpp"

namespace tcpwitness {

const DropSeen* dropped_for(const Connection& c, const RuleContext& context, bool out, DropKind kind) {
  if (!c.anomalies) return nullptr;
  for (const DropSeen& seen : c.anomalies->drops.seen()) {
    if (seen.out == out && drop_kind(context.names, seen.reason) == kind) return &seen;
  }
  return nullptr;
}

// ndisc_error_report(): of a segment that waits for a neighbour in vain no reason is kept, but the kernel reports it by
// an ICMPv6 message to itself. A rule of the firewall that answers so drops the segment, too.
const Mark* no_neighbour(const Connection& c, const RuleContext& context) {
  using namespace kernel::icmpv6;
  if (!c.anomalies) return nullptr;
  const Anomalies& t = *c.anomalies;
  const IcmpMessage& message = t.icmp_in ? t.icmp_in : t.icmp;
  const Mark& mark = t.icmp_in ? t.icmp_in_mark : t.icmp_mark;
  const bool says_so =
      message && message.own && message.v6 && message.type == unreachable && message.code == address_unreachable;
  return says_so && dropped_for(c, context, true, DropKind::firewall) == nullptr ? &mark : nullptr;
}

// The kernel counts a retransmission whether or not it left (tcp_retransmit_skb), but not one that it put off.
static std::uint32_t syns_made(const Connection& c) {
  return 1 + std::max(c.has_cb() ? c.cb.total_retrans : 0, c.anomalies->retransmissions.kernel);
}

// Every interface was traced, and showed no first SYN.
static bool first_syn_unseen(const Connection& c, const RuleContext& context) {
  return !c.syn && context.has_wire && context.every_interface;
}

// No interface showed a SYN of it, nor does the kernel report of any that it has taken it.
static bool no_interface_showed_one(const Connection& c, const RuleContext& context) {
  const Retransmissions& r = c.anomalies->retransmissions;
  return first_syn_unseen(c, context) && !c.incomplete && !c.opening.preexisting && c.wire.segs_out == 0 &&
         r.refused == r.kernel;
}

std::uint32_t unsent_syns(const Connection& c, const RuleContext& context) {
  if (!c.anomalies || c.anomalies->drops.syns_out == 0) return 0;
  if (no_interface_showed_one(c, context)) return syns_made(c);
  // tcp_retransmit_skb's own word counts too. The first SYN has none: it may have left where no interface shows.
  const std::uint32_t first = first_syn_unseen(c, context) ? 1 : 0;
  return std::max(c.anomalies->drops.syns_out, c.anomalies->retransmissions.refused + first);
}

bool syns_never_left(const Connection& c, const RuleContext& context) {
  if (!c.anomalies || c.opening.answered) return false;
  const Retransmissions& r = c.anomalies->retransmissions;
  // Those that TCP put off are counted by nobody: the first one still waited.
  if (no_neighbour(c, context) != nullptr) return !c.syn && r.kernel == 0;
  if (c.anomalies->drops.syns_out == 0) return false;
  // The last SYN can still wait for the next hop's address when the silence about it ends the connect().
  const bool waits = c.error == EHOSTUNREACH && dropped_for(c, context, true, DropKind::neighbour) != nullptr;
  return unsent_syns(c, context) + (waits ? 1 : 0) >= syns_made(c);
}

// The kernel reports that it dropped as many empty segments on their way out as it has probes, and the RST.
static bool probes_were_dropped(const Connection& c) {
  std::uint32_t dropped = 0;
  std::uint8_t flags = 0;
  for (const DropSeen& seen : c.anomalies->drops.seen()) {
    if (!seen.out) continue;
    dropped += seen.empty;
    flags |= seen.flags;
  }
  return (flags & tcp_flag::rst) != 0 && c.cb.keepalive_probes != 0 && dropped > c.cb.keepalive_probes;
}

bool keepalive_unsent(const Connection& c, const RuleContext& context) {
  if (!c.anomalies || !context.has_kernel || !context.has_wire) return false;
  const Anomalies& t = *c.anomalies;
  const bool gave_up = t.reset_sent.mark && !t.reset_sent.answers_segment &&
                       reset_reason(context.names, t.reset_sent.reason) == ResetReason::keepalive_timeout;
  if (!gave_up || t.rst_out.mark || t.keepalive.sent != 0) return false;
  return probes_were_dropped(c) || (context.every_interface && !c.incomplete && wire_complete(c));
}

constexpr std::int64_t moment_ns = 1'000'000;

// netfilter sends the RST or the message and then drops the segment, in one go. behind_ns: how long the answer can take
// to come in.
static const DropSeen* at_once(const DropSeen* dropped, const Mark& answer, std::int64_t behind_ns = moment_ns) {
  const auto near = [&](const Mark& mark) {
    const std::int64_t later_ns = answer.ts_ns - mark.ts_ns;
    return later_ns >= -moment_ns && later_ns <= behind_ns;
  };
  return dropped != nullptr && answer && (near(dropped->first) || near(dropped->last)) ? dropped : nullptr;
}

EventId nearest(const DropSeen& dropped, const Mark& answer) {
  const auto apart = [&](const Mark& mark) { return std::abs(answer.ts_ns - mark.ts_ns); };
  return apart(dropped.last) < apart(dropped.first) ? dropped.last.id : dropped.first.id;
}

const DropSeen* refused_by_input(const Connection& c, const RuleContext& context) {
  if (!c.anomalies || !c.anomalies->rst_out.mark || c.anomalies->reset_sent.mark) return nullptr;
  if (c.anomalies->rst_out.socket_type != SocketKind::none || !context.has_kernel) return nullptr;
  return at_once(dropped_for(c, context, false, DropKind::firewall), c.anomalies->rst_out.mark);
}

const DropSeen* refused_by_own_firewall(const Connection& c, const RuleContext& context) {
  if (!c.anomalies || !c.anomalies->rst_in.mark) return nullptr;
  // From loopback it comes in when a processor has the time.
  const bool left = c.anomalies->rst_in.on_loopback && c.anomalies->rst_made;
  const Mark& rst = left ? c.anomalies->rst_made : c.anomalies->rst_in.mark;
  if (const DropSeen* out = at_once(dropped_for(c, context, true, DropKind::firewall), rst); out != nullptr) return out;
  for (const DropSeen& here : dropped_on_arrival(c)) {
    if (drop_kind(context.names, here.reason) != DropKind::firewall) continue;
    if (const DropSeen* refused = at_once(&here, rst); refused != nullptr) return refused;
  }
  return nullptr;
}

std::span<const DropSeen> dropped_on_arrival(const Connection& c) {
  if (!c.anomalies || !c.anomalies->dropped_here) return {};
  return std::as_const(*c.anomalies->dropped_here).seen();
}

bool is_on_arrival(const Connection& c, const DropSeen* drop) {
  return std::ranges::any_of(dropped_on_arrival(c), [&](const DropSeen& here) { return &here == drop; });
}

// The drop and the message are of one rule. Of a SYN-ACK this machine's message goes to itself.
const IcmpMessage* refused_by_message(const Connection& c, const RuleContext& context) {
  if (c.role != Role::passive || c.opening.established || !c.anomalies || !context.has_kernel) return nullptr;
  const Anomalies& t = *c.anomalies;
  if (c.opening.answered) return nullptr;  // the request was taken
  const bool in =
      t.icmp_sent && at_once(dropped_for(c, context, false, DropKind::firewall), t.icmp_sent_mark) != nullptr;
  if (in) return &t.icmp_sent;
  // Over loopback it comes in when a processor has the time: well before what was dropped is sent again.
  const bool out =
      t.icmp_in && t.icmp_in.own &&
      at_once(dropped_for(c, context, true, DropKind::firewall), t.icmp_in_mark, kernel::rto_min_ns) != nullptr;
  return out ? &t.icmp_in : nullptr;
}

bool reset_ignored(const Connection& c, const RuleContext& context) {
  if (c.role != Role::active || !c.anomalies) return false;
  return std::ranges::any_of(c.anomalies->drops.seen(), [&](const DropSeen& seen) {
    return !seen.out && (seen.flags & tcp_flag::rst) != 0 && dropped_before_tcp(drop_kind(context.names, seen.reason));
  });
}

bool syn_ack_ignored(const Connection& c) {
  if (c.role != Role::active) return false;
  if (c.anomalies && c.anomalies->drops.syn_acks_in != 0) return true;
  // A SYN-ACK for another SYN is no answer: TCP refuses it with a RST.
  const bool answers = !c.has_cb() || !c.isn.has_local || c.isn.local + 1 == c.cb.snd_nxt;
  return c.opening.answered && c.syn_ack && answers;
}

}  // namespace tcpwitness
