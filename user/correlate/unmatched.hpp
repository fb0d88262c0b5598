// SPDX-License-Identifier: Apache-2.0
// unmatched.hpp: findings of what is no connection's: segments without a socket, SYNs that were dropped before TCP.
//
// Of each kind the first of a second are reported one by one, the rest is added up.
#pragma once

#include "correlate/attempts.hpp"
#include "correlate/dropped_syns.hpp"
#include "correlate/emitter.hpp"
#include "correlate/losses.hpp"
#include "correlate/newest.hpp"
#include "correlate/repeated_strays.hpp"
#include "correlate/strays.hpp"
#include "correlate/table.hpp"
#include "facts/rules.hpp"

namespace tcpwitness {

class Unmatched {
 public:
  // All are kept by reference.
  Unmatched(const CorrelatorSettings& settings, const Names& names, const Rules& rules, const Selection& selection,
            const Losses& losses, Table& table, Emitter& emitter)
      : settings_(settings),
        names_(names),
        rules_(rules),
        selection_(selection),
        losses_(losses),
        table_(table),
        emitter_(emitter) {}

  void on_segment(const Event& e, const Segment& g, const Flow& flow, bool out);
  // A socket here sent a SYN: an answer can come from another address.
  void on_own_syn(const Segment& g) { own_syns_.push({to_flow(g.tuple), g.seq}); }
  // A SYN was dropped that came in.
  void on_dropped_syn(const Event& e, const Drop& d, const Flow& flow, TimeNs now);
  // They may turn out to be a connection's.
  [[nodiscard]] Strays& strays() { return strays_; }

  // Reports what is over by now.
  void expire(TimeNs now);
  // The run is over.
  void finish(TimeNs now);
  // What was not reported one by one, where its second is over.
  void report_sums(TimeNs now);
  [[nodiscard]] bool empty() const {
    return strays_.empty() && repeated_strays_.empty() && dropped_syns_.empty() && more_strays_.empty();
  }

 private:
  struct OwnSyn {
    Flow flow;
    std::uint32_t isn = 0;
  };

  bool dropped_where_it_arrived(const Event& e, const Drop& d, const Stray& syn);
  [[nodiscard]] Stray with_asked(Stray stray);
  void take(const Stray& stray, TimeNs now);
  void report(const Stray& stray, TimeNs now);
  void report(const DroppedSyn& syn, TimeNs now);

  const CorrelatorSettings& settings_;
  const Names& names_;
  const Rules& rules_;
  const Selection& selection_;
  const Losses& losses_;
  Table& table_;
  Emitter& emitter_;

  Strays strays_;
  RepeatedStrays repeated_strays_;
  Newest<OwnSyn, 256> own_syns_;
  DroppedSyns dropped_syns_;
  RestOfEachSecond more_strays_;
  FirstOfEachSecond stray_findings_{100};
  FirstOfEachSecond dropped_syn_findings_{10};
  bool finished_ = false;
};

}  // namespace tcpwitness
