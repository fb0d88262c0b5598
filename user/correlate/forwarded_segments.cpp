// SPDX-License-Identifier: Apache-2.0
// forwarded_segments.cpp: see forwarded_segments.hpp.
#include "correlate/forwarded_segments.hpp"

#include <algorithm>

#include "values/handshake_segments.hpp"

namespace tcpwitness {
namespace {

constexpr std::uint8_t control_bits = tcp_flag::syn | tcp_flag::fin | tcp_flag::rst;

void count_flags(HopTotals& totals, const Segment& g) {
  if (is_syn(g)) ++totals.syn;
  if (is_syn_ack(g)) ++totals.syn_ack;
  if ((g.flags & tcp_flag::fin) != 0) ++totals.fin;
  if (is_rst(g)) ++totals.rst;
}

// The round trip from this machine to that side, by the handshake. Not where it was asked twice: it is not known which
// one was answered (Karn).
void time_handshake(HopFacts& hop, const Event& e, const Segment& g, bool leaves, bool is_client) {
  const bool asks = is_client ? is_syn_ack(g) : is_syn(g);
  if (leaves && asks) {
    if (hop.syn_ns == 0) {
      hop.syn_ns = e.ts_ns;
    } else if (hop.rtt_ns < 0) {
      hop.syn_twice = true;
    }
    return;
  }
  const bool answers = is_client ? (g.flags & (tcp_flag::syn | tcp_flag::rst)) == 0 : is_syn_ack(g) || is_rst(g);
  if (leaves || !answers || hop.syn_ns == 0 || hop.syn_twice || hop.rtt_ns >= 0) return;
  hop.rtt_ns = std::max<std::int64_t>(e.ts_ns - hop.syn_ns, 0);
}

// Of what one side sent: as it came in, unless more left than was seen to come. A copy that is made here leaves, too.
bool counts_what_came(const HopFacts& from, const HopFacts& to) {
  if (!from.known || !to.known) return from.known;
  return from.wire.segs_in != 0 && (to.copies_to != 0 || from.wire.bytes_in >= to.wire.bytes_out);
}

// The same segment: GRO behind the hook of the arrival (native XDP) may have merged it with its neighbours, which
// adds a PSH.
bool same_segment(const Arrival& arrival, const Segment& g, bool out) {
  const std::uint32_t end = g.seq + seq_length(g.len, g.flags);
  return arrival.out == out && arrival.ack == g.ack && ((arrival.flags ^ g.flags) & ~tcp_flag::psh) == 0 &&
         seq_not_after(g.seq, arrival.seq) && seq_not_after(arrival.end, end);
}

}  // namespace

void note_hop(HopFacts& hop, const Event& e, const Segment& g, bool leaves, bool is_client) {
  if (hop.ifindex == 0 || (!leaves && g.ifindex == hop.copies_to)) hop.ifindex = g.ifindex;
  // Two CPUs can count in one order and report in the other.
  if (segments_of(g.wire) >= segments_of(hop.wire)) {
    hop.wire = g.wire;
    hop.loss = g.loss;
    hop.counted_ns = std::max(hop.counted_ns, e.ts_ns);
  }
  count_flags(leaves ? hop.out : hop.in, g);
  if ((g.flags & tcp_flag::syn) != 0 && !is_rst(g)) (leaves ? hop.mss_out : hop.mss_in) = g.mss;
  time_handshake(hop, e, g, leaves, is_client);
}

void arrives(ForwardedFacts& forwarded, const Event& e, const Segment& g, bool out, bool left) {
  Arrival& slot = forwarded.arrivals[forwarded.arrived++ % ForwardedFacts::limit];
  if (slot.mark && !slot.left && (slot.flags & control_bits) != 0) {
    const unsigned from = slot.out ? client : server;
    // A RST is shown when it leaves: one that does not has no event to cite.
    if ((slot.flags & tcp_flag::rst) != 0) {
      ++forwarded.resets_lost[from];
    } else {
      forwarded.never_left[from].add(slot.mark.id);
    }
  }
  slot = {{e.id, e.ts_ns}, g.seq, g.seq + seq_length(g.len, g.flags), g.ack, g.wire.segs_in, g.flags, g.ttl, out, left};
}

Arrival* find_arrival(ForwardedFacts& forwarded, const Segment& g, bool out) {
  const std::uint32_t known = std::min<std::uint32_t>(forwarded.arrived, ForwardedFacts::limit);
  for (std::uint32_t i = 1; i <= known; ++i) {
    Arrival& arrival = forwarded.arrivals[(forwarded.arrived - i) % ForwardedFacts::limit];
    if (!arrival.left && same_segment(arrival, g, out)) return &arrival;
  }
  return nullptr;
}

bool leaves_again(ForwardedFacts& forwarded, const Event& e, const Segment& g, bool out) {
  constexpr std::int64_t at_once_ns = 1'000'000;
  if (!is_rst(g) && seq_length(g.len, g.flags) == 0) return false;  // ACKs can be equal
  if (g.came_in == 0 || find_arrival(forwarded, g, out) != nullptr) return false;
  return std::ranges::any_of(forwarded.arrivals, [&](const Arrival& arrival) {
    return arrival.mark && arrival.left && e.ts_ns - arrival.mark.ts_ns <= at_once_ns && same_segment(arrival, g, out);
  });
}

bool departs(ForwardedFacts& forwarded, unsigned hop, const Event& e, Segment& g, bool out, bool own) {
  const unsigned from = out ? client : server;
  if (g.came_in == 0) {
    ++forwarded.hops[hop].made_here;
    if (is_rst(g)) forwarded.reset_made[hop] = {{e.id, e.ts_ns}, g.flags, g.socket.type};
    return true;
  }
  forwarded.left = {e.id, e.ts_ns};
  forwarded.left_to[hop] = true;
  Arrival* arrival = find_arrival(forwarded, g, out);
  if (arrival == nullptr) {
    g.ttl = 0;  // one more than here, where it was routed
    arrives(forwarded, e, g, out, true);
    return true;
  }
  arrival->left = true;
  // Both counters at one segment: what lies between them stayed here.
  g.ttl = arrival->ttl;  // as its sender's other segments come in
  if (!own) return is_rst(g);
  const std::int64_t apart = std::int64_t{arrival->count} - g.wire.segs_out;
  if (forwarded.before[from] < 0) {
    forwarded.before[from] = std::max<std::int64_t>(apart, 0);
    forwarded.counted_from_ns[from] = e.ts_ns;
  }
  forwarded.counted_to_ns[from] = e.ts_ns;
  if (apart >= forwarded.before[from])
    forwarded.lost[from] = static_cast<std::uint64_t>(apart - forwarded.before[from]);
  return is_rst(g);
}

void note_again(ForwardedFacts& forwarded, const Event& e, const Segment& g, bool out) {
  const unsigned side = out ? client : server;
  forwarded.last_seen_ns[side] = e.ts_ns;
  SentAgain& others = forwarded.again[side ^ 1U];
  if ((g.flags & tcp_flag::ack) != 0 && others.tries != 0 && seq_before(others.seq, g.ack)) {
    // Of the size that it had all the time?
    if (others.smaller == 0) others = {};
  }
  const bool again = g.is(SegmentEvent::retransmission) && !g.is(SegmentEvent::keepalive) && g.len != 0;
  if (!again || (g.flags & (tcp_flag::syn | tcp_flag::rst)) != 0) return;
  const std::uint32_t size = g.segments > 1 ? (g.len + g.segments - 1) / g.segments : g.len;
  SentAgain& run = forwarded.again[side];
  if (run.tries != 0 && run.seq != g.seq && run.smaller != 0) return;  // the rest of it, in pieces
  if (run.tries == 0 || run.seq != g.seq) {
    run = {};
    run.seq = g.seq;
    run.len = size;
    run.first_ns = e.ts_ns;
  }
  ++run.tries;
  if (size < run.len && g.segments == 1) run.smaller = size;  // merged, the sizes are only known on average
  run.evidence.add(e.id, e.ts_ns);
}

void take_sent(const ForwardedFacts& forwarded, Segment& g) {
  const HopFacts& a = forwarded.hops[client];
  const HopFacts& b = forwarded.hops[server];
  g.wire = {};
  g.loss = {};
  const bool a_in = counts_what_came(a, b);
  const bool b_in = counts_what_came(b, a);
  g.wire.bytes_out = a_in ? a.wire.bytes_in : b.wire.bytes_out;
  g.wire.segs_out = a_in ? a.wire.segs_in : b.wire.segs_out;
  g.wire.retrans_bytes_out = a_in ? a.wire.retrans_bytes_in : b.wire.retrans_bytes_out;
  g.loss.retrans_segs_out = a_in ? a.loss.retrans_segs_in : b.loss.retrans_segs_out;
  g.loss.reordered_segs_out = a_in ? a.loss.reordered_segs_in : b.loss.reordered_segs_out;
  g.wire.bytes_in = b_in ? b.wire.bytes_in : a.wire.bytes_out;
  g.wire.segs_in = b_in ? b.wire.segs_in : a.wire.segs_out;
  g.wire.retrans_bytes_in = b_in ? b.wire.retrans_bytes_in : a.wire.retrans_bytes_out;
  g.loss.retrans_segs_in = b_in ? b.loss.retrans_segs_in : a.loss.retrans_segs_out;
  g.loss.reordered_segs_in = b_in ? b.loss.reordered_segs_in : a.loss.reordered_segs_out;
}

}  // namespace tcpwitness
