// SPDX-License-Identifier: Apache-2.0
// from_peer.hpp: how the peer's segments come in, RSTs excluded: a RST that differs has perhaps another sender.
#pragma once

#include <cstdint>

namespace tcpwitness {

inline constexpr std::uint32_t loopback_ifindex = 1;  // in every namespace (LOOPBACK_IFINDEX)

struct FromPeer {
  std::uint8_t ttl = 0;         // or hop limit, of the first one; 0: none seen
  bool ttl_twice : 1 = false;   // two segments or more had it
  bool ttl_varies : 1 = false;  // while the connection lasted
  bool on_loopback : 1 = false;
  bool elsewhere : 1 = false;  // on another interface

  // A segment; lasts: the connection has not ended.
  void note(std::uint32_t ifindex, std::uint8_t its_ttl, bool lasts) {
    if (ifindex == loopback_ifindex) {
      on_loopback = true;
    } else {
      elsewhere = true;
    }
    note_ttl(its_ttl, lasts);
  }

  // Only its TTL is known.
  void note_ttl(std::uint8_t its_ttl, bool lasts) {
    if (its_ttl == 0) return;
    if (ttl == 0) {
      ttl = its_ttl;
    } else if (ttl == its_ttl) {
      ttl_twice = true;
    } else if (lasts) {
      ttl_varies = true;
    }
  }
};

}  // namespace tcpwitness
