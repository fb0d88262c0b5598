// SPDX-License-Identifier: Apache-2.0
#include "wire/phase_clock.hpp"

#include <algorithm>

#include "tcpwitness/tcp.hpp"
#include "wire/frame_order.hpp"

namespace tcpwitness {

bool PhaseClock::all_acknowledged(const Half& half) const {
  return half.first_ns == 0 || (half.acked_any && !seq_before(half.acked, half.end));
}

void PhaseClock::look(const SeenSegment& s, unsigned from, Kind kind) {
  Half& me = half_[from];
  Half& peer = half_[from ^ 1U];
  const std::int64_t before = now_ns_;
  ran_back_ = ran_back_ || before - s.ts_ns > FrameOrder::apart_ns;
  now_ns_ = std::max(before, s.ts_ns);
  if (s.has(tcp_flag::ack) && !s.has(tcp_flag::rst)) {
    if (!peer.acked_any || seq_before(peer.acked, s.ack)) peer.acked = s.ack;
    peer.acked_any = true;
    const bool covers = peer.first_ns != 0 && peer.first_acked_ns == 0 && seq_not_after(peer.first_end, s.ack);
    if (covers) peer.first_acked_ns = now_ns_;
    const bool closed = s.window == 0 && !s.has(tcp_flag::syn);
    me.was_closed = me.was_closed || closed;
    me.closed = closed;
  }
  if (s.len != 0 && kind != Kind::probe && !s.has(tcp_flag::rst)) {
    if (kind == Kind::again && payload_ns_ != 0) {
      stalled_ns_ += now_ns_ - before;
      if (before > payload_ns_) transfer_ns_ += before - payload_ns_;
      payload_ns_ = now_ns_;
      answer_late_ = answer_late_ || half_[first_ ^ 1U].first_ns == 0;
    }
    payload(s, from, kind == Kind::again);
  }
  idle_ = all_acknowledged(half_[0]) && all_acknowledged(half_[1]) && !half_[0].closed && !half_[1].closed &&
          s.window != 0 && half_[0].acked_any && half_[1].acked_any;
}

void PhaseClock::payload(const SeenSegment& s, unsigned from, bool again) {
  Half& me = half_[from];
  const Half& peer = half_[from ^ 1U];
  const std::uint32_t end = s.seq + s.len + (s.has(tcp_flag::syn) ? 1U : 0U);
  if (me.first_ns == 0) {
    me.first_ns = now_ns_;
    me.first_end = end;
    me.end = end;
    if (peer.first_ns != 0) {
      request_end_ns_ = peer.last_ns;
      answer_late_ = answer_late_ || again || (me.acked_any && me.acked != s.seq);
    } else {
      first_ = static_cast<std::uint8_t>(from);
    }
  } else if (payload_ns_ != 0) {
    between(now_ns_ - payload_ns_, from);
  }
  if (seq_before(me.end, end)) me.end = end;
  if (!again || me.last_ns == 0) me.last_ns = now_ns_;
  payload_ns_ = now_ns_;
  last_ = static_cast<std::uint8_t>(from);
  half_[from ^ 1U].was_closed = half_[from ^ 1U].closed;
}

// From the newest payload before to this side's.
void PhaseClock::between(std::int64_t gap_ns, unsigned from) {
  const Half& me = half_[from];
  const Half& peer = half_[from ^ 1U];
  if (peer.was_closed) {
    stalled_ns_ += gap_ns;
  } else if (last_ != from || (gap_ns >= pause_ns && all_acknowledged(me))) {
    until_ns_[from] += gap_ns;
  } else {
    transfer_ns_ += gap_ns;
  }
}

PayloadTimes PhaseClock::times() const {
  PayloadTimes t;
  if (ran_back_) return t;
  t.first_out = half_[0].first_ns;
  t.first_out_acked = half_[0].first_acked_ns;
  t.last_out = half_[0].last_ns;
  t.first_in = half_[1].first_ns;
  t.first_in_acked = half_[1].first_acked_ns;
  t.last_in = half_[1].last_ns;
  t.request_end = request_end_ns_;
  t.repeated = answer_late_;
  t.every_segment = true;
  t.transfer_ns = transfer_ns_;
  t.stalled_ns = stalled_ns_;
  t.until_out_ns = until_ns_[0];
  t.until_in_ns = until_ns_[1];
  return t;
}

}  // namespace tcpwitness
