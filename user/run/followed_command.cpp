// SPDX-License-Identifier: Apache-2.0
#include "run/followed_command.hpp"

namespace tcpwitness {
namespace {

constexpr auto settles = std::chrono::milliseconds(60);  // after its end: what it did last is read and judged
constexpr auto patience = std::chrono::seconds(1);       // with connections that outlive it
constexpr int interrupted = 130;                         // 128 + SIGINT, and nobody waited for the command

}  // namespace

bool FollowedCommand::over(Clock::time_point now, const std::function<bool()>& any_open) {
  if (!there() || !child_->ended()) return false;
  if (!ended_at_) ended_at_ = now;
  return waited(now - *ended_at_, any_open);
}

bool FollowedCommand::waited(Clock::duration since_its_end, const std::function<bool()>& any_open) {
  return since_its_end > patience || (since_its_end > settles && !any_open());
}

int FollowedCommand::exit_code(int of_the_run, bool ended_by_signal, int signals) {
  if (!there()) return of_the_run;
  if (!ended_by_signal) child_->wait(signals);
  if (!child_->ended()) return interrupted;
  return child_->exit_code() != 0 ? child_->exit_code() : of_the_run;
}

}  // namespace tcpwitness
