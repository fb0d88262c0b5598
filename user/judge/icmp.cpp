// SPDX-License-Identifier: Apache-2.0
// icmp.cpp: what an ICMP message did to the connection, and who sent it.
#include "judge/judge.hpp"
#include "tcpwitness/ending.hpp"

namespace tcpwitness {

const IcmpMessage* path_error_of_attempt(const Connection& c) {
  const bool asks = !c.ended() && c.state == TcpState::syn_sent && !c.opening.answered;
  return asks && c.anomalies && is_path_error(c.anomalies->icmp_in.error) ? &c.anomalies->icmp_in : nullptr;
}

const IcmpMessage* icmp_behind(const Connection& c) {
  if (!c.anomalies) return nullptr;
  const Anomalies& t = *c.anomalies;
  if (t.icmp) return &t.icmp;
  if (!t.icmp_in) return nullptr;
  if (t.request_dropped && !c.ended()) return &t.icmp_in;
  if (!c.seen_by.kernel) return path_error_of_attempt(c);
  // connect() that holds the socket's lock learns of the error without a word of the socket's.
  const bool connecting = c.error == 0 && c.teardown && c.teardown->end_from == TcpState::syn_sent;
  const bool ends = is_path_error(t.icmp_in.error);
  return ends && (c.error == t.icmp_in.error || connecting) ? &t.icmp_in : nullptr;
}

endings::Message message_of(const Connection& c, const IcmpMessage& icmp) {
  return {.icmp = icmp, .by_destination = icmp.sender == c.flow.remote.address};
}

}  // namespace tcpwitness
