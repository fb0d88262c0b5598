// SPDX-License-Identifier: Apache-2.0
// ring_drain.hpp: one look at the ring: what waits in it is fed, what the Correlator asks is answered, time passes, and
// reports go out. How long until the next look follows from what it cost.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <unordered_set>

#include "run/backlog.hpp"
#include "run/live_feed.hpp"
#include "run/live_output.hpp"
#include "run/live_parts.hpp"
#include "run/questions.hpp"
#include "source/pace.hpp"

namespace tcpwitness {

class RingDrain {
 public:
  RingDrain(const LiveParts& parts, Names& names, LiveFeed& feed, LiveOutput& output)
      : parts_(parts), names_(names), feed_(feed), output_(output), questions_(parts, feed) {}

  // A look of the run loop.
  void look();
  [[nodiscard]] const Pace& pace() const { return pace_; }

  // What is there, once. How many records that were.
  std::size_t drain();
  // The backlog too, as long as who fills it is not the faster one.
  void drain_backlog();

  // An iterator is about to list sockets. Those that are destroyed meanwhile are noted, for the ring reports them
  // sooner than the list: take_list() leaves them out. The run begins with a list.
  void begin_list() { listing_ = true; }
  void take_list(const Records& found);

 private:
  void note_skipped();
  std::size_t read_ring();
  void take_one(std::span<const std::byte> record);

  const LiveParts& parts_;
  Names& names_;
  LiveFeed& feed_;
  LiveOutput& output_;
  Questions questions_;
  Pace pace_;
  TimeNs looked_ns_ = 0;
  TimeNs released_ns_ = 0;                  // what the kernel holds back was asked for
  std::unordered_set<std::uint64_t> gone_;  // sockets that were destroyed while the others were listed
  bool listing_ = true;                     // the sockets are being listed, or what came meanwhile is read
};

}  // namespace tcpwitness
