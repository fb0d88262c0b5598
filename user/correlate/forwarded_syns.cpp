// SPDX-License-Identifier: Apache-2.0
// forwarded_syns.cpp: SYNs that seem to be for this machine, until NAT is seen to send them on; and the other way
// round.
#include <algorithm>

#include "correlate/forwarded.hpp"
#include "facts/derived.hpp"

namespace tcpwitness {

void ForwardedConnections::take_back(Connection& c, const Flow& wire, const Flow& own) {
  unsigned hop = 0;
  const Slot slot = find(wire, hop);
  if (slot == no_slot) return;
  const Connection& other = table_.at(slot);
  if (&other == &c || other.reported || other.forwarded()->left) return;
  if (other.syn && !c.syn) {
    c.syn = other.syn;
    c.start_ts_ns = std::min(c.start_ts_ns, other.start_ts_ns);
    timeline_.belongs_to(other.syn.id, c.id, own, c.on_the_wire());
  }
  timeline_.discard(other.id);
  release(slot);
}

void ForwardedConnections::note_local_syn(const Event& e, const Segment& g) {
  if (g.socket.type != SocketKind::none && g.socket.type != SocketKind::listener) return;
  // What is sent on leaves at once, or is dropped.
  constexpr std::int64_t lasts_ns = 3'000'000'000;
  local_syns_.expire([&](const LocalSyn& syn) { return e.ts_ns - syn.ts_ns > lasts_ns; });
  local_syns_.push({e.id, e.ts_ns, g, {}});
}

// NAT has sent it on: it is a forwarded connection's, and the first of it unless it came again.
void ForwardedConnections::take_local_syn(const LocalSyn& syn) {
  const Flow flow = to_flow(syn.segment.tuple);
  strays_.forget(syn.id);
  pass_on(flow);
  Segment g = syn.segment;
  g.forwarding = Forwarding::hop;
  g.unmark(SegmentEvent::no_socket);
  unsigned hop = 0;
  const Slot known = find(flow, hop);
  if (known != no_slot && table_.at(known).isn.has_local && table_.at(known).isn.local == g.seq) {
    // For the flow map each of them was the first: a SYN that nobody takes leaves nothing there.
    const HopFacts& before = table_.at(known).forwarded()->hops[hop];
    if (g.wire.segs_in <= before.wire.segs_in) {
      g.wire = before.wire;
      g.loss = before.loss;
      ++g.wire.segs_in;
      ++g.loss.retrans_segs_in;
    }
    g.mark(SegmentEvent::retransmission);
  }
  on_hop(Event{syn.id, syn.ts_ns, {}}, g, timeline_.take_out(syn.id));
  if (syn.refusal) on_icmp_left(syn.refusal->first, syn.refusal->second);
}

void ForwardedConnections::take_sent_on(const Flow& came) {
  const auto syn = local_syns_.take_newest([&](const LocalSyn& one) { return to_flow(one.segment.tuple) == came; });
  if (syn) take_local_syn(*syn);
}

Slot ForwardedConnections::take_dropped_syn(const Drop& d) {
  const Flow dropped = to_flow(d.tuple);
  const bool syn = (d.flags & (tcp_flag::syn | tcp_flag::ack | tcp_flag::rst)) == tcp_flag::syn;
  if (!syn || d.outgoing != 0) return no_slot;
  const auto sent_on = local_syns_.take_newest([&](const LocalSyn& one) {
    const Flow came = to_flow(one.segment.tuple);
    return one.segment.seq == d.seq && one.segment.flags == d.flags && came.remote == dropped.remote &&
           came.local != dropped.local;
  });
  if (!sent_on) return no_slot;
  take_local_syn(*sent_on);
  unsigned hop = 0;
  return find(to_flow(sent_on->segment.tuple), hop);
}

void ForwardedConnections::pass_on(const Flow& flow) {
  const Slot slot = table_.find_flow(flow);
  if (slot == no_slot || table_.at(slot).reported || !only_syn_seen(table_.at(slot))) return;
  timeline_.discard(table_.at(slot).id);
  table_.release(slot);
}

}  // namespace tcpwitness
