// SPDX-License-Identifier: Apache-2.0
// correlator_impl.hpp: the parts behind Correlator, and which of them takes what.
//
// Each kind of event has a part of its own (*_events.hpp), which writes facts and calls no rule; what they have in
// common is the Correlation. Here is no logic but time: what is over by now, and what is due.
#pragma once

#include <algorithm>
#include <iterator>
#include <vector>

#include "correlate/correlation.hpp"
#include "correlate/crowds.hpp"
#include "correlate/digest_events.hpp"
#include "correlate/drop_events.hpp"
#include "correlate/forwarded.hpp"
#include "correlate/half_closed.hpp"
#include "correlate/icmp_events.hpp"
#include "correlate/life_reports.hpp"
#include "correlate/lives.hpp"
#include "correlate/open_findings.hpp"
#include "correlate/port_events.hpp"
#include "correlate/reset_events.hpp"
#include "correlate/retransmit_events.hpp"
#include "correlate/segment_events.hpp"
#include "correlate/segment_lookup.hpp"
#include "correlate/socket_events.hpp"
#include "correlate/socket_list.hpp"
#include "correlate/state_events.hpp"
#include "correlate/translation_events.hpp"
#include "correlate/unmatched.hpp"

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
  [[nodiscard]] bool takes_first(const Event& event) const;
  [[nodiscard]] TimeNs due() const;
  [[nodiscard]] bool wants_descriptors() { return half_closed_.wants_descriptors(); }
  [[nodiscard]] bool wants_listener_owners(const std::function<bool(std::uint32_t pid)>& is_gone) {
    return in_.listeners.any_left_behind(is_gone);
  }
  [[nodiscard]] std::optional<PortsQuestion> wants_ports() { return ports_.wants(); }
  [[nodiscard]] std::uint64_t waits_over() const { return waits_over_; }
  [[nodiscard]] bool wants_fin_wait2() { return half_closed_.wants_fin_wait2(); }
  [[nodiscard]] bool wants_hops() { return forwarded_.wants_hops(); }
  [[nodiscard]] std::vector<Flow> ended_hops() { return forwarded_.ended_hops(); }
  [[nodiscard]] std::vector<FlowToDelete> flows_to_delete() {
    std::vector<FlowToDelete> all = forwarded_.flows_to_delete();
    std::ranges::move(life_reports_.flows_to_delete(), std::back_inserter(all));
    return all;
  }
  void listed(TimeNs begun, Reports& out);
  void finish(TimeNs now, Reports& out);
  [[nodiscard]] bool any_open() const;
  void so_far(TimeNs now, const std::function<void(Life)>& take) { life_reports_.so_far(now, take); }
  [[nodiscard]] std::optional<Life> so_far_of(ConnectionId conn, TimeNs now) {
    return life_reports_.so_far_of(conn, now);
  }
  void summarize_ordinary(bool summarize) { in_.summarizes_ordinary = summarize; }
  [[nodiscard]] const Summary& summary() const { return in_.summary; }

 private:
  // An event goes to the part of its kind.
  void take(const Event& event);
  void take(const Event& e, const SocketDigest& d);
  void take(const Event& e, const ConversationEnd& end);
  void take(const Event& e, const Gap& gap);
  [[nodiscard]] Slot conversation_of(const IcmpSeen& seen) const;
  [[nodiscard]] const Connection* ended_by(const Event& event) const;

  void pass_time(TimeNs now);
  // What is over by now, until so many reports wait; false: all.
  bool expire(std::size_t reports);
  void wait_over(Slot slot, Wait wait);

  void forwarded_segment(Slot slot, const Event& e, const Segment& g, bool out, bool shown) override {
    segments_.take_known(slot, e, g, in_.table.at(slot).flow, out, shown);
  }
  void forwarded_over(Slot slot) override { life_reports_.conclude(slot); }

  Correlation in_;
  OpenFindings open_findings_;
  Unmatched unmatched_;
  ForwardedConnections forwarded_;
  IcmpEvents icmp_{in_, forwarded_, unmatched_.strays()};
  Lives lives_{in_, icmp_};
  Crowds crowds_{in_, forwarded_};
  LifeReports life_reports_{in_, forwarded_, crowds_, open_findings_};
  PortEvents ports_{in_};
  HalfClosed half_closed_{in_, life_reports_};
  StateEvents states_{in_, lives_, life_reports_, ports_};
  TranslationEvents translations_{in_, lives_, forwarded_, unmatched_.strays()};
  SegmentLookup lookup_{in_, lives_, crowds_, forwarded_, translations_};
  SegmentEvents segments_{in_, lookup_, states_, forwarded_, unmatched_};
  DigestEvents digests_{in_, lives_, crowds_, icmp_, forwarded_};
  RetransmitEvents retransmits_{in_, lives_};
  ResetEvents resets_{in_, unmatched_.strays()};
  SocketEvents sockets_{in_, lives_, states_};
  SocketList socket_list_{in_, lives_, life_reports_, forwarded_, half_closed_};
  DropEvents drops_{in_, lives_, states_, forwarded_, unmatched_};

  bool in_part_ = false;  // not all that is over by then was reported
  TimeNs judged_ns_ = 0;  // what was over by then is judged
  int taken_first_ = 0;   // digests since
  std::uint64_t waits_over_ = 0;
};

}  // namespace tcpwitness
