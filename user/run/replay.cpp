// SPDX-License-Identifier: Apache-2.0
// replay.cpp: see replay.hpp.
//
//   CaptureFile -> Replay (recording decode, Decoder, Correlator) -> Sink
//
// What the recording lacks (earlier or later files, what a flight recorder let go) is said on stderr.
#include "run/replay.hpp"

#include <fmt/core.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>

#include "recording/replay.hpp"
#include "run/delivery.hpp"
#include "run/messages.hpp"
#include "run/outputs.hpp"
#include "run/selection.hpp"
#include "run/signals.hpp"
#include "sink/describe.hpp"
#include "sink/format.hpp"
#include "sink/output.hpp"
#include "sink/progress.hpp"

namespace tcpwitness {
namespace {

constexpr std::uint64_t blocks_between_looks = 4096;

// What belongs to no connection passes.
bool wants(const Selection& selection, const Report& report) {
  const auto of = [&](const auto& body) {
    return selection.wants(body.flow.local, body.flow.remote) ||
           (body.nat && selection.wants(body.nat->local, body.nat->remote));
  };
  if (const auto* life = std::get_if<Life>(&report)) return of(*life);
  if (const auto* entry = std::get_if<Entry>(&report)) return of(*entry);
  if (const auto* finding = std::get_if<FindingReport>(&report)) return of(*finding);
  return true;
}

ReplaySettings replay_settings(const Options& options) {
  ReplaySettings settings;
  settings.reports = report_settings(options);
  settings.pid = options.pid;
  settings.comm = options.comm;
  if (options.stuck_after) settings.close_wait_stuck_ns = options.stuck_after->count();
  return settings;
}

class Replaying {
 public:
  Replaying(const Options& options, CaptureFile& file, int signals)
      : options_(options),
        file_(file),
        signals_(signals),
        selection_(options),
        replay_(replay_settings(options)),
        progress_(file.bytes_total()),
        delivery_(options.choice, options.count.value_or(0), output_, make_sink(options, output_, replay_.names())) {
    output_.stop_waiting_for(signals);
  }

  int go() {
    CaptureBlock block;
    while (!done() && file_.next(block)) {
      if (auto taken = replay_.take(block, reports_); !taken) {
        damage_ = taken.error();
        if (damage_->hint.empty()) damage_->hint = "everything before that was read";
        break;
      }
      if (!announced_ && replay_.start() != nullptr) announce();
      // Of a pipe everything is reported at once: nobody knows when the next block comes.
      if (!file_.regular() && !reports_.empty()) deliver();
      if (++blocks_ % blocks_between_looks == 0) look_around();
      if (reports_.size() >= 256) write_reports();
    }
    stopped_ = signalled();
    if (!damage_ && !done()) damage_ = file_.damage();
    return finish();
  }

 private:
  void announce() {
    announced_ = true;
    const StartMark& start = *replay_.start();
    say(fmt::format("tcpwitness: reading {}: recorded by version {} on Linux {}{}",
                    options_.read.path == "-" ? "standard input" : printable(options_.read.path, true),
                    printable(start.ready.version, true), printable(start.ready.kernel, true),
                    start.flight ? "; a flight recorder's: only what belongs to findings was kept" : ""));
    delivery_.limit_to(start.count);
    delivery_.sink().write(start.ready);
  }

  [[nodiscard]] bool signalled() const {
    pollfd signal{.fd = signals_, .events = POLLIN, .revents = 0};
    if (stopped_ || ::poll(&signal, 1, 0) <= 0) return stopped_;
    end_at_next_signal(signals_);
    return true;
  }

  void look_around() {
    stopped_ = signalled();
    const auto now = std::chrono::steady_clock::now();
    progress_.at(file_.bytes_read(), blocks_, now);
    if (delivery_.due(now)) deliver();
  }

  [[nodiscard]] bool done() const { return stopped_ || delivery_.over(); }

  void write_reports() {
    if (!reports_.empty()) progress_.erase();
    delivery_.write(reports_, [&](const Report& report) { return wants(selection_, report); });
  }

  void deliver() {
    write_reports();
    delivery_.flush();
  }

  int finish() {
    progress_.erase();
    write_reports();
    if (!delivery_.enough()) replay_.finish(reports_);
    write_reports();
    Summary summary = replay_.summary();
    if (!delivery_.finish(summary)) return broken_output(output_.error());
    // What this file lacks was not lost by the ring.
    Summary heard = summary;
    heard.lost -= std::min(heard.lost, replay_.missing() - replay_.left_out());
    say(describe(heard));
    if (const std::uint64_t before = replay_.missing_before(); before != 0)
      fmt::print(stderr, "  the recording begins after {} event{}: what began before is known from here on only\n",
                 grouped(before), before == 1 ? "" : "s");
    if (const std::uint64_t inside = inside_missing(); inside != 0)
      fmt::print(stderr, "  {} event{} missing in it\n", grouped(inside), inside == 1 ? " is" : "s are");
    if (const std::uint64_t meant = replay_.left_out(); meant != 0)
      fmt::print(stderr, "  {} event{} left out by the flight recorder: of no finding\n", grouped(meant),
                 meant == 1 ? " was" : "s were");
    if (!replay_.continued().empty()) fmt::print(stderr, "  it goes on in {}\n", printable(replay_.continued(), true));
    return exit_code();
  }

  // Behind the first event, and not on purpose. What a flight recorder left out it may have left out before the first.
  [[nodiscard]] std::uint64_t inside_missing() const {
    const std::uint64_t behind = replay_.missing() - replay_.missing_before();
    const std::uint64_t meant = replay_.left_out() - std::min(replay_.left_out(), replay_.missing_before());
    return behind - std::min(behind, meant);
  }

  [[nodiscard]] int exit_code() const {
    if (stopped_ || delivery_.enough()) return 0;
    if (damage_) return fail(*damage_);
    if (replay_.ended()) return 0;
    return fail(
        {"read the recording to its end",
         "it has no end mark: its recorder was killed, its disk was full, or the file was cut off between two blocks",
         "everything up to there was read"});
  }

  const Options& options_;
  CaptureFile& file_;
  int signals_;
  Selection selection_;
  Replay replay_;
  Progress progress_;
  Output output_{STDOUT_FILENO};
  Delivery delivery_;
  Reports reports_;
  std::optional<Error> damage_;
  std::uint64_t blocks_ = 0;
  bool announced_ = false;
  bool stopped_ = false;
};

}  // namespace

int replay(const Options& options, std::unique_ptr<CaptureFile> file) {
  if (!options.read.filter.empty()) {
    return fail({"apply '" + options.read.filter + "' to a recording",
                 "an expression selects frames, and a recording's judgements rest on the kernel's events too",
                 "select with --port, --host, --pid and --comm"});
  }
  const auto signals = take_signals();
  if (!signals) return fail(signals.error());
  return Replaying(options, *file, signals->get()).go();
}

}  // namespace tcpwitness
