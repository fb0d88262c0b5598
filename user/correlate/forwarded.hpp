// SPDX-License-Identifier: Apache-2.0
// forwarded.hpp: connections that pass through this machine: two hops, and no socket of ours.
//
// The table has them beside all others, with ForwardedFacts; here is what only they need: their hops by address, the
// SYNs that may turn out to be theirs, how long they are followed, and what the run is asked to do with their flows.
#pragma once

#include <unordered_map>
#include <vector>

#include "correlate/attempts.hpp"
#include "correlate/emitter.hpp"
#include "correlate/ended_hops.hpp"
#include "correlate/local_syn.hpp"
#include "correlate/losses.hpp"
#include "correlate/newest.hpp"
#include "correlate/strays.hpp"
#include "correlate/table.hpp"
#include "values/kernel_questions.hpp"

namespace tcpwitness {

class ForwardedConnections {
 public:
  // What becomes of each, as of any other connection.
  class Host {
   public:
    virtual ~Host() = default;
    // A segment, once, as its sender sent it. shown: the timeline gets it.
    virtual void forwarded_segment(Slot slot, const Event& e, const Segment& g, bool out, bool shown) = 0;
    // It is over: judged and reported. Its slot stays.
    virtual void forwarded_over(Slot slot) = 0;
  };

  // All are kept by reference; now: of the newest event, or of the call that runs.
  ForwardedConnections(Host& host, const CorrelatorSettings& settings, const Losses& losses, Table& table,
                       Timeline& timeline, Emitter& emitter, Strays& strays, Summary& summary, const TimeNs& now);

  // forwarded.cpp: segments
  void on_hop(const Event& e, const Segment& g, bool shown = true);
  // NAT, or nothing, stands between two hops: they are one connection's.
  void join_hops(const Translation& t);
  // The last look at a hop's counters. False: it is no hop of a connection that is followed.
  bool refresh_hop(const Event& e, const SocketFound& f);
  [[nodiscard]] Slot find_dropped(const Drop& d, bool& out) const;
  // Forgets it.
  void release(Slot slot);
  [[nodiscard]] bool any() const { return !hops_.empty(); }
  [[nodiscard]] AttemptsBySecond& attempts() { return attempts_; }
  [[nodiscard]] bool has_attempts() const { return !attempts_.empty(); }

  // forwarded_syns.cpp
  // SYNs that seem to be for this machine, until NAT is seen to send them on: one left with other addresses, or was
  // dropped with them.
  void note_local_syn(const Event& e, const Segment& g);
  [[nodiscard]] Slot take_dropped_syn(const Drop& d);
  // A socket of this machine has it after all: the SYN is that connection's.
  void take_back(Connection& c, const Flow& wire, const Flow& own);
  // NAT has sent on what a listener here seemed to be asked for: no connection of this machine.
  void pass_on(const Flow& flow);

  // forwarded_icmp.cpp
  void on_icmp_left(const Event& e, const IcmpSeen& seen);

  // forwarded_lifetime.cpp: how long they are followed, and how many
  void time_over(Slot slot, Wait waited);
  // It is over: reported, once both hops were counted to the end.
  void end(Slot slot);
  void delete_flows_of(const Connection& c);
  // For the run; see LiveCorrelator.
  [[nodiscard]] bool wants_hops();
  [[nodiscard]] std::vector<Flow> ended_hops();
  [[nodiscard]] std::vector<FlowToDelete> flows_to_delete();
  [[nodiscard]] bool has_flows() const { return !ended_hops_.empty() || !flows_to_delete_.empty(); }

 private:
  // Hops that are to be forgotten, until the run asks for them. What is left out is forgotten by the flow map itself.
  static constexpr std::size_t flows_to_delete_limit = 4096;
  struct HopAt {
    Slot slot = no_slot;
    unsigned hop = 0;
  };

  // The hop of a segment with these addresses as they came; no_slot: none is known.
  [[nodiscard]] Slot find(const Flow& key, unsigned& hop) const;
  [[nodiscard]] Slot locate_hop(const Event& e, const Segment& g, const Flow& flow);
  Slot begin_hop(const Event& e, const Segment& g, const Flow& flow);
  void bind_hop(Slot slot, unsigned hop, const Flow& key);
  void name_ends(Slot slot);
  bool left_untranslated(const Segment& g, const Flow& key);
  void take_local_syn(const LocalSyn& syn);
  void take_sent_on(const Flow& came);
  void note_progress(const Connection& c, bool was_open, bool was_answered);

  void refuse(Slot slot, const Event& e, const IcmpMessage& message);
  // An ICMP error had ended the attempt, and it goes on: for its sender the error was none that ends it.
  void go_on(Slot slot);

  void watch(Slot slot);
  void give_up(Slot slot);
  [[nodiscard]] bool make_room();

  Host& host_;
  const CorrelatorSettings& settings_;
  const Losses& losses_;
  Table& table_;
  Timeline& timeline_;
  Emitter& emitter_;
  Strays& strays_;
  Summary& summary_;
  const TimeNs& now_;

  std::unordered_map<Flow, HopAt> hops_;  // by the addresses of each hop, as its segments have them
  EndedHops ended_;
  std::size_t followed_ = 0;
  Newest<Translation, 64> joins_;     // of hops whose connection has not begun yet; its segment is right behind
  Newest<LocalSyn, 256> local_syns_;  // what shows that one goes on is right behind
  AttemptsBySecond attempts_{true};
  bool hops_look_ = false;                     // wants_hops()
  std::vector<Flow> ended_hops_;               // ended_hops()
  std::vector<FlowToDelete> flows_to_delete_;  // flows_to_delete()
};

}  // namespace tcpwitness
