// SPDX-License-Identifier: Apache-2.0
// acceptance.cpp: the checks of RFC 9293, 3.10.7.3 (SYN-SENT) and 3.10.7.4 (all later states), from outside.
#include "wire/acceptance.hpp"

namespace tcpwitness {
namespace {

// SYN-SENT takes an acknowledgement of its SYN, or of the payload that came with it (RFC 7413).
bool answers_syn(std::uint32_t ack, const HalfConnection& syn) {
  return seq_before(syn.isn(), ack) && seq_not_after(ack, syn.snd_nxt());
}

// How far the sender may send: to the right edge of the window, or as far as it has been already.
std::uint32_t reach(const HalfConnection& sender, std::uint32_t edge) {
  return sender.sent() && seq_before(edge, sender.snd_nxt()) ? sender.snd_nxt() : edge;
}

}  // namespace

bool Acceptance::refuses_reset(const SeenSegment& g, const Side& from, const Side& to) const {
  const HalfConnection& me = from.half;
  const HalfConnection& peer = to.half;
  const bool waiting = peer.syn() && !me.acked();  // in SYN-SENT, or open by a SYN-ACK whose ACK is not here
  if (waiting) {
    if (g.has(tcp_flag::ack) && answers_syn(g.ack, peer)) return false;
    if (!me.syn()) return true;
  }
  // One that has sent a SYN and nothing else has no other number: the RST answers an older connection's segment. One
  // whose SYN was answered may have sent more.
  const bool syn_alone = me.syn() && !peer.acked() && !peer.syn_ack();
  if (syn_alone) return seq_before(g.seq, me.isn()) || seq_before(me.snd_nxt(), g.seq);
  if (me.syn() && (me.before_syn(g.seq) || further_than_any_window(g.seq, me.snd_nxt()))) return true;
  if (!me.acked()) return me.sent() && further_than_any_window(g.seq, me.snd_nxt());
  // Linux takes one that does not count the FIN before it (tcp_reset_check()).
  if (me.fin() && me.snd_una() == me.fin_end() && g.seq + 1 == me.snd_una()) return false;
  if (seq_before(g.seq, me.snd_una())) return true;
  // Nothing behind the SYN-ACK is here: neither is the window that the connection had later.
  if (!from.opened && !to.opened) return further_than_any_window(g.seq, me.snd_una());
  if (!every_ || to.scale.shift == WindowScale::unknown) return further_than_any_window(g.seq, me.snd_una());
  return seq_before(reach(me, to.edge), g.seq);
}

bool Acceptance::refuses(const SeenSegment& g, const Side& from, const Side& to) const {
  const HalfConnection& me = from.half;
  const HalfConnection& peer = to.half;
  if (g.has(tcp_flag::rst)) return refuses_reset(g, from, to);
  if (!g.has(tcp_flag::ack)) return false;
  const bool waiting = peer.syn() && !me.acked();
  if (waiting && !answers_syn(g.ack, peer)) {
    // An empty ACK is an older connection's answer to the SYN (RFC 5961, 4). Payload goes on from what is missing here.
    if (g.has(tcp_flag::syn) || (!me.sent() && g.len == 0)) return true;
  }
  // A segment of an older connection. (Where the handshake's end is missing here, anything may be.)
  const bool older = me.before_syn(g.seq) && !further_than_any_window(g.seq, me.isn());
  if (every_ && (from.opened || to.opened) && !g.has(tcp_flag::syn) && older) return true;
  // A second SYN-ACK with another number: the receiver goes on with the first that came.
  return g.has(tcp_flag::syn) && me.syn() && g.seq != me.isn();
}

// The receiver of a believed RST does what a closed end cannot do: it acknowledges what was sent behind the RST; or it
// still sends when both have gone on for a while. (What was under way when the RST passed proves nothing.)
bool Acceptance::resumes(const SeenSegment& g, unsigned side) {
  constexpr std::int64_t while_ns = 1'000'000'000;
  if (!g.has(tcp_flag::ack) || g.has(tcp_flag::rst | tcp_flag::syn)) return false;
  const std::uint32_t sent_before = at_reset_[side ^ 1U];
  const HalfConnection& peer = sides_[side ^ 1U].half;
  const bool covers_news = peer.sent() && seq_before(sent_before, g.ack) && seq_not_after(g.ack, peer.snd_nxt());
  if (side == reset_side_) {
    answered_ = answered_ || covers_news;
    return false;
  }
  return covers_news || (answered_ && g.ts_ns - reset_ts_ns_ >= while_ns);
}

void Acceptance::note_edge(const SeenSegment& g, Side& me, const Side& peer) {
  const bool scaled = !g.has(tcp_flag::syn) && me.scale.shift != WindowScale::unknown;
  const std::uint32_t edge = g.ack + (std::uint32_t{g.window} << (scaled ? me.scale.shift : 0U));
  const bool first = !peer.half.acked();
  if (first || seq_before(me.edge, edge) || further_than_any_window(me.edge, edge)) me.edge = edge;
}

namespace {

// So much a segment may be missing between two that belong together.
constexpr std::uint32_t near_by = 1U << 20U;

}  // namespace

void Acceptance::believe(unsigned side, Answer& answer) {
  sides_[side].has_far = false;
  answer.believed = true;
  answer.believed_side = static_cast<std::uint8_t>(side);
  (void)take(sides_[side].far, sides_[side].half, sides_[side ^ 1U].half);
}

// What this segment shows of those that were doubted before.
void Acceptance::settle(const SeenSegment& g, unsigned side, Answer& answer) {
  Side& me = sides_[side];
  const Side& peer = sides_[side ^ 1U];
  if (me.has_far) {
    const bool late_syn =
        g.has(tcp_flag::syn) && !me.half.sent();  // the SYN-ACK that it came before: its number decides
    const bool goes_on_there =
        late_syn ? me.far.seq - g.seq < near_by : me.far.has(tcp_flag::ack) && g.seq - me.far.seq < near_by;
    const bool goes_on_before = late_syn || (seq_length(g.len, g.flags) != 0 && g.seq == me.half.snd_nxt());
    if (goes_on_there) {
      believe(side, answer);
    } else if (goes_on_before) {
      me.has_far = false;
      answer.withdrawn = true;
    }
  }
  const std::uint32_t far_end = peer.far.seq + seq_length(peer.far.len, peer.far.flags);
  // One at a time: the next ACK shows the other one, too.
  const bool covers = peer.has_far && g.has(tcp_flag::ack) && g.ack - far_end < near_by;
  if (covers && !answer.believed) believe(side ^ 1U, answer);
}

// It begins beyond the window. Before its receiver has sent more than its SYN, that one's window is all there is.
bool Acceptance::doubts_number(const SeenSegment& g, const Side& me, const Side& peer) {
  if (peer.scale.shift == WindowScale::unknown || !me.half.acked() || !me.half.sent()) return false;
  const std::uint32_t edge = reach(me.half, peer.edge);
  return seq_before(edge, g.seq) && !further_than_any_window(edge, g.seq);
}

// An empty ACK of far more than was seen. Before its sender's first one no more can have come than its SYN offers
// (RFC 7323, 2.2: that window is not scaled).
bool Acceptance::doubts_acknowledgement(const SeenSegment& g, Side& me, const Side& peer) {
  constexpr std::uint32_t largest_of_syn = 0xffff;
  const std::uint32_t beyond = g.ack - peer.half.snd_nxt();
  const bool first = peer.half.syn() && !peer.half.acked();
  const bool known = peer.half.sent() && (peer.half.acked() || peer.half.syn());
  if (peer.other && g.ack == peer.other_isn + 1) return false;
  const bool far =
      g.has(tcp_flag::ack) && known && beyond > (first ? largest_of_syn : near_by) && beyond <= largest_window;
  const bool again = me.has_far_ack && seq_not_after(me.far_ack, g.ack);
  me.has_far_ack = far;
  me.far_ack = g.ack;
  return far && !again;
}

// What TCP drops (RFC 9293, 3.10.7.3 and 3.10.7.4), unless the capture lacks what came before.
bool Acceptance::doubts(const SeenSegment& g, unsigned side) {
  Side& me = sides_[side];
  const Side& peer = sides_[side ^ 1U];
  if (g.has(tcp_flag::syn | tcp_flag::rst)) return false;
  const bool empty = seq_length(g.len, g.flags) == 0;
  if (empty && doubts_acknowledgement(g, me, peer)) return true;
  const bool silent = !me.half.sent() && !me.half.acked();
  const bool before_syn_ack = !empty && silent && peer.half.syn() && !peer.half.syn_ack();
  const bool without_ack = !g.has(tcp_flag::ack) && (me.half.syn() || peer.half.sent());
  if (!before_syn_ack && !without_ack && !doubts_number(g, me, peer)) return false;
  me.has_far = true;
  me.far = g;
  return true;
}

// New payload into a closed window. The receiver's next ACK can show that it was not taken.
void Acceptance::look_at_window(const SeenSegment& g, unsigned side, Answer& answer) {
  Side& me = sides_[side];
  Side& peer = sides_[side ^ 1U];
  if (peer.has_pushed && g.has(tcp_flag::ack)) {
    answer.denies_window = g.window == 0 && seq_not_after(g.ack, peer.pushed);
    peer.has_pushed = false;
  }
  answer.shows_window = peer.half.window_closed() && !g.has(tcp_flag::syn) && g.len > 1 && me.half.sent() &&
                        !seq_before(g.seq, me.half.snd_nxt());
  if (!answer.shows_window) return;
  if (!me.has_pushed) me.pushed = g.seq;
  me.has_pushed = true;
}

Acceptance::Answer Acceptance::observe(const SeenSegment& g, unsigned side) {
  Side& me = sides_[side];
  Side& peer = sides_[side ^ 1U];
  Answer answer;
  if (g.has(tcp_flag::syn)) [[unlikely]] {
    answer.renumbered = me.half.has_isn() && me.half.isn() != g.seq;
    answer.crossed = g.has(tcp_flag::ack) && me.half.syn() && !me.half.syn_ack();
  }
  if (refuses(g, me, peer)) {
    answer.refused = true;
    const bool synack = g.has(tcp_flag::syn) && !g.has(tcp_flag::rst) && me.half.syn() && answer.renumbered;
    if (synack && !peer.opened && answers_syn(g.ack, peer.half)) {
      me.other = true;
      me.other_isn = g.seq;
    }
    return answer;
  }
  if (every_) {
    if (me.has_far || peer.has_far) [[unlikely]] {
      settle(g, side, answer);
    }
    answer.doubted = !answer.believed && doubts(g, side);
    if (answer.doubted) return answer;
  }
  if (g.has(tcp_flag::rst)) {
    if (!reset_) {
      reset_ = true;
      reset_ts_ns_ = g.ts_ns;
      reset_side_ = side;
      answered_ = false;
      at_reset_ = {sides_[0].half.snd_nxt(), sides_[1].half.snd_nxt()};
    }
    answer.event_flags = take(g, me.half, peer.half);
    return answer;
  }
  if (reset_ && resumes(g, side)) {
    answer.resumed = true;
    reset_ = false;
  }
  if (g.has(tcp_flag::syn)) {
    WindowScale::note(g, me.scale, peer.scale);
  } else {
    // The first acknowledgement shows which of two SYN-ACKs came first.
    if (peer.other && !me.opened && g.has(tcp_flag::ack) && g.ack == peer.other_isn + 1) {
      answer.restarted = true;
      answer.isn = peer.other_isn;
      peer.half.restart(peer.other_isn);
    }
    me.opened = true;
    peer.other = false;
  }
  look_at_window(g, side, answer);
  if (g.has(tcp_flag::ack)) note_edge(g, me, peer);
  answer.event_flags = take(g, me.half, peer.half);
  return answer;
}

}  // namespace tcpwitness
