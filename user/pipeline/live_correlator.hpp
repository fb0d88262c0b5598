// SPDX-License-Identifier: Apache-2.0
// live_correlator.hpp: a Correlator as a live run, or its recording, drives it: in parts, and with questions for the
// kernel whose answers come as events. No part of the library: whoever has a capture's events needs none of it.
#pragma once

#include <optional>
#include <vector>

#include "tcpwitness/pipeline.hpp"
#include "values/kernel_questions.hpp"

namespace tcpwitness {

class LiveCorrelator : public Correlator {
 public:
  using Correlator::Correlator;

  // What feed() of an event of this time (not of a Gap) does first, in parts: what is over by then is reported, until
  // so many reports wait. True: that was not all, and the next part is to follow once they are taken. So few reports
  // need memory, and the same again and again.
  [[nodiscard]] bool report_over(TimeNs by, Reports& out, std::size_t reports);
  // feed() of this event may leave that for later: an ordinary connection. A few of them are taken, then what is over
  // is judged.
  [[nodiscard]] bool takes_first(const Event& event) const;

  // Questions. Before due() there is no new one, unless an event is fed.
  // A socket will soon be in CLOSE_WAIT for too long: true once for each, so that events can show which process has
  // which descriptor of it open (OwnerSeen of the snapshot).
  [[nodiscard]] bool wants_descriptors();
  // The process of a listener is gone (is_gone()), and the listener is not: true once for each, so that events can
  // show who has it open (OwnerSeen of the snapshot).
  [[nodiscard]] bool wants_listener_owners(const std::function<bool(std::uint32_t pid)>& is_gone);
  // A connect() found no local port: who has them? Each question once; the answer is an event (PortsFound).
  [[nodiscard]] std::optional<PortsQuestion> wants_ports();
  // Sockets have been in FIN_WAIT2 for long: true once for each, so that events can show which still are (SocketFound).
  [[nodiscard]] bool wants_fin_wait2();
  // Forwarded connections have shown nothing for long: true once for each, so that events can have their newest
  // counters (SocketFound of each hop).
  [[nodiscard]] bool wants_hops();
  // The hops of forwarded connections that are over, each by the addresses of what leaves there, and whose last
  // counters have had no event to travel in: each once, so that an event can have them (SocketFound).
  [[nodiscard]] std::vector<Flow> ended_hops();
  // Of those that were reported or given up since the last call: what is counted of them can be forgotten, too.
  [[nodiscard]] std::vector<FlowToDelete> flows_to_delete();
  // All sockets that existed at `begun` were fed (SocketFound): what began before, and lost events, is over if it was
  // not among them.
  void listed(TimeNs begun, Reports& out);
  // How many waits are over so far. A recording keeps each moment at which it grew, so that its reading judges at the
  // same ones.
  [[nodiscard]] std::uint64_t waits_over() const;
  // From now on ordinary connections are summarized, or are not: although there is a timeline, one whose events come
  // together has no entries, no words, and no finding that is no problem.
  void summarize_ordinary(bool summarize);
};

}  // namespace tcpwitness
