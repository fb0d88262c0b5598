// SPDX-License-Identifier: Apache-2.0
// correlator_impl.hpp: the state behind Correlator: one table of connections, one queue of reports.
//
// Split by what comes in: state changes (on_state.cpp), segments (on_segment.cpp, probes.cpp,
// wire_alone.cpp), the other kernel events (on_kernel.cpp), all of an ordinary connection at once
// (on_digest.cpp); out goes everything through correlator.cpp. It writes facts and asks Rules for judgements; it knows
// no rule.
#pragma once

#include <algorithm>
#include <unordered_map>

#include "correlate/attempts.hpp"
#include "correlate/contexts.hpp"
#include "correlate/emitter.hpp"
#include "correlate/forwarded.hpp"
#include "correlate/listeners.hpp"
#include "correlate/losses.hpp"
#include "correlate/newest.hpp"
#include "correlate/open_findings.hpp"
#include "correlate/port_questions.hpp"
#include "correlate/process.hpp"
#include "correlate/selection.hpp"
#include "correlate/table.hpp"
#include "correlate/timeline.hpp"
#include "correlate/unmatched.hpp"
#include "correlate/whole_life.hpp"
#include "facts/derived.hpp"
#include "facts/payload.hpp"
#include "facts/reasons.hpp"
#include "facts/rules.hpp"
#include "tcpwitness/pipeline.hpp"

namespace tcpwitness {

class Correlator::Impl final : private ForwardedConnections::Host {
 public:
  Impl(CorrelatorSettings settings, const Names& names, const Rules& rules, ReadAlike alike);
  ~Impl() override = default;
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  // pipeline/prefetch.hpp
  void prefetch_connection(const Event& event) const;
  void prefetch_rest(const Event& event) const;
  void feed(const Event& event, Reports& out);
  void advance(TimeNs now, Reports& out);
  [[nodiscard]] bool report_over(TimeNs by, Reports& out, std::size_t reports);
  [[nodiscard]] TimeNs due() const;
  [[nodiscard]] bool wants_descriptors();
  [[nodiscard]] std::optional<PortsQuestion> wants_ports();
  [[nodiscard]] std::uint64_t waits_over() const { return waits_over_; }
  [[nodiscard]] bool wants_fin_wait2() { return std::exchange(fin_wait2_look_, false); }
  [[nodiscard]] bool wants_hops() { return forwarded_.wants_hops(); }
  [[nodiscard]] std::vector<Flow> ended_hops() { return forwarded_.ended_hops(); }
  [[nodiscard]] std::vector<FlowToDelete> flows_to_delete() { return forwarded_.flows_to_delete(); }
  void listed(TimeNs begun, Reports& out);
  void finish(TimeNs now, Reports& out);
  [[nodiscard]] bool any_open() const;
  void so_far(TimeNs now, const std::function<void(Life)>& take);
  [[nodiscard]] std::optional<Life> so_far_of(ConnectionId conn, TimeNs now);
  void summarize_ordinary(bool summarize) { summarizes_ordinary_ = summarize; }
  [[nodiscard]] const Summary& summary() const { return summary_; }

 private:
  // on_state.cpp
  void on_state(const Event& e, const StateChange& s);
  Slot locate_state(const Event& e, const StateChange& s, const Flow& flow);
  void infer_child(Connection& c, const Event& e, const StateChange& s);
  void begin(Connection& c, const StateChange& s);
  void change_owner(Connection& c, const Event& e, const StateChange& s);
  void change_state(Slot slot, const Event& e, const StateChange& s, const Cause& cause);
  static void note_no_syn(Connection& c, const StateChange& s);
  void end(Slot slot, const Event& e, const StateChange& s, const Cause& cause);
  void enter_time_wait(Slot slot, const Event& e, TimeNs ts, const Cause& cause, const ControlBlock* cb);
  void state_entry(Connection& c, const Event& e, StateEntry entry);
  [[nodiscard]] bool shows_states() const { return settings_.timeline || settings_.states; }

  // on_digest.cpp
  void on_digest(const Event& e, const SocketDigest& d);
  // Nothing of this connection is known, nor can anything of it be lost.
  // Where an older connection has the address pair, that one is reported.
  struct Place {
    bool is_new = false;
    bool free = false;  // no older one has it
  };
  [[nodiscard]] Place place_of(const Event& e, const SocketDigest& d, const WholeLife& life, const Flow& flow) const;
  void take_whole(const Event& e, const SocketDigest& d, const WholeLife& life, const Flow& flow, bool free);
  // There may be any: nobody asks for single events.
  [[nodiscard]] bool digests() const {
    return settings_.has_kernel && (!settings_.timeline || summarizes_ordinary_) && !settings_.compare &&
           !settings_.every_segment && !settings_.capture && !settings_.forwarded;
  }

  // on_segment.cpp
  void on_segment(const Event& e, const Segment& g);
  // Of a connection that is known. shown: the timeline gets it.
  void take_segment(Slot slot, const Event& e, const Segment& g, const Flow& flow, bool out, bool shown = true);
  [[nodiscard]] bool kernel_judges(const Connection& c) const { return contexts_.kernel_judges(c); }
  bool is_refused(Connection& c, const Event& e, const Segment& g, bool out) const;
  Slot locate_segment(const Event& e, const Segment& g, const Flow& flow, bool out);
  Slot locate_captured(const Event& e, const Segment& g, const Flow& flow, bool out);
  Slot begin_by_segment(const Event& e, const Segment& g, const Flow& flow, bool out);
  void pass_on_dropped(const Drop& d, const Flow& flow);
  void note_handshake(Slot slot, Connection& c, const Event& e, const Segment& g, bool out);
  void note_fins(Connection& c, const Event& e, const Segment& g, bool out);
  void note_faults(Connection& c, const Event& e, const Segment& g, bool out);
  void note_wire_totals(Connection& c, const Event& e, const Segment& g);
  void note_mini_socket(Slot slot, Connection& c, const Event& e, const Segment& g, bool out);
  // Of a segment, where all of them are seen.
  std::optional<Analysis> analyse(Connection* c, const Event& e, const Segment& g, bool out);
  bool note_candidate(Connection& c, const Event& e, const Segment& g, bool out);
  void segment_entry(Connection* c, const Event& e, const Segment& g, const Flow& flow, bool out);
  void wire_alone(Slot slot, Connection& c, const Event& e, const Segment& g, bool out);

  // wire_alone.cpp
  static void enter_alone(Connection& c, const Event& e, const Segment& g, TcpState to);
  Slot take_refused(const Event& e, const Segment& g, const Flow& flow, bool out);
  void resume(Connection& c, const Event& e);
  void on_conversation_end(const Event& e, const ConversationEnd& end);
  [[nodiscard]] const Connection* ended_by(const Event& event) const;

  // probes.cpp: keep-alive and zero-window probes, closed windows
  void note_probe(Connection& c, const Event& e, const Segment& g, bool out);
  void note_windows(Connection& c, const Event& e, const Segment& g, bool out);

  // crowd.cpp: what is too much to report one by one
  void note_attempt(const Event& e, const Flow& flow);
  void report_attempts(TimeNs now);
  void report_crowds(TimeNs now);

  // looks.cpp: what is looked for because it was asked
  void on_ports(const Event& e, const PortsFound& p);
  [[nodiscard]] bool knows_ports(Connection& c);
  void watch_fin_wait2(Slot slot);
  void note_still_fin_wait2(const Event& e, const SocketFound& f);

  // on_kernel.cpp
  void on_retransmit(const Event& e, const Retransmit& r);
  void on_reset(const Event& e, const Reset& r);
  // The stray segment that was answered; 0: not seen.
  EventId stray_reset(const Event& e, const Reset& r, const Flow& flow);
  bool note_answered_here(const Event& e, const Reset& r, const Flow& flow);
  bool end_request(Slot slot, const Event& e, const Reset& r);
  void on_error(const Event& e, const SocketError& x);
  void on_drop(const Event& e, const Drop& d);
  void on_destroy(const Event& e, const SocketDestroyed& d);
  void on_owner(const Event& e, const OwnerSeen& o);
  void on_socket(const Event& e, const SocketFound& f);
  void on_sample(const Event& e, const Sample& sample);
  void find_in(Slot slot, const Event& e, TcpState state);
  void catch_up(Slot slot, const Event& e, TcpState state);
  void on_gap(const Event& e, const Gap& gap);
  // Events of a kind, so far.
  std::uint64_t& count_of(EventKind kind) { return summary_.events[static_cast<std::size_t>(kind)]; }
  // By cookie, else by address pair; no_slot for one that was reported already.
  Slot locate(std::uint64_t cookie, const AddressPair& tuple) const;

  // icmp.cpp
  void on_icmp(const Event& e, const IcmpSeen& seen);
  void on_icmp_sent(const Event& e, const IcmpSeen& seen);
  // What came before anything had shown the connection's local port.
  void take_early_icmp(const Flow& flow);

  // nat.cpp
  void on_translation(const Event& e, const Translation& t);
  // A connection that a segment begins: what was known of its addresses on the wire before.
  void take_translation(Slot slot, const Segment& g);
  // Its SYN came with the wire's addresses, for which there was no socket.
  void take_syn(Connection& c, const Flow& wire, std::uint32_t isn);

  // correlator.cpp
  void take(const Event& event);
  // begun: its very first event, see Losses::begins().
  Slot create(TimeNs ts, bool begun);
  void adopt_flow(Slot slot, const Flow& flow);
  void release(Slot slot);
  // Its own records show that a transition is missing. Where no gap can have it, the kernel ran no program for it.
  void note_missing(Connection& c);
  // No room for another connection that only a segment has shown.
  [[nodiscard]] bool crowded(bool half_open) const;
  [[nodiscard]] bool knows_late_segments(const Connection& c) const;
  void owner_changed(Connection& c, const Event& e);
  // Over: judged and reported; what still comes of it for a moment is known to be late. end: of a capture.
  void conclude(Slot slot, const ConversationEnd* end = nullptr);
  Outcome emit_life(Slot slot, RuleContext known);
  void pass_time(TimeNs now);
  void forwarded_segment(Slot slot, const Event& e, const Segment& g, bool out, bool shown) override {
    take_segment(slot, e, g, table_.at(slot).flow, out, shown);
  }
  void forwarded_over(Slot slot) override { conclude(slot); }
  // What is over by now, until so many reports wait; false: all.
  bool expire(std::size_t reports);
  [[nodiscard]] RuleContext context(Slot slot, const ConversationEnd* end = nullptr) {
    return contexts_.of(slot, {now_, finished_, end});
  }

  CorrelatorSettings settings_;
  const Names& names_;
  const Rules& rules_;
  Table table_;
  std::vector<Slot> captured_;  // by Analysis::conversation
  Listeners listeners_;
  Selection selection_;
  Timeline timeline_;
  Emitter emitter_;
  Losses losses_;
  Contexts contexts_;
  OpenFindings open_findings_;
  Unmatched unmatched_;
  bool summarizes_ordinary_ = false;
  Newest<Event, 8> early_icmp_;       // for no connection that is known
  RestOfEachSecond more_refused_;     // forwarded
  AttemptsBySecond attempts_{false};  // of listeners here
  FirstOfEachSecond half_open_lives_{100};
  Newest<LocalSyn, 256> unmatched_syns_;  // packets alone: SYNs that found no socket
  // Whose connection has not begun yet; the segment that begins it is right behind.
  Newest<Translation, 64> translations_;
  std::vector<Event> expanded_;  // room for the events of one digest
  TimeNs now_ = 0;
  bool in_part_ = false;  // not all that is over by then was reported
  TimeNs looked_ns_ = 0;  // when the newest look at all sockets began
  bool finished_ = false;
  PortQuestions port_questions_;
  bool fin_wait2_look_ = false;  // LiveCorrelator::wants_fin_wait2
  std::uint64_t waits_over_ = 0;
  Summary summary_;
  ForwardedConnections forwarded_;
};

}  // namespace tcpwitness
