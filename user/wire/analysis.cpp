// SPDX-License-Identifier: Apache-2.0
// analysis.cpp: the rules of the wire analysis, in the order in which they are asked.
//
// First what a segment is by its own numbers (probe, hole, window, duplicate), then what its acknowledgement
// shows of the other direction, then why it does not advance, where it does not.
#include "wire/analysis.hpp"

namespace tcpwitness {
namespace {

namespace say = analysis_flag;
constexpr std::uint8_t syn_fin = tcp_flag::syn | tcp_flag::fin;
constexpr std::uint8_t syn_fin_rst = syn_fin | tcp_flag::rst;

constexpr std::int64_t ms = 1'000'000;
constexpr std::int64_t fast_limit_ns = 20 * ms;       // a fast retransmission follows the ACK that asks for it
constexpr std::int64_t reordering_limit_ns = 3 * ms;  // where the handshake gives no round trip

// Not where time runs backwards: then nothing is known of the distance.
bool within(TimeNs from, TimeNs to, std::int64_t limit_ns) { return to >= from && to - from < limit_ns; }

// What one byte that is sent again has in common with the first time; 0: it is more, or none.
std::uint8_t single_byte(const SeenSegment& g) {
  if (g.len != 1) return 0;
  return g.has(tcp_flag::psh) ? tcp_flag::ack | tcp_flag::psh : tcp_flag::ack;
}

}  // namespace

// What the segment is beside those before it of the same direction, and the newest of the other.
std::uint32_t WireAnalysis::before_numbers(const SeenSegment& g, Side& me, Side& peer) {
  std::uint32_t found = 0;
  const bool control = g.has(syn_fin_rst);
  const bool at_next = me.sent && g.seq == me.next;
  if (g.len == 1 && at_next && peer.window == 0 && peer.sent) return say::zero_window_probe;
  if (g.window == 0 && !control) found |= say::zero_window;
  if (me.sent && seq_before(me.next, g.seq) && !g.has(tcp_flag::rst)) found |= say::lost_segment;
  if (g.len <= 1 && me.sent && g.seq == me.next - 1 && !control) found |= say::keep_alive;
  if (control) return found;
  if (g.len != 0) {
    // The peer's whole window is in flight with this segment.
    if (peer.scale.shift == WindowScale::unknown) return found;
    const std::uint32_t window = std::uint32_t{peer.window} << (peer.unscaled ? 0 : peer.scale.shift);
    if (g.seq + g.len == peer.ack + window) found |= say::window_full;
    return found;
  }
  if (!at_next) return found;
  const bool same_ack = g.ack == me.ack;
  if (g.window != me.window) {
    if (g.window != 0 && same_ack) found |= say::window_update;
    return found;
  }
  if (same_ack && g.window != 0 && (peer.flags & say::keep_alive) != 0) return found | say::keep_alive_ack;
  if (same_ack && g.window == 0 && (peer.flags & say::zero_window_probe) != 0)
    return found | say::zero_window_probe_ack;
  // An ACK that carries another MPTCP signal is sent for that (RFC 8684, 3.4).
  if (same_ack && g.window != 0 && g.mptcp == me.mptcp) {
    ++me.duplicates;
    me.beyond_reported = false;
    found |= say::duplicate_ack;
  }
  return found;
}

// The acknowledgement covers what was not seen. What lies beyond everything seen is reported once: every later
// acknowledgement would repeat it.
std::uint32_t WireAnalysis::unseen(Side& peer) {
  if (peer.unbroken != peer.next) {
    peer.unbroken = peer.next;
    return say::ack_lost_segment;
  }
  const bool news = !peer.beyond_reported && peer.duplicates == 0;
  peer.beyond_reported = true;
  peer.duplicates = 0;
  return news ? say::ack_lost_segment : 0;
}

// It has the form and is none: what it repeats is not acknowledged yet, or it acknowledges something new; or it comes
// right behind its sender's SYN or FIN, or with payload, sooner than any keep-alive timer (a second, TCP_KEEPINTVL). A
// byte with the PSH flag of a newest segment that was a single byte, too, is that one again: its acknowledgement got
// lost.
bool WireAnalysis::no_keep_alive(const SeenSegment& g, const Side& me, const Side& peer) {
  constexpr std::int64_t shortest_timer_ns = 1'000 * ms;
  if (peer.acked && peer.ack != me.next) return true;
  if (me.acked && g.ack != me.ack) return true;
  if (g.len == 1 && peer.window != 0 && me.single == single_byte(g)) return true;
  const TimeNs newest = peer.newest_ts_ns > me.newest_ts_ns ? peer.newest_ts_ns : me.newest_ts_ns;
  const bool doubtful = !me.begun || me.closed || g.len != 0;
  return doubtful && within(newest, g.ts_ns, shortest_timer_ns);
}

bool WireAnalysis::acknowledged_before(const SeenSegment& g, const Side& peer) {
  return g.len != 0 && peer.acked && seq_not_after(g.seq + g.len, peer.ack);
}

// The segment takes sequence numbers and does not advance them: which of the four is it?
std::uint32_t WireAnalysis::sent_again(const SeenSegment& g, const Side& me, const Side& peer) const {
  // Where segments of the peer are missing, so may be its duplicate ACKs.
  const bool asked = peer.duplicates >= 2 || peer.beyond_reported;
  if (asked && peer.ack == g.seq && within(peer.newest_ts_ns, g.ts_ns, fast_limit_ns)) {
    return say::retransmission | say::fast_retransmission;
  }
  if (acknowledged_before(g, peer)) return say::retransmission | say::spurious_retransmission;
  const std::int64_t limit = first_rtt_ns_ != 0 ? first_rtt_ns_ : reordering_limit_ns;
  const std::uint32_t end = g.seq + seq_length(g.len, g.flags);
  if (within(me.next_ts_ns, g.ts_ns, limit) && end != me.next) return say::out_of_order;
  return say::retransmission;
}

void WireAnalysis::note_handshake(const SeenSegment& g) {
  if (g.has(tcp_flag::syn)) {
    if (!g.has(tcp_flag::ack)) syn_ts_ns_ = g.ts_ns;
    syn_seen_ = syn_seen_ || !g.has(tcp_flag::ack);
    return;
  }
  if (syn_seen_ && g.has(tcp_flag::ack)) first_rtt_ns_ = g.ts_ns - syn_ts_ns_;
}

// Where we name it otherwise than Wireshark: a probe in a keep-alive's form (Linux sends all its probes so) is a
// zero-window probe when the receiver's newest window was zero, and so is what answers it.
std::uint32_t WireAnalysis::in_our_words(std::uint32_t found, const SeenSegment& g, Side& me, const Side& peer) {
  const bool answers = peer.probed && g.len == 0 && !g.has(syn_fin_rst) && g.seq == me.next && g.ack == me.ack;
  me.probed = (found & say::keep_alive) != 0 && peer.sent && peer.window == 0;
  if (me.probed) return (found & ~say::keep_alive) | say::zero_window_probe;
  return answers && g.window == 0 ? found | say::zero_window_probe_ack : found;
}

void WireAnalysis::restart(unsigned side, std::uint32_t start) {
  sides_[side].next = start;
  sides_[side].unbroken = start;
}

Analysis WireAnalysis::observe(const SeenSegment& g, unsigned side) {
  Side& me = sides_[side];
  Side& peer = sides_[side ^ 1U];
  if (first_rtt_ns_ == 0) note_handshake(g);
  if (g.has(tcp_flag::syn)) WindowScale::note(g, me.scale, peer.scale);

  std::uint32_t found = before_numbers(g, me, peer);
  Analysis result;
  if ((found & say::duplicate_ack) != 0) result.duplicate_ack = me.duplicates;
  if (g.ack != me.ack) {
    me.duplicates = 0;
    me.beyond_reported = false;
  }

  if (g.has(tcp_flag::ack) && peer.has_unbroken && seq_before(peer.unbroken, g.ack)) found |= unseen(peer);

  const std::uint32_t length = seq_length(g.len, g.flags);
  if ((found & say::keep_alive) != 0 && no_keep_alive(g, me, peer)) found &= ~say::keep_alive;
  const bool probe = (found & say::zero_window_probe) != 0;
  // Further than any window (RFC 7323, 2.3): what lies between is missing, for nothing is sent again over that
  // distance.
  const bool jumps = length != 0 && me.sent && !g.has(tcp_flag::rst) && further_than_any_window(me.next, g.seq);
  if (jumps) found |= say::lost_segment;
  if (length != 0 && (found & say::keep_alive) == 0 && !jumps) {
    const bool news = g.len > 1 && g.seq == me.next - 1;  // behind a probe of one byte
    if (me.sent && seq_before(g.seq, me.next) && !news) {
      found |= sent_again(g, me, peer);
    } else if (acknowledged_before(g, peer)) {
      // It comes late: its acknowledgement is in the capture before it.
      found |= say::retransmission | say::spurious_retransmission;
    }
  }

  result.flags = in_our_words(found, g, me, peer);

  const std::uint32_t end = g.seq + length;
  // A RST's number is often that of the segment which it answers (RFC 9293, 3.10.7.1): nothing was sent up to it.
  const bool numberless = g.has(tcp_flag::rst);
  if ((!me.sent || jumps || seq_before(me.next, end)) && !probe && !numberless) {
    me.next = end;
    me.single = single_byte(g);
    me.next_ts_ns = g.ts_ns;
    me.sent = true;
  }
  if ((!me.has_unbroken || g.seq == me.unbroken) && !probe && me.sent) {
    me.unbroken = me.next;
    me.has_unbroken = true;
  }
  me.begun = me.begun || !g.has(tcp_flag::syn);
  me.closed = me.closed || g.has(tcp_flag::fin);
  me.mptcp = g.mptcp;
  me.window = g.window;
  me.unscaled = g.has(tcp_flag::syn);
  me.ack = g.ack;
  me.acked = g.has(tcp_flag::ack);
  me.newest_ts_ns = g.ts_ns;
  me.flags = found;
  return result;
}

}  // namespace tcpwitness
