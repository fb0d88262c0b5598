// SPDX-License-Identifier: Apache-2.0
// emitter.cpp: reports that are not entries.
#include "correlate/emitter.hpp"

namespace tcpwitness {

void Emitter::report(Report&& report, ConnectionId conn) {
  if (settings_.timeline) {
    timeline_.push(std::move(report), conn);
  } else if (conn != 0 || timeline_.wants(report)) {
    reports_.push_back(std::move(report));
  }
}

void Emitter::finding(const Connection& c, TimeNs ts, Finding finding) {
  report(FindingReport{c.id, ts, c.flow, std::move(finding), c.on_the_wire()}, c.id);
}

void Emitter::finding(const Flow& flow, TimeNs ts, Finding finding) {
  report(FindingReport{0, ts, flow, std::move(finding)}, 0);
}

}  // namespace tcpwitness
