// SPDX-License-Identifier: Apache-2.0
// half_connection.cpp: SYN and FIN, which come once each way.
#include "wire/half_connection.hpp"

namespace tcpwitness {

// A SYN-ACK can close the window: a firewall that answers first (SYNPROXY), a tarpit. A FIN in a SYN is not looked at:
// Linux drops such a segment (tcp_rcv_state_process()).
std::uint16_t HalfConnection::send_syn(const SeenSegment& g) {
  has_isn_ = true;
  isn_ = g.seq;
  far_from_isn_ = false;
  send(g);
  syn_ = true;
  if (g.has(tcp_flag::ack)) {
    syn_ack_ = true;
    window_closed_ = g.window == 0;
  }
  return bits(SegmentEvent::syn);
}

std::uint16_t HalfConnection::send_fin(const SeenSegment& g) {
  fin_ = true;
  fin_end_ = g.seq + seq_length(g.len, g.flags);
  // A capture can have the answer before it.
  if (acked_ && !seq_before(snd_una_, fin_end_)) fin_acked_ = true;
  return bits(SegmentEvent::fin);
}

}  // namespace tcpwitness
