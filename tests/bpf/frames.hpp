// SPDX-License-Identifier: Apache-2.0
// frames.hpp: a packet builder. Every header stack that the wire programs claim to read, byte by byte.
//
// A Stack is what lies below TCP, a Segment is TCP and its payload; build() puts one on the other and
// says where each header begins, so that a test can break exactly one field. Checksums are zero: the
// programs do not look at them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tcpwitness::wire_test {

using Bytes = std::vector<std::uint8_t>;

enum TcpFlags : std::uint8_t { fin = 1, syn = 2, rst = 4, psh = 8, ack = 16, urg = 32, ece = 64, cwr = 128 };

enum class Family { ipv4, ipv6 };

// An address in its mapped form, and a port.
struct Endpoint {
  std::array<std::uint8_t, 16> address{};
  std::uint16_t port = 0;
  bool operator==(const Endpoint&) const = default;
};

Endpoint ipv4_endpoint(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d, std::uint16_t port);
Endpoint ipv6_endpoint(std::uint16_t net, std::uint16_t host, std::uint16_t port);  // 2001:db8:<net>::<host>

struct Segment {
  std::uint32_t seq = 0x11223344;
  std::uint32_t ack_number = 0x55667788;
  std::uint8_t flags = ack;
  std::uint16_t window = 0x1234;
  Bytes options{};  // a multiple of 4 bytes, at most 40
  Bytes payload{};
  std::optional<std::uint8_t> data_offset{};  // in words, instead of the true one
  bool copy = false;                          // in a Conversation: the packet before it, once more
};

// TCP options, one by one; joined() adds them up and pads to 4 bytes.
Bytes option_mss(std::uint16_t mss);
Bytes option_wscale(std::uint8_t shift);
Bytes option_sack_permitted();
Bytes option_sack(std::uint32_t left, std::uint32_t right);
Bytes option_timestamps(std::uint32_t value, std::uint32_t echo);
Bytes option_mptcp_capable();
Bytes option_fast_open(std::size_t cookie_bytes);
Bytes joined(const std::vector<Bytes>& options);

struct Tag {
  std::uint16_t protocol = 0x8100;
  std::uint16_t id = 0;
  std::uint8_t priority = 0;
};

// An IPv6 extension header without its first byte (the next header), which build() writes.
struct Extension {
  std::uint8_t type = 0;
  Bytes rest{};
};
Extension hop_by_hop(std::uint8_t units = 0);   // 8 * (units + 1) bytes
Extension destination(std::uint8_t units = 0);  // the same
Extension routing(std::uint8_t segments);       // one address each
Extension mobility();
Extension authentication(std::uint8_t icv_words);
Extension fragment(std::uint16_t offset_units, bool more);

struct Stack {
  std::string name{};
  Family family = Family::ipv4;
  bool raw_ip = false;
  std::vector<Tag> tags{};
  Bytes ipv4_options{};
  std::uint16_t ipv4_fragment = 0x4000;  // flags and offset
  std::vector<Extension> chain{};
  std::uint8_t ttl = 61;
  std::uint16_t ip_id = 0x4711;
  std::size_t trailer = 0;  // bytes after the IP packet: Ethernet padding
};

struct Frame {
  Bytes bytes{};
  std::size_t ip = 0;       // where the IP header begins
  std::size_t tcp = 0;      // where the TCP header begins
  std::size_t payload = 0;  // where the payload begins
};

// The device that build() addresses a frame to: that of `tw0`.
inline constexpr std::array<std::uint8_t, 6> own_address{2, 0, 0, 0, 0, 2};

Frame build(const Stack& stack, const Endpoint& from, const Endpoint& to, const Segment& segment);

// The stacks of the parsing table; raw_ip ones are for the *_ip programs.
std::vector<Stack> all_stacks();

void put16(Bytes& bytes, std::size_t at, std::uint16_t value);
std::uint16_t get16(const Bytes& bytes, std::size_t at);

}  // namespace tcpwitness::wire_test
