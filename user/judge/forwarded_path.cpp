// SPDX-License-Identifier: Apache-2.0
// forwarded_path.cpp: a slow handshake, unanswered keep-alives and path-MTU trouble of a connection that passes through
// this machine, from its segments alone.
//
// From the middle it shows on which side the time went by, and what left for a side and was not answered.
// Where this machine itself dropped the segments, forward-dropped says so, and the path is not blamed. Who is behind a
// side, and what became of a segment there, nobody here knows: never more than likely.
#include <fmt/format.h>

#include "judge/judge.hpp"

namespace tcpwitness {
namespace {

constexpr unsigned client = 0;
constexpr unsigned server = 1;

std::string_view side_name(unsigned side) { return side == client ? "the client" : "the server"; }

std::string behind(const Connection& c, const RuleContext& context, unsigned side) {
  const std::uint32_t index = c.passage()->hops[side].ifindex;
  return index != 0 ? fmt::format("behind {}", context.names.interface(index))
                    : fmt::format("on {}'s side", side_name(side));
}

std::string times(std::uint32_t count, std::string_view what) {
  return count > 1 ? fmt::format("; {} {}s came", count, what) : "";
}

}  // namespace

std::optional<Finding> judge_forwarded_slow_handshake(const Connection& c, const RuleContext& context) {
  if (!c.established || !c.syn || !c.syn_ack || c.handshake_ns < context.slow_handshake_ns) return std::nullopt;
  const std::int64_t first = c.syn_ack.ts_ns - c.syn.ts_ns;
  const std::int64_t second = c.syn.ts_ns + c.handshake_ns - c.syn_ack.ts_ns;
  const bool by_one = first >= context.slow_handshake_ns || second >= context.slow_handshake_ns;
  Finding finding{Rule::slow_handshake, by_one ? Confidence::likely : Confidence::inconclusive, "", {}, 0};
  finding.evidence = {c.syn.id, c.syn_ack.id};
  if (!context.texts) return finding;
  const Passage& passage = *c.passage();
  const HopFacts& near = passage.hops[client];
  const HopFacts& far = passage.hops[server];
  // Where the next hop's address is not known yet, or a program decides (nfqueue), the SYN waits here.
  const std::int64_t held = far.syn_ns != 0 ? far.syn_ns - c.syn.ts_ns : 0;
  const std::uint32_t stayed = near.in.syn > far.out.syn ? near.in.syn - far.out.syn : 0;
  if (held >= context.slow_handshake_ns && near.in.syn <= 1) {
    finding.text = fmt::format("the client's SYN left this machine {} after it came", seconds(held));
  } else if (first >= second) {
    finding.text = fmt::format("the server's SYN-ACK came {} after the client's first SYN{}", seconds(first),
                               times(near.in.syn, "SYN"));
    if (stayed != 0) finding.text += fmt::format(", {} of them stayed here", stayed);
  } else {
    finding.text = fmt::format("the client's ACK came {} after the server's first SYN-ACK{}", seconds(second),
                               times(far.in.syn_ack, "SYN-ACK"));
  }
  finding.text += fmt::format(" (handshake: {} in all)", seconds(c.handshake_ns));
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
    const bool left = c.passage()->hops[from ^ 1U].known;
    Finding finding{Rule::keepalive, left ? Confidence::likely : Confidence::inconclusive, "", {}, 0};
    cite(finding, from == client ? k.run : k.evidence);
    if (context.texts) {
      finding.text = fmt::format(
          "{} keep-alive probes of {} in a row {} {} and were not answered: {} is down, or the path {} is broken",
          unanswered, side_name(from), left ? "left for" : "came in for", side_name(from ^ 1U), side_name(from ^ 1U),
          behind(c, context, from ^ 1U));
    }
    return finding;
  }
  return std::nullopt;
}

// RFC 1191, RFC 2923: small segments get through and no full-size one.
std::optional<Finding> judge_forwarded_path_mtu(const Connection& c, const RuleContext& context) {
  constexpr std::uint32_t enough = 3;      // times that it was sent again
  constexpr std::uint32_t smallest = 536;  // what every IPv4 path takes
  if (!c.established) return std::nullopt;
  for (const unsigned from : {client, server}) {
    const SentAgain& run = c.passage()->again[from];
    const bool has_isn = from == client ? c.has_isn_local : c.has_isn_remote;
    if (run.tries < enough || run.len <= smallest || !has_isn || lost_from(c, context, from) != 0) continue;
    // Nothing of this size has been acknowledged before: there were not as many bytes.
    const std::uint32_t before = run.seq - (from == client ? c.isn_local : c.isn_remote) - 1;
    if (before >= run.len) continue;
    const bool other_goes_on = c.passage()->last_seen_ns[from ^ 1U] > run.first_ns;
    const bool small_ones_pass = before != 0 || run.smaller != 0 || other_goes_on;
    const bool left = c.passage()->hops[from ^ 1U].known;
    Finding finding{
        Rule::path_mtu_black_hole, small_ones_pass && left ? Confidence::likely : Confidence::inconclusive, "", {}, 0};
    cite(finding, run.evidence);
    if (context.texts) {
      finding.text = fmt::format(
          "{} sent a segment of {} bytes {} times, it {} {} each time and was not acknowledged; nothing as "
          "large was acknowledged before: the path {} may not take this size",
          side_name(from), run.len, run.tries + 1, left ? "left for" : "came in for", side_name(from ^ 1U),
          behind(c, context, from ^ 1U));
      if (run.smaller != 0) finding.text += fmt::format("; in pieces of {} bytes it got through", run.smaller);
    }
    return finding;
  }
  return std::nullopt;
}

}  // namespace tcpwitness
