// SPDX-License-Identifier: Apache-2.0
// internet.cpp: IPv4 and IPv6 with all that can stand between them and TCP.
//
// An IP length larger than the frame is no reason to drop it: the frame's own length counts then, as in Wireshark.
#include "capture/layers.hpp"
#include "capture/network_order.hpp"
#include "capture/tcp_header.hpp"

namespace tcpwitness {
namespace {

enum Protocol : std::uint8_t {
  protocol_hop_by_hop = 0,
  protocol_icmp = 1,
  protocol_ipv4 = 4,
  protocol_tcp = 6,
  protocol_udp = 17,
  protocol_ipv6 = 41,
  protocol_routing = 43,
  protocol_fragment = 44,
  protocol_gre = 47,
  protocol_authentication = 51,
  protocol_icmp_v6 = 58,
  protocol_destination_options = 60,
  protocol_ethernet_in_ip = 97,
  protocol_mobility = 135,
  protocol_mpls = 137,
  protocol_host_identity = 139,
  protocol_shim6 = 140,
  protocol_ethernet = 143,
};

std::uint64_t folded(std::uint64_t sum) {
  while (sum > 0xffff) sum = (sum & 0xffffU) + (sum >> 16U);
  return sum;
}

// Options that do not end where the header does, or that no length leads over: a host drops the packet (RFC 791, 3.1;
// ip_options_compile()).
bool broken_options(const std::byte* at, const std::byte* end) {
  constexpr std::uint8_t end_of_list = 0;
  constexpr std::uint8_t no_operation = 1;
  while (at < end && byte_at(at) != end_of_list) {
    if (byte_at(at) == no_operation) {
      ++at;
      continue;
    }
    if (end - at < 2 || byte_at(at + 1) < 2 || byte_at(at + 1) > end - at) return true;
    at += byte_at(at + 1);
  }
  return false;
}

// The jumbo payload option (RFC 2675) of a hop-by-hop header; 0: there is none.
std::uint32_t jumbo_length(const std::byte* at, const std::byte* end) {
  constexpr std::uint8_t padding = 0;
  constexpr std::uint8_t jumbo = 0xc2;
  at += 2;
  while (at < end) {
    if (byte_at(at) == padding) {
      ++at;
      continue;
    }
    if (end - at < 2) return 0;
    const std::ptrdiff_t length = 2 + byte_at(at + 1);
    if (length > end - at) return 0;
    if (byte_at(at) == jumbo && length == 6) return be32(at + 2);
    at += length;
  }
  return 0;
}

}  // namespace

bool Layers::read(std::uint16_t link_type, Slice frame, TcpFrame& tcp) {
  tcp_ = &tcp;
  depth_ = 0;
  whole_ = true;
  return link(link_type, frame);
}

bool Layers::ip(Slice slice) {
  if (slice.captured < 20 || too_deep()) return false;
  const std::byte* at = slice.at;
  if (const unsigned version = byte_at(at) >> 4U; version != 4) [[unlikely]]
    return version == 6 && ipv6(slice);
  const std::uint32_t header = (byte_at(at) & 15U) * 4;
  std::uint32_t total = be16(at + 2);
  if (total == 0) total = slice.wire;  // left to the card: segmentation offload
  if (header < 20 || total < header || slice.captured < header) return false;
  if (header > 20 && broken_options(at + 20, at + header)) [[unlikely]]
    return false;
  tcp_->source.address = ipv4_at(at + 12);
  tcp_->destination.address = ipv4_at(at + 16);
  tcp_->ttl = byte_at(at + 8);
  tcp_->ip_id = be16(at + 4);
  if (check_checksums_ && wrong_header_checksum(at, header)) [[unlikely]]
    tcp_->bad_checksum = true;
  slice.limit(total);
  slice.skip(header);
  const std::uint16_t flags_and_offset = be16(at + 6);
  const std::uint8_t next = byte_at(at + 9);
  constexpr unsigned more_fragments = 0x2000;
  constexpr unsigned offset_mask = 0x1fff;
  if ((flags_and_offset & (more_fragments | offset_mask)) != 0) [[unlikely]] {
    Fragment piece;
    piece.id = be16(at + 4);
    piece.protocol = next;
    piece.offset = (flags_and_offset & offset_mask) * 8;
    piece.last = (flags_and_offset & more_fragments) == 0;
    return fragment(piece, slice);
  }
  return next == protocol_tcp ? tcp(slice) : protocol(next, slice);
}

bool Layers::ipv6(Slice slice) {
  if (slice.captured < 40 || byte_at(slice.at) >> 4U != 6 || too_deep()) return false;
  const std::byte* at = slice.at;
  tcp_->source.address = ipv6_at(at + 8);
  tcp_->destination.address = ipv6_at(at + 24);
  tcp_->ttl = byte_at(at + 7);
  tcp_->ip_id = 0;
  const std::uint32_t length = be16(at + 4);
  std::uint8_t next = byte_at(at + 6);
  slice.skip(40);
  if (length != 0 || next != protocol_hop_by_hop) slice.limit(length);
  while (true) {
    switch (next) {
      [[likely]] case protocol_tcp:
        return tcp(slice);
      case protocol_hop_by_hop:
      case protocol_routing:
      case protocol_destination_options:
      case protocol_mobility:
      case protocol_host_identity:
      case protocol_shim6: {
        if (slice.captured < 8) return false;
        const std::uint32_t header = (byte_at(slice.at + 1) + 1U) * 8;
        if (slice.captured < header) return false;
        if (next == protocol_hop_by_hop && length == 0)
          slice.limit(std::max(jumbo_length(slice.at, slice.at + header), header));
        next = byte_at(slice.at);
        slice.skip(header);
        break;
      }
      case protocol_fragment: {
        if (slice.captured < 8) return false;
        const std::uint16_t offset_and_flag = be16(slice.at + 2);
        Fragment piece;
        piece.id = be32(slice.at + 4);
        piece.protocol = next = byte_at(slice.at);
        piece.offset = offset_and_flag & 0xfff8U;
        piece.last = (offset_and_flag & 1U) == 0;
        slice.skip(8);
        if (piece.offset != 0 || !piece.last) return fragment(piece, slice);
        break;
      }
      default:
        return protocol(next, slice);
    }
  }
}

bool Layers::fragment(const Fragment& fragment, Slice payload) {
  Fragment piece = fragment;
  piece.source = tcp_->source.address;
  piece.destination = tcp_->destination.address;
  piece.vlan_id = tcp_->vlan_id;
  const auto whole = fragments_.add(piece, payload, tcp_->ts_ns);
  if (!whole) return false;
  whole_ = false;
  return protocol(piece.protocol, *whole);
}

bool Layers::protocol(std::uint8_t protocol, Slice slice) {
  switch (protocol) {
    case protocol_tcp:
      return tcp(slice);
    case protocol_udp:
      return udp(slice);
    case protocol_icmp:
      return icmp_v4(slice);
    case protocol_icmp_v6:
      return icmp_v6(slice);
    case protocol_ipv4:
      return ip(slice);
    case protocol_ipv6:
      return ipv6(slice);
    case protocol_gre:
      return gre(slice);
    case protocol_authentication:
      return authentication(slice);
    case protocol_mpls:
      return mpls(slice);
    case protocol_ethernet:
      return ethernet(slice);
    case protocol_ethernet_in_ip:  // RFC 3378
      return slice.captured >= 2 && ethernet(slice.behind(2));
    default:
      return false;
  }
}

bool Layers::authentication(Slice slice) {
  if (slice.captured < 12) return false;
  const std::uint8_t next = byte_at(slice.at);
  const std::uint32_t header = (byte_at(slice.at + 1) + 2U) * 4;
  return header >= 12 && slice.captured >= header && protocol(next, slice.behind(header));
}

bool Layers::tcp(Slice slice) {
  if (!read_tcp(slice.bytes(), slice.wire, *tcp_)) {
    if (slice.captured < slice.wire) ++cut_;
    return false;
  }
  if (check_checksums_ && whole_ && !tcp_->bad_header && slice.captured == slice.wire && wrong_checksum(slice))
    tcp_->bad_checksum = true;
  return true;
}

// A segment that was captured before its card computed the sum carries that of the pseudo-header alone: not wrong.
bool Layers::wrong_checksum(Slice segment) const {
  std::uint64_t addresses = 0;
  for (std::size_t i = tcp_->source.address.is_ipv4() ? 12 : 0; i < 16; i += 2) {
    addresses += tcp_->source.address.bytes[i] * 256U + tcp_->source.address.bytes[i + 1];
    addresses += tcp_->destination.address.bytes[i] * 256U + tcp_->destination.address.bytes[i + 1];
  }
  addresses += protocol_tcp;
  const std::uint64_t pseudo_header = addresses + (segment.wire >> 16U) + (segment.wire & 0xffffU);
  const std::uint16_t expected = be16(segment.at + 16);
  if (!strictly_ && (expected == folded(pseudo_header) || expected == folded(addresses))) return false;
  std::uint64_t sum = pseudo_header;
  for (std::uint32_t i = 0; i + 1 < segment.captured; i += 2) sum += be16(segment.at + i);
  if (segment.captured % 2 != 0) sum += std::uint64_t{byte_at(segment.at + segment.captured - 1)} << 8U;
  return folded(sum) != 0xffff;
}

// The same for the header: the card's part is 0 there.
bool Layers::wrong_header_checksum(const std::byte* at, std::uint32_t length) const {
  if (be16(at + 10) == 0 && !strictly_) return false;
  std::uint64_t sum = 0;
  for (std::uint32_t i = 0; i < length; i += 2) sum += be16(at + i);
  return folded(sum) != 0xffff;
}

}  // namespace tcpwitness
