// SPDX-License-Identifier: Apache-2.0
// grace_periods.hpp: many hooks attached or detached without waiting 10 to 20 ms for each.
//
// tcx waits for an RCU grace period at every link (tcx_entry_sync() in include/net/tcx.h), with the RTNL lock held, so
// links cannot be made side by side: 200 interfaces took 6.4 s, and nobody else could change an interface meanwhile.
// The network stack itself asks for expedited grace periods under that lock (synchronize_net()); this asks for the same
// by /sys/kernel/rcu_expedited while it exists. A child process takes it back, so that it ends with any death of ours.
#pragma once

#include <sys/types.h>

#include <cstddef>

namespace tcpwitness {

class ExpeditedGracePeriods {
 public:
  // For so many hooks; a few are not worth it, and without the right to ask there is only more waiting.
  explicit ExpeditedGracePeriods(std::size_t hooks);
  ~ExpeditedGracePeriods();
  ExpeditedGracePeriods(const ExpeditedGracePeriods&) = delete;
  ExpeditedGracePeriods& operator=(const ExpeditedGracePeriods&) = delete;

 private:
  int pipe_fd_ = -1;
  pid_t child_ = -1;
};

}  // namespace tcpwitness
