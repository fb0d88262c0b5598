// SPDX-License-Identifier: Apache-2.0
// parts.cpp: what several rules put into a finding: evidence, reasons of drops, who closed.
#include "judge/judge.hpp"

namespace tcpwitness {

arguments::NamedProcess listener_of(const Connection& c) {
  const bool known = c.anomalies && c.anomalies->listener.pid != 0;
  return known && c.owner.source != PidSource::listen ? c.anomalies->listener.named() : c.owner.named();
}

arguments::NamedProcess acceptor(const Connection& c) {
  return listener_of(c).pid == c.owner.pid ? c.owner.named() : arguments::NamedProcess{};
}

void cite(Finding& finding, const Evidence& evidence) {
  const std::vector<EventId> ids = evidence.list();
  finding.evidence.insert(finding.evidence.end(), ids.begin(), ids.end());
  finding.more_evidence += evidence.more();
}

arguments::DropReason drop_reason(const Names& names, const DropSeen& seen) {
  return {drop_kind(names, seen.reason), names.drop_reason(seen.reason), seen.count};
}

arguments::DropReasons drop_reasons(const Names& names, const ByReason& by_reason) {
  arguments::DropReasons reasons;
  for (const auto& [reason, count] : by_reason)
    reasons.push_back({drop_kind(names, reason), names.drop_reason(reason), count});
  return reasons;
}

const Owner& closer_of(const Connection& c) {
  return c.teardown && c.teardown->closer.pid != 0 ? c.teardown->closer : c.owner;
}

}  // namespace tcpwitness
