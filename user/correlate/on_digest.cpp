// SPDX-License-Identifier: Apache-2.0
// on_digest.cpp: the ordinary events of one socket, together.
#include "correlate/witness_impl.hpp"
#include "decode/digest.hpp"

namespace tcpwitness {

void Witness::Impl::on_digest(const Event& e, const SocketDigest& d) {
  expanded_.clear();
  expand(e, d, expanded_);
  for (const Event& event : expanded_) take(event);
}

}  // namespace tcpwitness
