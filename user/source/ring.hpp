// SPDX-License-Identifier: Apache-2.0
// ring.hpp: the BPF ring buffer as a source of records, drained on a timer.
//
// Producers do not wake us. Each drain copies everything out first, so that the ring is free again
// before a single record is decoded. A producer that finds the ring half full wakes wait() early.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "tcpwitness/result.hpp"

namespace tcpwitness {

class RingSource {
 public:
  // signal_fd: a descriptor that also ends a wait (a signalfd); -1: none.
  static Result<std::unique_ptr<RingSource>> open(int ring_map_fd, int signal_fd);
  ~RingSource();
  RingSource(const RingSource&) = delete;
  RingSource& operator=(const RingSource&) = delete;

  // Sleeps for `at_most`, less when a producer or the signal descriptor wakes us. True: the signal.
  bool wait(std::chrono::milliseconds at_most);

  // Copies out all that is there. The spans are valid until the next drain.
  std::span<const std::span<const std::byte>> drain();

 private:
  RingSource();
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tcpwitness
