// SPDX-License-Identifier: Apache-2.0
// state_events.hpp: what a socket's state change shows of its connection.
#pragma once

#include "correlate/cause.hpp"
#include "correlate/correlation.hpp"
#include "correlate/lives.hpp"
#include "correlate/port_events.hpp"
#include "correlate/state_lookup.hpp"

namespace tcpwitness {

class StateEvents {
 public:
  // All are kept by reference.
  StateEvents(Correlation& in, Lives& lives, LifeReports& life_reports, PortEvents& ports)
      : in_(in),
        settings_(in.settings),
        table_(in.table),
        listeners_(in.listeners),
        attempts_(in.attempts),
        selection_(in.selection),
        timeline_(in.timeline),
        emitter_(in.emitter),
        now_(in.now),
        lives_(lives),
        lookup_(in, lives, life_reports),
        ports_(ports) {}

  void take(const Event& e, const StateChange& s);
  // What no tracepoint shows: the move into the mini-socket. cb: as it was then, if that is known.
  void enter_time_wait(Slot slot, const Event& e, TimeNs ts, const Cause& cause, const ControlBlock* cb);
  // What no event of the kernel shows either: a RST that came ends the mini-socket, or the half-open request.
  void end_by_reset(Slot slot, const Event& e, const Segment& g);
  // The segment that ended it, or brought it to TIME_WAIT, never reached TCP.
  void take_back_end(Slot slot, const Event& e);
  // A transition for the timeline, and for what is recorded.
  void report(Connection& c, const Event& e, StateEntry entry);

 private:
  struct ClosedListener {
    Endpoint local;
    std::uint32_t netns = 0;
    TimeNs ts_ns = 0;
    Owner closer;
  };

  void infer_child(Connection& c, const Event& e, const StateChange& s);
  void begin(Connection& c, const StateChange& s);
  void change_owner(Connection& c, const Event& e, const StateChange& s);
  void change_state(Slot slot, const Event& e, const StateChange& s, const Cause& cause);
  void begin_closing(Slot slot, const Event& e, const StateChange& s);
  void end(Slot slot, const Event& e, const StateChange& s, const Cause& cause);
  void note_closed_listener(const Event& e, const Endpoint& local, const StateChange& s);
  [[nodiscard]] bool ends_with_listener(const Connection& c, const Event& e, const StateChange& s) const;
  void close(Slot slot, const Event& e, const StateChange& s, const Cause& cause);
  void move_to_mini_socket(Slot slot, const Event& e, const StateChange& s, const Cause& cause);
  [[nodiscard]] bool shows_states() const { return in_.shows_states(); }

  const Correlation& in_;
  const CorrelatorSettings& settings_;
  Table& table_;
  Listeners& listeners_;
  AttemptsBySecond& attempts_;
  const Selection& selection_;
  Timeline& timeline_;
  Emitter& emitter_;
  const TimeNs& now_;
  Lives& lives_;
  StateLookup lookup_;
  PortEvents& ports_;
  ClosedListener closed_listener_;  // the newest: its children end with it, at once
};

}  // namespace tcpwitness
