// SPDX-License-Identifier: Apache-2.0
// one_processor.hpp: keeps the calling thread, and what it starts, on one processor.
#pragma once

#include <sched.h>

namespace tcpwitness::lab {

// On the one that it runs on, until this ends.
class OneProcessor {
 public:
  OneProcessor() {
    ::sched_getaffinity(0, sizeof before_, &before_);
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(::sched_getcpu(), &one);
    kept_ = ::sched_setaffinity(0, sizeof one, &one) == 0;
  }
  ~OneProcessor() { ::sched_setaffinity(0, sizeof before_, &before_); }
  OneProcessor(const OneProcessor&) = delete;
  OneProcessor& operator=(const OneProcessor&) = delete;

  [[nodiscard]] bool kept() const { return kept_; }

 private:
  cpu_set_t before_{};
  bool kept_ = false;
};

}  // namespace tcpwitness::lab
