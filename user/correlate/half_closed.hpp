// SPDX-License-Identifier: Apache-2.0
// half_closed.hpp: sockets that wait for long while one side has closed: in CLOSE_WAIT, in FIN_WAIT2.
#pragma once

#include "correlate/correlation.hpp"
#include "correlate/life_reports.hpp"

namespace tcpwitness {

class HalfClosed {
 public:
  // All are kept by reference.
  HalfClosed(Correlation& in, LifeReports& life_reports)
      : in_(in),
        settings_(in.settings),
        rules_(in.rules),
        table_(in.table),
        losses_(in.losses),
        emitter_(in.emitter),
        now_(in.now),
        life_reports_(life_reports) {}

  // Its time in CLOSE_WAIT is up: a finding, which is reported at once, for the process may never close.
  void close_wait_over(Slot slot);
  // Once a second, while the peer has not closed.
  void watch_fin_wait2(Slot slot);
  // The answer to wants_fin_wait2().
  void note_still_fin_wait2(const Event& e, const SocketFound& f);
  // It was a whole list, and began then: what is not in it has left FIN_WAIT2.
  void note_left_fin_wait2(const Event& looked);

  // For the run; see LiveCorrelator.
  [[nodiscard]] bool wants_descriptors();
  [[nodiscard]] bool wants_fin_wait2() { return std::exchange(fin_wait2_look_, false); }
  [[nodiscard]] bool has_fin_wait2_look() const { return fin_wait2_look_; }
  // wants_descriptors() has a new answer then; no_time: none is due.
  static constexpr TimeNs no_time = std::numeric_limits<TimeNs>::max();
  [[nodiscard]] TimeNs descriptors_due() const;

 private:
  void report_while_open(Connection& c, Finding finding);
  void ask_for_fin_wait2(const Connection& c);
  void ask_for_list(std::int64_t interval);

  Correlation& in_;
  const CorrelatorSettings& settings_;
  const Rules& rules_;
  Table& table_;
  const Losses& losses_;
  Emitter& emitter_;
  const TimeNs& now_;
  LifeReports& life_reports_;

  bool fin_wait2_look_ = false;
  TimeNs fin_wait2_asked_ns_ = 0;  // the newest time, for sockets of which no packet is seen
};

}  // namespace tcpwitness
