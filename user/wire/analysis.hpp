// SPDX-License-Identifier: Apache-2.0
// analysis.hpp: each segment of a conversation in Wireshark's terms, from the segments before it alone.
//
// A state machine over two directions, a few dozen bytes each: the highest sequence number sent, the
// newest acknowledgement and window, the duplicate ACKs in a row. docs/wire-analysis.md says each rule in
// words. Sequence arithmetic is modulo 2^32 (RFC 9293, section 3.4); time comes with the segments.
#pragma once

#include <array>
#include <cstdint>

#include "tcpwitness/tcp.hpp"
#include "tcpwitness/wire.hpp"
#include "wire/seen_segment.hpp"
#include "wire/window_scale.hpp"

namespace tcpwitness {

class WireAnalysis {
 public:
  // The next segment; side 0 or 1 sent it. Analysis::frame is the caller's.
  [[nodiscard]] Analysis observe(const SeenSegment& g, unsigned side);
  // The numbers of a side begin here after all.
  void restart(unsigned side, std::uint32_t start);

 private:
  // One direction: what its sender has sent, acknowledged and offered so far.
  struct Side {
    TimeNs next_ts_ns = 0;         // when `next` was reached
    TimeNs newest_ts_ns = 0;       // its newest segment
    std::uint32_t next = 0;        // the sequence number after the highest one sent
    std::uint32_t unbroken = 0;    // the same before the first hole: what the peer may acknowledge
    std::uint32_t ack = 0;         // of its newest segment
    std::uint32_t duplicates = 0;  // acknowledgements of `ack` in a row
    std::uint32_t flags = 0;       // of its newest segment, in Wireshark's words
    std::uint16_t window = 0;      // of its newest segment, unscaled
    std::uint16_t mptcp = 0;       // of its newest segment
    std::uint8_t single = 0;       // the newest new segment was a single byte: its flags
    WindowScale scale;
    bool sent : 1 = false;  // next is known
    bool has_unbroken : 1 = false;
    bool beyond_reported : 1 = false;  // the peer acknowledged more than `next`, and that was reported
    bool acked : 1 = false;            // it has acknowledged more than a SYN
    bool unscaled : 1 = false;         // the newest window came with a SYN
    bool begun : 1 = false;            // it sent more than a SYN
    bool closed : 1 = false;           // it sent a FIN
    bool probed : 1 = false;  // its newest segment was a probe into a closed window that has a keep-alive's form
  };

  static std::uint32_t before_numbers(const SeenSegment& g, Side& me, Side& peer);
  static std::uint32_t unseen(Side& peer);
  static bool no_keep_alive(const SeenSegment& g, const Side& me, const Side& peer);
  static std::uint32_t in_our_words(std::uint32_t found, const SeenSegment& g, Side& me, const Side& peer);
  [[nodiscard]] static bool acknowledged_before(const SeenSegment& g, const Side& peer);
  [[nodiscard]] std::uint32_t sent_again(const SeenSegment& g, const Side& me, const Side& peer) const;
  void note_handshake(const SeenSegment& g);

  std::array<Side, 2> sides_;
  TimeNs syn_ts_ns_ = 0;           // the newest SYN
  std::int64_t first_rtt_ns_ = 0;  // SYN to the handshake's last ACK; 0: not known
  bool syn_seen_ = false;
};

}  // namespace tcpwitness
