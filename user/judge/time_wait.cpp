// SPDX-License-Identifier: Apache-2.0
// time_wait.cpp: who waits in TIME_WAIT, until when, and which tuple is blocked.
//
// Certain when the kernel's socket had processed the peer's FIN; likely when only the wire showed that
// FIN on its way to the mini-socket.
#include <fmt/format.h>

#include "judge/judge.hpp"

namespace tcpwitness {
namespace {

constexpr std::int64_t time_wait_ns = 60'000'000'000;  // TCP_TIMEWAIT_LEN, a constant of Linux

}  // namespace

std::optional<Finding> judge_time_wait(const Connection& c, const Bench& bench) {
  const Closing& closing = *c.closing;
  if (!closing.time_wait || c.state != TcpState::time_wait) return std::nullopt;
  Finding finding;
  finding.rule = Rule::time_wait;
  const bool shown = c.kernel_heard && ((c.cb.flags & TW_CB_DONE) != 0 || closing.end_from == TcpState::closing);
  finding.confidence = shown ? Confidence::certain : Confidence::likely;
  finding.evidence.push_back(closing.time_wait.id);
  if (closing.fin_in.sent && closing.fin_in.sent.id != closing.time_wait.id) {
    finding.evidence.push_back(closing.fin_in.sent.id);
  }
  if (!bench.texts) return finding;
  finding.text = fmt::format("this side {} and waits in TIME_WAIT for {}: until then {} to {} is not used again",
                             c.closed_by == ClosedBy::both ? "closed together with the peer" : "closed first",
                             seconds(time_wait_ns), to_string(c.flow.local), to_string(c.flow.remote));
  return finding;
}

}  // namespace tcpwitness
