// SPDX-License-Identifier: Apache-2.0
// acceptance.hpp: can the receiver take this segment? RFC 9293, 3.10.7, by the segments that passed before.
//
// What begins beyond the window is doubted: it is forged, or the capture lacks what came before. The first such segment
// changes nothing until its sender goes on there, or its receiver acknowledges it. So does what comes before the
// SYN-ACK, which may have another number, and what lacks the ACK flag, until it is acknowledged; and an empty ACK of
// far more than was seen, until a second one repeats it.
//
// What a receiver must refuse (a RST or a SYN-ACK outside its numbers, the ACK of an older connection) changes nothing:
// no state, no sequence number, no count of bytes. What it can take is believed at first. A RST that was believed and
// behind which its receiver goes on was not taken: `resumed` is set at the segment that proves it.
#pragma once

#include <array>
#include <cstdint>

#include "wire/half_connection.hpp"
#include "wire/seen_segment.hpp"
#include "wire/window_scale.hpp"

namespace tcpwitness {

class Acceptance {
 public:
  // every: each segment is observed. Otherwise numbers and windows may be older than they seem, and prove less.
  Acceptance() = default;
  explicit Acceptance(bool every) : every_(every) {}

  struct Answer {
    bool refused = false;
    bool resumed = false;        // the RST before was not taken: its receiver goes on
    bool restarted = false;      // the sender's numbers are those of its second SYN-ACK: the peer took that one
    bool renumbered = false;     // a SYN with another number than its sender is known to have begun with
    bool shows_window = false;   // new payload, more than a probe's byte: the closed window had been opened, unseen
    bool denies_window = false;  // it had not: the payload was not taken, and the window is still closed
    bool crossed = false;        // a SYN-ACK of one that had sent a SYN: both connect at once (RFC 9293, 3.5)
    bool doubted = false;        // it changes nothing yet: one of the four above
    bool withdrawn = false;  // the sender's doubted segment was never sent: it goes on before that, or begins elsewhere
    bool believed = false;   // far() of believed_side, doubted before, was taken
    std::uint8_t believed_side = 0;
    std::uint16_t event_flags = 0;  // what taking it did: take() in half_connection.hpp
    std::uint32_t isn = 0;          // if restarted, of the receiver of this segment
  };
  // The next segment; side 0 or 1 sent it.
  [[nodiscard]] Answer observe(const SeenSegment& g, unsigned side);
  // What that side has sent, by what the other one took.
  [[nodiscard]] const HalfConnection& half(unsigned side) const { return sides_[side].half; }
  // The newest segment of that side that was doubted.
  [[nodiscard]] const SeenSegment& far(unsigned side) const { return sides_[side].far; }

 private:
  struct Side {
    HalfConnection half;
    SeenSegment far;
    std::uint32_t far_ack = 0;
    std::uint32_t edge = 0;  // the right edge of its window
    std::uint32_t pushed =
        0;  // of the first payload that it sent into the other's closed window since that one's newest ACK
    std::uint32_t other_isn = 0;  // of a second SYN-ACK
    WindowScale scale;
    bool opened : 1 = false;  // it sent a segment without SYN
    bool other : 1 = false;   // other_isn is known
    bool has_far : 1 = false;
    bool has_far_ack : 1 = false;
    bool has_pushed : 1 = false;
  };

  [[nodiscard]] bool refuses(const SeenSegment& g, const Side& me, const Side& peer) const;
  [[nodiscard]] bool refuses_reset(const SeenSegment& g, const Side& me, const Side& peer) const;
  void settle(const SeenSegment& g, unsigned side, Answer& answer);
  void believe(unsigned side, Answer& answer);
  [[nodiscard]] bool doubts(const SeenSegment& g, unsigned side);
  [[nodiscard]] static bool doubts_number(const SeenSegment& g, const Side& me, const Side& peer);
  [[nodiscard]] static bool doubts_acknowledgement(const SeenSegment& g, Side& me, const Side& peer);
  void look_at_window(const SeenSegment& g, unsigned side, Answer& answer);
  [[nodiscard]] bool resumes(const SeenSegment& g, unsigned side);
  static void note_edge(const SeenSegment& g, Side& me, const Side& peer);

  std::array<Side, 2> sides_;
  TimeNs reset_ts_ns_ = 0;
  std::array<std::uint32_t, 2> at_reset_{};  // SND.NXT of both sides then
  unsigned reset_side_ = 0;                  // which sent it
  bool every_ = true;
  bool reset_ = false;     // a RST was believed
  bool answered_ = false;  // its sender acknowledged what was sent behind it
};

}  // namespace tcpwitness
