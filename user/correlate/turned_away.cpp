// SPDX-License-Identifier: Apache-2.0
// turned_away.cpp: SYNs for no connection of this machine that it dropped before TCP had them.
//
// A firewall rule drops a SYN before anybody looks for a listener (NF_INET_LOCAL_IN comes before tcp_v4_rcv()), so no
// socket and no state shows it. The segment at the interface shows that it was for this machine and not to be sent on,
// the kernel's report why it went no further. One finding for each attempt, with what came until then.
#include <fmt/format.h>

#include <algorithm>

#include "correlate/witness_impl.hpp"

namespace tcpwitness {
namespace {

constexpr std::int64_t report_after_ns = 5'000'000'000;   // of the first SYN
constexpr std::int64_t forget_after_ns = 70'000'000'000;  // of the newest one: Linux pauses for 64 s at most
constexpr std::size_t limit = 256;

// What drops a segment before TCP looks at it. (A wrong checksum has a rule of its own.)
bool before_a_socket(DropKind kind) {
  return kind == DropKind::firewall || kind == DropKind::filter || kind == DropKind::queue ||
         kind == DropKind::routing || kind == DropKind::memory;
}

}  // namespace

// Over loopback the sender is a connection of this machine, and that one's findings say what became of its SYN.
bool Witness::Impl::dropped_where_it_arrived(const Event& e, const Drop& d, const Stray& stray) {
  const Slot slot = table_.find_flow(stray.flow.reversed());
  if (slot == no_slot || table_.at(slot).told) return false;
  Connection& c = table_.at(slot);
  if (c.role != Role::active || !c.has_isn_local || c.isn_local != d.seq) return false;
  DropSeen& seen = c.troubles().dropped_here;
  if (!seen.first) seen.first = {e.id, e.ts_ns};
  seen.last = {e.id, e.ts_ns};
  seen.evidence.add(e.id);
  seen.reason = d.reason;
  ++seen.count;
  return true;
}

void Witness::Impl::turn_away(const Event& e, const Drop& d, const Flow& flow) {
  if (!before_a_socket(drop_kind(names_, d.reason))) return;
  // No route to its destination: it was to be forwarded (ip_route_input_slow()).
  if (!settings_.forwarded && names_.drop_reason(d.reason) == "IP_INNOROUTES") return;
  // NAT can have given it another destination in between.
  const auto stray = std::ranges::find_if(
      strays_, [&](const Stray& s) { return s.flow.remote == flow.remote && s.seq == d.seq && s.flags == d.flags; });
  if (stray == strays_.end()) return;
  if (dropped_where_it_arrived(e, d, *stray)) {
    strays_.erase(stray);
    return;
  }
  const auto same = [&](const TurnedAway& syn) { return syn.stray.flow == stray->flow && syn.stray.seq == d.seq; };
  auto known = std::ranges::find_if(turned_away_, same);
  if (known == turned_away_.end()) {
    if (turned_away_.size() >= limit) {
      tell_turned_away(turned_away_.front(), now_);
      turned_away_.pop_front();
    }
    turned_away_.emplace_back();
    known = std::prev(turned_away_.end());
    known->first_ns = stray->ts_ns;
    known->reason = d.reason;
  }
  ++known->count;
  known->stray = *stray;
  known->sent_to = flow.local;
  known->evidence.add(stray->evidence.ids[0]);
  known->evidence.add(e.id);
  strays_.erase(stray);
}

void Witness::Impl::tell_turned_away(TurnedAway& syn, TimeNs now) {
  if (std::exchange(syn.told, true)) return;
  const Stray& stray = syn.stray;
  if (!turned_away_findings_.take(now)) {
    add_up(more_turned_away_, syn.evidence.ids[0], now, stray.flow);
    return;
  }
  Finding finding;
  finding.rule = Rule::rx_dropped;
  const bool lost = gap_serial_ != 0 && gap_until_ns_ >= syn.first_ns;
  finding.confidence = lost ? Confidence::inconclusive : Confidence::certain;
  cite(finding, syn.evidence);
  const std::string which =
      syn.count == 1 ? "a SYN" : fmt::format("{} SYNs within {}", syn.count, seconds(stray.ts_ns - syn.first_ns));
  std::string nat;
  if (syn.sent_to != stray.flow.local) nat = fmt::format(", was for {} by NAT,", to_string(syn.sent_to));
  std::string answer;
  if (stray.reset_seen) answer = "; it was answered by a RST";
  if (stray.icmp) {
    answer = fmt::format("; this machine answered with an ICMP message: {} (type {}, code {})", name(stray.icmp),
                         stray.icmp.type, stray.icmp.code);
  }
  const std::string_view meaning = drop_meaning(drop_kind(names_, syn.reason));
  finding.text =
      fmt::format("{} from {} to {} arrived{} and never reached TCP: {} ({}){}", which, to_string(stray.flow.remote),
                  to_string(stray.flow.local), nat, meaning, names_.drop_reason(syn.reason), answer);
  report(FindingReport{0, now, stray.flow, std::move(finding)}, 0);
}

void Witness::Impl::expire_turned_away(TimeNs now) {
  for (TurnedAway& syn : turned_away_) {
    if (!syn.told && (finished_ || now - syn.first_ns >= report_after_ns)) tell_turned_away(syn, now);
  }
  while (!turned_away_.empty() && now - turned_away_.front().stray.ts_ns > forget_after_ns) turned_away_.pop_front();
}

}  // namespace tcpwitness
