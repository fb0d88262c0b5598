// SPDX-License-Identifier: Apache-2.0
// open_findings.cpp: one look after the other, each in parts.
#include "correlate/open_findings.hpp"

#include <algorithm>
#include <bitset>
#include <utility>

#include "facts/derived.hpp"

namespace tcpwitness {
namespace {

constexpr Slot slots_at_a_time = 4'096;  // a look at a million connections must not hold up the ring

// These are reported when their own time is up.
bool has_its_own_time(Rule rule) { return rule == Rule::close_wait_stuck || rule == Rule::peer_not_closing; }

}  // namespace

void OpenFindings::look(TimeNs now) {
  if (next_ >= end_) {
    if (now < due()) return;
    begun_ns_ = now;
    next_ = 0;
    end_ = table_.slots();  // those that begin meanwhile are of the next look
  }
  const Slot until = std::min<Slot>(next_ + slots_at_a_time, end_);
  for (; next_ < until; ++next_) {
    const Connection& c = table_.at(next_);
    const bool goes_on = c.live && !c.reported && c.anomalies && !c.ended() && !c.forwarded();
    if (goes_on && !only_half_open(c, settings_.has_kernel) && selection_.wants(c)) judge(next_, now);
  }
}

void OpenFindings::judge(Slot slot, TimeNs now) {
  Connection& c = table_.at(slot);
  c.incomplete = losses_.may_concern(c);
  std::vector<Finding> findings = rules_.findings(c, contexts_.of(slot, {now}));
  FindingsWhileOpen& before = c.anomalies->while_open;
  std::bitset<rule_count> judged;
  for (const Finding& finding : findings) judged.set(static_cast<std::size_t>(finding.rule));
  std::bitset<rule_count> news = judged & before.judged;
  before.judged = judged;
  for (const Finding& earlier : before.reported) news.reset(static_cast<std::size_t>(earlier.rule));
  if (news.none()) return;
  for (Finding& finding : findings) {
    if (has_its_own_time(finding.rule) || !news.test(static_cast<std::size_t>(finding.rule))) continue;
    before.reported.push_back(finding);
    emitter_.finding(c, now, std::move(finding));
  }
}

bool OpenFindings::reported(const Connection& c, const Finding& finding) const {
  if (!c.anomalies) return false;
  return std::ranges::any_of(c.anomalies->while_open.reported, [&](const Finding& earlier) {
    if (earlier.rule != finding.rule) return false;
    if (!settings_.reworded) return true;
    return earlier.confidence == finding.confidence && (has_its_own_time(finding.rule) || alike_(earlier, finding));
  });
}

}  // namespace tcpwitness
