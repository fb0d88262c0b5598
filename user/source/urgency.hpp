// SPDX-License-Identifier: Apache-2.0
// urgency.hpp: the priority of the thread that reads the ring: ordinary while the ring is nearly empty, raised while it
// fills.
//
// Where many processes compete for the processors an ordinary one waits its turn, and a ring that fills meanwhile loses
// records. The thread that waits cannot raise itself: a second one, which always has the raised priority, does it. The
// ring wakes it by the first record behind a look, and where a producer finds the ring filled above a quarter.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <thread>

#include "source/ring.hpp"
#include "tcpwitness/result.hpp"
#include "values/unique_fd.hpp"

namespace tcpwitness {

class Urgency {
 public:
  static constexpr int ordinary_nice = 0;
  static constexpr int raised_nice = -20;

  // Of the calling thread, which is raised from now on until it has looked. in_guard: the first thing that the second
  // thread does; it needs CAP_SYS_NICE, and nothing else. Where it has not got that, the priority stays as it is.
  static Result<std::unique_ptr<Urgency>> of_this_thread(RingSource& ring, int ring_map_fd,
                                                         std::function<void()> in_guard);
  ~Urgency();
  Urgency(const Urgency&) = delete;
  Urgency& operator=(const Urgency&) = delete;

  [[nodiscard]] bool raised() const { return raised_.load(std::memory_order_relaxed); }
  // By the thread itself, after a look: the ring is nearly empty again?
  void looked();

 private:
  explicit Urgency(RingSource& ring);
  void watch();

  RingSource& ring_;
  int reader_;  // its thread id
  std::atomic<bool> raised_ = true;
  UniqueFd epoll_;
  UniqueFd stop_;
  std::jthread guard_;
};

}  // namespace tcpwitness
