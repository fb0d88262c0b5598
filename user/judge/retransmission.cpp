// SPDX-License-Identifier: Apache-2.0
// retransmission.cpp: what was sent again: the kernel's causes beside what the wire saw of each, and what was
// sent again in vain.
//
// The kernel's tracepoint is certain; the wire alone can take a duplicate for a retransmission. Where the two do
// not tell the same, that is said, and neither makes the other more certain. That it was in vain only the receiver
// knows: of ours by its D-SACK (RFC 2883), which this kernel counts; of the peer's by this kernel's own word that all
// of a segment had been received (TCP_OLD_DATA).
#include <fmt/format.h>

#include <algorithm>

#include "judge/judge.hpp"

namespace tcpwitness {
namespace {

std::string count(std::uint32_t number, std::string_view word) {
  return fmt::format("{} {}{}", number, word, number == 1 ? "" : "s");
}

std::string seen_words(std::uint32_t told, std::uint32_t matched) {
  if (matched == told) return told == 1 ? "seen on the wire" : "all seen on the wire";
  if (matched == 0) return "not seen as such on the wire";
  return fmt::format("{} of them seen on the wire", matched);
}

// "the kernel retransmitted 2 segments: 1 RTO (seen on the wire), 1 tail-loss probe (seen on the wire)"
std::string causes(const Retransmissions& r, bool wire_heard) {
  std::string text;
  for (std::size_t i = 0; i < r.by_kind.size(); ++i) {
    if (r.by_kind[i] == 0) continue;
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", r.by_kind[i],
                        retransmit_words(static_cast<RetransmitKind>(i)));
    if (wire_heard) text += fmt::format(" ({})", seen_words(r.by_kind[i], r.matched[i]));
  }
  text = fmt::format("the kernel retransmitted {}: {}", count(r.kernel, "segment"), text);
  if (r.refused != 0) text += fmt::format("; {} of them never left this machine", r.refused);
  if (r.put_off != 0)
    text += fmt::format("; {} of them were put off: the copy before still waited on this machine", r.put_off);
  return text;
}

// Retransmissions of this side that only one witness told of.
struct Disagreement {
  std::uint32_t untold = 0;  // seen on the wire
  std::uint32_t unseen = 0;  // told by the kernel
  [[nodiscard]] bool any() const { return untold != 0 || unseen != 0; }
};

Disagreement disagreement(const Connection& c) {
  const Retransmissions& r = c.trouble->retransmissions;
  if (r.kernel == 0 || !c.wire_heard) return {};  // one witness alone contradicts nobody
  // What the queue behind the hook dropped and TCP then sent for the first time the wire shows twice.
  std::uint32_t explained = 0;
  for (const std::uint32_t seen : r.matched) explained += seen;
  for (const DropSeen& seen : c.trouble->drops.seen()) {
    if (seen.out) explained += seen.count;
  }
  return {r.wire_out > explained ? r.wire_out - explained : 0, r.unmatched.total};
}

struct InVain {
  std::uint32_t ours = 0;
  std::uint32_t of = 0;              // all that this side sent again
  const DropSeen* theirs = nullptr;  // segments of the peer
  [[nodiscard]] bool any() const { return ours != 0 || theirs != nullptr; }
};

InVain in_vain(const Connection& c, const Bench& bench) {
  InVain result;
  result.of = std::max(c.has_cb() ? c.cb.total_retrans : 0, c.trouble->retransmissions.kernel);
  // Those of before we listened have no event to show.
  const bool shown = c.trouble->retransmissions.evidence.total != 0;
  if (c.has_cb() && shown) result.ours = std::min(c.cb.dsack_dups, result.of);
  const DropSeen* old = dropped_for(c, bench, false, DropKind::old_payload);
  if (old != nullptr && old->bytes != 0) result.theirs = old;
  return result;
}

}  // namespace

std::optional<Finding> judge_retransmission(const Connection& c, const Bench& bench) {
  const Retransmissions& r = c.trouble->retransmissions;
  const Disagreement differ = disagreement(c);
  const InVain vain = in_vain(c, bench);
  if (r.kernel == 0 && r.wire_out == 0 && !vain.any()) return std::nullopt;
  Finding finding;
  finding.rule = Rule::retransmission;
  const bool proved = r.kernel != 0 || r.wire_out == 0;
  finding.confidence = proved && !differ.any() ? Confidence::certain : Confidence::likely;
  cite(finding, r.evidence);
  if (vain.theirs != nullptr) cite(finding, vain.theirs->evidence);
  if (!bench.texts) return finding;
  const auto add = [&](const std::string& words) { finding.text += (finding.text.empty() ? "" : "; ") + words; };
  if (r.kernel != 0) {
    add(causes(r, c.wire_heard));
  } else if (r.wire_out != 0) {
    add(fmt::format("the wire saw {} from this side{}", count(r.wire_out, "retransmission"),
                    c.kernel_heard ? "; the kernel told of none" : ""));
  }
  if (differ.untold != 0)
    add(fmt::format("the wire saw {} that the kernel did not tell of", count(differ.untold, "retransmission")));
  if (differ.unseen != 0) {
    add(fmt::format("the kernel told of {} that the wire did not show as such",
                    count(differ.unseen, "retransmission")));
  }
  if (vain.ours != 0)
    add(fmt::format("spurious: by its D-SACK the peer got {} of {} retransmitted segments twice", vain.ours, vain.of));
  if (vain.theirs != nullptr) {
    add(fmt::format("{}the peer sent {} again that had arrived (TCP_OLD_DATA)", vain.ours == 0 ? "spurious: " : "",
                    count(vain.theirs->count, "segment")));
  }
  return finding;
}

}  // namespace tcpwitness
