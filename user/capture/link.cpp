// SPDX-License-Identifier: Apache-2.0
// link.cpp: link layers, down to an EtherType or an IP header.
#include "capture/layers.hpp"
#include "capture/network_order.hpp"

namespace tcpwitness {
namespace {

// tcpdump.org/linktypes.html
enum LinkType : std::uint16_t {
  link_null = 0,
  link_ethernet = 1,
  link_ppp = 9,
  link_fddi = 10,
  link_atm = 11,
  link_raw_bsd = 12,
  link_raw_openbsd = 14,
  link_ppp_hdlc = 50,
  link_pppoe = 51,
  link_atm_rfc1483 = 100,
  link_raw = 101,
  link_c_hdlc = 104,
  link_wlan = 105,
  link_loop = 108,
  link_cooked = 113,
  link_radiotap = 127,
  link_ppp_pppd = 166,
  link_ppp_with_direction = 204,
  link_ipv4 = 228,
  link_ipv6 = 229,
  link_nflog = 239,
  link_cooked2 = 276,
};

enum EtherType : std::uint16_t {
  ether_ipv4 = 0x0800,
  ether_bridged = 0x6558,
  ether_vlan = 0x8100,
  ether_ipv6 = 0x86dd,
  ether_ppp = 0x880b,
  ether_mpls = 0x8847,
  ether_mpls_upstream = 0x8848,
  ether_pppoe = 0x8864,
  ether_provider_vlan = 0x88a8,
  ether_provider_backbone = 0x88e7,
  ether_fabric_path = 0x8903,
  ether_metadata = 0x8909,
  ether_vn_tag = 0x8926,
  ether_e_tag = 0x893f,
  ether_nsh = 0x894f,
  ether_old_provider_vlan = 0x9100,
  ether_older_provider_vlan = 0x9200,
};

}  // namespace

bool Layers::link(std::uint16_t link_type, Slice slice) {
  switch (link_type) {
    [[likely]] case link_ethernet:
      return ethernet(slice);
    case link_raw:
    case link_raw_bsd:
    case link_raw_openbsd:
    case link_ipv4:
      return ip(slice);
    case link_ipv6:
      return ipv6(slice);
    case link_cooked:
      if (slice.captured < 16) return false;
      return cooked(be16(slice.at + 14), slice.behind(16));
    case link_cooked2:
      if (slice.captured < 20) return false;
      return cooked(be16(slice.at), slice.behind(20));
    case link_null:
    case link_loop:
      return loopback(slice);
    case link_ppp:
    case link_ppp_hdlc:
      return ppp(slice);
    case link_ppp_pppd:
      return slice.captured >= 2 && ppp(slice.behind(2));
    case link_ppp_with_direction:
      return slice.captured >= 1 && ppp(slice.behind(1));
    case link_pppoe:
      return pppoe(slice);
    case link_c_hdlc:
      return slice.captured >= 4 && ether_type(be16(slice.at + 2), slice.behind(4));
    case link_fddi:  // frame control, two addresses
      return slice.captured >= 13 && (byte_at(slice.at) & 0xf0U) == 0x50 && llc(slice.behind(13));
    case link_atm:
    case link_atm_rfc1483:
      return llc(slice);
    case link_wlan:
      return wlan(slice);
    case link_radiotap:
      return radiotap(slice);
    case link_nflog:
      return nflog(slice);
    default:
      ++passed_over_.frames;
      passed_over_.link_type = link_type;
      return false;
  }
}

bool Layers::ethernet(Slice slice) { return slice.captured >= 14 && ether_type(be16(slice.at + 12), slice.behind(14)); }

bool Layers::ether_type(std::uint16_t type, Slice slice) {
  if (too_deep()) return false;
  while (true) {  // a tag brings the type of what follows
    switch (type) {
      [[likely]] case ether_ipv4:
        return ip(slice);
      case ether_ipv6:
        return ipv6(slice);
      case ether_vlan:
      case ether_provider_vlan:
      case ether_old_provider_vlan:
      case ether_older_provider_vlan:
        if (slice.captured < 4) return false;
        tcp_->vlan_id = be16(slice.at) & 0x0fffU;
        type = be16(slice.at + 2);
        slice.skip(4);
        break;
      case ether_vn_tag:
        if (slice.captured < 6) return false;
        type = be16(slice.at + 4);
        slice.skip(6);
        break;
      case ether_e_tag:
      case ether_metadata:
        if (slice.captured < 8) return false;
        type = be16(slice.at + 6);
        slice.skip(8);
        break;
      case ether_fabric_path:
        return slice.captured >= 2 && ethernet(slice.behind(2));
      case ether_provider_backbone:
        return slice.captured >= 4 && ethernet(slice.behind(4));
      case ether_bridged:
        return ethernet(slice);
      case ether_mpls:
      case ether_mpls_upstream:
        return mpls(slice);
      case ether_nsh:
        return nsh(slice);
      case ether_ppp:
        return ppp(slice);
      case ether_pppoe:
        return pppoe(slice);
      default:
        if (type > 1500) return false;
        slice.limit(type);  // IEEE 802.3: a length
        return llc(slice);
    }
  }
}

// IEEE 802.2, and SNAP in it.
bool Layers::llc(Slice slice) {
  constexpr std::uint8_t sap_ip = 0x06;
  constexpr std::uint8_t sap_snap = 0xaa;
  constexpr std::uint8_t unnumbered_information = 0x03;
  if (slice.captured < 3) return false;
  const std::uint8_t destination = byte_at(slice.at);
  if (byte_at(slice.at + 2) != unnumbered_information) return false;
  if (destination == sap_ip) return ip(slice.behind(3));
  if (destination != sap_snap || slice.captured < 8) return false;
  constexpr std::uint32_t ethernet_oui = 0x000000;
  constexpr std::uint32_t bridge_tunnel_oui = 0x0000f8;
  const std::uint32_t oui = be32(slice.at + 3) >> 8U;
  const std::uint16_t type = be16(slice.at + 6);
  if ((oui != ethernet_oui && oui != bridge_tunnel_oui) || type <= 1500) return false;
  return ether_type(type, slice.behind(8));
}

bool Layers::mpls(Slice slice) {
  bool bottom = false;
  while (!bottom) {
    if (slice.captured < 4) return false;
    bottom = (byte_at(slice.at + 2) & 1U) != 0;
    slice.skip(4);
  }
  if (slice.captured < 4) return false;
  switch (byte_at(slice.at) >> 4U) {
    case 4:
      return ip(slice);
    case 6:
      return ipv6(slice);
    case 0:  // a pseudowire's control word (RFC 4448), and Ethernet behind it
      return ethernet(slice.behind(4));
    default:
      return false;
  }
}

// RFC 8300
bool Layers::nsh(Slice slice) {
  if (slice.captured < 8) return false;
  const std::uint32_t header = (byte_at(slice.at + 1) & 0x3fU) * 4;
  const std::uint8_t next = byte_at(slice.at + 3);
  if (header < 8 || slice.captured < header) return false;
  slice.skip(header);
  return next_protocol(next, slice);
}

// NSH and VXLAN-GPE number what they carry alike.
bool Layers::next_protocol(std::uint8_t next, Slice slice) {
  switch (next) {
    case 1:
      return ip(slice);
    case 2:
      return ipv6(slice);
    case 3:
      return ethernet(slice);
    case 5:
      return mpls(slice);
    default:
      return false;
  }
}

bool Layers::ppp(Slice slice) {
  constexpr std::uint8_t all_stations = 0xff;
  constexpr std::uint8_t cisco_unicast = 0x0f;
  constexpr std::uint8_t cisco_multicast = 0x8f;
  if (slice.captured < 2) return false;
  const std::uint8_t first = byte_at(slice.at);
  if (first == cisco_unicast || first == cisco_multicast)  // Cisco HDLC on the same wires
    return slice.captured >= 4 && ether_type(be16(slice.at + 2), slice.behind(4));
  if (first == all_stations) slice.skip(2);
  if (slice.captured < 2) return false;
  std::uint16_t type = byte_at(slice.at);
  if ((type & 1U) != 0) {  // the field can be one byte long; its last one is odd
    slice.skip(1);
  } else {
    type = be16(slice.at);
    slice.skip(2);
  }
  switch (type) {
    case 0x0021:
      return ip(slice);
    case 0x0057:
      return ipv6(slice);
    case 0x0281:
    case 0x0283:
      return mpls(slice);
    default:
      return false;
  }
}

bool Layers::pppoe(Slice slice) {
  constexpr std::uint8_t version_and_type = 0x11;
  constexpr std::uint8_t session_data = 0;
  if (slice.captured < 6 || byte_at(slice.at) != version_and_type || byte_at(slice.at + 1) != session_data)
    return false;
  const std::uint16_t length = be16(slice.at + 4);
  slice.skip(6);
  slice.limit(length);
  return ppp(slice);
}

bool Layers::cooked(std::uint16_t protocol, Slice slice) {
  constexpr std::uint16_t linux_802_2 = 4;
  return protocol == linux_802_2 ? llc(slice) : protocol > 1500 && ether_type(protocol, slice);
}

// The address family, in the byte order of the machine that captured.
bool Layers::loopback(Slice slice) {
  if (slice.captured < 4) return false;
  std::uint32_t family = be32(slice.at);
  if (family > 0xffff) family = __builtin_bswap32(family);
  slice.skip(4);
  switch (family) {
    case 2:
      return ip(slice);
    case 24:  // NetBSD, OpenBSD
    case 28:  // FreeBSD
    case 30:  // Darwin
      return ipv6(slice);
    default:
      return false;
  }
}

// IEEE 802.11, data frames that are not encrypted.
bool Layers::wlan(Slice slice) {
  if (slice.captured < 24) return false;
  const std::uint8_t control = byte_at(slice.at);
  const std::uint8_t flags = byte_at(slice.at + 1);
  const bool data = (control & 0x0fU) == 0x08 && (control & 0x40U) == 0;
  const bool qos = (control & 0x80U) != 0;
  const bool encrypted = (flags & 0x40U) != 0;
  if (!data || encrypted) return false;
  std::uint32_t header = 24;
  if ((flags & 3U) == 3) header += 6;  // between access points: a fourth address
  if (qos) {
    if (slice.captured < header + 2) return false;
    const bool several = (byte_at(slice.at + header) & 0x80U) != 0;
    if (several) return false;
    header += 2;
    if ((flags & 0x80U) != 0) header += 4;  // HT control
  }
  return slice.captured >= header && llc(slice.behind(header));
}

bool Layers::radiotap(Slice slice) {
  if (slice.captured < 4) return false;
  const std::uint32_t header = byte_at(slice.at + 2) + (std::uint32_t{byte_at(slice.at + 3)} << 8U);
  return slice.captured >= header && wlan(slice.behind(header));
}

// Netfilter's log: attributes in the byte order of the machine that captured, which is little-endian nearly everywhere.
bool Layers::nflog(Slice slice) {
  constexpr std::uint8_t family_ipv4 = 2;
  constexpr std::uint8_t family_ipv6 = 10;
  constexpr std::uint32_t attribute_payload = 9;
  if (slice.captured < 4) return false;
  const std::uint8_t family = byte_at(slice.at);
  slice.skip(4);
  while (slice.captured >= 4) {
    const auto little = [&](std::uint32_t at) {
      return byte_at(slice.at + at) + (std::uint32_t{byte_at(slice.at + at + 1)} << 8U);
    };
    const std::uint32_t length = little(0);
    if (length < 4) return false;
    if ((little(2) & 0x7fffU) == attribute_payload) {
      slice.limit(length);
      slice.skip(4);
      return family == family_ipv4 ? ip(slice) : family == family_ipv6 && ipv6(slice);
    }
    slice.skip(std::min((length + 3U) & ~3U, slice.captured));
  }
  return false;
}

}  // namespace tcpwitness
