// SPDX-License-Identifier: Apache-2.0
// progress.hpp: how far the reading of a long file is, on one line of a terminal.
//
// Shown only where stderr is a terminal, and only when a second has passed without an end in sight. The line
// is erased before anything else may appear on the terminal.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace tcpwitness {

// "  42 %  [=====>      ]  5.1 M packets/s, 12 s left": as much of it as fits into columns. Pure.
[[nodiscard]] std::string progress_line(std::uint64_t done_bytes, std::uint64_t total_bytes, std::uint64_t packets,
                                        std::chrono::nanoseconds spent, unsigned columns);

class Progress {
 public:
  using Clock = std::chrono::steady_clock;

  // total_bytes 0: not known, nothing is ever shown.
  explicit Progress(std::uint64_t total_bytes);
  ~Progress() { erase(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // Draws at most some times a second. To be called now and then, not for every packet.
  void at(std::uint64_t done_bytes, std::uint64_t packets, Clock::time_point now);
  void erase();

 private:
  std::uint64_t total_bytes_;
  bool shown_ = false;
  Clock::time_point started_ = Clock::now();
  Clock::time_point next_;
};

}  // namespace tcpwitness
