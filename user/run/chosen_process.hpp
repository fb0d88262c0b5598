// SPDX-License-Identifier: Apache-2.0
// chosen_process.hpp: the process of -p: where it has ended, so does the run, as with strace -p.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>

#include "tcpwitness/result.hpp"
#include "values/unique_fd.hpp"

namespace tcpwitness {

class ChosenProcess {
 public:
  using Clock = std::chrono::steady_clock;

  // None: nothing ends the run.
  ChosenProcess() = default;
  // An error where there is no such process. Where its number is another PID namespace's it cannot be waited for.
  static Result<ChosenProcess> find(std::uint32_t pid);

  // It has ended, and so have its connections, or they had their time. Prints it when the process ends.
  [[nodiscard]] bool over(Clock::time_point now, const std::function<bool()>& any_open);
  // It has ended, and its last connections are waited for.
  [[nodiscard]] bool ending() const { return ended_at_.has_value(); }

 private:
  UniqueFd fd_;
  std::uint32_t pid_ = 0;
  std::optional<Clock::time_point> ended_at_;
};

}  // namespace tcpwitness
