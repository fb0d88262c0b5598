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
#include "run/file_filter.hpp"
#include "run/file_settings.hpp"
#include "run/messages.hpp"
#include "run/run.hpp"
#include "run/run_loop.hpp"
#include "run/signals.hpp"
#include "run/top.hpp"
#include "sink/filtered.hpp"
#include "sink/format.hpp"
#include "sink/views/describe.hpp"
#include "tcpwitness/capture.hpp"
#include "values/duration.hpp"

namespace tcpwitness {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t steps_between_looks = 512;
// In real time: of a longer silence the beginning is shown, and the rest is skipped.
constexpr auto longest_silence = std::chrono::seconds(60);
constexpr auto silence_shown = std::chrono::seconds(3);

std::string silence_in_words(std::int64_t ns) {
  constexpr std::int64_t year_ns = 31'556'952'000'000'000;
  return ns < 2 * year_ns ? duration_in_words(ns) : fmt::format("{} years", ns / year_ns);
}

// An ordinary segment: it has brought the counters of its connection, and nothing else is reported of it.
bool only_counts(const Report& report) {
  const auto* entry = std::get_if<Entry>(&report);
  const auto* body = entry != nullptr ? std::get_if<SegmentEntry>(&entry->body) : nullptr;
  return body != nullptr && body->segment.event_flags == 0 && body->inferred.empty();
}

// What is played, step by step.
class Played {
 public:
  virtual ~Played() = default;
  // The time of what comes next. Nothing: that was all.
  [[nodiscard]] virtual std::optional<TimeNs> next() = 0;
  // Takes it.
  virtual void take(Reports& out) = 0;
  // It is `now`, and what comes next is not older.
  virtual void advance(TimeNs now, Reports& out) = 0;
  // Nothing comes next: reports what is left, a part at a time. False: that was all.
  virtual bool finish(Reports& out) = 0;
  [[nodiscard]] virtual TimeNs now() const = 0;  // 0: nothing is known yet
  [[nodiscard]] virtual const Names& names() const = 0;
  virtual void so_far(TimeNs now, const std::function<void(Life)>& take) = 0;
  [[nodiscard]] virtual std::optional<Life> so_far_of(ConnectionId conn, TimeNs now) = 0;
  [[nodiscard]] virtual std::optional<Error> damage() const = 0;
};

class PlayedRecording final : public Played {
 public:
  PlayedRecording(const Options& options, CaptureFile& file) : file_(file), replay_(replay_settings(options)) {}

  std::optional<TimeNs> next() override {
    while (!damage_ && file_.next(block_)) {
      auto step = read_step(block_);
      if (!step) {
        damage_ = step.error();
      } else if (*step) {
        step_ = std::move(**step);
        return replay_.time_of(*step_);
      }
    }
    return std::nullopt;
  }
  void take(Reports& out) override {
    if (auto taken = replay_.take(*step_, block_.offset, out); !taken) damage_ = taken.error();
  }
  void advance(TimeNs /*now*/, Reports& /*out*/) override {}  // the recording has the moments itself
  bool finish(Reports& out) override {
    replay_.finish(out);
    return false;
  }
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
  CaptureBlock block_;
  std::optional<RecordingStep> step_;  // refers to the block
  std::optional<Error> damage_;
};

class PlayedCapture final : public Played {
 public:
  PlayedCapture(const Options& options, CaptureFile& file, PacketFilter* filter)
      : file_(file), reader_(options, file, filter), correlator_(capture_settings(options), names_) {}

  std::optional<TimeNs> next() override { return reader_.next(); }
  void take(Reports& out) override {
    reader_.take_next(batch_);
    feed(out);
  }
  void advance(TimeNs now, Reports& out) override {
    // A second at a time: more counts as one (PassedTime). What is silent for so long is over by then.
    constexpr TimeNs second_ns = 1'000'000'000;
    constexpr TimeNs longest_ns = 1000 * second_ns;
    for (TimeNs at = std::max(now_, now - longest_ns) + second_ns; at < now; at += second_ns)
      reader_.advance(at, batch_);
    now_ = std::max(now_, now);
    reader_.advance(now_, batch_);
    feed(out);
    correlator_.advance(now_, out);
  }
  bool finish(Reports& out) override {
    const bool more = reader_.finish(batch_);
    feed(out);
    if (!more) correlator_.finish(now_, out);
    return more;
  }
  [[nodiscard]] TimeNs now() const override { return now_; }
  [[nodiscard]] const Names& names() const override { return names_; }
  void so_far(TimeNs now, const std::function<void(Life)>& take) override { correlator_.so_far(now, take); }
  [[nodiscard]] std::optional<Life> so_far_of(ConnectionId conn, TimeNs now) override {
    return correlator_.so_far_of(conn, now);
  }
  [[nodiscard]] std::optional<Error> damage() const override { return file_.damage(); }

 private:
  void feed(Reports& out) {
    std::uint32_t index = 1;
    for (const CaptureInterface& interface : batch_.interfaces) names_.interfaces[index++] = interface.name;
    for (const Event& event : batch_.events) {
      now_ = std::max(now_, event.ts_ns);
      correlator_.feed(event, out);
    }
    batch_.clear();
  }

  CaptureFile& file_;
  BatchReader reader_;
  Names names_;
  Correlator correlator_;
  Batch batch_;
  TimeNs now_ = 0;
};

class Playing final : public Run {
 public:
  Playing(const Options& options, Played& played, LiveView& view, bool recording, int signals)
      : played_(played),
        view_(view),
        sink_(with_filter(view.sink(), options.report_filter)),
        file_filter_(options),
        selects_(recording),
        counts_alone_(!recording && !options.packets_all),
        signals_(signals),
        every_(options.every.value_or(std::chrono::seconds(1))),
        speed_(options.top.speed.value_or(1)) {}

  // False: no screen, which is reported.
  [[nodiscard]] bool begin() {
    view_.set_names(played_.names());
    // Whoever becomes another user gets no signal of its parent's death any more: before the screen asks for that.
    const auto nobody = become_nobody();
    if (auto opened = view_.open([this] { return played_.now(); }); !opened) {
      static_cast<void>(fail(opened.error()));
      return false;
    }
    for (const Result<void>& step : {nobody, restrict_system_calls(Work::read)}) {
      if (!step) say("tcpwitness: " + step.error().message());
    }
    return true;
  }

  [[nodiscard]] bool over() const override { return left_; }
  // What comes next, when it is as late as in the file.
  [[nodiscard]] bool turn() override {
    const auto time = played_.next();
    if (!time) return false;
    if (begun_ns_ == 0 && *time != 0) start_clock(*time);
    const bool due = *time > here_ns_ || *time >= next_look_ns_ || ++steps_ % steps_between_looks == 0;
    left_ = begun_ns_ != 0 && due && !wait_for(*time);
    if (left_) return false;
    played_.take(reports_);
    write();
    return true;
  }
  // What was played stays on the screen until its reader leaves.
  [[nodiscard]] Summary finish() override {
    if (!left_) {
      while (played_.finish(reports_)) write();
      write();
      look(played_.now());
      view_.set_ended();
    }
    while (!left_) left_ = !view_.turn(played_.now()) || !rest(view_.patience());
    return {};
  }
  [[nodiscard]] bool write(Summary& /*summary*/) override {
    view_.close();
    return true;
  }
  [[nodiscard]] int failed() const override { return exit_failed; }
  [[nodiscard]] int ended(const Summary& /*summary*/) const override {
    const auto damage = played_.damage();
    return damage ? fail(*damage) : 0;
  }

 private:
  void start_clock(TimeNs time) {
    begun_ns_ = here_ns_ = time;
    begun_ = Clock::now();
    look(time);
  }

  // Until it is as late as in the file; intervals without an event are drawn too. What comes then is not taken yet.
  bool wait_for(TimeNs time) {
    const auto since = Clock::now();
    for (;;) {
      here_ns_ = begun_ns_ + passed_ns();
      if (time > here_ns_ && Clock::now() - since >= silence_shown) jump(time);
      const TimeNs here = std::min(time, here_ns_);
      if (here >= next_look_ns_) look(here);
      if (!view_.turn(here)) return false;
      answer(here);
      if (here >= time) return rest(std::chrono::milliseconds(0));  // playing behind, too, ends at a signal
      if (!rest(std::clamp(std::chrono::ceil<std::chrono::milliseconds>(real(std::min(time, next_look_ns_) - here)),
                           std::chrono::milliseconds(1), view_.patience())))
        return false;
    }
  }
  // Nobody waits for hours to see nothing.
  void jump(TimeNs time) {
    const std::int64_t silence = time - here_ns_;
    if (real(silence) <= longest_silence) return;
    look(here_ns_);
    view_.say(here_ns_, fmt::format("nothing for {} more: jumps there", silence_in_words(silence)));
    begun_ns_ += silence;
    here_ns_ = time;
    next_look_ns_ = time;
  }
  [[nodiscard]] std::chrono::nanoseconds real(std::int64_t in_file) const {
    constexpr double most = 1e18;
    return std::chrono::nanoseconds(static_cast<std::int64_t>(std::min(static_cast<double>(in_file) / speed_, most)));
  }
  [[nodiscard]] TimeNs passed_ns() const {
    const auto real = std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - begun_);
    return static_cast<TimeNs>(static_cast<double>(real.count()) * speed_);
  }

  void look(TimeNs now) {
    played_.advance(now, reports_);
    write();
    played_.so_far(now, [&](Life life) {
      if (selects_ && !file_filter_.wants(life.flow, life.nat)) return;
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
      if (counts_alone_ && only_counts(report)) continue;
      if (!selects_ || file_filter_.wants(report)) sink_->write(report);
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
  FileFilter file_filter_;
  bool selects_;       // a capture's reader has done it
  bool counts_alone_;  // ordinary segments of a capture: they are no events of its timelines
  int signals_;
  std::chrono::nanoseconds every_;
  double speed_;
  Reports reports_;
  std::size_t steps_ = 0;
  bool left_ = false;  // the end is wanted, or a signal came
  TimeNs begun_ns_ = 0;
  Clock::time_point begun_;
  TimeNs here_ns_ = 0;  // where the playing is; what comes next may be nearer
  TimeNs next_look_ns_ = 0;
};

int play(const Options& options, std::unique_ptr<Screen> terminal) {
  std::unique_ptr<PacketFilter> filter;
  if (!options.read.filter.empty()) {
    auto compiled = PacketFilter::compile(options.read.filter);
    if (!compiled) return refuse(compiled.error());
    filter = std::move(*compiled);
  }
  const auto signals = take_signals(IgnoredHangup::taken);  // a screen ends with its terminal
  if (!signals) return fail(signals.error());
  auto file = CaptureFile::open(options.read.path, [](int) { return true; });
  if (!file) return fail(file.error());
  const bool recording = is_recording(**file);
  if (recording && filter) return fail(no_expression_for_recordings(options.read.filter));
  if (const auto wrong = recording ? std::nullopt : no_use_for_a_capture(options)) return refuse(*wrong);
  ::tzset();
  const std::string name = options.read.path.substr(options.read.path.rfind('/') + 1);
  LiveView view(std::move(terminal), fmt::format("{} x{:g}", name, options.top.speed.value_or(1)), !recording, false);
  std::unique_ptr<Played> played;
  if (recording) {
    played = std::make_unique<PlayedRecording>(options, **file);
  } else {
    played = std::make_unique<PlayedCapture>(options, **file, filter.get());
  }
  Playing run(options, *played, view, recording, signals->get());
  return run.begin() ? run_to_end(run) : exit_failed;
}

}  // namespace

int run_top(const Options& given) {
  Options options = given;
  if (!options.every) options.every = std::chrono::seconds(1);
  auto& words = options.top.words;
  const bool file = !words.empty() && words.front() != "-" && names_a_file(words.front());
  if (const auto wrong = file ? no_use_for_a_file("play", words.front(), options) : std::nullopt) return refuse(*wrong);
  if (auto possible = Screen::check(); !possible) return refuse(possible.error());
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
