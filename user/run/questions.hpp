// SPDX-License-Identifier: Apache-2.0
// questions.hpp: what the Correlator needs of the kernel, asked at each look at the ring: which process has a
// descriptor open of a socket in CLOSE_WAIT, who has the local ports, which sockets are in FIN_WAIT2, what was counted
// of a forwarded connection.
//
// The answers are records like those of the ring. What walks the whole machine has a share of the time at most.
#pragma once

#include <functional>

#include "run/live_feed.hpp"
#include "run/live_parts.hpp"

namespace tcpwitness {

class Questions {
 public:
  Questions(const LiveParts& parts, LiveFeed& feed) : parts_(parts), feed_(feed) {}

  void ask();

 private:
  using Look = std::function<void(const Tracer::OnRecord&)>;

  void take_found(const Look& look);
  void ask_for_descriptors();
  void ask_for_listeners();
  void ask_for_hops(const Tracer::OnRecord& on_record);

  const LiveParts& parts_;
  LiveFeed& feed_;
  TimeNs descriptors_not_before_ns_ = 0;
  TimeNs hops_not_before_ns_ = 0;
  TimeNs listeners_not_before_ns_ = 0;
};

}  // namespace tcpwitness
