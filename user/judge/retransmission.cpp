// SPDX-License-Identifier: Apache-2.0
// retransmission.cpp: what was sent again, in either direction; of ours the kernel's causes beside what the wire saw of
// each; and what was sent again in vain.
//
// All numbers are segments on the wire, as nstat's TcpRetransSegs counts them. Of what this side sent again the
// kernel's tracepoint is certain; the wire alone can take a duplicate for a retransmission. Where the two do not report
// the same, that is said, and neither makes the other more certain. What the peer sent again only the wire shows: below
// the highest number, and too late to have been overtaken. That it was in vain only the receiver knows: of ours by its
// D-SACK (RFC 2883), which this kernel counts; of the peer's by this kernel's own word that all of a segment had been
// received (TCP_OLD_DATA).
#include <fmt/format.h>

#include <algorithm>

#include "judge/judge.hpp"

namespace tcpwitness {
namespace {

std::string count(std::uint32_t number, std::string_view word) {
  return fmt::format("{} {}{}", number, word, number == 1 ? "" : "s");
}

// "3 segments", and where the whole is known and more than a handful: "3 of 400 segments (0.75 %)".
std::string share(std::uint32_t part, std::uint32_t whole) {
  constexpr std::uint32_t handful = 50;
  if (whole < handful || part > whole) return count(part, "segment");
  return fmt::format("{} of {} segments ({:.2g} %)", part, whole, 100.0 * part / whole);
}

std::string tries(std::uint32_t number) { return number == 1 ? "1 more was" : fmt::format("{} more were", number); }

std::string seen_words(std::uint32_t sent, std::uint32_t matched) {
  if (matched == sent) return sent == 1 ? "seen on the wire" : "all seen on the wire";
  if (matched == 0) return "not seen as such on the wire";
  return fmt::format("{} of them seen on the wire", matched);
}

// "the kernel retransmitted 2 of 40 segments (5 %): 1 RTO (seen on the wire), 1 tail-loss probe (seen on the wire)"
std::string causes(const Connection& c, const Retransmissions& r, bool has_wire) {
  std::string text;
  std::uint32_t named = 0;
  for (std::size_t i = 0; i < r.by_kind.size(); ++i) {
    if (r.by_kind[i] == 0) continue;
    named += r.by_kind[i];
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", r.by_kind[i], words(static_cast<RetransmitKind>(i)));
    if (has_wire && r.kernel > r.refused) text += fmt::format(" ({})", seen_words(r.by_kind[i], r.matched[i]));
  }
  const std::uint32_t all = retransmitted_segments(c);
  if (all > named) text += fmt::format("{}{} whose cause was not seen", text.empty() ? "" : ", ", all - named);
  const std::uint32_t sent = c.has_cb() ? c.cb.segs_out : 0;
  text = fmt::format("the kernel retransmitted {}{}", share(all, sent), text.empty() ? "" : ": " + text);
  if (r.refused != 0) text += fmt::format("; {} of them never left this machine", r.refused);
  if (r.put_off != 0)
    text += fmt::format("; {} put off: the copy before still waited on this machine", tries(r.put_off));
  if (r.not_tried != 0)
    text += fmt::format("; {} given up before anything was sent (no route, or beyond the peer's window)",
                        tries(r.not_tried));
  return text;
}

// Retransmissions of this side that only one witness reported.
struct Disagreement {
  std::uint32_t unreported = 0;  // seen on the wire
  std::uint32_t unseen = 0;      // reported by the kernel
  [[nodiscard]] bool any() const { return unreported != 0 || unseen != 0; }
};

Disagreement disagreement(const Connection& c) {
  const Retransmissions& r = c.anomalies->retransmissions;
  if (r.kernel == 0 || !c.has_wire) return {};  // one witness alone contradicts nobody
  // What the queue behind the hook dropped and TCP then sent for the first time the wire shows twice.
  std::uint32_t explained = r.wire_matched;
  for (const DropSeen& seen : c.anomalies->drops.seen()) {
    if (seen.out) explained += seen.count;
  }
  // What the kernel counts it has sent again, though no event of it came.
  explained += retransmitted_segments(c) - r.kernel;
  return {r.wire_out > explained ? r.wire_out - explained : 0, r.unmatched_segments};
}

// Ours that the peer got twice; 0 where those of before we listened have no event to show.
std::uint32_t in_vain(const Connection& c) {
  const bool shown = c.anomalies->retransmissions.evidence.total != 0;
  return c.has_cb() && shown ? std::min(c.cb.dsack_dups, retransmitted_segments(c)) : 0;
}

// Segments of the peer, all of which had been received. What the network had delivered before is none, nor is the byte
// of a keep-alive.
struct Repeated {
  const DropSeen* drops = nullptr;
  std::uint32_t count = 0;
};

Repeated repeated_by_peer(const Connection& c, const RuleContext& context) {
  const DropSeen* old = dropped_for(c, context, false, DropKind::old_payload);
  if (old == nullptr || old->bytes == 0) return {};
  const std::uint32_t explained = c.anomalies->loss.copied_buffers_in + c.anomalies->keepalive.garbage;
  return old->count > explained ? Repeated{old, old->count - explained} : Repeated{};
}

}  // namespace

std::optional<Finding> judge_retransmission(const Connection& c, const RuleContext& context) {
  const Retransmissions& r = c.anomalies->retransmissions;
  const Disagreement differ = disagreement(c);
  const std::uint32_t vain = in_vain(c);
  // An attempt that the kernel put off or gave up is no retransmission.
  if (r.kernel == 0 && r.wire_out == 0 && vain == 0) return std::nullopt;
  Finding finding;
  finding.rule = Rule::retransmission;
  const bool proved = r.kernel != 0 || r.wire_out == 0;
  finding.confidence = proved && !differ.any() ? Confidence::certain : Confidence::likely;
  cite(finding, r.evidence);
  if (!context.texts) return finding;
  const auto add = [&](const std::string& words) { finding.text += (finding.text.empty() ? "" : "; ") + words; };
  if (r.kernel != 0) {
    add(causes(c, r, c.has_wire));
  } else if (r.wire_out != 0) {
    const std::string all = share(c.anomalies->loss.retrans_segs_out, c.wire.segs_out);
    add(fmt::format("this side sent {} again{}", all, c.has_kernel ? "; the kernel reported none" : ""));
  }
  if (differ.unreported != 0)
    add(fmt::format("the wire saw {} sent again that the kernel did not report", count(differ.unreported, "segment")));
  if (differ.unseen != 0)
    add(fmt::format("the kernel reported {} that the wire did not show as such", count(differ.unseen, "segment")));
  if (vain != 0) {
    add(fmt::format("spurious: {} retransmitted, and by its D-SACK the peer got {} twice",
                    count(retransmitted_segments(c), "segment"), vain));
  }
  return finding;
}

std::optional<Finding> judge_retransmission_in(const Connection& c, const RuleContext& context) {
  const Retransmissions& r = c.anomalies->retransmissions;
  const Repeated old = repeated_by_peer(c, context);
  if (r.in.total == 0 && old.count == 0) return std::nullopt;
  Finding finding;
  finding.rule = Rule::retransmission;
  // Only the wire can distinguish a segment that was sent again from one that the network delivered twice.
  const bool distinguished = c.has_wire && c.anomalies->loss.copied_buffers_in == 0;
  finding.confidence = old.count != 0 && distinguished ? Confidence::certain : Confidence::likely;
  cite(finding, r.in);
  if (old.count != 0) cite(finding, old.drops->evidence);
  if (!context.texts) return finding;
  const std::uint32_t again = std::max(c.anomalies->loss.retrans_segs_in, r.in.total);
  if (r.in.total != 0) finding.text = fmt::format("the peer sent {} again", share(again, c.wire.segs_in));
  if (old.count != 0) {
    finding.text += fmt::format("{}spurious: the peer sent {} again that had arrived (TCP_OLD_DATA)",
                                finding.text.empty() ? "" : "; ", count(old.count, "segment"));
  }
  const std::uint32_t late = c.anomalies->loss.reordered_segs_in;
  if (late != 0) finding.text += fmt::format("; {} only came out of order", count(late, "more segment"));
  return finding;
}

}  // namespace tcpwitness
