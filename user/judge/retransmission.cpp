// SPDX-License-Identifier: Apache-2.0
// retransmission.cpp: what was sent again, in either direction; of ours the kernel's causes beside what the wire saw of
// each; and what was sent again in vain.
//
// All numbers are segments on the wire, as nstat's TcpRetransSegs counts them. Of what this side sent again the
// kernel's tracepoint is certain; the wire alone can take a duplicate for a retransmission. Where the two do not report
// the same, that is reported, and neither makes the other more certain. What the peer sent again only the wire shows:
// below the highest number, and too late to have been overtaken. That it was in vain only the receiver shows: of ours
// by its D-SACK (RFC 2883), which this kernel counts; of the peer's by this kernel's own word that all of a segment had
// been received (TCP_OLD_DATA and its like). A count of D-SACKs does not show which segments they are of: a copy that
// the network delivers makes one, too.
#include <algorithm>
#include <utility>
#include <vector>

#include "judge/judge.hpp"
#include "judge/rules.hpp"

namespace tcpwitness {
namespace {

constexpr auto syn_ack = static_cast<std::size_t>(RetransmitKind::syn_ack);

// SYN-ACKs that nobody but this kernel can have sent again, for they left with their request socket, and that none of
// its reports behind them is of. No disagreement: both are right.
struct OwnSynAcks {
  std::uint32_t later = 0;  // it had reported them before: they waited for a link address, or another CPU was faster
  std::uint32_t unreported = 0;  // tcp_rtx_synack() reports only what was handed on without an error behind the hook
};

OwnSynAcks own_syn_acks(const Retransmissions& r) {
  const std::uint32_t left = r.by_request - std::min(r.by_request, r.matched[syn_ack]);
  const std::uint32_t later = std::min(left, r.by_kind[syn_ack] - r.matched[syn_ack]);
  return {later, left - later};
}

// What the kernel reported, by cause.
using ByKernel = arguments::Retransmission::ByKernel;
std::vector<ByKernel::Cause> causes(const Retransmissions& r) {
  std::vector<ByKernel::Cause> causes;
  for (std::size_t i = 0; i < r.by_kind.size(); ++i) {
    const std::uint32_t later = i == syn_ack ? own_syn_acks(r).later : 0;
    if (r.by_kind[i] != 0) causes.push_back({static_cast<RetransmitKind>(i), r.by_kind[i], r.matched[i] + later});
  }
  return causes;
}

// Retransmissions of this side that only one witness reported.
struct Disagreement {
  std::uint32_t unreported = 0;  // seen on the wire
  std::uint32_t unseen = 0;      // reported by the kernel
  [[nodiscard]] bool any() const { return unreported != 0 || unseen != 0; }
};

Disagreement disagreement(const Connection& c) {
  const Retransmissions& r = c.anomalies->retransmissions;
  if (r.kernel == 0 || !c.seen_by.wire) return {};  // one witness alone contradicts nobody
  // What the queue behind the hook dropped and TCP then sent for the first time the wire shows twice.
  std::uint32_t explained = r.wire_matched;
  for (const DropSeen& seen : c.anomalies->drops.seen()) {
    if (seen.out) explained += seen.count;
  }
  // What the kernel counts it has sent again, though no event of it came: SYN-ACKs too, once there is a child.
  const OwnSynAcks own = own_syn_acks(r);
  explained += own.later + std::max(retransmitted_segments(c) - r.kernel, own.unreported);
  return {r.wire_out > explained ? r.wire_out - explained : 0,
          r.unmatched_segments - std::min(r.unmatched_segments, own.later)};
}

ByKernel by_kernel(const Connection& c, const Disagreement& differ) {
  const Retransmissions& r = c.anomalies->retransmissions;
  const std::uint32_t retransmitted = retransmitted_segments(c);
  const std::uint32_t alone = own_syn_acks(r).unreported;
  const std::uint32_t unreported = retransmitted - r.kernel;
  return {.causes = causes(r),
          .retransmitted = retransmitted,
          .sent = c.has_cb() ? c.cb.segs_out : 0,
          .refused = r.refused,
          .put_off = r.put_off,
          .not_tried = r.not_tried,
          .compared = c.seen_by.wire && r.kernel > r.refused,
          .syn_acks = alone > unreported ? alone - unreported : 0,
          .unreported = differ.unreported,
          .unseen = differ.unseen};
}

// Ours that the peer got twice; 0 where those of before we listened have no event to show. Where it got more twice than
// were sent again by then, the network delivers copies, and each D-SACK can be of one (tcp_dsack_seen()).
std::uint32_t received_twice(const Connection& c) {
  const Retransmissions& r = c.anomalies->retransmissions;
  const bool shown = r.evidence.total != 0;
  if (!c.has_cb() || !shown || r.copies || c.cb.dsack_dups > retransmitted_segments(c)) return 0;
  return c.cb.dsack_dups;
}

// Segments of the peer, all of which had been received. What the network had delivered before is none, nor is the byte
// of a keep-alive.
struct Repeated {
  std::vector<const DropSeen*> drops;
  std::uint32_t count = 0;
};

Repeated repeated_by_peer(const Connection& c, const RuleContext& context) {
  Repeated all;
  for (const DropSeen& seen : c.anomalies->drops.seen()) {
    if (seen.out || seen.bytes == 0 || !is_received_before(drop_kind(context.names, seen.reason))) continue;
    all.drops.push_back(&seen);
    all.count += seen.segments - seen.empty;
  }
  const std::uint32_t explained = c.anomalies->loss.duplicate_segs_in + c.anomalies->keepalive.garbage;
  if (all.count <= explained) return {};
  all.count -= explained;
  return all;
}

// Of one TCP all segments end where its FIN does, and most come over as many hops.
arguments::PeerRetransmission::Doubt doubt_of_sender(const Connection& c) {
  using Doubt = arguments::PeerRetransmission::Doubt;
  if (c.teardown && c.teardown->fin_in.beyond) return Doubt::beyond_fin;
  if (c.anomalies->retransmissions.not_yet_sent) return Doubt::not_yet_sent;
  return c.from_peer.ttl_varies ? Doubt::other_hops : Doubt::none;
}

}  // namespace

std::optional<Finding> judge_retransmission(const Connection& c, const RuleContext& context, Outcome /*outcome*/) {
  const Retransmissions& r = c.anomalies->retransmissions;
  const Disagreement differ = disagreement(c);
  // An attempt that the kernel put off or gave up is no retransmission.
  if (r.kernel == 0 && r.wire_out == 0) return std::nullopt;
  Finding finding;
  finding.rule = Rule::retransmission;
  const bool of_request = context.has_kernel && r.wire_out == r.by_request;
  const bool proved = r.kernel != 0 || of_request;
  finding.confidence = proved && !differ.any() ? Confidence::certain : Confidence::likely;
  cite(finding, r.evidence);
  arguments::Retransmission found;
  if (r.kernel != 0) {
    found.by_kernel = by_kernel(c, differ);
  } else {
    found.by_wire = {
        .retransmitted = c.anomalies->loss.retrans_segs_out, .sent = c.wire.segs_out, .kernel_there = c.seen_by.kernel};
  }
  finding.arguments = std::move(found);
  return finding;
}

// Never certain: the network can have delivered as many copies as were lost of what was sent again.
std::optional<Finding> judge_retransmission_in_vain(const Connection& c, const RuleContext& /*context*/,
                                                    Outcome /*outcome*/) {
  const std::uint32_t twice = received_twice(c);
  if (twice == 0) return std::nullopt;
  Finding finding;
  finding.rule = Rule::retransmission;
  finding.confidence = Confidence::likely;
  cite(finding, c.anomalies->retransmissions.evidence);
  arguments::Retransmission found;
  found.spurious = {.retransmitted = retransmitted_segments(c), .received_twice = twice};
  finding.arguments = std::move(found);
  return finding;
}

std::optional<Finding> judge_retransmission_in(const Connection& c, const RuleContext& context, Outcome /*outcome*/) {
  const Retransmissions& r = c.anomalies->retransmissions;
  const Repeated old = repeated_by_peer(c, context);
  if (r.in.total == 0 && old.count == 0) return std::nullopt;
  Finding finding;
  finding.rule = Rule::retransmission;
  // Only the wire can distinguish a segment that was sent again from one that the network delivered twice; of what is
  // out of order not without an IP identification (bpf/duplicates.h).
  const bool merged = std::ranges::any_of(
      old.drops, [&](const DropSeen* seen) { return context.names.drop_reason(seen->reason).starts_with("TCP_OFO"); });
  const bool distinguished = c.seen_by.wire && c.anomalies->loss.duplicate_buffers_in == 0 && !merged;
  const auto doubt = doubt_of_sender(c);
  const LossCounters& loss = c.anomalies->loss;
  const std::uint32_t again = r.in.total != 0 ? std::max(loss.retrans_segs_in, r.in.total) : 0;
  // On a path that reorders what fills a hole was late or sent again; what had arrived before was sent again.
  const bool counted = loss.reordered_segs_in == 0 || again <= old.count;
  const bool proved = old.count != 0 && distinguished && counted && doubt == arguments::PeerRetransmission::Doubt::none;
  finding.confidence = proved ? Confidence::certain : Confidence::likely;
  cite(finding, r.in);
  arguments::DropReasons reasons;
  for (const DropSeen* drops : old.drops) {
    cite(finding, drops->evidence);
    reasons.push_back(drop_reason(context.names, *drops));
  }
  finding.arguments = arguments::PeerRetransmission{
      .retransmitted = again,
      .received = c.wire.segs_in,
      .spurious = old.count,
      .reasons = std::move(reasons),
      .out_of_order = loss.reordered_segs_in,
      .doubt = doubt,
  };
  return finding;
}

}  // namespace tcpwitness
