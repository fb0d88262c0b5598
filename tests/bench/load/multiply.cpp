// SPDX-License-Identifier: Apache-2.0
// multiply.cpp: a long capture from a short one: the same real traffic again and again, each time later and
// from other clients, so that no connection is repeated.
//
//   tw_multiply SHORT.pcap LONG.pcap BYTES
//
// Takes what tcpdump writes here: pcap, this machine's byte order, microseconds or nanoseconds, Ethernet,
// IPv4. The copy's number goes into the second and third byte of both addresses (10.x.y.z); checksums are
// left as they were, nothing here verifies them.
#include <array>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string_view>
#include <vector>

namespace {

struct PacketHeader {
  std::uint32_t seconds;
  std::uint32_t fraction;
  std::uint32_t captured;
  std::uint32_t wire;
};

constexpr std::size_t file_header_bytes = 24;
constexpr std::size_t ip_at = 14;
constexpr std::array<std::size_t, 2> addresses_at{ip_at + 12, ip_at + 16};

int fail(const char* what) {
  std::fprintf(stderr, "tw_multiply: %s\n", what);
  return 1;
}

// Rewrites every IPv4 address of the packet for copy `number`.
void readdress(char* packet, std::uint32_t captured, std::uint32_t number) {
  if (captured < ip_at + 20 || packet[12] != 8 || packet[13] != 0) return;
  for (const std::size_t at : addresses_at) {
    packet[at] = 10;
    packet[at + 1] = static_cast<char>(number >> 8);
    packet[at + 2] = static_cast<char>(number);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return fail("usage: tw_multiply SHORT.pcap LONG.pcap BYTES");
  const std::string_view wanted_text = argv[3];
  std::uint64_t wanted = 0;
  if (std::from_chars(wanted_text.data(), wanted_text.data() + wanted_text.size(), wanted).ec != std::errc{})
    return fail("BYTES is no number");
  std::ifstream in(argv[1], std::ios::binary);
  std::vector<char> bytes{std::istreambuf_iterator<char>(in), {}};
  if (bytes.size() <= file_header_bytes) return fail("SHORT is no capture");
  std::ofstream out(argv[2], std::ios::binary);
  out.write(bytes.data(), file_header_bytes);
  std::uint64_t written = file_header_bytes;
  std::uint32_t span_seconds = 0;
  for (std::uint32_t number = 0; written < wanted; ++number) {
    std::uint32_t first = 0;
    std::uint32_t last = 0;
    for (std::size_t at = file_header_bytes; at + sizeof(PacketHeader) <= bytes.size();) {
      PacketHeader header;
      std::memcpy(&header, bytes.data() + at, sizeof header);
      if (at + sizeof header + header.captured > bytes.size()) return fail("SHORT is cut off");
      if (number == 0) {
        if (first == 0) first = header.seconds;
        last = header.seconds;
      }
      header.seconds += number * span_seconds;
      char* packet = bytes.data() + at + sizeof header;
      readdress(packet, header.captured, number);
      out.write(reinterpret_cast<const char*>(&header), sizeof header);
      out.write(packet, header.captured);
      at += sizeof header + header.captured;
    }
    if (number == 0) span_seconds = last - first + 1;
    written += bytes.size() - file_header_bytes;
  }
  out.close();
  return out ? 0 : fail("LONG could not be written");
}
