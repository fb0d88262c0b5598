// SPDX-License-Identifier: Apache-2.0
// icmp.cpp: what an ICMP message did to the connection, and who sent it.
#include <fmt/format.h>

#include <cerrno>

#include "judge/judge.hpp"

namespace tcpwitness {

const IcmpMessage* icmp_behind(const Connection& c) {
  if (!c.anomalies) return nullptr;
  const Anomalies& t = *c.anomalies;
  if (t.icmp) return &t.icmp;
  if (!t.icmp_in) return nullptr;
  if (t.request_dropped && !c.ended()) return &t.icmp_in;
  // connect() that holds the socket's lock learns of the error without a word of the socket's.
  const bool connecting = c.error == 0 && c.teardown && c.teardown->end_from == TcpState::syn_sent;
  const bool ends = is_unreachable(t.icmp_in.error) || t.icmp_in.error == ECONNREFUSED;
  return ends && (c.error == t.icmp_in.error || connecting) ? &t.icmp_in : nullptr;
}

std::string icmp_words(const Connection& c, const IcmpMessage& icmp) {
  if (icmp.own) return fmt::format("{}, by this machine itself", name(icmp));
  std::string sender = fmt::format("{}, on the way", to_string(icmp.sender));
  if (icmp.sender == c.flow.remote.address) sender = "the destination itself";
  return fmt::format("{} ({} type {}, code {}), sent by {}", name(icmp), icmp.v6 ? "ICMPv6" : "ICMP", icmp.type,
                     icmp.code, sender);
}

}  // namespace tcpwitness
