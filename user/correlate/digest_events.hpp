// SPDX-License-Identifier: Apache-2.0
// digest_events.hpp: all events of one ordinary connection in one record.
#pragma once

#include <vector>

#include "correlate/correlation.hpp"
#include "correlate/crowds.hpp"
#include "correlate/forwarded.hpp"
#include "correlate/icmp_events.hpp"
#include "correlate/lives.hpp"
#include "correlate/whole_life.hpp"

namespace tcpwitness {

class DigestEvents {
 public:
  // All are kept by reference.
  DigestEvents(Correlation& in, Lives& lives, Crowds& crowds, IcmpEvents& icmp, const ForwardedConnections& forwarded)
      : in_(in),
        settings_(in.settings),
        table_(in.table),
        listeners_(in.listeners),
        losses_(in.losses),
        attempts_(in.attempts),
        selection_(in.selection),
        now_(in.now),
        lives_(lives),
        crowds_(crowds),
        icmp_(icmp),
        forwarded_(forwarded) {}

  // It has a whole ordinary life, and that is written. False: it is to be taken event by event.
  [[nodiscard]] bool take_whole(const Event& e, const SocketDigest& d);
  // Its events. They stay until the next call.
  [[nodiscard]] const std::vector<Event>& events_of(const Event& e, const SocketDigest& d);

 private:
  // Nothing of this connection is known, nor can anything of it be lost.
  // Where an older connection has the address pair, that one is reported.
  struct Place {
    bool is_new = false;
    bool free = false;       // no older one has it
    std::uint32_t hash = 0;  // of the address pair
  };
  [[nodiscard]] Place place_of(const Event& e, const SocketDigest& d, const WholeLife& at, const Flow& flow) const;
  [[nodiscard]] Slot create(const Event& e, const SocketDigest& d, const WholeLife& at, const Flow& flow,
                            const Place& place);
  [[nodiscard]] bool begin(Connection& c, const Event& e, const SocketDigest& d, const WholeLife& at);
  void count(const SocketDigest& d, const WholeLife& at);

  Correlation& in_;
  const CorrelatorSettings& settings_;
  Table& table_;
  Listeners& listeners_;
  const Losses& losses_;
  AttemptsBySecond& attempts_;
  const Selection& selection_;
  const TimeNs& now_;
  Lives& lives_;
  Crowds& crowds_;
  IcmpEvents& icmp_;
  const ForwardedConnections& forwarded_;

  std::vector<Event> events_;  // room for those of one digest
};

}  // namespace tcpwitness
