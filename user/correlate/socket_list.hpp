// SPDX-License-Identifier: Apache-2.0
// socket_list.hpp: the sockets that a list of all of them shows: at the start, and after a loss.
#pragma once

#include "correlate/correlation.hpp"
#include "correlate/forwarded.hpp"
#include "correlate/half_closed.hpp"
#include "correlate/lives.hpp"

namespace tcpwitness {

class SocketList {
 public:
  // All are kept by reference.
  SocketList(Correlation& in, Lives& lives, LifeReports& life_reports, ForwardedConnections& forwarded,
             HalfClosed& half_closed)
      : in_(in),
        settings_(in.settings),
        table_(in.table),
        listeners_(in.listeners),
        losses_(in.losses),
        contexts_(in.contexts),
        now_(in.now),
        lives_(lives),
        life_reports_(life_reports),
        forwarded_(forwarded),
        half_closed_(half_closed) {}

  void take(const Event& e, const SocketFound& f);
  // All that existed at `begun` were taken: what began before, and lost events, is over if it was not among them.
  // Behind an overload that can be all that is known: so many each millisecond, and reports leave meanwhile
  // (Wait::gone, since the time of each one's turn).
  void finish(TimeNs begun);
  // One of these has its turn. What was seen since goes on: a list can miss a socket.
  void take_turn(Slot slot);
  // The run ends: those that have not had their turn.
  void conclude_gone();

 private:
  void take_flow(const Event& e, const SocketFound& f);
  void take_kept(const Event& e, const SocketFound& f);
  void begin(const Event& e, const SocketFound& f, const Flow& flow, TcpState state);
  void find_in(Slot slot, const Event& e, const ControlBlock& found, TcpState state);
  void not_gone(Slot slot);
  void catch_up(Slot slot, const Event& e, const ControlBlock& found, TcpState state);

  Correlation& in_;
  const CorrelatorSettings& settings_;
  Table& table_;
  Listeners& listeners_;
  const Losses& losses_;
  Contexts& contexts_;
  const TimeNs& now_;
  Lives& lives_;
  LifeReports& life_reports_;
  ForwardedConnections& forwarded_;
  HalfClosed& half_closed_;
};

}  // namespace tcpwitness
