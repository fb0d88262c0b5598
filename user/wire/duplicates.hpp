// SPDX-License-Identifier: Apache-2.0
// duplicates.hpp: packets that a capture has twice (a capture on "any", a bridge, a mirror port, both sides of a
// router).
//
// The same addresses, numbers, flags, window, checksum and IP identification a moment later are the same packet: a
// retransmission has an identification of its own. Where there is none (IPv6, or 0) the copy has a lower TTL, behind a
// router, or another interface of the capture; else only those count that come within microseconds (a SYN: within a
// millisecond), as no TCP sends again. Both ends of a path in one file: an identified copy with another TTL may come
// later, as late as no retransmission comes. The time counts from the copy before. (512 packets are kept for it.)
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>

#include "tcpwitness/wire.hpp"

namespace tcpwitness {

class Duplicates {
 public:
  // Remembers the frame. The interface on which it was captured before, if it was.
  [[nodiscard]] std::optional<std::uint32_t> seen_before(const TcpFrame& frame);

 private:
  struct Packet {
    Endpoint source;
    Endpoint destination;
    TimeNs ts_ns = 0;
    std::uint32_t seq = 0;
    std::uint32_t ack = 0;
    std::uint32_t len = 0;
    std::uint32_t interface = 0;
    std::uint16_t window = 0;
    std::uint16_t ip_id = 0;
    std::uint16_t checksum = 0;
    std::uint8_t flags = 0;
    std::uint8_t ttl = 0;
    bool used = false;
  };
  static constexpr std::size_t size = 512;  // a moment's packets, by their numbers
  std::unique_ptr<std::array<Packet, size>> packets_ = std::make_unique<std::array<Packet, size>>();
};

}  // namespace tcpwitness
