// SPDX-License-Identifier: Apache-2.0
// open_findings.cpp: findings of connections that are still open.
//
// Who watches for problems wants them now, and a life is judged at its end. So each second the connections that have
// trouble are judged as if the run ended here. What explains a finding can come a moment after it (the RST after the
// segment, the kernel's cause after the wire's): it is reported if the next look judges the same rule again. Once for
// each rule and connection, and again at its end if it reads otherwise by then.
//
// Not of forwarded connections, whose counters come at their end, and not of half-open ones: a SYN flood has too many.
#include <algorithm>
#include <utility>

#include "correlate/correlator_impl.hpp"

namespace tcpwitness {
namespace {

constexpr std::int64_t look_every_ns = 1'000'000'000;
constexpr Slot slots_at_a_time = 4'096;  // a look at a million connections must not hold up the ring

}  // namespace

void Correlator::Impl::look_at_open() {
  if (open_next_ >= open_end_) {
    if (now_ - open_looked_ns_ < look_every_ns) return;
    open_looked_ns_ = now_;
    open_next_ = 0;
    open_end_ = table_.slots();  // those that begin meanwhile are of the next look
  }
  const Slot until = std::min<Slot>(open_next_ + slots_at_a_time, open_end_);
  for (; open_next_ < until; ++open_next_) {
    Connection& c = table_.at(open_next_);
    const bool goes_on = c.live && !c.reported && c.anomalies && !c.ended() && !c.passage();
    if (goes_on && !only_half_open(c) && selection_.wants(c)) report_open(c);
  }
}

void Correlator::Impl::report_open(Connection& c) {
  c.incomplete = losses_.may_concern(c);
  RuleContext known = context(c);
  known.peer = other_end(c);
  OpenFindings& open = c.anomalies->open;
  std::bitset<rule_count> judged;
  std::vector<Finding> findings = rules_.findings(c, known);
  for (const Finding& finding : findings) judged.set(static_cast<std::size_t>(finding.rule));
  std::bitset<rule_count> news = judged & open.judged;
  open.judged = judged;
  for (const Finding& earlier : open.reported) news.reset(static_cast<std::size_t>(earlier.rule));
  if (news.none()) return;
  for (Finding& finding : findings) {
    const auto rule = static_cast<std::size_t>(finding.rule);
    const bool has_its_own_time = finding.rule == Rule::close_wait_stuck || finding.rule == Rule::peer_not_closing;
    if (has_its_own_time || !news.test(rule)) continue;
    open.reported.push_back(finding);
    emitter_.finding(c, now_, std::move(finding));
  }
}

bool Correlator::Impl::reported_open(const Connection& c, const Finding& finding) const {
  if (!c.anomalies) return false;
  return std::ranges::any_of(c.anomalies->open.reported, [&](const Finding& earlier) {
    return earlier.rule == finding.rule && earlier.confidence == finding.confidence &&
           (!settings_.reworded || read_alike_(earlier, finding));
  });
}

}  // namespace tcpwitness
