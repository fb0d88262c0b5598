// SPDX-License-Identifier: Apache-2.0
// tunnels.cpp: what carries IP or Ethernet inside GRE or UDP. A tunnel over UDP is known by its port and then checked
// by its header; Teredo, which has a fixed port only at its servers, by its header alone.
#include <algorithm>

#include "capture/layers.hpp"
#include "capture/network_order.hpp"

namespace tcpwitness {
namespace {

enum Port : std::uint16_t {
  port_l2tp = 1701,
  port_gtp = 2152,
  port_teredo = 3544,
  port_lisp = 4341,
  port_gre = 4754,
  port_vxlan = 4789,
  port_vxlan_gpe = 4790,
  port_ayiya = 5072,
  port_geneve = 6081,
  port_mpls = 6635,
  port_vxlan_linux = 8472,  // before there was an assigned one; still the default of `ip link`
};

enum GreType : std::uint16_t {
  gre_erspan3 = 0x22eb,
  gre_ethernet = 0x6400,
  gre_wlan = 0x8200,  // Aruba: the low bits of the second digit vary
  gre_wccp = 0x883e,
  gre_erspan = 0x88be,
};

}  // namespace

bool Layers::udp(Slice slice) {
  if (slice.captured < 8) return false;
  const std::uint16_t source = be16(slice.at);
  const std::uint16_t destination = be16(slice.at + 2);
  const std::uint32_t length = be16(slice.at + 4);
  if (length != 0) {  // 0: a jumbogram
    if (length < 8) return false;
    slice.limit(length);
  }
  slice.skip(8);
  for (const std::uint16_t port : {std::min(source, destination), std::max(source, destination)}) {
    switch (port) {
      case port_l2tp:
        return l2tp(slice);
      case port_gtp:
        return gtp(slice);
      case port_teredo:
        return teredo(slice);
      case port_lisp:
        return slice.captured >= 8 && ip(slice.behind(8));
      case port_gre:
        return gre(slice);
      case port_vxlan:
      case port_vxlan_gpe:
      case port_vxlan_linux:
        return vxlan(slice);
      case port_ayiya:
        return ayiya(slice);
      case port_geneve:
        return geneve(slice);
      case port_mpls:
        return mpls(slice);
      default:
        break;
    }
  }
  return is_teredo(slice) && ipv6(slice);
}

// RFC 2784, 2890; with RFC 1701's source routes.
bool Layers::gre(Slice slice) {
  constexpr unsigned checksum = 0x8000;
  constexpr unsigned routing = 0x4000;
  constexpr unsigned key = 0x2000;
  constexpr unsigned sequence = 0x1000;
  constexpr unsigned version = 0x0007;
  if (slice.captured < 4) return false;
  const std::uint16_t flags = be16(slice.at);
  const std::uint16_t type = be16(slice.at + 2);
  if ((flags & version) == 1) return point_to_point_gre(slice);
  if ((flags & version) != 0) return false;
  std::uint32_t header = 4;
  if ((flags & (checksum | routing)) != 0) header += 4;
  if ((flags & key) != 0) header += 4;
  if ((flags & sequence) != 0) header += 4;
  if (slice.captured < header) return false;
  slice.skip(header);
  bool more_routes = (flags & routing) != 0;
  while (more_routes) {
    if (slice.captured < 4) return false;
    const std::uint32_t length = byte_at(slice.at + 3);
    more_routes = be16(slice.at) != 0 || length != 0;
    if (slice.captured < 4 + length) return false;
    slice.skip(4 + length);
  }
  return gre_payload(type, (flags & sequence) != 0, slice);
}

bool Layers::gre_payload(std::uint16_t type, bool has_sequence, Slice slice) {
  if ((type & 0xff0fU) == gre_wlan) return wlan(slice);
  switch (type) {
    case gre_ethernet:
      return ethernet(slice);
    case gre_wccp:  // its second version has a header of its own
      if (slice.captured < 4) return false;
      return ip(byte_at(slice.at) >> 4U == 4 ? slice : slice.behind(4));
    case gre_erspan:  // type I has no header, and no sequence number either
      if (!has_sequence) return ethernet(slice);
      return slice.captured >= 8 && ethernet(slice.behind(8));
    case gre_erspan3: {
      if (slice.captured < 12) return false;
      const std::uint32_t header = (byte_at(slice.at + 11) & 1U) != 0 ? 20 : 12;
      return slice.captured >= header && ethernet(slice.behind(header));
    }
    default:
      return ether_type(type, slice);
  }
}

// PPTP (RFC 2637): PPP, with the length of the payload in place of half the key.
bool Layers::point_to_point_gre(Slice slice) {
  constexpr unsigned sequence = 0x1000;
  constexpr unsigned acknowledgment = 0x0080;
  constexpr std::uint16_t type_ppp = 0x880b;
  const std::uint16_t flags = be16(slice.at);
  if (slice.captured < 8 || be16(slice.at + 2) != type_ppp) return false;
  const std::uint32_t payload = be16(slice.at + 4);
  const std::uint32_t header = 8U + ((flags & sequence) != 0 ? 4U : 0U) + ((flags & acknowledgment) != 0 ? 4U : 0U);
  if (slice.captured < header) return false;
  slice.skip(header);
  slice.limit(payload);
  return ppp(slice);
}

// RFC 7348, and its generic protocol extension.
bool Layers::vxlan(Slice slice) {
  constexpr std::uint8_t has_next_protocol = 0x04;
  constexpr std::uint8_t has_identifier = 0x08;
  if (slice.captured < 8) return false;
  const std::uint8_t flags = byte_at(slice.at);
  if ((flags & has_identifier) == 0) return false;
  const std::uint8_t next = byte_at(slice.at + 3);
  slice.skip(8);
  if ((flags & has_next_protocol) == 0) return ethernet(slice);
  constexpr std::uint8_t service_header = 4;
  return next == service_header ? nsh(slice) : next_protocol(next, slice);
}

// RFC 8926
bool Layers::geneve(Slice slice) {
  if (slice.captured < 8 || byte_at(slice.at) >> 6U != 0) return false;
  const std::uint32_t header = 8 + (byte_at(slice.at) & 0x3fU) * 4;
  const std::uint16_t type = be16(slice.at + 2);
  return slice.captured >= header && ether_type(type, slice.behind(header));
}

// GTP-U (3GPP TS 29.281), version 1.
bool Layers::gtp(Slice slice) {
  constexpr std::uint8_t version_and_type = 0x30;
  constexpr std::uint8_t user_packet = 255;
  if (slice.captured < 8) return false;
  const std::uint8_t flags = byte_at(slice.at);
  if ((flags & 0xf0U) != version_and_type || byte_at(slice.at + 1) != user_packet) return false;
  const std::uint32_t length = be16(slice.at + 2);
  slice.skip(8);
  slice.limit(length);
  const bool has_extension = (flags & 4U) != 0;
  if ((flags & 7U) != 0) {
    if (slice.captured < 4) return false;
    std::uint8_t next = byte_at(slice.at + 3);
    slice.skip(4);
    while (has_extension && next != 0) {
      if (slice.captured < 4) return false;
      const std::uint32_t header = byte_at(slice.at) * 4U;
      if (header == 0 || slice.captured < header) return false;
      next = byte_at(slice.at + header - 1);
      slice.skip(header);
    }
  }
  return ip(slice);
}

// RFC 4380: indications of authentication and origin may come first.
bool Layers::teredo(Slice slice) {
  constexpr std::uint16_t authentication_indication = 1;
  constexpr std::uint16_t origin_indication = 0;
  if (slice.captured >= 4 && be16(slice.at) == authentication_indication) {
    const std::uint32_t header = 13U + byte_at(slice.at + 2) + byte_at(slice.at + 3);
    if (slice.captured < header) return false;
    slice.skip(header);
  }
  if (slice.captured >= 8 && be16(slice.at) == origin_indication) slice.skip(8);
  return ipv6(slice);
}

// Exactly one IPv6 packet with TCP to or from an address of Teredo (2001::/32): what other payload has by chance all
// of that?
bool Layers::is_teredo(Slice slice) {
  constexpr std::uint8_t protocol_tcp = 6;
  constexpr std::uint32_t prefix = 0x20010000;
  return slice.captured >= 40 && byte_at(slice.at) >> 4U == 6 && byte_at(slice.at + 6) == protocol_tcp &&
         be16(slice.at + 4) + 40U == slice.wire && (be32(slice.at + 8) == prefix || be32(slice.at + 24) == prefix);
}

// Anything in anything (draft-massar-v6ops-ayiya).
bool Layers::ayiya(Slice slice) {
  constexpr unsigned forward = 1;
  if (slice.captured < 8) return false;
  const std::uint32_t identity = 1U << (byte_at(slice.at) >> 4U);
  const std::uint32_t signature = (byte_at(slice.at + 1) >> 4U) * 4U;
  const unsigned operation = byte_at(slice.at + 2) & 15U;
  const std::uint8_t next = byte_at(slice.at + 3);
  const std::uint32_t header = 8 + identity + signature;
  return operation == forward && slice.captured >= header && protocol(next, slice.behind(header));
}

// RFC 2661: data messages carry PPP.
bool Layers::l2tp(Slice slice) {
  constexpr unsigned control = 0x8000;
  constexpr unsigned has_length = 0x4000;
  constexpr unsigned has_sequence = 0x0800;
  constexpr unsigned has_offset = 0x0200;
  constexpr unsigned version_mask = 0x000f;
  if (slice.captured < 6) return false;
  const std::uint16_t flags = be16(slice.at);
  if ((flags & control) != 0 || (flags & version_mask) != 2) return false;
  std::uint32_t header = 6;
  if ((flags & has_length) != 0) {
    slice.limit(be16(slice.at + 2));
    header += 2;
  }
  if ((flags & has_sequence) != 0) header += 4;
  if ((flags & has_offset) != 0) {
    if (slice.captured < header + 2) return false;
    header += 2U + be16(slice.at + header);
  }
  return slice.captured >= header && ppp(slice.behind(header));
}

}  // namespace tcpwitness
