// SPDX-License-Identifier: Apache-2.0
// measures.cpp: what a comparison needs of each event.
#include "correlate/notes.hpp"
#include "facts/payload.hpp"
#include "tcpwitness/tcp.hpp"

namespace tcpwitness {

void note_measures(Measures& m, TimeNs ts_ns, const Segment& g, bool out) {
  if (g.is(SegmentEvent::unknown_flow)) ++m.unknown_flows;
  if (g.is(SegmentEvent::handshake_ack) && m.handshake_ack_ns == 0) m.handshake_ack_ns = ts_ns;
  const std::uint32_t segments = g.segments != 0 ? g.segments : 1;
  const bool handshake = (g.flags & tcp_flag::syn) != 0;
  // Without ACK it answers a segment (RFC 9293, 3.10.7.1): tcp_v4_send_reset(), which no socket counts, although since
  // 6.14 the buffer carries the one that it is for.
  const bool answer = out && (g.flags & (tcp_flag::rst | tcp_flag::ack)) == tcp_flag::rst;
  if (answer && g.socket.type != SocketKind::full) ++m.refused_in;
  switch (g.socket.type) {
    case SocketKind::full:
      if (answer) m.mini_out += segments;
      return;
    case SocketKind::unknown:
      return;
    case SocketKind::listener:
    case SocketKind::request:
      (out ? m.listener_out : m.listener_in) += segments;
      return;
    default:
      // A SYN cookie's SYN-ACK is sent by no socket.
      if (handshake) {
        (out ? m.listener_out : m.listener_in) += segments;
      } else {
        (out ? m.mini_out : m.mini_in) += segments;
      }
  }
}

void note_measures(Measures& m, const SocketDestroyed& d) {
  if (!was_read(d.cb)) return;
  m.destroyed = true;
  m.segs_in = d.cb.segs_in;
  m.segs_out = d.cb.segs_out;
  m.total_retrans = d.cb.total_retrans;
}

void note_measures(Measures& m, const OwnerSeen& o) {
  if (o.source == OwnerSource::receive && m.first_read_ms < 0) m.first_read_ms = static_cast<std::int32_t>(o.waited_ms);
}

void note_first_look(Measures& m, const Connection& c) {
  if (!c.has_cb() || m.first_look.taken) return;
  m.unknown_flows = 0;
  m.first_look = {.taken = true,
                  .had_wire = c.seen_by.wire,
                  .tx_bytes = sent_payload(c),
                  .rx_bytes = received_payload(c),
                  .in_flight = c.cb.snd_nxt - c.cb.snd_una,
                  .segs_in = c.cb.segs_in,
                  .segs_out = c.cb.segs_out,
                  .total_retrans = c.cb.total_retrans,
                  .wire = c.wire,
                  .loss = c.anomalies ? c.anomalies->loss : LossCounters{}};
}

}  // namespace tcpwitness
