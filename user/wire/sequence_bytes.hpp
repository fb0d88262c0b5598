// SPDX-License-Identifier: Apache-2.0
// sequence_bytes.hpp: one direction's payload, counted by sequence number: each byte once, however often sent.
//
// Always: payload = retransmitted + range - missing. A hole that a later segment fills is missing no more. Only so
// many holes are remembered; the bytes of a forgotten one stay missing, and what fills it counts as sent again.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace tcpwitness {

class SequenceBytes {
 public:
  static constexpr std::size_t holes_limit = 16;

  // A segment's payload and flags, as in its header. The number of a RST proves nothing, and its payload is words about
  // it (RFC 9293, 3.5.3), no part of the stream.
  void sent(std::uint32_t seq, std::uint32_t len, std::uint8_t flags);
  // The peer acknowledged everything before `ack`: what of it was not seen is missing.
  void acknowledged(std::uint32_t ack) {
    if (!known_ || jumped_ || ack != static_cast<std::uint32_t>(high_)) slow_acknowledged(ack);
  }
  // Payload that its receiver cannot have taken: seen, and not of the stream.
  void refused(std::uint32_t len) {
    payload_ += len;
    retransmitted_ += len;
  }
  // The number was acknowledged or passed over, and not seen.
  [[nodiscard]] bool in_hole(std::uint32_t number) const { return holes_ && hole_has(number); }
  // This payload was all seen before. (Not where holes were forgotten: it may fill one.)
  [[nodiscard]] bool has_all(std::uint32_t seq, std::uint32_t len) const;
  // Its receiver had taken it after all.
  void refused_was_taken(std::uint32_t seq, std::uint32_t len, std::uint8_t flags) {
    payload_ -= len;
    retransmitted_ -= len;
    sent(seq, len, flags);
  }
  // Its numbers begin here after all.
  void restart(std::uint32_t start);

  [[nodiscard]] std::uint64_t payload() const { return payload_; }
  [[nodiscard]] std::uint64_t retransmitted() const { return retransmitted_; }
  [[nodiscard]] std::uint64_t range() const { return range_; }
  [[nodiscard]] std::uint64_t missing() const { return missing_; }

 private:
  struct Holes {
    struct Hole {
      std::uint64_t from = 0;
      std::uint64_t to = 0;
    };
    std::array<Hole, holes_limit> hole{};
    std::size_t count = 0;
  };

  void slow_sent(std::uint32_t start, std::uint32_t len, std::uint32_t consumed);
  void slow_acknowledged(std::uint32_t ack);
  void jump(std::uint32_t start, std::uint32_t len, std::uint32_t consumed);
  [[nodiscard]] bool only_probed(std::uint32_t ahead) const;
  [[nodiscard]] bool hole_has(std::uint32_t number) const;
  void open(std::uint64_t from, std::uint64_t to);
  // How much of the payload from `from` to `to` lies in holes; they are closed.
  [[nodiscard]] std::uint64_t fill(std::uint64_t from, std::uint64_t to);
  void extend_down(std::uint64_t start);

  std::uint64_t payload_ = 0;
  std::uint64_t retransmitted_ = 0;
  std::uint64_t range_ = 0;
  std::uint64_t missing_ = 0;
  std::unique_ptr<Holes> holes_;
  // Sequence numbers that do not wrap: their lower half is what the segments have.
  std::uint64_t low_ = 0;          // the first of the range
  std::uint64_t high_ = 0;         // the one after the highest
  std::uint32_t jumped_from_ = 0;  // high_ before it jumped further than any window
  std::uint32_t far_ack_ = 0;      // an acknowledgement further away than any window
  bool known_ = false;
  bool from_syn_ = false;  // low_ is behind the SYN: nothing comes before it
  bool jumped_ = false;    // and the peer has not acknowledged it yet
  bool far_acked_ = false;
  bool forgot_hole_ = false;
};

}  // namespace tcpwitness
