// SPDX-License-Identifier: Apache-2.0
// replay.cpp: see replay.hpp.
//
//   CaptureFile -> Replay (recording decode, Decoder, Correlator) -> Sink
//
// What the recording lacks (earlier or later files, what a flight recorder let go) is printed on stderr.
#include "run/replay.hpp"

#include <fmt/core.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>

#include "recording/replay.hpp"
#include "run/file_filter.hpp"
#include "run/file_output.hpp"
#include "run/file_settings.hpp"
#include "run/messages.hpp"
#include "run/run_loop.hpp"
#include "run/signals.hpp"
#include "sink/format.hpp"
#include "sink/output.hpp"
#include "sink/progress.hpp"
#include "sink/views/describe.hpp"

namespace tcpwitness {
namespace {

constexpr std::uint64_t blocks_between_looks = 4096;
constexpr std::size_t most_reports_waiting = 256;

class Replaying final : public Run {
 public:
  Replaying(const Options& options, CaptureFile& file, StopSignal& stop)
      : options_(options),
        file_(file),
        stop_(stop),
        file_filter_(options),
        replay_(replay_settings(options)),
        output_(options, stop, file, replay_.names(), false,
                [this](const Report& report) { return file_filter_.wants(report); }) {}

  [[nodiscard]] bool over() const override { return output_.over(); }

  // A block.
  [[nodiscard]] bool turn() override {
    if (!file_.next(block_)) return false;
    if (auto taken = replay_.take(block_, output_.waiting()); !taken) {
      damage_ = taken.error();
      if (damage_->hint.empty()) damage_->hint = "everything before that was read";
      return false;
    }
    if (!announced_ && replay_.start() != nullptr) announce();
    // Of a pipe everything is reported at once: nobody knows when the next block comes.
    if (!file_.regular() && !output_.waiting().empty()) output_.deliver();
    if (++blocks_ % blocks_between_looks == 0) output_.look_around(file_.bytes_read(), blocks_);
    if (output_.waiting().size() >= most_reports_waiting) output_.write();
    return true;
  }

  [[nodiscard]] Summary finish() override {
    if (!stop_.asked() && !damage_ && !output_.over()) damage_ = file_.damage();
    output_.end();
    output_.write();
    enough_ = output_.enough();
    if (!enough_) replay_.finish(output_.waiting());
    output_.write();
    return replay_.summary();
  }

  [[nodiscard]] bool write(Summary& summary) override { return !output_.broken() && output_.finish(summary); }
  [[nodiscard]] int failed() const override { return output_.failed(); }

  [[nodiscard]] int ended(const Summary& summary) const override {
    say_what_is_missing(summary);
    if (output_.stopped() || enough_) return 0;
    if (damage_ && !(file_.written() && file_.bytes_read() >= file_.bytes_total())) return fail(*damage_);
    if (replay_.ended()) return 0;
    if (file_.written()) {
      say("tcpwitness: it is still being written: this is what was in it when it was opened");
      return 0;
    }
    return fail({"read the recording to its end",
                 fmt::format("it has no end mark: {}its recorder was killed, its disk was full, or the file was cut "
                             "off between two blocks",
                             file_.regular() && options_.read.path != "-" ? "" : "it is still being written, "),
                 "everything up to there was read"});
  }

 private:
  void announce() {
    announced_ = true;
    const StartMark& start = *replay_.start();
    say(fmt::format("tcpwitness: reading {}: recorded by version {} on Linux {}{}",
                    options_.read.path == "-" ? "standard input" : printable(options_.read.path, true),
                    printable(start.ready.version, true), printable(start.ready.kernel, true),
                    start.flight ? "; a flight recorder's: only what belongs to findings was kept" : ""));
    output_.limit_to(start.count);
    output_.begin(start.ready);
  }

  void say_what_is_missing(const Summary& summary) const {
    // What this file lacks was not lost by the ring.
    Summary of_this_file = summary;
    of_this_file.lost -= std::min(of_this_file.lost, replay_.missing() - replay_.left_out());
    say(describe(of_this_file));
    if (const std::uint64_t before = replay_.missing_before(); before != 0)
      fmt::print(stderr, "  the recording begins after {} event{}: what began before is known from here on only\n",
                 grouped(before), before == 1 ? "" : "s");
    if (const std::uint64_t inside = inside_missing(); inside != 0)
      fmt::print(stderr, "  {} event{} missing in it\n", grouped(inside), inside == 1 ? " is" : "s are");
    if (const std::uint64_t meant = replay_.left_out(); meant != 0)
      fmt::print(stderr, "  {} event{} left out by the flight recorder: of no finding\n", grouped(meant),
                 meant == 1 ? " was" : "s were");
    if (!replay_.continued().empty()) fmt::print(stderr, "  it goes on in {}\n", printable(replay_.continued(), true));
  }

  // Behind the first event, and not on purpose. What a flight recorder left out it may have left out before the first.
  [[nodiscard]] std::uint64_t inside_missing() const {
    const std::uint64_t behind = replay_.missing() - replay_.missing_before();
    const std::uint64_t meant = replay_.left_out() - std::min(replay_.left_out(), replay_.missing_before());
    return behind - std::min(behind, meant);
  }

  const Options& options_;
  CaptureFile& file_;
  StopSignal& stop_;
  FileFilter file_filter_;
  Replay replay_;
  FileOutput output_;
  CaptureBlock block_;
  std::optional<Error> damage_;
  std::uint64_t blocks_ = 0;
  bool announced_ = false;
  bool enough_ = false;  // before the file's end, which then does not matter
};

}  // namespace

int replay(const Options& options, std::unique_ptr<CaptureFile> file) {
  if (!options.read.filter.empty()) return fail(no_expression_for_recordings(options.read.filter));
  StopSignal stop;
  if (auto listening = stop.listen(); !listening) return fail(listening.error());
  Replaying run(options, *file, stop);
  return run_to_end(run);
}

}  // namespace tcpwitness
