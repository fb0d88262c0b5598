// SPDX-License-Identifier: Apache-2.0
// capture_bytes.hpp: a pcap file, byte by byte: Ethernet frames with TCP over IPv4 in them, and some without.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "tcpwitness/tcp.hpp"

namespace tcpwitness::read_test {

inline constexpr std::uint64_t began_us = 1'760'000'000'000'000;  // 2025-10-09 08:53:20 UTC

class Capture {
 public:
  Capture() {
    put(std::uint32_t{0xa1b2c3d4});  // microseconds, this machine's byte order
    put(std::uint16_t{2});
    put(std::uint16_t{4});
    put(std::uint32_t{0});
    put(std::uint32_t{0});
    put(std::uint32_t{262'144});
    put(std::uint32_t{1});  // Ethernet
  }

  struct Tcp {
    std::uint8_t from = 1;  // 10.0.0.from
    std::uint8_t to = 2;
    std::uint16_t from_port = 40'000;
    std::uint16_t to_port = 80;
    std::uint32_t seq = 0;
    std::uint32_t ack = 0;
    std::uint8_t flags = tcp_flag::ack;
    std::uint16_t len = 0;
  };
  Capture& tcp(const Tcp& s) {
    std::string frame(12, '\0');
    frame += std::string("\x08\x00", 2);
    const auto net16 = [&](std::uint32_t value) {
      frame += static_cast<char>(value >> 8U);
      frame += static_cast<char>(value);
    };
    const auto net32 = [&](std::uint32_t value) {
      net16(value >> 16U);
      net16(value);
    };
    net16(0x4500);
    net16(40U + s.len);
    net32(0x0000'4000);
    net32(0x4006'0000);
    net32(0x0a00'0000U + s.from);
    net32(0x0a00'0000U + s.to);
    net16(s.from_port);
    net16(s.to_port);
    net32(s.seq);
    net32(s.ack);
    net16(0x5000U | s.flags);
    net16(64'240);
    net32(0);
    frame.append(s.len, 'x');
    return raw(frame);
  }
  // A frame that is no IP.
  Capture& arp() { return raw(std::string(12, '\0') + std::string("\x08\x06", 2) + std::string(28, '\0')); }

  Capture& raw(std::string_view frame) {
    put(static_cast<std::uint32_t>(now_us_ / 1'000'000));
    put(static_cast<std::uint32_t>(now_us_ % 1'000'000));
    put(static_cast<std::uint32_t>(frame.size()));
    put(static_cast<std::uint32_t>(frame.size()));
    bytes += frame;
    now_us_ += 1'000;
    return *this;
  }
  Capture& after_ms(std::uint64_t ms) {
    now_us_ += ms * 1'000;
    return *this;
  }

  // Three segments that open, `len` bytes and their acknowledgement.
  Capture& open(std::uint16_t port, std::uint16_t len = 100, std::uint8_t client = 1) {
    using namespace tcp_flag;
    const auto to = [&](Tcp s) { return s.from = client, s.from_port = port, tcp(s), 0; };
    const auto back = [&](Tcp s) { return s.from = 2, s.to = client, s.from_port = 80, s.to_port = port, tcp(s), 0; };
    to({.seq = 999, .flags = syn});
    back({.seq = 4'999, .ack = 1'000, .flags = syn | ack});
    to({.seq = 1'000, .ack = 5'000});
    to({.seq = 1'000, .ack = 5'000, .flags = psh | ack, .len = len});
    back({.seq = 5'000, .ack = 1'000U + len});
    return *this;
  }
  // The client closes first.
  Capture& close(std::uint16_t port, std::uint16_t len = 100, std::uint8_t client = 1) {
    using namespace tcp_flag;
    const std::uint32_t end = 1'000U + len;
    tcp({.from = client, .from_port = port, .seq = end, .ack = 5'000, .flags = fin | ack});
    tcp({.from = 2, .to = client, .from_port = 80, .to_port = port, .seq = 5'000, .ack = end + 1, .flags = fin | ack});
    tcp({.from = client, .from_port = port, .seq = end + 1, .ack = 5'001});
    return *this;
  }
  Capture& whole(std::uint16_t port, std::uint16_t len = 100, std::uint8_t client = 1) {
    return open(port, len, client).close(port, len, client);
  }

  std::string bytes;

 private:
  template <typename T>
  void put(T value) {
    char raw_bytes[sizeof value];
    std::memcpy(raw_bytes, &value, sizeof value);
    bytes.append(raw_bytes, sizeof value);
  }
  std::uint64_t now_us_ = began_us;
};

}  // namespace tcpwitness::read_test
