// SPDX-License-Identifier: Apache-2.0
// spurious.cpp: segments that were sent again though they had arrived.
//
// Only the receiver knows. Ours is proved by the peer's D-SACK (RFC 2883), which this kernel counts; the peer's by
// this kernel's own word that all of a segment had been received (TCP_OLD_DATA).
#include <fmt/format.h>

#include <algorithm>

#include "judge/judge.hpp"

namespace tcpwitness {

std::optional<Finding> judge_spurious_retransmission(const Connection& c, const Bench& bench) {
  const Retransmissions& r = c.trouble->retransmissions;
  const std::uint32_t again = std::max(c.has_cb() ? c.cb.total_retrans : 0, r.kernel);
  const std::uint32_t ours = c.has_cb() && again != 0 ? std::min(c.cb.dsack_dups, again) : 0;
  const DropSeen* theirs = dropped_for(c, bench, false, DropKind::old_payload);
  if (theirs != nullptr && theirs->bytes == 0) theirs = nullptr;
  if (ours == 0 && theirs == nullptr) return std::nullopt;
  Finding finding;
  finding.rule = Rule::retransmission;
  finding.confidence = Confidence::certain;
  if (ours != 0) cite(finding, r.evidence);
  if (theirs != nullptr) cite(finding, theirs->evidence);
  if (!bench.texts) return finding;
  if (ours != 0) {
    finding.text =
        fmt::format("spurious: by its D-SACK the peer got {} of {} retransmitted segments twice", ours, again);
  }
  if (theirs != nullptr) {
    finding.text +=
        fmt::format("{}the peer sent {} segment{} again that had arrived (TCP_OLD_DATA)",
                    finding.text.empty() ? "spurious: " : "; ", theirs->count, theirs->count == 1 ? "" : "s");
  }
  return finding;
}

}  // namespace tcpwitness
