// SPDX-License-Identifier: Apache-2.0
// retransmission.cpp: what was sent again, the kernel's causes beside what the wire saw.
//
// The kernel's tracepoint is certain; the wire alone can take a duplicate for a retransmission.
#include <fmt/format.h>

#include "judge/judge.hpp"

namespace tcpwitness {

std::optional<Finding> judge_retransmission(const Connection& c, const Bench& bench) {
  const Retransmissions& r = c.trouble->retransmissions;
  if (r.kernel == 0 && r.wire_out == 0) return std::nullopt;
  Finding finding;
  finding.rule = Rule::retransmission;
  finding.confidence = r.kernel != 0 ? Confidence::certain : Confidence::likely;
  finding.evidence = r.evidence.list();
  if (!bench.texts) return finding;
  if (r.kernel != 0) {
    std::string causes;
    for (std::size_t i = 0; i < r.by_kind.size(); ++i) {
      if (r.by_kind[i] == 0) continue;
      if (!causes.empty()) causes += ", ";
      causes += fmt::format("{} {}", r.by_kind[i], retransmit_words(static_cast<RetransmitKind>(i)));
    }
    finding.text =
        fmt::format("the kernel retransmitted {} segment{} ({})", r.kernel, r.kernel == 1 ? "" : "s", causes);
    if (r.refused != 0) finding.text += fmt::format(", {} of them never left this machine", r.refused);
    if (c.wire_heard) finding.text += fmt::format("; the wire saw {}", r.wire_out);
  } else {
    finding.text =
        fmt::format("the wire saw {} retransmission{} from this side", r.wire_out, r.wire_out == 1 ? "" : "s");
  }
  return finding;
}

}  // namespace tcpwitness
