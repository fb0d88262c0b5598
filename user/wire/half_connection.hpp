// SPDX-License-Identifier: Apache-2.0
// half_connection.hpp: what one end of a connection has sent, and what of it the other end has acknowledged.
//
// The variables of RFC 9293, 3.3.1, as far as the segments prove them: ISS, SND.NXT, SND.UNA; SYN and FIN, and whether
// the window that this end offers is closed. All numbers are sequence numbers as in the segments, in host byte order,
// modulo 2^32. Whether a segment is taken at all is not asked here (acceptance.hpp): what its receiver must refuse is
// not given to take().
//
// bpf/flow.h keeps the same in the kernel, and tests/bpf/half_connection_test.cpp gives both the same segments. They
// differ on purpose where other facts are known:
// - `nxt` there is what was seen, for it shows what is sent again: an empty ACK from further ahead has overtaken
//   payload that is still to come. Here it is SND.NXT, and that ACK proves that everything before it was sent.
// - A capture can have gaps of any size, a hook has not: only here a number further away than any window begins anew.
// - The newest ACK alone is known there: of two in a row that were overtaken, the window of the second counts again. So
//   does that of a segment that a later one with the same acknowledgement has overtaken (SND.WL1).
// - A capture can have another length of a segment than was sent: here an ACK beyond the FIN covers it, too. And it can
//   have the ACK of a FIN before the FIN, which is acknowledged at once then.
//
// What is not the same thing, and stays where it is: the counters of WireAnalysis, which follow Wireshark's (its next
// number leaves out probes), SequenceBytes, which counts bytes and remembers holes, ZeekState, which has no numbers,
// and FinFacts, which keeps the events of the first FIN as evidence.
#pragma once

#include <cstdint>

#include "tcpwitness/event.hpp"
#include "wire/seen_segment.hpp"

namespace tcpwitness {

class HalfConnection {
 public:
  // ISS: by its SYN; until that is seen, what the first segment or the peer's first acknowledgement implies.
  [[nodiscard]] bool has_isn() const { return has_isn_; }
  [[nodiscard]] std::uint32_t isn() const { return isn_; }
  // Before its SYN, so never sent by it. Not known where so much was sent that the numbers can have come round.
  [[nodiscard]] bool before_syn(std::uint32_t seq) const { return syn_ && !far_from_isn_ && seq_before(seq, isn_); }
  [[nodiscard]] bool syn() const { return syn_; }          // its SYN or SYN-ACK was seen
  [[nodiscard]] bool syn_ack() const { return syn_ack_; }  // its SYN-ACK
  // SND.NXT: the number after the highest one that it is known to have sent.
  [[nodiscard]] bool sent() const { return sent_; }
  [[nodiscard]] std::uint32_t snd_nxt() const { return snd_nxt_; }
  // SND.UNA: the highest number that the peer has acknowledged; the peer's RCV.NXT.
  [[nodiscard]] bool acked() const { return acked_; }
  [[nodiscard]] std::uint32_t snd_una() const { return snd_una_; }
  [[nodiscard]] bool fin() const { return fin_; }
  [[nodiscard]] std::uint32_t fin_end() const { return fin_end_; }  // the number after its FIN
  [[nodiscard]] bool fin_acked() const { return fin_acked_; }
  // The newest window that it offered was 0.
  [[nodiscard]] bool window_closed() const { return window_closed_; }

  // The numbers begin at `isn` after all: the peer took another SYN-ACK of this end.
  void restart(std::uint32_t isn) {
    isn_ = isn;
    snd_nxt_ = isn + 1;
  }

  // A segment from `me` that `peer` takes: what of it a life is made of (bits of SegmentEvent: syn, fin, rst, fin_ack,
  // zero_window, window_open). A RST moves nothing: its number is often that of the segment which it answers.
  friend std::uint16_t take(const SeenSegment& g, HalfConnection& me, HalfConnection& peer);

 private:
  void imply(std::uint32_t isn) {
    if (has_isn_) return;
    has_isn_ = true;
    isn_ = isn;
  }
  void send(const SeenSegment& g);
  // False: a later one came before it.
  bool acknowledge(std::uint32_t ack);
  // The window of its segment `seq` was overtaken by a later one's (RFC 9293, 3.10.7.4: SND.WL1, SND.WL2). same: that
  // one acknowledges the same number.
  [[nodiscard]] bool overtaken(std::uint32_t seq, bool same) const {
    return same && seq_before(seq, wl1_) && !further_than_any_window(seq, wl1_);
  }
  std::uint16_t send_syn(const SeenSegment& g);
  std::uint16_t send_fin(const SeenSegment& g);
  std::uint16_t offer(std::uint16_t window);
  bool take_fin_ack(std::uint32_t ack);

  std::uint32_t isn_ = 0;
  std::uint32_t snd_nxt_ = 0;
  std::uint32_t snd_una_ = 0;
  std::uint32_t fin_end_ = 0;
  std::uint32_t wl1_ = 0;  // of its segment that offered the newest window
  bool has_isn_ : 1 = false;
  bool syn_ : 1 = false;
  bool syn_ack_ : 1 = false;
  bool sent_ : 1 = false;
  bool acked_ : 1 = false;
  bool fin_ : 1 = false;
  bool fin_acked_ : 1 = false;
  bool window_closed_ : 1 = false;
  bool far_from_isn_ : 1 = false;  // more than the largest window
};

inline void HalfConnection::send(const SeenSegment& g) {
  const std::uint32_t end = g.seq + seq_length(g.len, g.flags);
  if (!sent_ || seq_before(snd_nxt_, end) || further_than_any_window(snd_nxt_, end)) snd_nxt_ = end;
  sent_ = true;
  if (snd_nxt_ - isn_ > largest_window) far_from_isn_ = true;
}

inline bool HalfConnection::acknowledge(std::uint32_t ack) {
  if (acked_ && seq_before(ack, snd_una_) && !further_than_any_window(ack, snd_una_)) return false;
  snd_una_ = ack;
  acked_ = true;
  return true;
}

// The FIN has the last number. An acknowledgement further on covers it too: a capture can have another length of its
// segment than was sent.
inline bool HalfConnection::take_fin_ack(std::uint32_t ack) {
  if (!fin_ || fin_acked_ || seq_before(ack, fin_end_)) return false;
  fin_acked_ = true;
  return true;
}

inline std::uint16_t HalfConnection::offer(std::uint16_t window) {
  const bool was_closed = window_closed_;
  window_closed_ = window == 0;
  if (window_closed_) return bits(SegmentEvent::zero_window);
  return was_closed ? bits(SegmentEvent::window_open) : std::uint16_t{0};
}

// In a hot path: of an ordinary segment everything here is a comparison that comes out as the time before.
inline std::uint16_t take(const SeenSegment& g, HalfConnection& me, HalfConnection& peer) {
  const bool ack = g.has(tcp_flag::ack);
  if (g.has(tcp_flag::syn | tcp_flag::rst)) [[unlikely]] {
    if (ack) peer.imply(g.ack - 1);
    if (g.has(tcp_flag::rst)) {
      me.imply(g.has(tcp_flag::syn) ? g.seq : g.seq - 1);
      return bits(SegmentEvent::rst);
    }
    if (ack) {
      (void)peer.acknowledge(g.ack);
      me.wl1_ = g.seq;
    }
    return me.send_syn(g);
  }
  me.imply(g.seq - 1);
  me.send(g);
  std::uint16_t event_flags = 0;
  if (ack) {
    peer.imply(g.ack - 1);
    const bool same = peer.acked_ && peer.snd_una_ == g.ack;
    if (peer.acknowledge(g.ack) && !me.overtaken(g.seq, same)) {
      me.wl1_ = g.seq;
      event_flags |= me.offer(g.window);
    }
    if (peer.take_fin_ack(g.ack)) event_flags |= bits(SegmentEvent::fin_ack);
  }
  if (g.has(tcp_flag::fin)) event_flags |= me.send_fin(g);
  return event_flags;
}

}  // namespace tcpwitness
