// SPDX-License-Identifier: Apache-2.0
// followed_command.hpp: the command of "-- COMMAND", as the run that follows it sees it: it starts with the run, gets
// its signals, and ends it, with its own exit code. Most runs follow none.
#pragma once

#include <chrono>
#include <functional>
#include <optional>

#include "run/child.hpp"

namespace tcpwitness {

class FollowedCommand {
 public:
  using Clock = std::chrono::steady_clock;

  // Null: none.
  explicit FollowedCommand(Child* child) : child_(child) {}

  [[nodiscard]] bool there() const { return child_ != nullptr; }
  // The only process that signals may be sent to.
  [[nodiscard]] std::optional<int> may_signal() const { return there() ? std::optional(child_->fd()) : std::nullopt; }
  void start() {
    if (there()) child_->start();
  }
  // A signal came. True: it was for the command.
  [[nodiscard]] bool takes_signal(int signals) { return there() && child_->pass_on(signals); }
  // Where the command runs on without having had a signal, the next one is its own.
  [[nodiscard]] bool next_signal_is_ours() { return !there() || child_->signalled() || child_->ended(); }
  // It has ended, and its last connections are waited for.
  [[nodiscard]] bool ending() const { return ended_at_.has_value(); }
  // So long after the end of a process: its connections have ended, too, or had their time.
  [[nodiscard]] static bool waited(Clock::duration since_its_end, const std::function<bool()>& any_open);
  // It has ended, and so have its connections, or they had their time.
  [[nodiscard]] bool over(Clock::time_point now, const std::function<bool()>& any_open);
  // Of the program, behind the end of the run. It ran, whatever became of our output.
  [[nodiscard]] int exit_code(int of_the_run, bool ended_by_signal, int signals);

 private:
  Child* child_;
  std::optional<Clock::time_point> ended_at_;
};

}  // namespace tcpwitness
