// SPDX-License-Identifier: Apache-2.0
// retransmission.cpp: what was sent again: the kernel's causes beside what the wire saw of each.
//
// The kernel's tracepoint is certain; the wire alone can take a duplicate for a retransmission. Where the
// two do not tell the same, that is a finding of its own, so that neither makes the other more certain.
#include <fmt/format.h>

#include <algorithm>

#include "judge/judge.hpp"

namespace tcpwitness {
namespace {

std::string seen_words(std::uint32_t told, std::uint32_t matched) {
  if (matched == told) return told == 1 ? "seen on the wire" : "all seen on the wire";
  if (matched == 0) return "not seen as such on the wire";
  return fmt::format("{} of them seen on the wire", matched);
}

std::string count(std::uint32_t number) { return fmt::format("{} retransmission{}", number, number == 1 ? "" : "s"); }

}  // namespace

std::optional<Finding> judge_retransmission(const Connection& c, const Bench& bench) {
  const Retransmissions& r = c.trouble->retransmissions;
  if (r.kernel == 0 && r.wire_out == 0) return std::nullopt;
  Finding finding;
  finding.rule = Rule::retransmission;
  finding.confidence = r.kernel != 0 ? Confidence::certain : Confidence::likely;
  cite(finding, r.evidence);
  if (!bench.texts) return finding;
  if (r.kernel == 0) {
    finding.text = fmt::format("the wire saw {} from this side", count(r.wire_out));
    if (c.kernel_heard) finding.text += "; the kernel told of none";
    return finding;
  }
  std::string causes;
  for (std::size_t i = 0; i < r.by_kind.size(); ++i) {
    if (r.by_kind[i] == 0) continue;
    if (!causes.empty()) causes += ", ";
    causes += fmt::format("{} {}", r.by_kind[i], retransmit_words(static_cast<RetransmitKind>(i)));
    if (c.wire_heard) causes += fmt::format(" ({})", seen_words(r.by_kind[i], r.matched[i]));
  }
  finding.text = fmt::format("the kernel retransmitted {} segment{}: {}", r.kernel, r.kernel == 1 ? "" : "s", causes);
  if (r.refused != 0) finding.text += fmt::format("; {} of them never left this machine", r.refused);
  if (r.put_off != 0)
    finding.text += fmt::format("; {} of them were put off: the copy before still waited on this machine", r.put_off);
  return finding;
}

std::optional<Finding> judge_retransmission_disagreement(const Connection& c, const Bench& bench) {
  const Retransmissions& r = c.trouble->retransmissions;
  if (r.kernel == 0 || !c.wire_heard) return std::nullopt;  // one witness alone contradicts nobody
  std::uint32_t matched = 0;
  for (const std::uint32_t seen : r.matched) matched += seen;
  const std::uint32_t untold = r.wire_out > matched ? r.wire_out - matched : 0;
  const std::uint32_t unseen = r.unmatched.total;
  if (untold == 0 && unseen == 0) return std::nullopt;
  Finding finding;
  finding.rule = Rule::retransmission;
  finding.confidence = Confidence::likely;
  std::uint32_t listed = 0;
  for (const Untold& segment : r.untold) {
    if (segment.id == 0) continue;
    finding.evidence.push_back(segment.id);
    ++listed;
  }
  std::ranges::sort(finding.evidence);
  finding.more_evidence = untold > listed ? untold - listed : 0;
  cite(finding, r.unmatched);
  if (!bench.texts) return finding;
  if (untold != 0) finding.text = fmt::format("the wire saw {} that the kernel did not tell of", count(untold));
  if (unseen != 0) {
    finding.text += fmt::format("{}the kernel told of {} that the wire did not show as such",
                                finding.text.empty() ? "" : "; ", count(unseen));
  }
  return finding;
}

}  // namespace tcpwitness
