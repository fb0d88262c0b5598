// SPDX-License-Identifier: Apache-2.0
// strays.hpp: segments that fit no connection of this machine, and the RST they got.
//
// A stray is kept for a moment, because the kernel's reason, the RST on the wire and the drop of a firewall come after
// it. Without a RST it may be a connection whose beginning was missed, or another host's behind our NAT: silence.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>

#include "facts/stray.hpp"
#include "tcpwitness/event.hpp"

namespace tcpwitness {

class Strays {
 public:
  static constexpr std::size_t limit = 256;  // under a scan the oldest ones wait less long

  // It came in. Where there is no room the oldest leaves before its time; returned if it is to be reported.
  [[nodiscard]] std::optional<Stray> add(const Event& e, const Segment& g, const Flow& flow);
  // A RST left for the sender of one.
  void reset_seen(const Event& e, const Segment& rst, const Flow& flow);
  // TCP reports that it sends one. The segment that it answers; 0: not seen.
  EventId reset_reported(const Event& e, const Reset& r, const Flow& flow);
  // This machine answered it by an ICMP error.
  void refused(const Flow& flow, std::uint32_t seq, const IcmpMessage& icmp);
  // Its sender is a connection of this machine, which reports it.
  void sent_here(const Flow& flow, std::uint32_t seq);

  // A connection's, after all: its SYNs, the oldest first.
  [[nodiscard]] std::optional<Stray> take_syn(const Flow& flow, std::uint32_t isn);
  // The newest one that came from there with these numbers: what NAT makes of its destination does not count.
  [[nodiscard]] std::optional<Stray> take_dropped(const Endpoint& from, const Drop& d);
  void forget(EventId segment);

  // The next one that is to be reported, after so long.
  [[nodiscard]] std::optional<Stray> due(TimeNs now, std::int64_t hold_ns);
  [[nodiscard]] bool empty() const { return strays_.empty(); }

 private:
  // The newest one with that number; nullptr: none.
  [[nodiscard]] Stray* find(const Flow& flow, std::uint32_t seq);
  Stray take_first();

  std::deque<Stray> strays_;
};

}  // namespace tcpwitness
