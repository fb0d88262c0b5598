// SPDX-License-Identifier: Apache-2.0
//
// A hand-made TCP segment over IPv4: built with right checksums, or read back from the wire. Flags are letters in
// tcpdump's spirit but always in this order: S F R P A U ("SA", "FA", "PA", "R"). Of the options only timestamps are
// modelled; a SYN also carries an MSS.

#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tcpwitness::lab {

struct Timestamps {
  uint32_t value = 0;
  uint32_t echo = 0;
};

struct Segment {
  std::string src_ip;
  std::string dst_ip;
  uint16_t src_port = 0;
  uint16_t dst_port = 0;
  uint32_t seq = 0;
  uint32_t ack = 0;
  std::string flags;
  uint16_t window = 65000;
  std::string data;
  std::optional<Timestamps> timestamps;
  uint8_t ttl = 64;
  bool damaged = false;  // its checksum is wrong

  // How far it moves the sequence number: SYN and FIN count one each.
  uint32_t sequence_length() const;
};

// The whole IPv4 packet.
std::vector<uint8_t> build(const Segment& segment);
// From an IPv4 packet; nothing if it holds no complete TCP header.
std::optional<Segment> parse(std::span<const uint8_t> packet);

}  // namespace tcpwitness::lab
