// SPDX-License-Identifier: Apache-2.0
// forwarded_path.cpp: a slow handshake, unanswered keep-alives and path-MTU trouble of a connection that passes through
// this machine, from its segments alone.
//
// From the middle it shows on which side the time went by, and what left for a side and was not answered.
// Where this machine itself dropped the segments, that is forward-dropped, and the path is not blamed. Who is behind a
// side, and what became of a segment there, is not known here: never more than likely.
#include "judge/hops.hpp"
#include "judge/judge.hpp"

namespace tcpwitness {
std::optional<Finding> judge_forwarded_slow_handshake(const Connection& c, const RuleContext& context) {
  if (!c.opening.established || !c.syn || !c.syn_ack || c.handshake_ns < context.slow_handshake_ns) return std::nullopt;
  const std::int64_t first = c.syn_ack.ts_ns - c.syn.ts_ns;
  const std::int64_t second = c.syn.ts_ns + c.handshake_ns - c.syn_ack.ts_ns;
  const bool by_one = first >= context.slow_handshake_ns || second >= context.slow_handshake_ns;
  Finding finding{.rule = Rule::slow_handshake,
                  .confidence = by_one ? Confidence::likely : Confidence::inconclusive,
                  .evidence = {c.syn.id, c.syn_ack.id}};
  const ForwardedFacts& forwarded = *c.forwarded();
  const HopFacts& near = forwarded.hops[client];
  const HopFacts& far = forwarded.hops[server];
  // Where the next hop's address is not known yet, or a program decides (nfqueue), the SYN waits here.
  const std::int64_t held = far.syn_ns != 0 ? far.syn_ns - c.syn.ts_ns : 0;
  const std::uint32_t stayed = near.in.syn > far.out.syn ? near.in.syn - far.out.syn : 0;
  using Leg = arguments::ForwardedHandshake::Leg;
  arguments::ForwardedHandshake found{.total_ns = c.handshake_ns};
  if (held >= context.slow_handshake_ns && near.in.syn <= 1) {
    found.leg = Leg::held_here;
    found.leg_ns = held;
  } else if (first >= second) {
    found.leg = Leg::answer;
    found.leg_ns = first;
    found.came = near.in.syn;
    found.stayed = stayed;
  } else {
    found.leg = Leg::ack;
    found.leg_ns = second;
    found.came = far.in.syn_ack;
  }
  finding.arguments = found;
  return finding;
}

std::optional<Finding> judge_forwarded_keepalive(const Connection& c, const RuleContext& context) {
  constexpr std::uint32_t enough = 2;  // of one alone the answer can get lost
  // One direction alone: the answers take another way.
  if (!c.anomalies || c.wire.segs_in == 0 || c.wire.segs_out == 0) return std::nullopt;
  const KeepaliveFacts& k = c.anomalies->keepalive;
  for (const unsigned from : {client, server}) {
    const std::uint32_t unanswered = from == client ? k.unanswered : k.unreplied;
    if (unanswered < enough || lost_from(c, context, from) != 0) continue;
    // Where its other side is not traced nobody saw them leave.
    const bool left = c.forwarded()->hops[from ^ 1U].known;
    Finding finding{.rule = Rule::keepalive, .confidence = left ? Confidence::likely : Confidence::inconclusive};
    cite(finding, from == client ? k.run : k.evidence);
    finding.arguments = arguments::ForwardedKeepalive{.from = side_of(from),
                                                      .unanswered = unanswered,
                                                      .left = left,
                                                      .interface = interface_of(c, context, from ^ 1U)};
    return finding;
  }
  return std::nullopt;
}

// RFC 1191, RFC 2923: small segments get through and no full-size one.
std::optional<Finding> judge_forwarded_path_mtu(const Connection& c, const RuleContext& context) {
  constexpr std::uint32_t enough = 3;      // times that it was sent again
  constexpr std::uint32_t smallest = 536;  // what every IPv4 path takes
  if (!c.opening.established) return std::nullopt;
  for (const unsigned from : {client, server}) {
    const SentAgain& run = c.forwarded()->again[from];
    const bool has_isn = from == client ? c.isn.has_local : c.isn.has_remote;
    if (run.tries < enough || run.len <= smallest || !has_isn || lost_from(c, context, from) != 0) continue;
    // Nothing of this size has been acknowledged before: there were not as many bytes.
    const std::uint32_t before = run.seq - (from == client ? c.isn.local : c.isn.remote) - 1;
    if (before >= run.len) continue;
    const bool other_goes_on = c.forwarded()->last_seen_ns[from ^ 1U] > run.first_ns;
    const bool small_ones_pass = before != 0 || run.smaller != 0 || other_goes_on;
    const bool left = c.forwarded()->hops[from ^ 1U].known;
    Finding finding{.rule = Rule::path_mtu_black_hole,
                    .confidence = small_ones_pass && left ? Confidence::likely : Confidence::inconclusive};
    cite(finding, run.evidence);
    finding.arguments = arguments::ForwardedPathMtu{.from = side_of(from),
                                                    .length = run.len,
                                                    .times = run.tries + 1,
                                                    .left = left,
                                                    .interface = interface_of(c, context, from ^ 1U),
                                                    .smaller = run.smaller};
    return finding;
  }
  return std::nullopt;
}

}  // namespace tcpwitness
