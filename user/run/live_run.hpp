// SPDX-License-Identifier: Apache-2.0
// live_run.hpp: one live run, from ready to summary: the loop that waits, looks at the ring, does what is due, and
// ends.
//
// What it does each time round is elsewhere: ring_drain.hpp, socket_list.hpp, so_far.hpp, samples.hpp. Its end is
// live_end.cpp.
#pragma once

#include <chrono>
#include <string>

#include "run/followed_command.hpp"
#include "run/live_feed.hpp"
#include "run/live_output.hpp"
#include "run/live_parts.hpp"
#include "run/ring_drain.hpp"
#include "run/samples.hpp"
#include "run/so_far.hpp"
#include "run/socket_list.hpp"
#include "tcpwitness/report.hpp"

namespace tcpwitness {

class LiveRun {
 public:
  using Clock = std::chrono::steady_clock;

  explicit LiveRun(const LiveParts& parts);
  // The exit code.
  int go();

 private:
  // Enough was reported, or nobody reads.
  [[nodiscard]] bool over() const { return output_.over() || feed_.nobody_reads(); }
  void confine();
  void announce();
  [[nodiscard]] int not_started();
  [[nodiscard]] bool wait(Clock::time_point started);
  [[nodiscard]] bool turn_view();
  void close_view();
  [[nodiscard]] bool hung_up();
  void reopen();
  void hint(Clock::duration since_start);
  void learn_names();
  [[nodiscard]] std::string status(const char* doing) const;

  // live_end.cpp
  [[nodiscard]] int finish();
  TimeNs take_the_rest(bool enough);
  [[nodiscard]] int broken() const;

  const LiveParts& parts_;
  FollowedCommand command_;
  Names names_;
  Ready ready_;
  LiveOutput output_;
  LiveFeed feed_;
  RingDrain drain_;
  SocketList list_;
  SoFar so_far_;
  Samples samples_;
  bool hangup_reopens_ = false;
  bool reopen_ = false;
  bool hinted_ = false;
};

}  // namespace tcpwitness
