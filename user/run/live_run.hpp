// SPDX-License-Identifier: Apache-2.0
// live_run.hpp: one live run, from ready to summary. A turn waits, looks at the ring and does what is due.
//
// What it does in a turn is elsewhere: ring_drain.hpp, socket_lister.hpp, interim_reports.hpp, samples.hpp. Its end is
// live_end.cpp.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "run/followed_command.hpp"
#include "run/interim_reports.hpp"
#include "run/live_feed.hpp"
#include "run/live_output.hpp"
#include "run/live_parts.hpp"
#include "run/ring_drain.hpp"
#include "run/run_loop.hpp"
#include "run/samples.hpp"
#include "run/socket_lister.hpp"
#include "tcpwitness/report.hpp"

namespace tcpwitness {

class LiveRun final : public Run {
 public:
  using Clock = std::chrono::steady_clock;

  explicit LiveRun(const LiveParts& parts);
  // The exit code.
  int go();

  [[nodiscard]] bool over() const override { return output_.over() || feed_.nobody_reads(); }
  [[nodiscard]] bool turn() override;
  // live_end.cpp
  [[nodiscard]] Summary finish() override;
  [[nodiscard]] bool write(Summary& summary) override;
  [[nodiscard]] int failed() const override;
  [[nodiscard]] int ended(const Summary& summary) const override;

 private:
  // An exit code: there is no run.
  [[nodiscard]] std::optional<int> begin();
  void confine();
  void announce();
  [[nodiscard]] int not_started();
  [[nodiscard]] bool wait();
  [[nodiscard]] bool turn_view();
  [[nodiscard]] bool hung_up();
  void reopen();
  void hint(Clock::duration since_start);
  void follow_interfaces();
  void learn_names();
  [[nodiscard]] std::string status(const char* doing) const;

  TimeNs take_the_rest(bool enough);  // live_end.cpp

  const LiveParts& parts_;
  FollowedCommand command_;
  Names names_;
  Ready ready_;
  LiveOutput output_;
  LiveFeed feed_;
  RingDrain drain_;
  SocketLister list_;
  InterimReports interim_reports_;
  Samples samples_;
  Clock::time_point started_;
  bool ended_by_signal_ = false;
  bool all_taken_ = true;  // by who reads the output
  bool hangup_reopens_ = false;
  bool reopen_ = false;
  bool hinted_ = false;
};

}  // namespace tcpwitness
