// SPDX-License-Identifier: Apache-2.0
// icmp.cpp: ICMP errors that quote a segment of TCP: who sent them, what they mean, and whose segment it is. As
// bpf/icmp.h reads them of a live interface.
#include <netinet/in.h>

#include "capture/layers.hpp"
#include "capture/network_order.hpp"
#include "values/kernel.hpp"

namespace tcpwitness {
namespace {

constexpr std::uint32_t header_icmp = 8;  // of an error, in either version
constexpr std::uint32_t header_v6 = 40;
constexpr std::uint32_t quoted_tcp = 8;  // at least: the ports and the sequence number (RFC 792)

bool is_error_v4(std::uint8_t type) {
  using namespace kernel::icmp;
  return type == unreachable || type == time_exceeded || type == parameter_problem;
}

bool is_error_v6(std::uint8_t type) {
  using namespace kernel::icmpv6;
  return type == unreachable || type == packet_too_big || type == time_exceeded || type == parameter_problem;
}

void take_numbers(const std::byte* at, const IcmpQuote& icmp, TcpFrame& tcp) {
  tcp.source.port = be16(at);
  tcp.destination.port = be16(at + 2);
  tcp.seq = be32(at + 4);
  tcp.icmp = icmp;
}

}  // namespace

bool Layers::icmp_v4(Slice slice) {
  if (slice.captured < header_icmp || !is_error_v4(byte_at(slice.at))) return false;
  IcmpQuote icmp{.sender = tcp_->source.address, .type = byte_at(slice.at), .code = byte_at(slice.at + 1)};
  if (icmp.type == kernel::icmp::unreachable && icmp.code == kernel::icmp::fragmentation_needed)
    icmp.mtu = be16(slice.at + 6);
  take_quoted_v4(slice.behind(header_icmp), icmp);
  return false;
}

bool Layers::icmp_v6(Slice slice) {
  if (slice.captured < header_icmp || !is_error_v6(byte_at(slice.at))) return false;
  IcmpQuote icmp{.sender = tcp_->source.address, .type = byte_at(slice.at), .code = byte_at(slice.at + 1), .v6 = true};
  if (icmp.type == kernel::icmpv6::packet_too_big) icmp.mtu = be32(slice.at + 4);
  take_quoted_v6(slice.behind(header_icmp), icmp);
  return false;
}

void Layers::take_quoted_v4(Slice slice, const IcmpQuote& icmp) {
  constexpr std::uint32_t shortest = 20;
  constexpr unsigned offset_mask = 0x1fff;
  if (slice.captured < shortest || byte_at(slice.at) >> 4U != 4) return;
  const std::uint32_t header = (byte_at(slice.at) & 15U) * 4;
  const bool later_piece = (be16(slice.at + 6) & offset_mask) != 0;
  if (header < shortest || slice.captured < header + quoted_tcp || later_piece) return;
  if (byte_at(slice.at + 9) != IPPROTO_TCP) return;
  tcp_->source.address = ipv4_at(slice.at + 12);
  tcp_->destination.address = ipv4_at(slice.at + 16);
  take_numbers(slice.at + header, icmp, *tcp_);
}

void Layers::take_quoted_v6(Slice slice, const IcmpQuote& icmp) {
  if (slice.captured < header_v6 + quoted_tcp || byte_at(slice.at) >> 4U != 6) return;
  if (byte_at(slice.at + 6) != IPPROTO_TCP) return;
  tcp_->source.address = ipv6_at(slice.at + 8);
  tcp_->destination.address = ipv6_at(slice.at + 24);
  take_numbers(slice.at + header_v6, icmp, *tcp_);
}

}  // namespace tcpwitness
