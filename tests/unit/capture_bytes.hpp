// SPDX-License-Identifier: Apache-2.0
// capture_bytes.hpp: captures and frames as tests write them, byte by byte.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>
#include <vector>

namespace tcpwitness::testing {

// Appends integers in one byte order.
class Bytes {
 public:
  explicit Bytes(bool big_endian = true) : big_endian_(big_endian) {}

  Bytes& u8(unsigned value) {
    bytes_.push_back(static_cast<std::byte>(value));
    return *this;
  }
  Bytes& u16(std::uint64_t value) { return number(value, 2); }
  Bytes& u32(std::uint64_t value) { return number(value, 4); }
  Bytes& u64(std::uint64_t value) { return number(value, 8); }
  Bytes& zeros(std::size_t count) {
    bytes_.resize(bytes_.size() + count);
    return *this;
  }
  Bytes& text(std::string_view text) {
    for (const char c : text) u8(static_cast<unsigned char>(c));
    return *this;
  }
  Bytes& add(std::span<const std::byte> more) {
    bytes_.insert(bytes_.end(), more.begin(), more.end());
    return *this;
  }
  Bytes& add(const Bytes& more) { return add(more.span()); }
  Bytes& pad4() { return zeros((4 - bytes_.size() % 4) % 4); }

  [[nodiscard]] std::size_t size() const { return bytes_.size(); }
  [[nodiscard]] bool big_endian() const { return big_endian_; }
  [[nodiscard]] std::span<const std::byte> span() const { return bytes_; }
  [[nodiscard]] std::vector<std::byte>& raw() { return bytes_; }

 private:
  Bytes& number(std::uint64_t value, unsigned count) {
    for (unsigned i = 0; i < count; i++) u8((value >> (8 * (big_endian_ ? count - 1 - i : i))) & 0xffU);
    return *this;
  }
  std::vector<std::byte> bytes_;
  bool big_endian_;
};

// A classic pcap file.
struct Pcap {
  explicit Pcap(bool big_endian = false, std::uint32_t magic = 0xa1b2c3d4, std::uint32_t link_type = 1)
      : file(big_endian), patched(magic == 0xa1b2cd34) {
    file.u32(magic).u16(2).u16(4).u32(0).u32(0).u32(65535).u32(link_type);
  }
  // wire 0: as long as what was captured.
  Pcap& packet(const Bytes& data, std::uint32_t seconds = 1, std::uint32_t fraction = 0, std::uint32_t wire = 0) {
    file.u32(seconds).u32(fraction).u32(data.size()).u32(wire != 0 ? wire : data.size());
    if (patched) file.zeros(8);
    file.add(data);
    return *this;
  }
  Bytes file;
  bool patched;
};

// A pcapng file.
struct Pcapng {
  explicit Pcapng(bool big_endian = false, std::string_view application = {}) : file(big_endian) {
    section(application);
  }
  Pcapng& block(std::uint32_t type, Bytes body) {
    body.pad4();
    file.u32(type).u32(body.size() + 12).add(body).u32(body.size() + 12);
    return *this;
  }
  [[nodiscard]] Bytes body() const { return Bytes(file.big_endian()); }
  static void option(Bytes& to, unsigned code, const Bytes& value) { to.u16(code).u16(value.size()).add(value).pad4(); }
  Pcapng& section(std::string_view application = {}) {
    Bytes of = body();
    of.u32(0x1a2b3c4d).u16(1).u16(0).u64(~std::uint64_t{0});
    if (!application.empty()) option(of, 4, body().text(application));
    return block(0x0a0d0d0a, of);
  }
  Pcapng& interface(unsigned link_type = 1, std::string_view name = {}, int resolution = -1, std::uint64_t offset = 0,
                    std::uint32_t snaplen = 0) {
    Bytes of = body();
    of.u16(link_type).u16(0).u32(snaplen);
    if (!name.empty()) option(of, 2, body().text(name));
    if (resolution >= 0) option(of, 9, body().u8(static_cast<unsigned>(resolution)));
    if (offset != 0) option(of, 14, body().u64(offset));
    if (of.size() > 8) of.u32(0);
    return block(1, of);
  }
  Pcapng& packet(const Bytes& data, std::uint64_t ticks = 0, std::uint32_t interface = 0, std::uint32_t wire = 0,
                 const Bytes& options = Bytes()) {
    Bytes of = body();
    of.u32(interface).u32(ticks >> 32U).u32(ticks & 0xffffffffU).u32(data.size());
    of.u32(wire != 0 ? wire : data.size()).add(data).pad4().add(options);
    return block(6, of);
  }
  Bytes file;
};

// Headers, each around what it carries.
struct TcpHeader {
  unsigned source = 40000;
  unsigned destination = 80;
  std::uint32_t seq = 1000;
  std::uint32_t ack = 2000;
  unsigned flags = 0x18;
  unsigned window = 500;
  Bytes options{};
  unsigned checksum = 0;
};

[[nodiscard]] inline Bytes tcp(std::size_t payload, const TcpHeader& header = {}) {
  Bytes options = header.options;
  options.pad4();
  Bytes segment;
  segment.u16(header.source).u16(header.destination).u32(header.seq).u32(header.ack);
  segment.u8(static_cast<unsigned>((20 + options.size()) / 4) << 4U).u8(header.flags).u16(header.window);
  return segment.u16(header.checksum).u16(0).add(options).zeros(payload);
}

struct Ipv4Header {
  unsigned protocol = 6;
  int total = -1;  // as it is
  unsigned id = 7;
  unsigned offset = 0;  // bytes
  bool more = false;
  std::size_t options = 0;  // bytes of them
};

[[nodiscard]] inline Bytes ipv4(const Bytes& payload, const Ipv4Header& header = {}) {
  const std::size_t length = 20 + header.options;
  Bytes packet;
  packet.u8(0x40U | static_cast<unsigned>(length / 4)).u8(0);
  packet.u16(header.total >= 0 ? static_cast<unsigned>(header.total) : length + payload.size());
  packet.u16(header.id).u16((header.more ? 0x2000U : 0U) | header.offset / 8).u8(64).u8(header.protocol).u16(0);
  return packet.u32(0x0a000001).u32(0x0a000002).zeros(header.options).add(payload);
}

[[nodiscard]] inline Bytes ipv6(const Bytes& payload, unsigned next = 6, int length = -1) {
  Bytes packet;
  packet.u32(0x60000000).u16(length >= 0 ? static_cast<unsigned>(length) : payload.size()).u8(next).u8(64);
  return packet.u64(0x20010db800000000).u64(1).u64(0x20010db800000000).u64(2).add(payload);
}

[[nodiscard]] inline Bytes ethernet(const Bytes& payload, unsigned type = 0x0800) {
  return Bytes().zeros(12).u16(type).add(payload);
}

[[nodiscard]] inline Bytes udp(const Bytes& payload, unsigned destination, unsigned source = 50000) {
  return Bytes().u16(source).u16(destination).u16(payload.size() + 8).u16(0).add(payload);
}

}  // namespace tcpwitness::testing
