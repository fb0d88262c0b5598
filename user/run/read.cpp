// SPDX-License-Identifier: Apache-2.0
// read.cpp: read: what is in a capture.
//
//   BatchReader (CaptureFile -> TcpFrames -> Conversations) -> Correlator -> Sink
//
// An ordinary file is read by two threads, one for each half. A pipe is read by one, so that what came is reported
// while the next frame is waited for. Clock, signals and the progress bar are looked at once in a batch.
#include <fmt/core.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <ctime>
#include <memory>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "capture/bounded_queue.hpp"
#include "capture/capture_file.hpp"
#include "capture/filter.hpp"
#include "confine/confine.hpp"
#include "recording/recording.hpp"
#include "run/batch_reader.hpp"
#include "run/clocks.hpp"
#include "run/delivery.hpp"
#include "run/exit_code.hpp"
#include "run/messages.hpp"
#include "run/outputs.hpp"
#include "run/picture.hpp"
#include "run/replay.hpp"
#include "run/run.hpp"
#include "run/signals.hpp"
#include "sink/describe.hpp"
#include "sink/format.hpp"
#include "sink/output.hpp"
#include "sink/progress.hpp"
#include "tcpwitness/capture.hpp"
#include "tcpwitness/pipeline.hpp"
#include "values/prefetch.hpp"
#include "version/version.hpp"

namespace tcpwitness {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t reports_at_a_time = 4;  // so few that the allocator has their memory at hand for the next ones

CorrelatorSettings correlator_settings(const Options& options) {
  CorrelatorSettings settings = capture_settings();
  static_cast<ReportSettings&>(settings) = report_settings(options);
  return settings;
}

// SIGINT and its like, taken from the moment that they can be answered: opening a FIFO waits for its writer, and until
// then Ctrl-C simply ends the process.
class Stop {
 public:
  Result<void> listen() {
    if (signals_.valid()) return {};
    auto taken = take_signals();
    if (!taken) return std::unexpected(taken.error());
    signals_ = std::move(*taken);
    return {};
  }
  [[nodiscard]] bool asked() {
    pollfd signal{.fd = signals_.get(), .events = POLLIN, .revents = 0};
    if (!requested_ && ::poll(&signal, 1, 0) > 0) {
      requested_ = true;
      end_at_next_signal(signals_.get());
    }
    return requested_;
  }
  [[nodiscard]] int fd() const { return signals_.get(); }
  // Waits for fd to have something to read. False: nothing yet.
  [[nodiscard]] bool wait_for(int fd, std::chrono::milliseconds time) {
    std::array<pollfd, 2> both{
        {{.fd = signals_.get(), .events = POLLIN, .revents = 0}, {.fd = fd, .events = POLLIN, .revents = 0}}};
    if (::poll(both.data(), both.size(), static_cast<int>(time.count())) <= 0) return false;
    if (both[0].revents != 0) requested_ = true;
    return both[1].revents != 0;
  }
  [[nodiscard]] bool stop_requested() const { return requested_; }

 private:
  UniqueFd signals_;
  bool requested_ = false;
};

// One file, from ready to summary.
class Reading {
 public:
  Reading(const Options& options, Stop& stop, CaptureFile& file, PacketFilter* filter)
      : options_(options),
        stop_(stop),
        file_(file),
        filter_(filter),
        reader_(options, file, filter),
        correlator_(correlator_settings(options), names_),
        delivery_(options.choice, options.count.value_or(0), output_, make_sink(options, output_, names_, true)),
        progress_(file.bytes_total()),
        shared_terminal_(::isatty(STDOUT_FILENO) == 1) {
    output_.stop_waiting_for(stop.fd());
  }

  int go() {
    if (!file_.regular() || !read_side_by_side()) read_as_it_comes();
    return finish();
  }

  // Called before a pipe is read: reports what is known while nothing comes. False: stop.
  bool wait(int fd) {
    const auto came = Clock::now();
    while (!stop_.wait_for(fd, std::chrono::milliseconds(0))) {
      if (stop_.stop_requested() || done()) return false;
      pass_time(came);
      deliver();
      if (stop_.wait_for(fd, Delivery::every)) break;
    }
    if (delivery_.due(Clock::now())) {
      catch_up();
      deliver();
    }
    return !stop_.stop_requested() && !done();
  }

 private:
  // An ordinary file: one thread makes events, this one makes lives of them and prints. False: there is no thread to be
  // had.
  bool read_side_by_side() {
    BoundedQueue<Batch> queue;
    std::jthread reader;
    const auto make_events = [&] {
      bool more = true;
      bool wanted = true;
      while (more && wanted) {
        Batch batch = queue.spare();
        more = reader_.fill(batch);
        wanted = queue.push(std::move(batch));
      }
      while (wanted) {
        Batch batch = queue.spare();
        const bool left = reader_.finish(batch);
        wanted = queue.push(std::move(batch)) && left;
      }
      queue.close();
    };
    try {
      reader = std::jthread(make_events);
    } catch (const std::system_error&) {
      return false;
    }
    while (auto batch = queue.take()) {
      if (!announced_) announce(*batch);
      take(*batch);
      look_around();
      if (done()) queue.stop();
      if (!done()) queue.recycle(std::move(*batch));
    }
    return true;
  }

  // A pipe: its frames are reported while the next ones are waited for.
  void read_as_it_comes() {
    announce(batch_);  // the first block may be long in coming
    bool more = true;
    while (more && !done()) {
      more = reader_.fill(batch_);
      take(batch_);
      look_around();
    }
    while (!delivery_.enough() && reader_.finish(batch_)) take(batch_);
    take(batch_);
  }

  // With a batch that is still being filled.
  void catch_up() {
    reader_.account(batch_);
    take(batch_);
  }

  void take(Batch& batch) {
    learn(batch.interfaces);
    read_ = {.frames = batch.frames,
             .segments = batch.segments,
             .conversations = batch.conversations,
             .dropped = batch.dropped,
             .damage = {}};
    bytes_read_ = batch.bytes_read;
    last_ts_ns_ = batch.last_ts_ns;
    const std::vector<Event>& events = batch.events;
    for (std::size_t i = 0; i < events.size() && !delivery_.enough(); ++i) {
      // The other thread wrote them, and they look up what was not looked at for long.
      if (i + 16 < events.size()) prefetch(&events[i + 16]);
      if (i + 8 < events.size()) correlator_.expect(events[i + 8]);
      if (i + 4 < events.size()) correlator_.expect_next(events[i + 4]);
      correlator_.feed(events[i], reports_);
      if (reports_.size() >= reports_at_a_time) write_reports();
    }
    batch.clear();
  }

  void learn(const std::vector<CaptureInterface>& interfaces) {
    std::uint32_t index = 1;  // as the conversations number them: 0 is none
    for (const CaptureInterface& interface : interfaces) {
      const bool unnamed = interface.name.empty() && interfaces.size() > 1;
      names_.interfaces[index] = unnamed ? fmt::format("interface {}", index - 1) : interface.name;
      index++;
    }
  }

  void announce(const Batch& batch) {
    Ready ready;
    ready.ts_ns = realtime_ns();
    ready.version = version;
    ready.capture = CaptureSource{.path = options_.read.path, .format = file_.format(), .interfaces = {}};
    for (const CaptureInterface& interface : batch.interfaces) {
      ready.capture->interfaces.push_back({.name = interface.name, .link_type = interface.link_type});
    }
    say(describe(ready));
    delivery_.sink().write(ready);
    deliver();
    announced_ = true;
  }

  void look_around() {
    stopped_ = stopped_ || stop_.asked();
    const auto now = Clock::now();
    progress_.at(bytes_read_, read_.frames, now);
    if (delivery_.due(now)) deliver();
  }

  // No frame comes, and yet time passes where they come from: what is over by now is reported.
  void pass_time(Clock::time_point came) {
    catch_up();
    if (read_.segments == 0) return;
    const TimeNs now = last_ts_ns_ + std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - came).count();
    reader_.advance(now, batch_);
    take(batch_);
    correlator_.advance(now, reports_);
  }

  [[nodiscard]] bool done() const { return stopped_ || delivery_.over(); }

  void write_reports() {
    if (reports_.empty()) return;
    if (shared_terminal_) progress_.erase();
    delivery_.write(reports_);
  }

  void deliver() {
    write_reports();
    delivery_.flush();
  }

  int finish() {
    progress_.erase();
    if (!delivery_.enough()) correlator_.finish(last_ts_ns_, reports_);
    write_reports();
    if (delivery_.broken()) return broken_output(output_.error());
    const bool damaged = file_.damage().has_value();
    Summary summary = correlator_.summary();
    summary.ts_ns = realtime_ns();
    summary.capture = read_;
    summary.capture->filtered = !options_.read.filter.empty() || !options_.ports.empty() ||
                                !options_.port_ranges.empty() || !options_.hosts.empty();
    if (damaged) summary.capture->damage = file_.damage()->message();
    if (!delivery_.finish(summary)) return broken_output(output_.error());
    say(describe(summary));
    if (const PassedOver over = reader_.passed_over(); over.frames != 0) {
      fmt::print(stderr, "tcpwitness: {} frame{} of link type {} {} passed over: it is none that is read\n",
                 grouped(over.frames), over.frames == 1 ? "" : "s", over.link_type, over.frames == 1 ? "was" : "were");
    }
    if (filter_ != nullptr && filter_->refused()) fmt::print(stderr, "tcpwitness: {}\n", filter_->refused()->message());
    return damaged ? fail(*file_.damage()) : 0;
  }

  const Options& options_;
  Stop& stop_;
  CaptureFile& file_;
  PacketFilter* filter_;
  BatchReader reader_;
  Batch batch_;  // of a pipe
  Names names_;
  Output output_{STDOUT_FILENO};
  Correlator correlator_;
  Delivery delivery_;
  Progress progress_;
  bool shared_terminal_;  // the progress bar is where the output is
  Reports reports_;
  CaptureTotals read_;
  std::uint64_t bytes_read_ = 0;
  TimeNs last_ts_ns_ = 0;
  bool announced_ = false;
  bool stopped_ = false;  // by a signal
};

// Everything is open, and nothing but descriptors is needed: what a file holds may come from anybody.
void confine() {
  ::tzset();  // reads a file
  for (const Result<void>& step : {become_nobody(), restrict_system_calls(Work::read)}) {
    if (!step) say("tcpwitness: " + step.error().message());
  }
}

}  // namespace

int run_read(const Options& given) {
  if (given.read.path == "-" && ::isatty(STDIN_FILENO) == 1) {
    return fail(
        {"read standard input", "it is a terminal", "pipe a capture into it: tcpdump -U -w - | tcpwitness read -"});
  }
  std::unique_ptr<PacketFilter> filter;
  if (!given.read.filter.empty()) {
    if (::access(given.read.filter.c_str(), F_OK) == 0) {
      fmt::print(stderr, "tcpwitness: read takes one file: what comes behind it is an expression, and {} is a file\n",
                 printable(given.read.filter, true));
      return exit_usage;
    }
    auto compiled = PacketFilter::compile(given.read.filter);
    if (!compiled) return refuse(compiled.error());
    filter = std::move(*compiled);
  }
  Stop stop;
  Reading* reading = nullptr;  // from when there is one
  const auto waiting = [&](int fd) {
    if (!stop.listen()) return true;
    if (reading != nullptr) return reading->wait(fd);
    while (!stop.wait_for(fd, Delivery::every)) {
      if (stop.stop_requested()) return false;
    }
    return !stop.stop_requested();
  };
  auto file = CaptureFile::open(given.read.path, waiting);
  if (stop.stop_requested()) return 0;
  if (!file) return fail(file.error());
  const auto drawing = with_picture_file(given);
  if (!drawing) return fail(drawing.error());
  const Options& options = *drawing;
  confine();
  if (is_recording(**file)) return replay(options, std::move(*file));
  if (auto listening = stop.listen(); !listening) return fail(listening.error());
  if (options.pid != 0 || !options.comm.empty()) {
    fmt::print(stderr,
               "tcpwitness: a capture knows no processes: --pid and --comm select only from what 'tcpwitness record' "
               "wrote\n");
    return exit_usage;
  }
  Reading run(options, stop, **file, filter.get());
  reading = &run;
  return run.go();
}

}  // namespace tcpwitness
