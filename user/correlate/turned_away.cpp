// SPDX-License-Identifier: Apache-2.0
// turned_away.cpp: SYNs for no connection of this machine that it dropped before TCP had them.
//
// A firewall rule drops a SYN before anybody looks for a listener (NF_INET_LOCAL_IN comes before tcp_v4_rcv()), so no
// socket and no state shows it. The segment at the interface shows that it was for this machine and not to be sent on,
// the kernel's report why it went no further. One finding for each attempt, with what came until then.
#include <algorithm>
#include <limits>
#include <utility>

#include "correlate/correlator_impl.hpp"
#include "correlate/notes.hpp"

namespace tcpwitness {
namespace {

constexpr std::int64_t once_more_within_ns = 5'000'000'000;  // a first timeout of 3 s, and some delay
constexpr std::size_t limit = 256;

TimeNs overdue(const TurnedAway& syn) {
  const std::int64_t within = next_syn_within(syn.stray.ts_ns - syn.first_ns);
  return syn.stray.ts_ns + (within != 0 ? within : once_more_within_ns);
}

}  // namespace

// The sender is a connection of this machine. Over loopback its findings say what became of its SYN; what comes back by
// another interface is a copy that the network made (a loop, a mirror), and nobody here was asked.
bool Correlator::Impl::dropped_where_it_arrived(const Event& e, const Drop& d, const Stray& stray) {
  const Slot slot = table_.find_flow(stray.flow.reversed());
  if (slot == no_slot || table_.at(slot).reported) return false;
  Connection& c = table_.at(slot);
  if (c.role != Role::active || !c.has_isn_local || c.isn_local != d.seq) return false;
  if (!stray.on_loopback) return true;
  std::unique_ptr<Drops>& here = c.ensure_anomalies().dropped_here;
  if (!here) here = std::make_unique<Drops>();
  add_drop(*here, e, d, false);
  return true;
}

void Correlator::Impl::turn_away(const Event& e, const Drop& d, const Flow& flow) {
  if (!dropped_before_tcp(drop_kind(names_, d.reason))) return;
  // No route to its destination: it was to be forwarded (ip_route_input_slow()).
  if (!settings_.forwarded && names_.drop_reason(d.reason) == "IP_INNOROUTES") return;
  // NAT can have given it another destination in between. It comes right behind its segment: one of the newest.
  const auto newest = std::find_if(strays_.rbegin(), strays_.rend(), [&](const Stray& s) {
    return s.flow.remote == flow.remote && s.seq == d.seq && s.flags == d.flags;
  });
  if (newest == strays_.rend()) return;
  const auto stray = std::prev(newest.base());
  if (dropped_where_it_arrived(e, d, *stray)) {
    strays_.erase(stray);
    return;
  }
  const auto same = [&](const TurnedAway& syn) { return syn.stray.flow == stray->flow && syn.stray.seq == d.seq; };
  auto known = std::ranges::find_if(turned_away_, same);
  if (known == turned_away_.end()) {
    if (turned_away_.size() >= limit) {
      report_turned_away(turned_away_.front(), now_);
      turned_away_.pop_front();
    }
    turned_away_.emplace_back();
    known = std::prev(turned_away_.end());
    known->first_ns = stray->ts_ns;
  }
  ++known->count;
  add_reason(known->reasons, d.reason);
  known->stray = *stray;
  known->sent_to = flow.local;
  known->evidence.add(stray->evidence.ids[0]);
  known->evidence.add(e.id);
  turned_away_due_ = turned_away_.size() == 1 ? overdue(*known) : std::min(turned_away_due_, overdue(*known));
  strays_.erase(stray);
}

void Correlator::Impl::report_turned_away(const TurnedAway& syn, TimeNs now) {
  const Stray& stray = syn.stray;
  if (!selection_.wants_alone(stray.flow)) return;
  if (!turned_away_findings_.take(now)) {
    if (!more_turned_away_) more_turned_away_ = std::make_unique<MoreTurnedAway>(MoreTurnedAway{{}, {}, now});
    more_turned_away_->crowd.add(syn.evidence.ids[0], stray.ts_ns, stray.flow, syn.count);
    for (const auto& [reason, count] : syn.reasons) add_reason(more_turned_away_->reasons, reason, count);
    return;
  }
  const bool lost = losses_.reach(syn.first_ns);
  emitter_.finding(stray.flow, now, rules_.turned_away(syn, names_, lost));
}

void Correlator::Impl::expire_turned_away(TimeNs now) {
  if (!finished_ && now < turned_away_due_) return;
  turned_away_due_ = std::numeric_limits<TimeNs>::max();
  std::erase_if(turned_away_, [&](const TurnedAway& syn) {
    if (finished_ || now >= overdue(syn)) {
      report_turned_away(syn, now);
      return true;
    }
    turned_away_due_ = std::min(turned_away_due_, overdue(syn));
    return false;
  });
}

// Those of a second that were not reported one by one.
void Correlator::Impl::report_more_turned_away(TimeNs now) {
  constexpr std::int64_t second_ns = 1'000'000'000;
  if (!more_turned_away_ || (now - more_turned_away_->begun_ns < second_ns && !finished_)) return;
  const MoreTurnedAway more = *std::exchange(more_turned_away_, nullptr);
  const bool lost = losses_.reach(more.crowd.since());
  emitter_.finding(more.crowd.first(), now, rules_.more_turned_away(more, names_, lost));
}

}  // namespace tcpwitness
