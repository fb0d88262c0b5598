// SPDX-License-Identifier: Apache-2.0
// top_file.cpp: top: which of the two it is, and a file that is played as it was, or so many times as fast.
//
//   a recording  CaptureFile -> Replay -> Sink        a capture  BatchReader -> Correlator -> Sink
//
// Time is the file's: an interval of the screen is one of the file, and its rates are those of then.
#include <fmt/core.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <ctime>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "capture/capture_file.hpp"
#include "capture/filter.hpp"
#include "confine/confine.hpp"
#include "recording/recording.hpp"
#include "recording/replay.hpp"
#include "run/batch_reader.hpp"
#include "run/exit_code.hpp"
#include "run/file_settings.hpp"
#include "run/messages.hpp"
#include "run/run.hpp"
#include "run/selection.hpp"
#include "run/signals.hpp"
#include "run/top.hpp"
#include "sink/chosen.hpp"
#include "sink/describe.hpp"
#include "sink/format.hpp"
#include "tcpwitness/capture.hpp"

namespace tcpwitness {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t steps_between_looks = 512;

// What is played, step by step.
class Played {
 public:
  virtual ~Played() = default;
  // False: that was all.
  virtual bool step(Reports& out) = 0;
  virtual void finish(Reports& out) = 0;
  [[nodiscard]] virtual TimeNs now() const = 0;  // 0: nothing is known yet
  [[nodiscard]] virtual const Names& names() const = 0;
  virtual void so_far(TimeNs now, const std::function<void(Life)>& take) = 0;
  [[nodiscard]] virtual std::optional<Life> so_far_of(ConnectionId conn, TimeNs now) = 0;
  [[nodiscard]] virtual std::optional<Error> damage() const = 0;
};

class PlayedRecording final : public Played {
 public:
  PlayedRecording(const Options& options, CaptureFile& file) : file_(file), replay_(replay_settings(options)) {}

  bool step(Reports& out) override {
    CaptureBlock block;
    if (damage_ || !file_.next(block)) return false;
    if (auto taken = replay_.take(block, out); !taken) damage_ = taken.error();
    return !damage_;
  }
  void finish(Reports& out) override { replay_.finish(out); }
  [[nodiscard]] TimeNs now() const override { return replay_.now(); }
  [[nodiscard]] const Names& names() const override { return replay_.names(); }
  void so_far(TimeNs now, const std::function<void(Life)>& take) override { replay_.so_far(now, take); }
  [[nodiscard]] std::optional<Life> so_far_of(ConnectionId conn, TimeNs now) override {
    return replay_.so_far_of(conn, now);
  }
  [[nodiscard]] std::optional<Error> damage() const override { return damage_ ? damage_ : file_.damage(); }

 private:
  CaptureFile& file_;
  Replay replay_;
  std::optional<Error> damage_;
};

class PlayedCapture final : public Played {
 public:
  PlayedCapture(const Options& options, CaptureFile& file, PacketFilter* filter)
      : file_(file), reader_(options, file, filter), correlator_(capture_settings(options), names_) {}

  bool step(Reports& out) override {
    if (at_ == batch_.events.size()) {
      batch_.clear();
      at_ = 0;
      more_ = more_ && reader_.fill(batch_);
      if (!more_ && !reader_.finish(batch_) && batch_.events.empty()) return false;
      learn();
      if (batch_.events.empty()) return true;
    }
    const Event& event = batch_.events[at_++];
    now_ = std::max(now_, event.ts_ns);
    correlator_.feed(event, out);
    return true;
  }
  void finish(Reports& out) override { correlator_.finish(now_, out); }
  [[nodiscard]] TimeNs now() const override { return now_; }
  [[nodiscard]] const Names& names() const override { return names_; }
  void so_far(TimeNs now, const std::function<void(Life)>& take) override { correlator_.so_far(now, take); }
  [[nodiscard]] std::optional<Life> so_far_of(ConnectionId conn, TimeNs now) override {
    return correlator_.so_far_of(conn, now);
  }
  [[nodiscard]] std::optional<Error> damage() const override { return file_.damage(); }

 private:
  void learn() {
    std::uint32_t index = 1;
    for (const CaptureInterface& interface : batch_.interfaces) names_.interfaces[index++] = interface.name;
  }

  CaptureFile& file_;
  BatchReader reader_;
  Names names_;
  Correlator correlator_;
  Batch batch_;
  std::size_t at_ = 0;
  bool more_ = true;
  TimeNs now_ = 0;
};

class Playing {
 public:
  Playing(const Options& options, Played& played, LiveView& view, bool recording, int signals)
      : played_(played),
        view_(view),
        sink_(with_choice(view.sink(), options.choice)),
        selection_(options),
        selects_(recording),
        signals_(signals),
        every_(options.every.value_or(std::chrono::seconds(1))),
        speed_(options.top.speed.value_or(1)) {}

  int go() {
    view_.set_names(played_.names());
    // Whoever becomes another user gets no signal of its parent's death any more: before the screen asks for that.
    const auto nobody = become_nobody();
    if (auto opened = view_.open(); !opened) return fail(opened.error());
    say_through([this](std::string_view text) { view_.say(played_.now(), text); });
    for (const Result<void>& step : {nobody, restrict_system_calls(Work::read)}) {
      if (!step) say("tcpwitness: " + step.error().message());
    }
    bool wanted = play();
    if (wanted) {
      played_.finish(reports_);
      write();
      look(played_.now());
      view_.set_ended();
    }
    while (wanted) wanted = view_.turn(played_.now()) && rest(std::chrono::milliseconds(1000));
    view_.close();
    say_through({});
    const auto damage = played_.damage();
    return damage ? fail(*damage) : 0;
  }

 private:
  // False: the end is wanted.
  bool play() {
    std::size_t steps = 0;
    while (played_.step(reports_)) {
      write();
      const TimeNs now = played_.now();
      if (now == 0) continue;
      if (begun_ns_ == 0) begin(now);
      if (now >= next_look_ns_ || ++steps % steps_between_looks == 0) {
        if (!keep_pace(now)) return false;
      }
    }
    return true;
  }

  void begin(TimeNs now) {
    begun_ns_ = now;
    begun_ = Clock::now();
    look(now);
  }

  // Waits until it is as late as in the file; intervals without an event are drawn too.
  bool keep_pace(TimeNs now) {
    for (;;) {
      const TimeNs here = std::min(now, begun_ns_ + passed_ns());
      if (here >= next_look_ns_) look(here);
      if (!view_.turn(here)) return false;
      answer(here);
      if (here >= now) return true;
      const auto left = std::chrono::nanoseconds(
          static_cast<std::int64_t>(static_cast<double>(std::min(now, next_look_ns_) - here) / speed_));
      if (!rest(std::clamp(std::chrono::ceil<std::chrono::milliseconds>(left), std::chrono::milliseconds(1),
                           view_.patience())))
        return false;
    }
  }
  [[nodiscard]] TimeNs passed_ns() const {
    const auto real = std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - begun_);
    return static_cast<TimeNs>(static_cast<double>(real.count()) * speed_);
  }

  void look(TimeNs now) {
    played_.so_far(now, [&](Life life) {
      if (selects_ && !selection_.wants(life.flow, life.nat)) return;
      sink_->write(Interim{.ts_ns = now, .life = std::move(life)});
    });
    sink_->write(Interim{.ts_ns = now, .life = {}});
    next_look_ns_ = now + static_cast<TimeNs>(static_cast<double>(every_.count()) * speed_);
  }

  void answer(TimeNs now) {
    if (const auto conn = view_.asks_for()) view_.answer(played_.so_far_of(*conn, now));
  }

  void write() {
    for (const Report& report : reports_) {
      if (!selects_ || selection_.wants(report)) sink_->write(report);
    }
    reports_.clear();
  }

  // False: a signal came.
  bool rest(std::chrono::milliseconds time) {
    std::array<pollfd, 3> ready{{{.fd = signals_, .events = POLLIN, .revents = 0},
                                 {.fd = view_.terminal().input_fd(), .events = POLLIN, .revents = 0},
                                 {.fd = view_.terminal().signal_fd(), .events = POLLIN, .revents = 0}}};
    return ::poll(ready.data(), ready.size(), static_cast<int>(time.count())) <= 0 || ready[0].revents == 0;
  }

  Played& played_;
  LiveView& view_;
  std::unique_ptr<Sink> sink_;
  Selection selection_;
  bool selects_;  // a capture's reader has done it
  int signals_;
  std::chrono::nanoseconds every_;
  double speed_;
  Reports reports_;
  TimeNs begun_ns_ = 0;
  Clock::time_point begun_;
  TimeNs next_look_ns_ = 0;
};

int play(const Options& options, std::unique_ptr<Screen> terminal) {
  std::unique_ptr<PacketFilter> filter;
  if (!options.read.filter.empty()) {
    auto compiled = PacketFilter::compile(options.read.filter);
    if (!compiled) return refuse(compiled.error());
    filter = std::move(*compiled);
  }
  const auto signals = take_signals();
  if (!signals) return fail(signals.error());
  auto file = CaptureFile::open(options.read.path, [](int) { return true; });
  if (!file) return fail(file.error());
  const bool recording = is_recording(**file);
  if (recording && filter) return fail(no_expression_for_recordings(options.read.filter));
  if (!recording && (options.pid != 0 || !options.comm.empty())) {
    return refuse({"select by process", "a capture knows no processes",
                   "--pid and --comm select from what 'tcpwitness record' wrote"});
  }
  ::tzset();
  const std::string name = options.read.path.substr(options.read.path.rfind('/') + 1);
  LiveView view(std::move(terminal), fmt::format("{} x{:g}", name, options.top.speed.value_or(1)), !recording, false);
  std::unique_ptr<Played> played;
  if (recording) {
    played = std::make_unique<PlayedRecording>(options, **file);
  } else {
    played = std::make_unique<PlayedCapture>(options, **file, filter.get());
  }
  return Playing(options, *played, view, recording, signals->get()).go();
}

}  // namespace

int run_top(const Options& given) {
  if (auto possible = Screen::check(); !possible) return refuse(possible.error());
  Options options = given;
  if (!options.every) options.every = std::chrono::seconds(1);
  auto& words = options.top.words;
  const bool file = !words.empty() && ::access(words.front().c_str(), F_OK) == 0;
  if (!file && options.top.speed) {
    return refuse({"play at a speed",
                   words.empty() ? "no file is given" : "there is no file " + printable(words[0], true),
                   "'tcpwitness top FILE --speed 10'"});
  }
  auto terminal = Screen::prepare();
  if (!terminal) return fail(terminal.error());
  if (!file) return run_live(options, std::make_unique<LiveView>(std::move(*terminal), "", false, true));
  options.read.path = words.front();
  words.erase(words.begin());
  options.read.filter = fmt::format("{}", fmt::join(words, " "));
  options.expression.clear();
  return play(options, std::move(*terminal));
}

}  // namespace tcpwitness
