// SPDX-License-Identifier: Apache-2.0
#include "facts/connection.hpp"

#include "tcpwitness/tcp.hpp"

namespace tcpwitness {

std::int64_t Connection::window_bytes(const Segment& g, bool out) const {
  if ((g.flags & tcp_flag::syn) != 0) return g.window;  // never scaled (RFC 7323, section 2.2)
  if ((g.flags & tcp_flag::rst) != 0) return -1;
  if (wscale_local == wscale_absent || wscale_peer == wscale_absent)
    return g.window;  // only both sides can agree on it
  if (wscale_local == wscale_unknown || wscale_peer == wscale_unknown) return -1;
  constexpr std::uint8_t largest = 14;
  const std::uint8_t shift = out ? wscale_local : wscale_peer;
  return std::int64_t{g.window} << (shift < largest ? shift : largest);
}

}  // namespace tcpwitness
