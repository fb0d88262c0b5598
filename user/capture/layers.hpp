// SPDX-License-Identifier: Apache-2.0
// layers.hpp: the headers of a frame, one inside the other, down to the innermost TCP header.
//
// Each function takes what begins with its header and hands on what is behind it. False: there is no TCP segment in
// it (or not all of one yet). Every header's own lengths are checked against what is there before a byte is read.
#pragma once

#include "capture/fragments.hpp"
#include "capture/slice.hpp"
#include "capture/tcp_frames.hpp"
#include "tcpwitness/wire.hpp"

namespace tcpwitness {

class Layers {
 public:
  // From the link layer (LINKTYPE_*). tcp comes with the facts of the frame.
  bool read(std::uint16_t link_type, Slice frame, TcpFrame& tcp);
  void check_checksums(bool wanted, bool strictly) {
    check_checksums_ = wanted;
    strictly_ = strictly;
  }
  [[nodiscard]] PassedOver passed_over() const { return passed_over_; }
  [[nodiscard]] std::uint64_t cut() const { return cut_; }

 private:
  // What is nested deeper was made to hurt.
  [[nodiscard]] bool too_deep() {
    constexpr unsigned deepest = 32;
    return ++depth_ > deepest;
  }

  // link.cpp
  bool link(std::uint16_t link_type, Slice slice);
  bool ethernet(Slice slice);
  bool ether_type(std::uint16_t type, Slice slice);
  bool llc(Slice slice);
  bool mpls(Slice slice);
  bool nsh(Slice slice);
  bool next_protocol(std::uint8_t next, Slice slice);
  bool ppp(Slice slice);  // from the address and control bytes on, where they were not left out
  bool pppoe(Slice slice);
  bool cooked(std::uint16_t protocol, Slice slice);
  bool loopback(Slice slice);
  bool wlan(Slice slice);
  bool radiotap(Slice slice);
  bool nflog(Slice slice);

  // internet.cpp
  bool ip(Slice slice);  // IPv4; IPv6 where the version is 6, as in Wireshark
  bool ipv6(Slice slice);
  bool fragment(const Fragment& fragment, Slice payload);
  bool protocol(std::uint8_t protocol, Slice slice);
  bool authentication(Slice slice);
  bool tcp(Slice slice);

  // icmp.cpp: always false, as what is quoted is no segment
  bool icmp_v4(Slice slice);
  bool icmp_v6(Slice slice);
  void take_quoted_v4(Slice slice, const IcmpQuote& icmp);
  void take_quoted_v6(Slice slice, const IcmpQuote& icmp);

  [[nodiscard]] bool wrong_checksum(Slice segment) const;
  [[nodiscard]] bool wrong_header_checksum(const std::byte* at, std::uint32_t length) const;

  // tunnels.cpp
  bool udp(Slice slice);
  bool gre(Slice slice);
  bool gre_payload(std::uint16_t type, bool has_sequence, Slice slice);
  bool point_to_point_gre(Slice slice);
  bool vxlan(Slice slice);
  bool geneve(Slice slice);
  bool gtp(Slice slice);
  bool teredo(Slice slice);
  bool ayiya(Slice slice);
  bool l2tp(Slice slice);
  [[nodiscard]] static bool is_teredo(Slice slice);

  Fragments fragments_;
  TcpFrame* tcp_ = nullptr;
  unsigned depth_ = 0;  // EtherTypes and IP headers so far
  bool check_checksums_ = false;
  bool strictly_ = false;  // those that were left to the card are wrong
  bool whole_ = true;      // the segment was not put together from fragments
  PassedOver passed_over_;
  std::uint64_t cut_ = 0;
};

}  // namespace tcpwitness
