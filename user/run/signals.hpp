// SPDX-License-Identifier: Apache-2.0
// signals.hpp: SIGINT, SIGTERM and SIGHUP, taken from a descriptor between two pieces of work.
#pragma once

#include <chrono>
#include <cstdint>

#include "tcpwitness/result.hpp"
#include "values/unique_fd.hpp"

namespace tcpwitness {

// SIGHUP where whoever started us ignores it (nohup): stays ignored, or is taken all the same.
enum class IgnoredHangup : std::uint8_t { stays, taken };

// SIGINT, SIGTERM and SIGHUP as a descriptor; a closed pipe as an error of write(). (A shell's script ignores SIGINT
// for what it starts with '&', and yet that is how a tracer is stopped: as in tcpdump it is always taken.)
[[nodiscard]] Result<UniqueFd> take_signals(IgnoredHangup hangup = IgnoredHangup::stays);

// Takes the signals that have come. True: SIGHUP, and no other.
[[nodiscard]] bool take_hangups(int signals);
// There is a terminal, whose end SIGHUP means.
[[nodiscard]] bool has_terminal();

// From now on such a signal ends the process at once, whatever it waits for. (One that comes together with the first is
// the same: a terminal and sudo both pass it on.)
void end_at_next_signal(int signals);

// A signal that ends a run over a file: taken from the moment that it can be answered. Opening a FIFO waits for its
// writer, and until then Ctrl-C simply ends the process.
class StopSignal {
 public:
  Result<void> listen();
  // A signal has come. From then on the next one ends the process.
  [[nodiscard]] bool asked();
  // Waits for fd to have something to read. False: nothing yet.
  [[nodiscard]] bool wait_for(int fd, std::chrono::milliseconds time);
  // As the last of these found.
  [[nodiscard]] bool requested() const { return requested_; }
  [[nodiscard]] int fd() const { return signals_.get(); }

 private:
  UniqueFd signals_;
  bool requested_ = false;
};

}  // namespace tcpwitness
