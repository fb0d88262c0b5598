// SPDX-License-Identifier: Apache-2.0
//
// From a case to what was played; turns a script's sticky failure into a result. See performance.hpp.

#include "lab/performance.hpp"

#include <chrono>

namespace tcpwitness::lab {
namespace {

int64_t realtime_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace

Result<std::unique_ptr<Performance>> Performance::open(Lab& lab, const Case& what, PlayOptions options) {
  auto script = Script::create(lab, options);
  if (!script) return failure(fmt::format("{}: {}", what.name, script.error()));
  (*script)->played.name = what.name;
  if (what.before) what.before(**script);
  if ((*script)->failure()) return failure(fmt::format("{}: {}", what.name, (*script)->failure().what()));
  return std::unique_ptr<Performance>(new Performance(lab, what, std::move(*script)));
}

Performance::~Performance() {
  // The cable first: a FIN that nobody answers would be retransmitted for minutes, and its socket would keep the
  // namespace alive after its name is gone.
  lab_.reset();
  script_.reset();
}

Result<Played> Performance::finish() {
  Played& played = script_->played;
  played.started_ts_ns = realtime_ns();
  case_.play(*script_);
  played.ended_ts_ns = realtime_ns();
  if (script_->failure()) return failure(fmt::format("{}: {}", case_.name, script_->failure().what()));
  return played;
}

Result<Played> play(Lab& lab, const Case& what, PlayOptions options) {
  auto performance = Performance::open(lab, what, options);
  if (!performance) return failure(performance.error());
  return (*performance)->finish();
}

}  // namespace tcpwitness::lab
