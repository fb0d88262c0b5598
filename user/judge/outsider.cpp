// SPDX-License-Identifier: Apache-2.0
// outsider.cpp: a RST that neither kernel sent.
//
// Two things together show it: the RST crossed other hops than all else from the peer (its TTL is off the
// connection's), and the peer went on behind it with new sequence numbers over the old hops, which a TCP that has
// reset the connection cannot do. One of them alone is a suspicion, reported by reset-origin.
#include "facts/derived.hpp"
#include "judge/judge.hpp"

namespace tcpwitness {

bool reset_by_outsider(const Connection& c) {
  if (!ttl_differs(c)) return false;
  const OutsiderFacts& outsider = c.anomalies->outsider;
  return outsider.goes_on && outsider.ttl == c.from_peer.ttl;
}

}  // namespace tcpwitness
