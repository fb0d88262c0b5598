// SPDX-License-Identifier: Apache-2.0
#include "run/clock_steps.hpp"

#include <fmt/format.h>
#include <sys/timerfd.h>

#include <cstdint>
#include <cstdlib>
#include <limits>

#include "run/messages.hpp"
#include "sink/format.hpp"

namespace tcpwitness {
namespace {

constexpr std::int64_t step_worth_a_word_ns = 100'000'000;

}  // namespace

UniqueFd watch_for_clock_set() {
  UniqueFd timer(::timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC));
  itimerspec far{};
  far.it_value.tv_sec = std::numeric_limits<std::int32_t>::max();
  constexpr int flags = TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET;
  if (timer.valid() && ::timerfd_settime(timer.get(), flags, &far, nullptr) != 0) return UniqueFd();
  return timer;
}

void follow_clock_steps(RunClock& clock, Names& names, Recorder* recorder) {
  const auto step = clock.look();
  if (!step) return;
  names.wall.set(step->from, step->ahead_ns);
  if (recorder != nullptr) recorder->clock({.from = step->from, .ahead_ns = step->ahead_ns});
  if (step->slept_ns >= step_worth_a_word_ns) {
    say(fmt::format("tcpwitness: the machine was suspended for {}; durations do not include it",
                    duration_in_words(step->slept_ns)));
  }
  const std::int64_t set = step->by_ns - step->slept_ns;
  if (std::abs(set) < step_worth_a_word_ns) return;
  say(fmt::format("tcpwitness: the wall clock was set {} by {}; durations and order are not touched",
                  set > 0 ? "forward" : "back", duration_in_words(std::abs(set))));
}

}  // namespace tcpwitness
