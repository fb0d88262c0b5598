// SPDX-License-Identifier: Apache-2.0
// ring_drain.hpp: one look at the ring: what waits in it is fed, what the Correlator asks is answered, time passes, and
// reports go out. How long until the next look follows from what it cost.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
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

  // Sockets are listed: `read` calls iterators of the kernel with what takes their records. The list is fed after what
  // the hooks saw while it was read, so that a connection that both report begins with its events; and without sockets
  // that were destroyed meanwhile. take_rest: before the list is fed.
  // Returns the time of this thread that the list cost, without what the ring had to be drained meanwhile.
  using ReadList = std::function<void(const Tracer::OnRecord&)>;
  std::chrono::nanoseconds list(const ReadList& read, const std::function<void()>& take_rest = {});

 private:
  void drain_backlog();
  void feed_list(const Records& found);
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
  bool listing_ = false;                    // the sockets are being listed, or what came meanwhile is read
};

}  // namespace tcpwitness
