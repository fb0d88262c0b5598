// SPDX-License-Identifier: Apache-2.0
#include "capture/tcp_frames.hpp"

#include <algorithm>

#include "capture/network_order.hpp"
#include "capture/slice.hpp"
#include "capture/tcp_header.hpp"

namespace tcpwitness {
namespace {

constexpr std::uint16_t ether_ipv4 = 0x0800;
constexpr std::uint16_t ether_ipv6 = 0x86dd;
constexpr std::uint16_t ether_vlan = 0x8100;
constexpr std::uint16_t ether_provider_vlan = 0x88a8;
constexpr std::uint16_t ether_old_provider_vlan = 0x9100;

constexpr std::uint8_t protocol_tcp = 6;

}  // namespace

struct TcpFrames::Impl {
  bool link(std::uint16_t link_type, Slice slice, TcpFrame& tcp) {
    switch (link_type) {
      case 1:
        return ethernet(slice, tcp);
      case 12:
      case 14:
      case 101:
        return ip(slice, tcp);
      default:
        return false;
    }
  }

  bool ethernet(Slice slice, TcpFrame& tcp) {
    if (slice.captured < 14) return false;
    const std::uint16_t type = be16(slice.at + 12);
    slice.skip(14);
    return ether_type(type, slice, tcp);
  }

  bool ether_type(std::uint16_t type, Slice slice, TcpFrame& tcp) {
    while (type == ether_vlan || type == ether_provider_vlan || type == ether_old_provider_vlan) {
      if (slice.captured < 4) return false;
      tcp.vlan_id = be16(slice.at) & 0x0fffU;
      type = be16(slice.at + 2);
      slice.skip(4);
    }
    if (type == ether_ipv4) return ipv4(slice, tcp);
    if (type == ether_ipv6) return ipv6(slice, tcp);
    return false;
  }

  bool ip(Slice slice, TcpFrame& tcp) {
    if (slice.captured < 1) return false;
    const unsigned version = byte_at(slice.at) >> 4U;
    return version == 4 ? ipv4(slice, tcp) : version == 6 && ipv6(slice, tcp);
  }

  bool ipv4(Slice slice, TcpFrame& tcp) {
    if (slice.captured < 20 || byte_at(slice.at) >> 4U != 4) return false;
    const std::byte* at = slice.at;
    const std::uint32_t header = (byte_at(at) & 15U) * 4;
    std::uint32_t total = be16(at + 2);
    if (total == 0) total = slice.wire;  // left to segmentation offload
    if (header < 20 || total < header || slice.captured < header) return false;
    tcp.source.address = mapped(at + 12);
    tcp.destination.address = mapped(at + 16);
    tcp.ttl = byte_at(at + 8);
    slice.limit(total);
    slice.skip(header);
    if ((be16(at + 6) & 0x3fffU) != 0) return false;
    return byte_at(at + 9) == protocol_tcp && read_tcp(slice.bytes(), slice.wire, tcp);
  }

  bool ipv6(Slice slice, TcpFrame& tcp) {
    if (slice.captured < 40 || byte_at(slice.at) >> 4U != 6) return false;
    const std::byte* at = slice.at;
    std::memcpy(tcp.source.address.bytes.data(), at + 8, 16);
    std::memcpy(tcp.destination.address.bytes.data(), at + 24, 16);
    tcp.ttl = byte_at(at + 7);
    slice.limit(std::uint32_t{be16(at + 4)} + 40);
    slice.skip(40);
    return byte_at(at + 6) == protocol_tcp && read_tcp(slice.bytes(), slice.wire, tcp);
  }

  static Address mapped(const std::byte* at) {
    Address address;
    address.bytes[10] = address.bytes[11] = 0xff;
    std::memcpy(address.bytes.data() + 12, at, 4);
    return address;
  }
};

TcpFrames::TcpFrames() : impl_(std::make_unique<Impl>()) {}
TcpFrames::~TcpFrames() = default;

bool TcpFrames::parse(const CaptureBlock& block, TcpFrame& tcp) {
  if (block.kind != CaptureBlock::Kind::frame) return false;
  tcp = {};
  tcp.number = block.number;
  tcp.ts_ns = block.ts_ns;
  tcp.frame_len = block.wire_len;
  tcp.interface = block.interface;
  const auto captured = static_cast<std::uint32_t>(std::min<std::size_t>(block.bytes.size(), block.wire_len));
  return impl_->link(block.link_type, {block.bytes.data(), captured, block.wire_len}, tcp);
}

}  // namespace tcpwitness
