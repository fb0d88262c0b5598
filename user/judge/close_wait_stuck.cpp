// SPDX-License-Identifier: Apache-2.0
// close_wait_stuck.cpp: the peer has closed and this side's process has not, for too long.
//
// While it lasts it rests on the absence of a transition and is only likely; once the process has
// closed, both ends of the wait were seen and it is certain.
#include <fmt/format.h>

#include "judge/judge.hpp"

namespace tcpwitness {

std::optional<Finding> judge_close_wait_stuck(const Connection& c, const Bench& bench) {
  if (!c.closing || !c.closing->close_wait) return std::nullopt;
  const Closing& closing = *c.closing;
  const bool left = static_cast<bool>(closing.left_close_wait);
  if (!left && c.state != TcpState::close_wait) return std::nullopt;
  const std::int64_t lasted = (left ? closing.left_close_wait.ts_ns : bench.now) - closing.close_wait.ts_ns;
  if (lasted < bench.close_wait_stuck_ns) return std::nullopt;
  Finding finding;
  finding.rule = Rule::close_wait_stuck;
  finding.confidence = left ? Confidence::certain : Confidence::likely;
  if (c.incomplete) finding.confidence = Confidence::inconclusive;
  finding.evidence.push_back(closing.close_wait.id);
  if (left) finding.evidence.push_back(closing.left_close_wait.id);
  if (bench.texts) {
    const std::string who = process_words(c.owner);
    const bool accepted = (c.cb.more & TW_CB_UNACCEPTED) == 0;
    finding.text = left ? fmt::format("the peer's FIN arrived and {} closed only {} later", who, seconds(lasted))
                        : fmt::format("the peer's FIN arrived {} ago; {} has not {}: CLOSE_WAIT leak", seconds(lasted),
                                      who, accepted ? "closed" : "even accepted the connection");
  }
  return finding;
}

}  // namespace tcpwitness
