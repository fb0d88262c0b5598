// SPDX-License-Identifier: Apache-2.0
// window_scale.hpp: the shift of a side's windows, as both SYNs agreed on it (RFC 7323, 2.2).
#pragma once

#include <algorithm>
#include <cstdint>

#include "wire/seen_segment.hpp"

namespace tcpwitness {

struct WindowScale {
  static constexpr std::uint8_t unknown = 0xff;

  std::uint8_t shift = unknown;
  bool offers = false;  // or may have offered: its options were cut off

  // The SYN of one side, and what is known of the other one.
  static void note(const SeenSegment& syn, WindowScale& me, WindowScale& peer) {
    constexpr std::uint8_t largest = 14;  // RFC 7323, 2.3
    const bool there = has(syn.options, TcpOption::window_scale);
    const bool cut = !there && has(syn.options, TcpOption::cut_off);
    const bool answers = syn.has(tcp_flag::ack);
    const bool peer_offers = peer.offers || peer.shift == unknown;
    me.offers = there || cut;
    me.shift = there ? std::min(syn.wscale, largest) : unknown;
    // Only both sides can agree on it.
    if (!me.offers || !peer_offers) {
      me.shift = peer.shift = 0;
    } else if (cut && answers) {
      peer.shift = unknown;
    } else if (!answers && peer.offers && peer.shift == unknown) {
      me.shift = unknown;  // the SYN again, behind a SYN-ACK that was cut
    }
  }
};

}  // namespace tcpwitness
