// SPDX-License-Identifier: Apache-2.0
// clsact.hpp: tc filters on kernels without tcx (before 6.6).
//
// A clsact filter outlives its creator. So a guard process is forked before the first filter: it holds
// the read end of a pipe, learns each filter, and removes them all when the pipe closes, which is what
// any death of the tracer does, SIGKILL included. Filters have a fixed priority, and each run in a network namespace a
// handle of its own, the first that no living run has: what a killed guard left is replaced by the next run.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "tcpwitness/result.hpp"
#include "values/unique_fd.hpp"

namespace tcpwitness {

// Our filter is on this side of the interface: of a run that lives, or left by one whose guard was killed too.
[[nodiscard]] bool has_our_filter(std::uint32_t ifindex, bool egress);
inline constexpr const char* clsact_guard_name = "tcpwitness-tc";

class ClsactGuard {
 public:
  static Result<std::unique_ptr<ClsactGuard>> start();
  ~ClsactGuard();
  ClsactGuard(const ClsactGuard&) = delete;
  ClsactGuard& operator=(const ClsactGuard&) = delete;

  // Adds our filter on one side of the interface; `egress` false is ingress.
  Result<void> attach(std::uint32_t ifindex, const std::string& name, bool egress, int program_fd);
  // It is there.
  [[nodiscard]] bool has(std::uint32_t ifindex, bool egress) const;
  // Removes that filter now. A qdisc that was made for it stays until the guard ends.
  void remove(std::uint32_t ifindex, bool egress) const;
  // Removes all filters now; the guard ends.
  void detach();

 private:
  ClsactGuard(int pipe_fd, int child, UniqueFd name, std::uint16_t place)
      : pipe_fd_(pipe_fd), child_(child), name_(std::move(name)), place_(place) {}
  int pipe_fd_;
  int child_;
  UniqueFd name_;  // of the place
  std::uint16_t place_;
};

}  // namespace tcpwitness
