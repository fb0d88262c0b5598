// SPDX-License-Identifier: Apache-2.0
// translation_events.hpp: connections whose segments have other addresses on the wire than their socket has (NAT).
#pragma once

#include "correlate/correlation.hpp"
#include "correlate/forwarded.hpp"
#include "correlate/lives.hpp"
#include "correlate/newest.hpp"
#include "correlate/strays.hpp"

namespace tcpwitness {

class TranslationEvents {
 public:
  // All are kept by reference.
  TranslationEvents(Correlation& in, Lives& lives, ForwardedConnections& forwarded, Strays& strays)
      : table_(in.table),
        listeners_(in.listeners),
        timeline_(in.timeline),
        lives_(lives),
        forwarded_(forwarded),
        strays_(strays) {}

  void take(const Event& e, const Translation& t);
  // A segment has begun a connection: what was known of its addresses on the wire before.
  void take_early(Slot slot, const Segment& g);

 private:
  // Its SYN came with the wire's addresses, for which there was no socket.
  void take_syn(Connection& c, const Flow& wire, std::uint32_t isn);

  Table& table_;
  Listeners& listeners_;
  Timeline& timeline_;
  Lives& lives_;
  ForwardedConnections& forwarded_;
  Strays& strays_;

  // Whose connection has not begun yet; the segment that begins it is right behind.
  Newest<Translation, 64> early_;
};

}  // namespace tcpwitness
