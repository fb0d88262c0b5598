// SPDX-License-Identifier: Apache-2.0
// icmp.cpp: names of ICMP messages that can quote a TCP segment (RFC 792, 1122, 1812; RFC 4443 for ICMPv6).
#include <array>
#include <cerrno>
#include <cstring>

#include "tcpwitness/report.hpp"

namespace tcpwitness {
namespace {

template <std::size_t count>
std::string_view of_code(const std::array<std::string_view, count>& names, std::uint8_t code, std::string_view other) {
  return code < count ? names[code] : other;
}

// icmp_err_convert[] (net/ipv4/icmp.c).
int error_of_v4(std::uint8_t type, std::uint8_t code) {
  static constexpr std::array<int, 16> unreachable = {
      ENETUNREACH, EHOSTUNREACH, ENOPROTOOPT,  ECONNREFUSED, EMSGSIZE,     EOPNOTSUPP,   ENETUNREACH,  EHOSTDOWN,
      ENONET,      ENETUNREACH,  EHOSTUNREACH, ENETUNREACH,  EHOSTUNREACH, EHOSTUNREACH, EHOSTUNREACH, EHOSTUNREACH};
  if (type == 3) return code < unreachable.size() ? unreachable[code] : EHOSTUNREACH;
  return type == 11 ? EHOSTUNREACH : EPROTO;
}

// icmpv6_err_convert(), tab_unreach[] (net/ipv6/icmp.c).
int error_of_v6(std::uint8_t type, std::uint8_t code) {
  static constexpr std::array<int, 7> unreachable = {ENETUNREACH,  EACCES, EHOSTUNREACH, EHOSTUNREACH,
                                                     ECONNREFUSED, EACCES, EACCES};
  if (type == 1) return code < unreachable.size() ? unreachable[code] : EPROTO;
  if (type == 2) return EMSGSIZE;
  return type == 3 ? EHOSTUNREACH : EPROTO;
}

}  // namespace

IcmpMessage icmp_message(const IcmpSeen& seen) {
  IcmpMessage message;
  message.v6 = seen.v6 != 0;
  message.type = seen.type;
  message.code = seen.code;
  message.error = message.v6 ? error_of_v6(seen.type, seen.code) : error_of_v4(seen.type, seen.code);
  std::memcpy(message.sender.bytes.data(), seen.sender, message.sender.bytes.size());
  message.own = std::memcmp(seen.sender, seen.tuple.local_addr, sizeof seen.sender) == 0;
  return message;
}

std::string_view name(const IcmpMessage& icmp) {
  static constexpr std::array<std::string_view, 16> unreachable = {"network unreachable",
                                                                   "host unreachable",
                                                                   "protocol unreachable",
                                                                   "port unreachable",
                                                                   "fragmentation needed",
                                                                   "source route failed",
                                                                   "destination network unknown",
                                                                   "destination host unknown",
                                                                   "source host isolated",
                                                                   "network administratively prohibited",
                                                                   "host administratively prohibited",
                                                                   "network unreachable for this type of service",
                                                                   "host unreachable for this type of service",
                                                                   "administratively prohibited",
                                                                   "host precedence violation",
                                                                   "precedence cutoff"};
  static constexpr std::array<std::string_view, 7> unreachable6 = {"no route to destination",
                                                                   "administratively prohibited",
                                                                   "beyond the scope of the source address",
                                                                   "address unreachable",
                                                                   "port unreachable",
                                                                   "source address failed the policy",
                                                                   "route refused"};
  if (icmp.v6) {
    switch (icmp.type) {
      case 1:
        return of_code(unreachable6, icmp.code, "destination unreachable");
      case 2:
        return "packet too big";
      case 3:
        return "time exceeded";
      case 4:
        return "parameter problem";
      default:
        return "ICMPv6 message";
    }
  }
  switch (icmp.type) {
    case 3:
      return of_code(unreachable, icmp.code, "destination unreachable");
    case 11:
      return "time exceeded";
    case 12:
      return "parameter problem";
    default:
      return "ICMP message";
  }
}

}  // namespace tcpwitness
