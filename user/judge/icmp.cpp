// SPDX-License-Identifier: Apache-2.0
// icmp.cpp: what an ICMP message did to the connection, and who sent it.
#include <fmt/format.h>

#include <cerrno>

#include "judge/judge.hpp"

namespace tcpwitness {

// icmp_err_convert[] (net/ipv4/icmp.c), tab_unreach[] (net/ipv6/icmp.c).
bool is_unreachable(int error) {
  switch (error) {
    case ENETUNREACH:
    case EHOSTUNREACH:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case ENONET:
    case EOPNOTSUPP:
    case EACCES:
    case EPROTO:
      return true;
    default:
      return false;
  }
}

std::string icmp_words(const Connection& c, const IcmpMessage& icmp) {
  if (icmp.own) return fmt::format("this machine itself says {}", name(icmp));
  std::string sender = fmt::format("{}, on the way", to_string(icmp.sender));
  if (icmp.sender == c.flow.remote.address) sender = "the destination itself";
  return fmt::format("the SYN was answered by an ICMP message: {} ({} type {}, code {}), sent by {}", name(icmp),
                     icmp.v6 ? "ICMPv6" : "ICMP", icmp.type, icmp.code, sender);
}

}  // namespace tcpwitness
