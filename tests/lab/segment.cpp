// SPDX-License-Identifier: Apache-2.0
//
// Bytes to segments and back, with RFC 1071 checksums. See segment.hpp.

#include "lab/segment.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace tcpwitness::lab {
namespace {

constexpr size_t ip_header = 20;
constexpr size_t tcp_header = 20;
constexpr size_t mss_option = 4;
constexpr size_t timestamp_option = 12;  // two NOPs before it
constexpr uint8_t protocol_tcp = 6;

struct Flag {
  char letter;
  uint8_t bit;
};
constexpr std::array<Flag, 6> all_flags = {
    {{'S', 0x02}, {'F', 0x01}, {'R', 0x04}, {'P', 0x08}, {'A', 0x10}, {'U', 0x20}}};

void put16(uint8_t* at, uint16_t value) {
  at[0] = static_cast<uint8_t>(value >> 8);
  at[1] = static_cast<uint8_t>(value);
}
void put32(uint8_t* at, uint32_t value) {
  put16(at, static_cast<uint16_t>(value >> 16));
  put16(at + 2, static_cast<uint16_t>(value));
}
uint16_t get16(const uint8_t* at) { return static_cast<uint16_t>(at[0] << 8 | at[1]); }
uint32_t get32(const uint8_t* at) { return static_cast<uint32_t>(get16(at)) << 16 | get16(at + 2); }

uint32_t sum16(std::span<const uint8_t> bytes, uint32_t sum = 0) {
  for (size_t i = 0; i + 1 < bytes.size(); i += 2) sum += get16(&bytes[i]);
  if (bytes.size() % 2) sum += static_cast<uint32_t>(bytes.back() << 8);
  return sum;
}

uint16_t checksum(uint32_t sum) {
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>(~sum);
}

std::string address(const uint8_t* at) {
  char text[INET_ADDRSTRLEN];
  ::inet_ntop(AF_INET, at, text, sizeof text);
  return text;
}

std::optional<Timestamps> timestamps_of(std::span<const uint8_t> options) {
  constexpr uint8_t end = 0, nop = 1, timestamps = 8;
  while (!options.empty() && options[0] != end) {
    size_t size = 1;
    if (options[0] != nop) {
      if (options.size() < 2 || options[1] < 2 || options[1] > options.size()) break;
      size = options[1];
      if (options[0] == timestamps && size == 10) return Timestamps{get32(&options[2]), get32(&options[6])};
    }
    options = options.subspan(size);
  }
  return std::nullopt;
}

}  // namespace

uint32_t Segment::sequence_length() const {
  const auto has = [this](char letter) { return flags.find(letter) != std::string::npos; };
  return static_cast<uint32_t>(data.size()) + has('S') + has('F');
}

std::vector<uint8_t> build(const Segment& segment) {
  const bool syn = segment.flags.find('S') != std::string::npos;
  const size_t header = tcp_header + (syn ? mss_option : 0) + (segment.timestamps ? timestamp_option : 0);
  std::vector<uint8_t> packet(ip_header + header + segment.data.size());

  uint8_t* ip = packet.data();
  ip[0] = 0x45;
  put16(ip + 2, static_cast<uint16_t>(packet.size()));
  ip[6] = 0x40;  // don't fragment
  ip[8] = segment.ttl;
  ip[9] = protocol_tcp;
  ::inet_pton(AF_INET, segment.src_ip.c_str(), ip + 12);
  ::inet_pton(AF_INET, segment.dst_ip.c_str(), ip + 16);
  put16(ip + 10, checksum(sum16({ip, ip_header})));

  uint8_t* tcp = ip + ip_header;
  put16(tcp, segment.src_port);
  put16(tcp + 2, segment.dst_port);
  put32(tcp + 4, segment.seq);
  put32(tcp + 8, segment.ack);
  tcp[12] = static_cast<uint8_t>(header / 4 << 4);
  for (const Flag& flag : all_flags) {
    if (segment.flags.find(flag.letter) != std::string::npos) tcp[13] |= flag.bit;
  }
  put16(tcp + 14, segment.window);
  uint8_t* option = tcp + tcp_header;
  if (syn) {
    put32(option, 0x02040000 | 1460);
    option += mss_option;
  }
  if (segment.timestamps) {
    put32(option, 0x0101080a);
    put32(option + 4, segment.timestamps->value);
    put32(option + 8, segment.timestamps->echo);
  }
  std::copy(segment.data.begin(), segment.data.end(), tcp + header);
  const std::span<const uint8_t> whole(tcp, header + segment.data.size());
  const uint32_t pseudo = sum16({ip + 12, 8}, protocol_tcp + static_cast<uint32_t>(whole.size()));
  put16(tcp + 16, checksum(sum16(whole, pseudo)));
  if (segment.damaged) tcp[16] = static_cast<uint8_t>(~tcp[16]);
  return packet;
}

std::optional<Segment> parse(std::span<const uint8_t> packet) {
  if (packet.size() < ip_header || packet[0] >> 4 != 4 || packet[9] != protocol_tcp) return std::nullopt;
  const size_t ip_size = size_t{packet[0] & 0x0fU} * 4;
  const size_t total = std::min<size_t>(get16(&packet[2]), packet.size());
  if (total < ip_size + tcp_header) return std::nullopt;
  const uint8_t* tcp = packet.data() + ip_size;
  const size_t header = size_t{tcp[12] & 0xf0U} / 4;
  if (header < tcp_header || total < ip_size + header) return std::nullopt;

  Segment segment;
  segment.src_ip = address(&packet[12]);
  segment.dst_ip = address(&packet[16]);
  segment.src_port = get16(tcp);
  segment.dst_port = get16(tcp + 2);
  segment.seq = get32(tcp + 4);
  segment.ack = get32(tcp + 8);
  for (const Flag& flag : all_flags) {
    if (tcp[13] & flag.bit) segment.flags += flag.letter;
  }
  segment.window = get16(tcp + 14);
  segment.ttl = packet[8];
  segment.timestamps = timestamps_of({tcp + tcp_header, header - tcp_header});
  segment.data.assign(reinterpret_cast<const char*>(tcp + header), total - ip_size - header);
  return segment;
}

}  // namespace tcpwitness::lab
