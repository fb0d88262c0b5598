// SPDX-License-Identifier: Apache-2.0
// icmp_events.hpp: ICMP errors that quote a segment, and the connection that they are about.
#pragma once

#include "correlate/correlation.hpp"
#include "correlate/forwarded.hpp"
#include "correlate/newest.hpp"
#include "correlate/strays.hpp"

namespace tcpwitness {

class IcmpEvents {
 public:
  // All are kept by reference.
  IcmpEvents(Correlation& in, ForwardedConnections& forwarded, Strays& strays)
      : settings_(in.settings),
        table_(in.table),
        emitter_(in.emitter),
        now_(in.now),
        forwarded_(forwarded),
        strays_(strays) {}

  void take(const Event& e, const IcmpSeen& seen);
  // slot: of the conversation whose segment it quotes. What is for its other side is only shown.
  void take_captured(Slot slot, const Event& e, const IcmpSeen& seen);
  // A connection has got its addresses: what came before anything had shown its local port.
  void take_early(const Flow& flow);
  [[nodiscard]] bool none_early();

 private:
  void take_sent(const Event& e, const IcmpSeen& seen);
  void take_ours(Connection& c, const Event& e, const IcmpSeen& seen);
  void put_entry(Connection& c, const Event& e, const IcmpSeen& seen, std::optional<std::uint32_t> isn, bool passed);

  const CorrelatorSettings& settings_;
  Table& table_;
  Emitter& emitter_;
  const TimeNs& now_;
  ForwardedConnections& forwarded_;
  Strays& strays_;

  Newest<Event, 8> early_;  // for no connection that is known
};

}  // namespace tcpwitness
