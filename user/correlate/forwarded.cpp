// SPDX-License-Identifier: Apache-2.0
// forwarded.cpp: connections that pass through this machine: two hops, and no socket of ours.
//
// What comes in on one hop leaves on the other, so each segment is seen twice. To the rules of the wire it is given
// once: when it comes in, for that is what its sender did; a RST when it leaves, for one that is dropped here ends
// nothing; and what came in nowhere was made here. The join of the two hops was made in the kernel (bpf/hop.h). Neither
// end has a process on this machine.
#include "correlate/forwarded.hpp"

#include <algorithm>
#include <utility>

#include "correlate/forwarded_segments.hpp"
#include "facts/derived.hpp"
#include "values/handshake_segments.hpp"

namespace tcpwitness {
namespace {

// Where no SYN shows who connected: a port below Linux's range for clients (ip_local_port_range) is the service's.
bool looks_like_server(const Endpoint& sender, const Endpoint& receiver) {
  constexpr std::uint16_t first_of_clients = 32768;
  return sender.port < first_of_clients && receiver.port >= first_of_clients;
}

bool sent_by_server(const Segment& g, const Flow& key, bool leaves) {
  if (is_syn(g)) return false;
  const Endpoint& sender = leaves ? key.local : key.remote;
  return is_syn_ack(g) || looks_like_server(sender, leaves ? key.remote : key.local);
}

// Was it on its way when the message left? Its sender does not ask again: the next SYN is a second and more away.
bool crosses_refusal(const ForwardedFacts& forwarded, TimeNs ts) {
  constexpr std::int64_t way_ns = 100'000'000;
  return ts - forwarded.refusal_mark.ts_ns < way_ns;
}

}  // namespace

ForwardedConnections::ForwardedConnections(Host& host, const CorrelatorSettings& settings, const Losses& losses,
                                           Table& table, Timeline& timeline, Emitter& emitter, Strays& strays,
                                           Summary& summary, const TimeNs& now)
    : host_(host),
      settings_(settings),
      losses_(losses),
      table_(table),
      timeline_(timeline),
      emitter_(emitter),
      strays_(strays),
      summary_(summary),
      now_(now) {}

// Neither end is on this machine, so the link of a link-local address means nothing here: a bridge has it on two ports.
Slot ForwardedConnections::find(const Flow& key, unsigned& hop) const {
  const auto found = hops_.find(Flow{key.local, key.remote, 0});
  if (found == hops_.end()) return no_slot;
  hop = found->second.hop;
  return found->second.slot;
}

void ForwardedConnections::bind_hop(Slot slot, unsigned hop, const Flow& wire) {
  const Flow key{wire.local, wire.remote, 0};
  HopFacts& facts = table_.at(slot).forwarded()->hops[hop];
  if (facts.known && facts.key != key) {
    const auto older = hops_.find(facts.key);
    if (older != hops_.end() && older->second.slot == slot) hops_.erase(older);
    // Other addresses, the same wire: its counters begin anew.
    const HopFacts before = std::exchange(facts, {});
    facts.ifindex = before.ifindex;
    facts.copies_to = before.copies_to;
    facts.rtt_ns = before.rtt_ns;
    facts.mss_in = before.mss_in;
    facts.mss_out = before.mss_out;
    facts.in = before.in;
    facts.out = before.out;
    facts.made_here = before.made_here;
    ForwardedFacts& forwarded = *table_.at(slot).forwarded();
    forwarded.before = {-1, -1};
    forwarded.counted_from_ns = forwarded.counted_to_ns = {};
    if (segments_of(before.wire) != 0) table_.at(slot).totals.restarted = true;  // what it was is not in them
  }
  facts.key = key;
  facts.known = true;
  ended_.begun_again(key);
  hops_[key] = {slot, hop};
}

// Its addresses, as the client has them where its hop is known.
void ForwardedConnections::name_ends(Slot slot) {
  Connection& c = table_.at(slot);
  const HopFacts& a = c.forwarded()->hops[client];
  const HopFacts& b = c.forwarded()->hops[server];
  c.flow = a.known ? a.key.reversed() : b.key;
  if (!a.known || !b.known) return;
  if (b.key != c.flow) {
    c.set_nat(b.key);
  } else if (c.on_the_wire()) {
    ++c.forwarded()->untranslated;  // it has been translated before
  }
}

void ForwardedConnections::release(Slot slot) {
  const ForwardedFacts& forwarded = *table_.at(slot).forwarded();
  for (const Flow& key : {forwarded.hops[client].key, forwarded.hops[server].key, forwarded.plain}) {
    const auto found = hops_.find(key);
    if (found != hops_.end() && found->second.slot == slot) hops_.erase(found);
  }
  --followed_;
  table_.release(slot);
}

void ForwardedConnections::join_hops(const Translation& t) {
  const Flow in = to_flow(t.tuple);
  const Flow out = to_flow(t.wire);
  pass_on(in);                       // it seemed to be a listener's
  if (t.ack == 0) take_sent_on(in);  // by a SYN
  const auto alive = [&](Slot slot) { return slot != no_slot && !table_.at(slot).reported; };
  unsigned hop = 0;
  unsigned other_hop = 0;
  const Slot other = find(out, other_hop);
  if (const Slot slot = find(in, hop); alive(slot)) {
    // It had begun twice: what left on the other hop before was not seen. The segment that shows it comes again.
    const bool twice = other != slot && alive(other) && other_hop != hop;
    if (twice && table_.at(other).id < table_.at(slot).id && table_.at(slot).forwarded()->arrived <= 1) {
      timeline_.discard(table_.at(slot).id);
      release(slot);
      bind_hop(other, hop, in);
      return name_ends(other);
    }
    bind_hop(slot, hop ^ 1U, out);
    return name_ends(slot);
  }
  if (alive(other) && !table_.at(other).forwarded()->hops[other_hop ^ 1U].known) {
    bind_hop(other, other_hop ^ 1U, in);
    return name_ends(other);
  }
  joins_.push(t);
}

// A segment of a forwarded connection that is not known: some begin one.
Slot ForwardedConnections::begin_hop(const Event& e, const Segment& g, const Flow& key) {
  const bool leaves = g.outgoing();
  const bool opens = is_syn(g) || (is_syn_ack(g) && !g.is(SegmentEvent::retransmission));
  if (is_rst(g) || g.is(SegmentEvent::fragment)) return no_slot;
  if (!opens && !g.is(SegmentEvent::unknown_flow)) return no_slot;  // the last of one that was reported
  if (!opens && ended_.contains(key, now_)) {                       // likewise, and its flow is in the map anew
    if (flows_to_delete_.size() < flows_to_delete_limit) flows_to_delete_.push_back(FlowToDelete{key, 0});
    return no_slot;
  }
  if (leaves && g.came_in == 0) return no_slot;
  if (!make_room()) return no_slot;
  unsigned hop = 0;
  const Slot before = find(key, hop);
  const Slot slot = table_.create(e.ts_ns);
  Connection& c = table_.at(slot);
  losses_.begins(c, e.ts_ns, is_syn(g) && !g.is(SegmentEvent::retransmission));
  c.inferred = std::make_unique<InferredEnds>();
  c.inferred->forwarded = std::make_unique<ForwardedFacts>();
  ++followed_;
  c.opening.preexisting = !opens && !losses_.any();
  c.role = opens ? Role::active : Role::unknown;
  c.opening.port_reused = before != no_slot;
  hop = sent_by_server(g, key, leaves) == leaves ? client : server;
  bind_hop(slot, hop, key);
  if (const auto tie = joins_.take_oldest([&](const Translation& t) { return leaves && to_flow(t.wire) == key; }))
    bind_hop(slot, hop ^ 1U, to_flow(tie->tuple));
  name_ends(slot);
  if (is_syn(g) && !g.is(SegmentEvent::retransmission)) attempts_.begun(e.id, e.ts_ns, c.flow.reversed());
  return slot;
}

// What a flood does not do.
void ForwardedConnections::note_progress(const Connection& c, bool was_open, bool was_answered) {
  if (c.opening.preexisting || was_open) return;
  if (c.opening.answered && !was_answered) attempts_.answered(false);
  if (c.opening.established) attempts_.completed();
  if (refused_by_server(c)) attempts_.refused();
}

// Its connection; one that a SYN with another number begins anew.
Slot ForwardedConnections::locate_hop(const Event& e, const Segment& g, const Flow& key) {
  unsigned hop = 0;
  const Slot slot = find(key, hop);
  if (slot == no_slot) return begin_hop(e, g, key);
  Connection& c = table_.at(slot);
  const bool out = (hop == client) != g.outgoing();
  const bool known = out ? c.isn.has_local : c.isn.has_remote;
  const bool same = known && (out ? c.isn.local : c.isn.remote) == g.seq;
  const bool fresh = !known && !c.reported && !c.opening.preexisting && !c.opening.established;
  if (!is_syn(g) || same || fresh) return slot;
  if (!c.reported) host_.forwarded_over(slot);  // before there may be no room for both
  return begin_hop(e, g, key);
}

// It leaves with the addresses that it came with, and its connection has others there: NAT has no entry for it any
// more. What answers it comes to those addresses.
bool ForwardedConnections::left_untranslated(const Segment& g, const Flow& key) {
  unsigned hop = 0;
  if (!g.outgoing() || g.came_in == 0 || is_syn(g) || find(key, hop) != no_slot) return false;
  const Slot slot = find(key.reversed(), hop);
  if (slot == no_slot || table_.at(slot).reported || !table_.at(slot).on_the_wire()) return false;
  ForwardedFacts& forwarded = *table_.at(slot).forwarded();
  if (Arrival* arrival = find_arrival(forwarded, g, hop == client); arrival != nullptr) arrival->left = true;
  ++forwarded.untranslated;
  if (!is_rst(g)) {
    // Of the addresses that it had in the other direction before.
    const auto old = hops_.find(forwarded.plain);
    const bool own = forwarded.plain == forwarded.hops[0].key || forwarded.plain == forwarded.hops[1].key;
    if (old != hops_.end() && old->second.slot == slot && !own) hops_.erase(old);
    forwarded.plain = Flow{key.local, key.remote, 0};
    hops_[forwarded.plain] = {slot, hop ^ 1U};
  }
  return true;
}

void ForwardedConnections::on_hop(const Event& e, const Segment& g, bool shown) {
  const Flow key = to_flow(g.tuple);
  const bool leaves = g.outgoing();
  if (left_untranslated(g, key)) return;
  const Slot slot = locate_hop(e, g, key);
  unsigned hop = 0;
  if (slot == no_slot || find(key, hop) != slot) return;
  Connection& c = table_.at(slot);
  if (c.reported || c.forwarded() == nullptr) return;
  const bool out = (hop == client) != leaves;
  ForwardedFacts& forwarded = *c.forwarded();
  if (leaves && leaves_again(forwarded, e, g, out)) {
    if (!is_rst(g)) forwarded.hops[hop].copies_to = g.ifindex;
    return;
  }
  note_hop(forwarded.hops[hop], e, g, leaves, hop == client);
  c.seen_by.wire = true;
  if (e.ts_ns > c.last_ts_ns) c.last_ts_ns = e.ts_ns;
  Segment seen = g;
  bool news = false;
  if (leaves) {
    news = departs(forwarded, hop, e, seen, out, forwarded.hops[hop].key == Flow{key.local, key.remote, 0});
  } else {
    forwarded.came_from[hop] = true;
    arrives(forwarded, e, g, out, false);
    news = !is_rst(g);
  }
  if (!news) return;
  if (refused_on_the_way(c) && !is_rst(g) && !crosses_refusal(forwarded, e.ts_ns)) go_on(slot);
  seen.tuple = to_pair(c.flow);
  seen.seen_at(out ? HookPoint::egress : HookPoint::ingress);
  const bool made_here = leaves && g.came_in == 0;
  seen.socket = {};
  // What is made here shows by whom; of all else it is not known.
  seen.socket.type = SocketKind::unknown;
  if (made_here) {
    const bool by_tcp = g.socket.type == SocketKind::control;
    seen.socket.type = by_tcp ? SocketKind::control : SocketKind::none;
  }
  if (leaves && !made_here) seen.ifindex = g.came_in;
  take_sent(forwarded, seen);
  note_again(forwarded, e, seen, out);
  const bool was_open = c.opening.established || c.ended();
  const bool was_answered = c.opening.answered;
  host_.forwarded_segment(slot, e, seen, out, shown);
  note_progress(c, was_open, was_answered);
  watch(slot);
}

bool ForwardedConnections::refresh_hop(const Event& e, const SocketFound& f) {
  unsigned hop = 0;
  const Slot slot = find(to_flow(f.tuple), hop);
  if (slot == no_slot || table_.at(slot).reported) return false;
  Connection& c = table_.at(slot);
  HopFacts& facts = c.forwarded()->hops[hop];
  if (segments_of(f.wire) < segments_of(facts.wire)) return true;
  facts.wire = f.wire;
  facts.loss = f.loss;
  facts.counted_ns = std::max(facts.counted_ns, e.ts_ns);
  Segment sent{};
  take_sent(*c.forwarded(), sent);
  c.take_counters(e.id, sent.wire, sent.loss);
  if (table_.wait_of(slot) == Wait::forwarded_ended && counted_to_the_end(c)) host_.forwarded_over(slot);
  return true;
}

// The connection of a dropped segment, and its direction: in FORWARD it has the addresses that it came with, or those
// with which it would have left.
Slot ForwardedConnections::find_dropped(const Drop& d, bool& out) const {
  const Flow flow = to_flow(d.tuple);
  unsigned hop = 0;
  if (const Slot slot = find(flow, hop); slot != no_slot) {
    out = (hop == client) == (d.outgoing == 0);
    return slot;
  }
  const Slot slot = find(flow.reversed(), hop);
  out = (hop == client) != (d.outgoing == 0);
  return slot;
}

}  // namespace tcpwitness
