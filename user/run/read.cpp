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
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "capture/bounded_queue.hpp"
#include "capture/capture_file.hpp"
#include "capture/filter.hpp"
#include "confine/confine.hpp"
#include "pipeline/prefetch.hpp"
#include "recording/recording.hpp"
#include "run/batch_reader.hpp"
#include "run/clocks.hpp"
#include "run/delivery.hpp"
#include "run/exit_code.hpp"
#include "run/file_output.hpp"
#include "run/file_settings.hpp"
#include "run/messages.hpp"
#include "run/picture.hpp"
#include "run/replay.hpp"
#include "run/run.hpp"
#include "run/run_loop.hpp"
#include "run/signals.hpp"
#include "sink/format.hpp"
#include "sink/output.hpp"
#include "sink/progress.hpp"
#include "sink/views/describe.hpp"
#include "tcpwitness/capture.hpp"
#include "tcpwitness/pipeline.hpp"
#include "values/prefetch.hpp"
#include "version/version.hpp"

namespace tcpwitness {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t reports_at_a_time = 4;  // so few that the allocator has their memory at hand for the next ones

// Makes events of an ordinary file in a thread of its own, a few batches ahead of whoever takes them.
class BatchThread {
 public:
  // Nothing: there is no thread to be had.
  static std::unique_ptr<BatchThread> start(BatchReader& reader) {
    try {
      return std::make_unique<BatchThread>(reader);
    } catch (const std::system_error&) {
      return nullptr;
    }
  }
  explicit BatchThread(BatchReader& reader) : thread_([this, &reader] { read(reader); }) {}
  BatchThread(const BatchThread&) = delete;
  BatchThread& operator=(const BatchThread&) = delete;
  ~BatchThread() { stop(); }

  [[nodiscard]] std::optional<Batch> take() { return queue_.take(); }
  void recycle(Batch batch) { queue_.recycle(std::move(batch)); }
  // No more is wanted than what has been made.
  void stop() { queue_.stop(); }

 private:
  void read(BatchReader& reader) {
    bool more = true;
    bool wanted = true;
    while (more && wanted) {
      Batch batch = queue_.spare();
      more = reader.fill(batch);
      wanted = queue_.push(std::move(batch));
    }
    while (wanted) {
      Batch batch = queue_.spare();
      const bool left = reader.finish(batch);
      wanted = queue_.push(std::move(batch)) && left;
    }
    queue_.close();
  }

  BoundedQueue<Batch> queue_;
  std::jthread thread_;  // the first to go
};

// One file, from ready to summary.
class Reading final : public Run {
 public:
  Reading(const Options& options, StopSignal& stop, CaptureFile& file, PacketFilter* filter)
      : options_(options),
        stop_(stop),
        file_(file),
        filter_(filter),
        reader_(options, file, filter),
        correlator_(capture_settings(options), names_),
        output_(options, stop, file, names_, true) {}

  void begin() {
    if (file_.regular()) beside_ = BatchThread::start(reader_);
    if (!beside_) announce(batch_);  // the first block may be long in coming
  }

  [[nodiscard]] bool over() const override { return output_.over(); }
  // A batch. Those of a pipe are made here: what came is reported while the next frame is waited for.
  [[nodiscard]] bool turn() override {
    if (beside_) return take_from_beside();
    const bool more = reader_.fill(batch_);
    take(batch_);
    look_around();
    return more;
  }

  [[nodiscard]] Summary finish() override {
    if (beside_) {
      beside_->stop();
      while (take_from_beside()) {
      }
      beside_.reset();
    } else {
      while (!output_.enough() && reader_.finish(batch_)) take(batch_);
      take(batch_);
    }
    output_.end();
    if (!output_.enough()) correlator_.finish(last_ts_ns_, output_.waiting());
    output_.write();
    Summary summary = correlator_.summary();
    summary.ts_ns = realtime_ns();
    summary.capture = read_;
    summary.capture->filtered = !options_.read.filter.empty() || !options_.ports.empty() || !options_.hosts.empty();
    if (file_.damage()) summary.capture->damage = file_.damage()->message();
    return summary;
  }

  [[nodiscard]] bool write(Summary& summary) override { return !output_.broken() && output_.finish(summary); }
  [[nodiscard]] int failed() const override { return output_.failed(); }

  [[nodiscard]] int ended(const Summary& summary) const override {
    say(describe(summary));
    if (const PassedOver over = reader_.passed_over(); over.frames != 0) {
      fmt::print(stderr, "tcpwitness: {} frame{} skipped: unsupported link type {}\n", grouped(over.frames),
                 over.frames == 1 ? "" : "s", over.link_type);
    }
    if (const std::uint64_t odd = file_.odd_times(); odd != 0) {
      fmt::print(stderr, "tcpwitness: {} timestamp{} whose fraction is a second or more, read as nanoseconds\n",
                 grouped(odd), odd == 1 ? "" : "s");
    }
    if (filter_ != nullptr && filter_->refused()) fmt::print(stderr, "tcpwitness: {}\n", filter_->refused()->message());
    return file_.damage() ? fail(*file_.damage()) : 0;
  }

  // Called before a pipe is read: reports what is known while nothing comes. False: stop.
  bool wait(int fd) {
    const auto came = Clock::now();
    while (!stop_.wait_for(fd, std::chrono::milliseconds(0))) {
      if (output_.over()) return false;
      pass_time(came);
      output_.deliver();
      if (stop_.wait_for(fd, Delivery::every)) break;
    }
    if (output_.due()) {
      catch_up();
      output_.deliver();
    }
    return !output_.over();
  }

 private:
  // False: that was all.
  bool take_from_beside() {
    auto batch = beside_->take();
    if (!batch) return false;
    if (!announced_) announce(*batch);
    take(*batch);
    look_around();
    if (!output_.over()) beside_->recycle(std::move(*batch));
    return true;
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
             .cut = batch.cut,
             .damage = {}};
    bytes_read_ = batch.bytes_read;
    last_ts_ns_ = batch.last_ts_ns;
    const std::vector<Event>& events = batch.events;
    for (std::size_t i = 0; i < events.size() && !output_.enough(); ++i) {
      // The other thread wrote them, and they look up what was not looked at for long.
      if (i + 16 < events.size()) prefetch(&events[i + 16]);
      if (i + 8 < events.size()) Prefetch::connection(correlator_, events[i + 8]);
      if (i + 4 < events.size()) Prefetch::rest(correlator_, events[i + 4]);
      correlator_.feed(events[i], output_.waiting());
      if (output_.waiting().size() >= reports_at_a_time) output_.write();
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
    output_.begin(ready);
    output_.deliver();
    announced_ = true;
  }

  void look_around() { output_.look_around(bytes_read_, read_.frames); }

  // No frame comes, and yet time passes where they come from: what is over by now is reported.
  void pass_time(Clock::time_point came) {
    catch_up();
    if (read_.segments == 0) return;
    const TimeNs now = last_ts_ns_ + std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - came).count();
    reader_.advance(now, batch_);
    take(batch_);
    correlator_.advance(now, output_.waiting());
  }

  const Options& options_;
  StopSignal& stop_;
  CaptureFile& file_;
  PacketFilter* filter_;
  BatchReader reader_;
  std::unique_ptr<BatchThread> beside_;  // null: of a pipe
  Batch batch_;                          // of a pipe
  Names names_;
  Correlator correlator_;
  FileOutput output_;
  CaptureTotals read_;
  std::uint64_t bytes_read_ = 0;
  TimeNs last_ts_ns_ = 0;
  bool announced_ = false;
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
  StopSignal stop;
  Reading* reading = nullptr;  // from when there is one
  const auto waiting = [&](int fd) {
    if (!stop.listen()) return true;
    if (reading != nullptr) return reading->wait(fd);
    while (!stop.wait_for(fd, Delivery::every)) {
      if (stop.requested()) return false;
    }
    return !stop.requested();
  };
  auto file = CaptureFile::open(given.read.path, waiting);
  if (stop.requested()) return 0;
  if (!file) return fail(file.error());
  const auto drawing = with_picture_file(given);
  if (!drawing) return fail(drawing.error());
  const Options& options = *drawing;
  confine();
  if (is_recording(**file)) return replay(options, std::move(*file));
  if (auto listening = stop.listen(); !listening) return fail(listening.error());
  if (const auto wrong = no_use_for_a_capture(options)) return refuse(*wrong);
  Reading run(options, stop, **file, filter.get());
  reading = &run;
  run.begin();
  return run_to_end(run);
}

}  // namespace tcpwitness
