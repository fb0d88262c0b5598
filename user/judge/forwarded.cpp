// SPDX-License-Identifier: Apache-2.0
// forwarded.cpp: what is reported of a connection that passes through this machine: its two hops, what stayed here, who
// sent the RST, and which direction goes another way.
//
// The outcome is judged as a capture's (outcome.cpp). Being in the middle shows more: what came in and did not leave
// stayed here, and what leaves and came in nowhere was made here. Nothing is known of processes.
#include <algorithm>
#include <utility>

#include "facts/derived.hpp"
#include "judge/hops.hpp"
#include "judge/judge.hpp"
#include "judge/rules.hpp"
#include "tcpwitness/ending.hpp"

namespace tcpwitness {
namespace {

constexpr std::uint8_t marks = tcp_flag::syn | tcp_flag::fin | tcp_flag::rst;

// The other end has it: it left, seen or not.
bool was_answered(const Connection& c, const Arrival& arrival) {
  if ((arrival.flags & tcp_flag::syn) != 0 && (arrival.flags & tcp_flag::ack) == 0) return c.opening.answered;
  if ((arrival.flags & tcp_flag::syn) != 0) return c.opening.established;
  if ((arrival.flags & tcp_flag::fin) == 0 || !c.teardown) return false;
  return (arrival.out ? c.teardown->fin_out : c.teardown->fin_in).acked.id != 0;
}

bool both_known(const Connection& c) { return c.forwarded()->hops[client].known && c.forwarded()->hops[server].known; }

// SYNs, FINs and RSTs that came in from that side and did not leave: each of them would have been an event. A queue for
// a program (nfqueue) can hold one for a moment.
Evidence never_left(const Connection& c, const RuleContext& context, unsigned from, std::uint32_t& resets) {
  constexpr std::int64_t moment_ns = 50'000'000;
  const ForwardedFacts& forwarded = *c.forwarded();
  Evidence evidence = forwarded.never_left[from];
  resets = forwarded.resets_lost[from];
  if (!both_known(c) && !context.every_interface) {  // they may have left where nobody looks
    resets = 0;
    return {};
  }
  const std::uint32_t known = std::min<std::uint32_t>(forwarded.arrived, ForwardedFacts::limit);
  for (std::uint32_t i = forwarded.arrived - known; i < forwarded.arrived; ++i) {
    const Arrival& arrival = forwarded.arrivals[i % ForwardedFacts::limit];
    if (arrival.left || (arrival.flags & marks) == 0 || arrival.out != (from == client)) continue;
    if (context.now - arrival.mark.ts_ns < moment_ns || was_answered(c, arrival)) continue;
    if ((arrival.flags & tcp_flag::rst) != 0) {
      ++resets;
    } else {
      evidence.add(arrival.mark.id);
    }
  }
  return evidence;
}

// The counters before and behind it show that nothing stayed, and its sender sent nothing again: a bridge flooded a
// copy, or a port mirrors one. (What a qdisc drops has passed the hook, too.)
bool was_a_copy(const ForwardedFacts& forwarded, const DropSeen& seen, unsigned from) {
  return forwarded.lost[from] == 0 && forwarded.hops[from].loss.retrans_segs_in == 0 &&
         forwarded.counted_from_ns[from] != 0 && forwarded.counted_from_ns[from] < seen.first.ts_ns &&
         seen.last.ts_ns < forwarded.counted_to_ns[from];
}

// What the kernel reports as dropped of that side's segments.
struct KernelDrops {
  std::uint32_t segments = 0;
  arguments::DropReasons reasons;
};
KernelDrops kernel_drops(const Connection& c, const RuleContext& context, unsigned from, Finding* finding) {
  KernelDrops drops;
  if (!c.anomalies) return drops;
  for (const DropSeen& seen : c.anomalies->drops.seen()) {
    if (seen.out != (from == client)) continue;
    if (both_known(c) && was_a_copy(*c.forwarded(), seen, from)) continue;
    drops.segments += seen.segments;
    if (finding != nullptr) cite(*finding, seen.evidence);
    if (finding != nullptr) drops.reasons.push_back(drop_reason(context.names, seen));
  }
  return drops;
}

}  // namespace

std::uint64_t lost_from(const Connection& c, const RuleContext& context, unsigned from) {
  const ForwardedFacts& forwarded = *c.forwarded();
  const bool both = both_known(c);
  const std::uint32_t dropped = kernel_drops(c, context, from, nullptr).segments;
  // It goes on, and the other hop was never seen: by an interface that is not watched.
  if (!both && c.opening.answered) return dropped;
  const std::uint64_t counted = both ? forwarded.lost[from] : 0;
  std::uint32_t resets = 0;
  const std::uint32_t marked = never_left(c, context, from, resets).total;
  return std::max<std::uint64_t>({dropped, marked + resets, counted});
}

namespace {

std::optional<Finding> judge_forward_dropped(const Connection& c, const RuleContext& context) {
  Finding finding{.rule = Rule::forward_dropped, .confidence = Confidence::likely};
  arguments::ForwardDropped found;
  bool all_reported = true;
  for (const unsigned from : {client, server}) {
    const std::uint64_t lost = lost_from(c, context, from);
    if (lost == 0) continue;
    KernelDrops drops = kernel_drops(c, context, from, &finding);
    std::uint32_t resets = 0;
    cite(finding, never_left(c, context, from, resets));
    if (drops.segments < lost) all_reported = false;
    found.lost.push_back({.from = side_of(from),
                          .segments = lost,
                          .interface = interface_of(c, context, from),
                          .reported = drops.segments,
                          .reasons = std::move(drops.reasons)});
  }
  if (found.lost.empty()) return std::nullopt;
  if (all_reported) finding.confidence = Confidence::certain;
  finding.arguments = std::move(found);
  return finding;
}

// The RST that ended it, if this machine made it.
const MadeHere* ending_made_here(const Connection& c, unsigned& toward) {
  if (!c.ended() || !c.teardown->by_reset) return nullptr;
  for (const unsigned hop : {client, server}) {
    const MadeHere& made = c.forwarded()->reset_made[hop];
    if (made.mark && made.mark.id == c.teardown->end.id) {
      toward = hop;
      return &made;
    }
  }
  return nullptr;
}

std::optional<Finding> judge_forwarded_reset(const Connection& c, const RuleContext& context, Outcome outcome) {
  if (!c.ended() || !c.teardown->by_reset || outcome == Outcome::completed) return std::nullopt;
  using How = arguments::Reset::How;
  Finding finding{.rule = Rule::reset_origin, .confidence = Confidence::likely, .evidence = {c.teardown->end.id}};
  unsigned toward = 0;
  if (const MadeHere* made = ending_made_here(c, toward); made != nullptr) {
    finding.confidence = Confidence::certain;
    How how = How::made_here;
    if (made->socket_type == SocketKind::control) how = How::made_here_by_tcp;
    if (made->socket_type == SocketKind::none) how = How::made_here_by_no_socket;
    finding.arguments =
        arguments::Reset{.how = how, .side = side_of(toward), .interface = interface_of(c, context, toward)};
    return finding;
  }
  const bool from_server = c.anomalies->rst_in.mark.id == c.teardown->end.id;
  const unsigned from = from_server ? server : client;
  // Not the hop's interface: another host with the same address may be behind a third one.
  const ResetSeen& reset = from_server ? c.anomalies->rst_in : c.anomalies->rst_out;
  arguments::Reset found{
      .how = How::passed,
      .side = side_of(from),
      .interface = reset.ifindex != 0 ? context.names.interface(reset.ifindex) : interface_of(c, context, from)};
  if (from_server && ttl_differs(c)) {
    finding.confidence = Confidence::inconclusive;
    found.how = How::passed_with_other_ttl;
    found.remote = c.flow.remote;
    found.ttl = c.anomalies->rst_in.ttl;
    found.usual_ttl = c.from_peer.ttl;
  }
  finding.arguments = std::move(found);
  return finding;
}

std::optional<Finding> judge_forwarded_retransmission(const Connection& c) {
  if (!c.anomalies) return std::nullopt;
  const LossCounters& loss = c.anomalies->loss;
  if (loss.retrans_segs_out == 0 && loss.retrans_segs_in == 0) return std::nullopt;
  Finding finding{.rule = Rule::retransmission, .confidence = Confidence::likely};
  cite(finding, c.anomalies->retransmissions.evidence);
  cite(finding, c.anomalies->retransmissions.in);
  finding.arguments = arguments::ForwardedRetransmission{.client_retransmitted = loss.retrans_segs_out,
                                                         .client_sent = c.wire.segs_out,
                                                         .server_retransmitted = loss.retrans_segs_in,
                                                         .server_sent = c.wire.segs_in};
  return finding;
}

// One direction does not come through here, and yet the other one goes on. Three segments: a SYN and its repetition are
// no sign, and neither is the last ACK of what was over.
std::optional<Finding> judge_asymmetric_route(const Connection& c) {
  constexpr std::uint32_t enough = 3;
  const bool no_server = c.wire.segs_in == 0 && c.wire.segs_out >= enough;
  const bool no_client = c.wire.segs_out == 0 && c.wire.segs_in >= enough;
  if (!no_server && !no_client) return std::nullopt;
  // Behind its SYN a side goes on only with an answer.
  const bool goes_on = c.state != TcpState::syn_sent && c.state != TcpState::unknown;
  if (no_server && !goes_on) return std::nullopt;
  // A server that gets no answer only repeats its SYN-ACK.
  const bool server_goes_on = c.opening.established || c.wire.bytes_in != 0 || (c.teardown && c.teardown->fin_in.sent);
  if (no_client && !server_goes_on) return std::nullopt;
  Finding finding{.rule = Rule::asymmetric_route, .confidence = Confidence::likely};
  if (c.syn) finding.evidence.push_back(c.syn.id);
  if (c.syn_ack) finding.evidence.push_back(c.syn_ack.id);
  if (c.teardown && c.teardown->fin_in.sent) finding.evidence.push_back(c.teardown->fin_in.sent.id);
  if (c.teardown && c.teardown->fin_out.sent) finding.evidence.push_back(c.teardown->fin_out.sent.id);
  finding.arguments = arguments::AsymmetricRoute{.seen = side_of(no_server ? client : server),
                                                 .segments = no_server ? c.wire.segs_out : c.wire.segs_in};
  return finding;
}

HopTotals totals(const HopTotals& flags, const HopFacts& hop, bool in) {
  HopTotals t = flags;
  t.bytes = in ? hop.wire.bytes_in : hop.wire.bytes_out;
  t.segments = in ? hop.wire.segs_in : hop.wire.segs_out;
  t.retransmits = in ? hop.loss.retrans_segs_in : hop.loss.retrans_segs_out;
  t.out_of_order = in ? hop.loss.reordered_segs_in : hop.loss.reordered_segs_out;
  return t;
}

Hop hop_of(const Connection& c, const RuleContext& context, unsigned side) {
  const HopFacts& facts = c.forwarded()->hops[side];
  Hop hop;
  if (!facts.known) return hop;
  hop.interface = interface_of(c, context, side);
  hop.flow = side == client ? facts.key.reversed() : facts.key;
  hop.in = totals(facts.in, facts, true);
  hop.out = totals(facts.out, facts, false);
  hop.made_here = facts.made_here;
  hop.mss_in = facts.mss_in;
  hop.mss_out = facts.mss_out;
  if (facts.rtt_ns >= 0) hop.rtt_ns = facts.rtt_ns;
  return hop;
}

// What its end rests on, where that is no ICMP message.
endings::Forwarded::How how_it_ended(const Connection& c, Outcome outcome) {
  using How = endings::Forwarded::How;
  switch (outcome) {
    case Outcome::completed:
      return How::completed;
    case Outcome::refused:
      return How::refused;
    case Outcome::reset_by_local:
      return How::reset_by_client;
    case Outcome::reset_by_peer:
      return How::reset_by_server;
    case Outcome::reset_by_outsider:
      return reset_by_this_machine(c) ? How::reset_by_this_machine : How::reset_by_outsider;
    case Outcome::connect_timeout:
      return How::no_answer;
    case Outcome::open:
      return c.opening.established || c.opening.preexisting ? How::open : How::handshake;
    default:
      if (c.ended()) return How::not_known;
      return c.expired ? How::followed_no_longer : How::not_traced;
  }
}

}  // namespace

bool end_may_be_unseen(const Connection& c, const RuleContext& context) {
  if (!c.forwarded() || context.every_interface || both_known(c) || !c.anomalies) return false;
  return std::ranges::any_of(c.anomalies->drops.seen(), [&](const DropSeen& seen) {
    return drop_kind(context.names, seen.reason) == DropKind::firewall && seen.last.ts_ns > c.forwarded()->left.ts_ns;
  });
}

bool reset_by_this_machine(const Connection& c) {
  unsigned toward = 0;
  return c.forwarded() && ending_made_here(c, toward) != nullptr;
}

Forwarded forwarded_hops(const Connection& c, const RuleContext& context) {
  Forwarded hops;
  hops.client = hop_of(c, context, client);
  hops.server = hop_of(c, context, server);
  hops.joined = both_known(c);
  hops.lost_to_server = lost_from(c, context, client);
  hops.lost_to_client = lost_from(c, context, server);
  hops.untranslated = c.forwarded()->untranslated;
  return hops;
}

std::vector<Finding> forwarded_findings(const Connection& c, const RuleContext& context, Outcome outcome) {
  std::vector<Finding> findings;
  const auto add = [&](std::optional<Finding> finding) {
    if (!finding) return;
    if (c.incomplete) finding->confidence = Confidence::inconclusive;
    findings.push_back(std::move(*finding));
  };
  add(judge_forwarded_slow_handshake(c, context));
  add(judge_forward_dropped(c, context));
  if (c.anomalies) {
    add(judge_forwarded_reset(c, context, outcome));
    add(judge_forwarded_retransmission(c));
    add(judge_zero_window(c, context, outcome));
  }
  add(judge_forwarded_keepalive(c, context));
  add(judge_forwarded_path_mtu(c, context));
  add(judge_asymmetric_route(c));
  return findings;
}

Ending judge_forwarded_ending(const Connection& c, Outcome outcome) {
  const IcmpMessage& icmp = c.forwarded()->refusal;
  const bool refused = outcome == Outcome::refused || outcome == Outcome::unreachable;
  if (icmp && refused && !(c.ended() && c.teardown->by_reset))
    return endings::Forwarded{.how = endings::Forwarded::How::by_message, .message = message_of(c, icmp)};
  return endings::Forwarded{.how = how_it_ended(c, outcome)};
}

}  // namespace tcpwitness
