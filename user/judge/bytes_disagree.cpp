// SPDX-License-Identifier: Apache-2.0
// bytes_disagree.cpp: payload that the kernel counts and the interface did not carry, or the other way round.
//
// By sequence numbers, never by segments: GRO and GSO merge and split them. The wire cannot distinguish a reordered
// segment from one sent again, so it gives bounds: not more than all payload, not less than what was new. Only a whole
// life that ended well can be compared: what a RST leaves in flight is no disagreement.
#include "judge/judge.hpp"
#include "judge/rules.hpp"

namespace tcpwitness {
namespace {

struct Bounds {
  std::uint64_t least = 0;
  std::uint64_t most = 0;
};

// not_taken: what the kernel reports as dropped of them.
Bounds bounds(std::uint64_t bytes, std::uint64_t again, std::uint64_t not_taken) {
  const std::uint64_t doubtful = again + not_taken;
  return {bytes > doubtful ? bytes - doubtful : 0, bytes};
}

std::uint64_t dropped_bytes(const Connection& c, bool out) {
  std::uint64_t bytes = 0;
  if (!c.anomalies) return bytes;
  for (const DropSeen& seen : c.anomalies->drops.seen()) {
    if (seen.out == out) bytes += seen.bytes;
  }
  return bytes;
}

// The 32 bits of retransmitted bytes wrap: where 4 GiB or more came again, `least` is not known.
bool outside(std::uint64_t kernel, const Bounds& wire) {
  const bool wrapped = wire.most >= kernel + (std::uint64_t{1} << 32U);
  return kernel > wire.most || (kernel < wire.least && !wrapped);
}

}  // namespace

std::optional<Finding> judge_bytes_disagree(const Connection& c, const RuleContext& /*context*/, Outcome outcome) {
  const std::uint64_t sent = sent_payload(c);
  const std::uint64_t received = received_payload(c);
  if (sent == c.wire.bytes_out && received == c.wire.bytes_in) return std::nullopt;  // as nearly all
  if (outcome != Outcome::completed || c.incomplete || !c.seen_by.kernel || !c.has_cb()) return std::nullopt;
  if (!c.seen_by.wire || !wire_complete(c) || !c.opening.established || c.transitions.inconsistent) return std::nullopt;
  // Both FINs by both witnesses: then the last control block counts all that there was.
  if (!c.teardown || !c.teardown->fin_in.sent || !c.teardown->fin_out.sent) return std::nullopt;
  if (c.anomalies && c.anomalies->drops.further != 0) return std::nullopt;
  if (!fin_received(c.cb) || c.cb.snd_una != c.cb.write_seq) return std::nullopt;
  const Bounds out = bounds(c.wire.bytes_out, c.wire.retrans_bytes_out, dropped_bytes(c, true));
  const Bounds in = bounds(c.wire.bytes_in, c.wire.retrans_bytes_in, dropped_bytes(c, false));
  if (!outside(sent, out) && !outside(received, in)) return std::nullopt;
  Finding finding;
  finding.rule = Rule::bytes_disagree;
  finding.confidence = Confidence::likely;
  finding.evidence = {c.teardown->fin_out.sent.id, c.teardown->fin_in.sent.id};
  if (c.teardown->end) finding.evidence.push_back(c.teardown->end.id);
  arguments::BytesDisagree found;
  if (outside(sent, out)) found.sent = {sent, out.least, out.most};
  if (outside(received, in)) found.received = {received, in.least, in.most};
  finding.arguments = found;
  return finding;
}

}  // namespace tcpwitness
