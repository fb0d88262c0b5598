// SPDX-License-Identifier: Apache-2.0
// strays.cpp: segments that fit no connection of this machine, and the RST they got.
//
// A stray is kept for a moment, because the kernel's reason, the RST on the wire and the drop of a firewall come after
// it. What a connection of this machine sent is that one's to report.
#include <algorithm>

#include "correlate/correlator_impl.hpp"
#include "facts/derived.hpp"

namespace tcpwitness {
namespace {

// Behind a gap a segment can be a late one of a connection whose end was lost: for 2 MSL (RFC 9293, 3.4.1).
constexpr std::int64_t two_msl_ns = 240'000'000'000;
constexpr std::size_t stray_limit = 256;  // under a scan the oldest ones wait less long

}  // namespace

void Correlator::Impl::stray_segment(const Event& e, const Segment& g, const Flow& flow, bool out) {
  if (!settings_.has_kernel || g.is_any(SegmentEvent::bad_header, SegmentEvent::fragment)) return;
  const bool rst = (g.flags & tcp_flag::rst) != 0;
  if (!out && !rst) {
    Stray stray;
    stray.flow = flow;
    stray.ts_ns = e.ts_ns;
    stray.evidence.add(e.id);
    stray.seq = g.seq;
    stray.ack = g.ack;
    stray.flags = g.flags;
    stray.no_socket = g.socket.type == SocketKind::none;
    stray.on_loopback = g.ifindex == loopback_ifindex;
    if (strays_.size() >= stray_limit) expire_first_stray(e.ts_ns);
    strays_.push_back(stray);
    return;
  }
  if (!out || !rst) return;
  const Slot its = table_.find_flow(Flow{flow.remote, flow.local});
  if (its != no_slot && !table_.at(its).reported) table_.at(its).ensure_anomalies().rst_made = {e.id, e.ts_ns};
  // RFC 9293, 3.10.7.1: a RST takes its sequence number from the segment's ACK, or acknowledges the segment.
  for (auto stray = strays_.rbegin(); stray != strays_.rend(); ++stray) {
    if (stray->flow != flow || stray->reset_seen) continue;
    const bool answers = (stray->flags & tcp_flag::ack) != 0 ? g.seq == stray->ack : g.seq == 0;
    if (!answers) continue;
    stray->evidence.add(e.id);
    stray->reset_seen = true;
    return;
  }
}

void Correlator::Impl::stray_refused(const Flow& flow, std::uint32_t seq, const IcmpMessage& icmp) {
  for (auto stray = strays_.rbegin(); stray != strays_.rend(); ++stray) {
    if (stray->flow != flow || stray->seq != seq) continue;
    stray->icmp = icmp;
    return;
  }
}

void Correlator::Impl::stray_sent_here(const Flow& flow, std::uint32_t seq) {
  for (auto stray = strays_.rbegin(); stray != strays_.rend(); ++stray) {
    if (stray->flow == flow && stray->seq == seq) stray->sent_here = true;
  }
}

EventId Correlator::Impl::stray_reset(const Event& e, const Reset& r, const Flow& flow) {
  if (r.direction != ResetDirection::sent || r.answers_segment == 0) return 0;
  timeline_.confirm(flow, r.skb_seq);
  for (auto stray = strays_.rbegin(); stray != strays_.rend(); ++stray) {
    if (stray->flow != flow || stray->seq != r.skb_seq) continue;
    stray->evidence.add(e.id);
    stray->reset_reported = true;
    stray->reason = r.reason;
    return stray->evidence.ids[0];
  }
  return 0;
}

void Correlator::Impl::report_stray(const Stray& stray, TimeNs ts) {
  if (!settings_.finding_reports || !selection_.wants_alone(stray.flow)) return;
  if (!stray_findings_.take(ts)) {
    add_up(more_strays_, stray.evidence.ids[0], ts, stray.flow);
    return;
  }
  const bool lost = losses_.reach(stray.ts_ns, two_msl_ns);
  emitter_.finding(stray.flow, ts, rules_.stray(stray, names_, lost));
}

void Correlator::Impl::expire_strays(TimeNs now) {
  while (!strays_.empty() && now - strays_.front().ts_ns > settings_.hold_ns) expire_first_stray(now);
}

void Correlator::Impl::expire_first_stray(TimeNs now) {
  const Stray stray = strays_.front();
  strays_.pop_front();
  // Without a RST it may be a connection whose beginning was missed, or another host's behind our NAT: silence.
  if ((stray.reset_reported || stray.reset_seen) && !stray.sent_here) report_stray(stray, now);
}

}  // namespace tcpwitness
