// SPDX-License-Identifier: Apache-2.0
// open_findings.hpp: findings of connections that are still open.
//
// Who watches for problems wants them now, and a life is judged at its end. So each second the connections that have
// trouble are judged as if the run ended here. What explains a finding can come a moment after it (the RST after the
// segment, the kernel's cause after the wire's): it is reported if the next look judges the same rule again. Once for
// each rule and connection, and again at its end if it reads otherwise by then.
//
// Not of forwarded connections, whose counters come at their end, and not of half-open ones: a SYN flood has too many.
#pragma once

#include "correlate/contexts.hpp"
#include "correlate/emitter.hpp"
#include "correlate/losses.hpp"

namespace tcpwitness {

// Whether two findings read the same.
using ReadAlike = bool (*)(const Finding& one, const Finding& other);

class OpenFindings {
 public:
  static constexpr std::int64_t look_every_ns = 1'000'000'000;

  // All are kept by reference.
  OpenFindings(const CorrelatorSettings& settings, const Rules& rules, ReadAlike alike, const Selection& selection,
               const Losses& losses, Table& table, Contexts& contexts, Emitter& emitter)
      : settings_(settings),
        rules_(rules),
        alike_(alike),
        selection_(selection),
        losses_(losses),
        table_(table),
        contexts_(contexts),
        emitter_(emitter) {}

  // Looks, where it is time: at some of them, and at the others when it is called again.
  void look(TimeNs now);
  // The next look begins then.
  [[nodiscard]] TimeNs due() const { return begun_ns_ + look_every_ns; }
  // It was reported before the end, and no better or other words are known by now.
  [[nodiscard]] bool reported(const Connection& c, const Finding& finding) const;

 private:
  void judge(Slot slot, TimeNs now);

  const CorrelatorSettings& settings_;
  const Rules& rules_;
  ReadAlike alike_;
  const Selection& selection_;
  const Losses& losses_;
  Table& table_;
  Contexts& contexts_;
  Emitter& emitter_;

  TimeNs begun_ns_ = 0;  // the look that is under way, or the newest one
  Slot next_ = 0;        // in it
  Slot end_ = 0;
};

}  // namespace tcpwitness
