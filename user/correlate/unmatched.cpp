// SPDX-License-Identifier: Apache-2.0
// unmatched.cpp: segments without a socket, and SYNs that never reached TCP.
//
// A firewall rule drops a SYN before anybody looks for a listener (NF_INET_LOCAL_IN comes before tcp_v4_rcv()), so no
// socket and no state shows it. The segment at the interface shows that it was for this machine and not to be sent on,
// the kernel's report why it went no further.
#include "correlate/unmatched.hpp"

#include "correlate/notes.hpp"
#include "facts/reasons.hpp"

namespace tcpwitness {

void Unmatched::on_segment(const Event& e, const Segment& g, const Flow& flow, bool out) {
  if (!settings_.has_kernel || g.is_any(SegmentEvent::bad_header, SegmentEvent::fragment)) return;
  const bool rst = (g.flags & tcp_flag::rst) != 0;
  if (!out && !rst) {
    if (const auto oldest = strays_.add(e, g, flow)) take(*oldest, e.ts_ns);
    return;
  }
  if (!out || !rst) return;
  const Slot its = table_.find_flow(Flow{flow.remote, flow.local});
  if (its != no_slot && !table_.at(its).reported) table_.at(its).ensure_anomalies().rst_made = {e.id, e.ts_ns};
  strays_.reset_seen(e, g, flow);
}

// It may come again.
void Unmatched::take(const Stray& stray, TimeNs now) {
  if (!settings_.finding_reports || !selection_.wants_alone(stray.flow)) return;
  if (const auto oldest = repeated_strays_.add(stray)) report(*oldest, now);
}

void Unmatched::report(const Stray& stray, TimeNs now) {
  if (!stray_findings_.take(now)) return more_strays_.add(stray.evidence.ids[0], now, stray.flow, stray.count);
  // Behind a gap a segment can be a late one of a connection whose end was lost: for 2 MSL (RFC 9293, 3.4.1).
  constexpr std::int64_t two_msl_ns = 240'000'000'000;
  const bool lost = losses_.reach(stray.ts_ns, two_msl_ns);
  emitter_.finding(stray.flow, now, rules_.stray(with_asked(stray), names_, lost));
}

// The way back passes by the NAT that the SYN went through, or another host answers in its place.
Stray Unmatched::with_asked(Stray stray) {
  constexpr std::uint8_t syn_ack = tcp_flag::syn | tcp_flag::ack;
  if ((stray.flags & syn_ack) != syn_ack) return stray;
  const OwnSyn* own = own_syns_.find([&](const OwnSyn& syn) {
    return syn.flow.local == stray.flow.local && syn.flow.remote != stray.flow.remote && stray.ack == syn.isn + 1;
  });
  if (own != nullptr) stray.asked = own->flow.remote;
  return stray;
}

// The sender is a connection of this machine. Over loopback its findings have what became of its SYN; what comes back
// by another interface is a copy that the network made (a loop, a mirror), and nobody here was asked.
bool Unmatched::dropped_where_it_arrived(const Event& e, const Drop& d, const Stray& stray) {
  const Slot slot = table_.find_flow(stray.flow.reversed());
  if (slot == no_slot || table_.at(slot).reported) return false;
  Connection& c = table_.at(slot);
  if (c.role != Role::active || !c.isn.has_local || c.isn.local != d.seq) return false;
  if (!stray.on_loopback) return true;
  std::unique_ptr<Drops>& here = c.ensure_anomalies().dropped_here;
  if (!here) here = std::make_unique<Drops>();
  add_drop(*here, e, d, false);
  return true;
}

void Unmatched::on_dropped_syn(const Event& e, const Drop& d, const Flow& flow, TimeNs now) {
  if (!dropped_before_tcp(drop_kind(names_, d.reason))) return;
  // No route to its destination: it was to be forwarded (ip_route_input_slow()).
  if (!settings_.forwarded && names_.drop_reason(d.reason) == "IP_INNOROUTES") return;
  // It comes right behind its segment.
  const auto stray = strays_.take_dropped(flow.remote, d);
  if (!stray || dropped_where_it_arrived(e, d, *stray)) return;
  if (const auto oldest = dropped_syns_.add(*stray, e, d)) report(*oldest, now);
}

void Unmatched::report(const DroppedSyn& syn, TimeNs now) {
  const Flow& flow = syn.stray.flow;
  if (!selection_.wants_alone(flow)) return;
  if (!dropped_syn_findings_.take(now)) return dropped_syns_.add_up(syn, now);
  emitter_.finding(flow, now, rules_.dropped_syn(syn, names_, losses_.reach(syn.first_ns)));
}

void Unmatched::expire(TimeNs now) {
  while (const auto stray = strays_.due(now, settings_.hold_ns)) take(*stray, now);
  while (const auto stray = repeated_strays_.due(now, finished_)) report(*stray, now);
  while (const auto syn = dropped_syns_.due(now, finished_)) report(*syn, now);
}

void Unmatched::finish(TimeNs now) {
  const TimeNs held = now + settings_.hold_ns + 1;
  while (const auto stray = strays_.due(held, settings_.hold_ns)) take(*stray, held);
  finished_ = true;
  expire(now);
}

void Unmatched::report_sums(TimeNs now) {
  if (const auto more = more_strays_.due(now, finished_))
    emitter_.finding(more->first(), now, rules_.more_strays(*more, losses_.reach(more->since())));
  const auto syns = dropped_syns_.sum_due(now, finished_);
  if (!syns) return;
  const bool lost = losses_.reach(syns->crowd.since());
  emitter_.finding(syns->crowd.first(), now, rules_.more_dropped_syns(*syns, names_, lost));
}

}  // namespace tcpwitness
