// SPDX-License-Identifier: Apache-2.0
// state_tracker.hpp: the states of both ends of a connection, inferred from its segments alone (RFC 9293,
// section 3.3.2).
//
// A segment proves what state its sender is in, and what it will do to its receiver. It is taken to arrive, as
// later segments show soon enough; what its receiver must refuse is not given to the observer (acceptance.hpp). An end
// that was never seen stays unknown, except that what the other end acknowledges proves that it was sent.
#pragma once

#include <array>
#include <cstdint>

#include "tcpwitness/tcp.hpp"
#include "wire/half_connection.hpp"
#include "wire/seen_segment.hpp"

namespace tcpwitness {

class StateTracker {
 public:
  struct Transition {
    unsigned side = 0;
    TcpState from{};
    TcpState to{};
  };
  // What one segment does: the sender's transitions first.
  struct Transitions {
    std::array<Transition, 6> list{};
    unsigned count = 0;
  };

  // The next segment; side 0 or 1 sent it.
  [[nodiscard]] Transitions observe(const SeenSegment& g, unsigned side);
  // That side has sent a FIN that was doubted (acceptance.hpp); end: the number after it. Before the segment that shows
  // it.
  void late_fin(unsigned side, std::uint32_t end);
  // The RST that ended it was not taken after all: back to the states that the segments since then show.
  [[nodiscard]] Transitions resume();

  [[nodiscard]] TcpState state(unsigned side) const { return closed_[side] ? TcpState::close : ends_[side].state; }
  // Nothing can follow: both FINs were acknowledged, or a RST came.
  [[nodiscard]] bool over() const { return over_; }
  // Something else than a RST was seen of either side.
  [[nodiscard]] bool seen() const { return ends_[0].state != TcpState::unknown || ends_[1].state != TcpState::unknown; }
  [[nodiscard]] bool fin(unsigned side) const { return ends_[side].half.fin(); }
  // One of them sent a SYN-ACK that the other one took.
  [[nodiscard]] bool answered() const { return ends_[0].half.syn_ack() || ends_[1].half.syn_ack(); }
  // What this side has sent before the number `end`, seen or not, the other one has acknowledged.
  [[nodiscard]] bool acknowledged(unsigned side, std::uint32_t end) const {
    const HalfConnection& sent = ends_[side].half;
    return sent.acked() && !seq_before(sent.snd_una(), end);
  }

 private:
  struct End {
    TcpState state = TcpState::unknown;
    HalfConnection half;
  };
  [[nodiscard]] bool both_fins_acked() const { return ends_[0].half.fin_acked() && ends_[1].half.fin_acked(); }
  // `ack` acknowledges the SYN of `end`.
  [[nodiscard]] static bool covers_syn(std::uint32_t ack, const End& end) {
    return end.half.syn() && seq_before(end.half.isn(), ack);
  }
  [[nodiscard]] static bool behind_handshake(const SeenSegment& g, const End& me, const End& peer);
  void was_open(Transitions& transitions, const SeenSegment& g, unsigned side);
  void enter(Transitions& transitions, unsigned side, TcpState to);
  static void add(Transitions& transitions, unsigned side, TcpState from, TcpState to);
  void segment(Transitions& transitions, const SeenSegment& g, unsigned side);
  void sent_syn(Transitions& transitions, const SeenSegment& g, unsigned side);
  void opened(Transitions& transitions, const SeenSegment& g, unsigned side);
  void close(Transitions& transitions);

  std::array<End, 2> ends_;       // as they would be without the RST, if there was one
  std::array<bool, 2> closed_{};  // by the RST
  bool over_ = false;
  bool reset_ = false;
};

}  // namespace tcpwitness
