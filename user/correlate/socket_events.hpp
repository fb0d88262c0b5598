// SPDX-License-Identifier: Apache-2.0
// socket_events.hpp: a socket's error, its end, who uses it, how it sends.
#pragma once

#include "correlate/correlation.hpp"
#include "correlate/lives.hpp"
#include "correlate/state_events.hpp"

namespace tcpwitness {

class SocketEvents {
 public:
  // All are kept by reference.
  SocketEvents(Correlation& in, Lives& lives, StateEvents& states)
      : settings_(in.settings),
        table_(in.table),
        listeners_(in.listeners),
        unowned_(in.unowned),
        emitter_(in.emitter),
        contexts_(in.contexts),
        now_(in.now),
        lives_(lives),
        states_(states) {}

  void take(const Event& e, const SocketError& x);
  void take(const Event& e, const SocketDestroyed& d);
  void take(const Event& e, const OwnerSeen& o);
  void take(const Event& e, const Sample& sample);

 private:
  bool take_listener(const Event& e, const OwnerSeen& o);

  const CorrelatorSettings& settings_;
  Table& table_;
  Listeners& listeners_;
  const std::vector<Slot>& unowned_;
  Emitter& emitter_;
  Contexts& contexts_;
  const TimeNs& now_;
  Lives& lives_;
  StateEvents& states_;
};

}  // namespace tcpwitness
