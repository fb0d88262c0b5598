// SPDX-License-Identifier: Apache-2.0
// socket_lister.hpp: all sockets that exist, read from the kernel: at the start, after a loss, and a last time at the
// end.
#pragma once

#include <chrono>

#include "run/backlog.hpp"
#include "run/live_feed.hpp"
#include "run/live_parts.hpp"
#include "run/ring_drain.hpp"

namespace tcpwitness {

class SocketLister {
 public:
  SocketLister(const LiveParts& parts, LiveFeed& feed, RingDrain& drain) : parts_(parts), feed_(feed), drain_(drain) {}

  // With their owners. At the start: what existed before us. Returns what the list cost (RingDrain::list()).
  std::chrono::nanoseconds take();
  // What was lost may have been the end of a socket, or the beginning of one: the sockets are listed again.
  void take_after_loss();

 private:
  const LiveParts& parts_;
  LiveFeed& feed_;
  RingDrain& drain_;
  TimeNs not_before_ns_ = 0;
};

}  // namespace tcpwitness
