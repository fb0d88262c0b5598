// SPDX-License-Identifier: Apache-2.0
// acceptance.cpp: the checks of RFC 9293, 3.10.7.3 (SYN-SENT) and 3.10.7.4 (all later states), from outside.
#include "wire/acceptance.hpp"

#include "wire/window.hpp"

namespace tcpwitness {
namespace {

bool apart(std::uint32_t a, std::uint32_t b) { return a - b > largest_window && b - a > largest_window; }

// SYN-SENT takes an acknowledgement of its SYN, or of the payload that came with it (RFC 7413).
bool answers_syn(std::uint32_t ack, std::uint32_t isn, std::uint32_t next) {
  return seq_before(isn, ack) && seq_not_after(ack, next);
}

}  // namespace

bool Acceptance::refuses_reset(const SeenSegment& g, const Side& me, const Side& peer) const {
  const bool waiting = peer.syn && !peer.acked;  // in SYN-SENT, or open by a SYN-ACK whose ACK is not here
  if (waiting) {
    if (g.has(tcp_flag::ack) && answers_syn(g.ack, peer.isn, peer.next)) return false;
    if (!me.syn) return true;
  }
  // One that has sent a SYN and nothing else has no other number: the RST answers an older connection's segment.
  if (me.syn && !me.acked) return seq_before(g.seq, me.isn) || seq_before(me.next, g.seq);
  if (me.syn && (seq_before(g.seq, me.isn) || apart(g.seq, me.next))) return true;
  if (!peer.acked) return me.sent && apart(g.seq, me.next);
  // Linux takes one that does not count the FIN before it (tcp_reset_check()).
  if (me.fin && peer.ack == me.fin_end && g.seq + 1 == peer.ack) return false;
  if (seq_before(g.seq, peer.ack)) return true;
  if (!every_ || peer.shift == shift_unknown) return apart(g.seq, peer.ack);
  const std::uint32_t edge = me.sent && seq_before(peer.edge, me.next) ? me.next : peer.edge;
  return seq_before(edge, g.seq);
}

bool Acceptance::refuses(const SeenSegment& g, const Side& me, const Side& peer) const {
  if (g.has(tcp_flag::rst)) return refuses_reset(g, me, peer);
  if (!g.has(tcp_flag::ack)) return false;
  const bool waiting = peer.syn && !peer.acked;
  if (waiting && !answers_syn(g.ack, peer.isn, peer.next)) {
    // An empty ACK is an older connection's answer to the SYN (RFC 5961, 4). Payload goes on from what is missing here.
    if (g.has(tcp_flag::syn) || (!me.sent && g.len == 0)) return true;
  }
  // A second SYN-ACK with another number: the receiver goes on with the first that came.
  return g.has(tcp_flag::syn) && me.syn && g.seq != me.isn;
}

// The receiver of a believed RST does what a closed end cannot do: it acknowledges what was sent behind the RST; or it
// still sends when both have gone on for a while. (What was under way when the RST passed proves nothing.)
bool Acceptance::resumes(const SeenSegment& g, unsigned side) {
  constexpr std::int64_t while_ns = 1'000'000'000;
  if (!g.has(tcp_flag::ack) || g.has(tcp_flag::rst | tcp_flag::syn)) return false;
  const std::uint32_t sent_before = at_reset_[side ^ 1U];
  const bool covers_news =
      sides_[side ^ 1U].sent && seq_before(sent_before, g.ack) && seq_not_after(g.ack, sides_[side ^ 1U].next);
  if (side == reset_side_) {
    answered_ = answered_ || covers_news;
    return false;
  }
  return covers_news || (answered_ && g.ts_ns - reset_ts_ns_ >= while_ns);
}

void Acceptance::note_scale(const SeenSegment& g, Side& me, Side& peer) {
  constexpr std::uint8_t largest = 14;  // RFC 7323, section 2.3
  me.offers = tcpwitness::has(g.options, TcpOption::window_scale);
  me.shift = !me.offers ? std::uint8_t{0} : g.wscale < largest ? g.wscale : largest;
  // Only both sides can agree on it.
  if (!me.offers || (g.has(tcp_flag::ack) && peer.shift != shift_unknown && !peer.offers)) me.shift = peer.shift = 0;
}

void Acceptance::note(const SeenSegment& g, Side& me) {
  const std::uint32_t end = g.seq + seq_length(g.len, g.flags);
  if (!me.sent || seq_before(me.next, end) || apart(me.next, end)) me.next = end;
  me.sent = true;
  if (g.has(tcp_flag::fin)) {
    me.fin = true;
    me.fin_end = end;
  }
  if (!g.has(tcp_flag::ack)) return;
  if (!me.acked || seq_before(me.ack, g.ack) || apart(me.ack, g.ack)) me.ack = g.ack;
  const bool scaled = !g.has(tcp_flag::syn) && me.shift != shift_unknown;
  const std::uint32_t edge = g.ack + (std::uint32_t{g.window} << (scaled ? me.shift : 0U));
  if (!me.acked || seq_before(me.edge, edge) || apart(me.edge, edge)) me.edge = edge;
  me.acked = true;
}

Acceptance::Answer Acceptance::observe(const SeenSegment& g, unsigned side) {
  Side& me = sides_[side];
  Side& peer = sides_[side ^ 1U];
  Answer answer;
  if (refuses(g, me, peer)) {
    answer.refused = true;
    const bool synack = g.has(tcp_flag::syn) && !g.has(tcp_flag::rst) && me.syn && g.seq != me.isn;
    if (synack && !peer.opened && answers_syn(g.ack, peer.isn, peer.next)) {
      me.other = true;
      me.other_isn = g.seq;
    }
    return answer;
  }
  if (g.has(tcp_flag::rst)) {
    if (!reset_) {
      reset_ = true;
      reset_ts_ns_ = g.ts_ns;
      reset_side_ = side;
      answered_ = false;
      at_reset_ = {sides_[0].next, sides_[1].next};
    }
    return answer;
  }
  if (reset_ && resumes(g, side)) {
    answer.resumed = true;
    reset_ = false;
  }
  if (g.has(tcp_flag::syn)) {
    note_scale(g, me, peer);
    me.isn = g.seq;
    me.syn = true;
  } else {
    // The first acknowledgement says which of two SYN-ACKs came first.
    if (peer.other && !me.opened && g.has(tcp_flag::ack) && g.ack == peer.other_isn + 1) {
      answer.restarted = true;
      answer.isn = peer.other_isn;
      peer.isn = peer.other_isn;
      peer.next = peer.isn + 1;
    }
    me.opened = true;
    peer.other = false;
  }
  note(g, me);
  return answer;
}

}  // namespace tcpwitness
