// SPDX-License-Identifier: Apache-2.0
// read.cpp: read: what is in a capture.
//
//   CaptureFile -> (filter) -> TcpFrames -> Conversations -> Witness -> Sink
//
// The loop is the hot path: nothing in it allocates, and clock, signals and the progress bar are looked at once in some
// thousand frames. A pipe is waited for, so that what came is told while it is open.
#include <fmt/core.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <ctime>
#include <memory>
#include <string>
#include <vector>

#include "capture/capture_file.hpp"
#include "capture/filter.hpp"
#include "capture/tcp_frames.hpp"
#include "run/common.hpp"
#include "run/progress.hpp"
#include "run/run.hpp"
#include "sink/describe.hpp"
#include "sink/output.hpp"
#include "tcpwitness/pipeline.hpp"
#include "wire/conversations.hpp"

namespace tcpwitness {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint64_t frames_between_looks = 8192;  // at clock and signals: a millisecond or two
constexpr std::size_t reports_at_a_time = 256;
constexpr auto deliver_every = std::chrono::milliseconds(100);
constexpr std::int64_t linger_on_a_pipe_ns = 2'000'000'000;

TimeNs realtime_ns() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<TimeNs>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

WitnessSettings witness_settings(const Options& options) {
  WitnessSettings settings;
  settings.timeline = options.timeline();
  settings.finding_reports = options.format == OutputFormat::json || options.timeline();
  settings.explain = options.timeline();
  settings.kernel_heard = false;
  settings.every_segment = true;
  settings.capture = true;
  settings.half_open_limit = settings.wire_alone_limit;  // a scan in a file is told whole
  return settings;
}

ConversationSettings conversation_settings(const Options& options, bool regular) {
  ConversationSettings settings;
  settings.all_segments = options.packets_all;
  if (!regular) settings.linger_ns = linger_on_a_pipe_ns;
  return settings;
}

// By connection: what selects one direction selects the other.
class Selection {
 public:
  explicit Selection(const Options& options)
      : ports_(options.ports), hosts_(options.hosts), all_(ports_.empty() && hosts_.empty()) {}

  [[nodiscard]] bool wants(const TcpFrame& tcp) const {
    return all_ || ((ports_.empty() || has_port(tcp)) && (hosts_.empty() || has_host(tcp)));
  }

 private:
  [[nodiscard]] bool has_port(const TcpFrame& tcp) const {
    return std::ranges::any_of(
        ports_, [&](std::uint16_t port) { return port == tcp.source.port || port == tcp.destination.port; });
  }
  [[nodiscard]] bool has_host(const TcpFrame& tcp) const {
    return std::ranges::any_of(hosts_, [&](const Prefix& host) {
      return host.contains(tcp.source.address) || host.contains(tcp.destination.address);
    });
  }

  const std::vector<std::uint16_t>& ports_;
  const std::vector<Prefix>& hosts_;
  bool all_;
};

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
    if (::poll(&signal, 1, 0) > 0) asked_ = true;
    return asked_;
  }
  // Waits for fd to have something to read. False: nothing yet.
  [[nodiscard]] bool wait_for(int fd, std::chrono::milliseconds time) {
    std::array<pollfd, 2> both{
        {{.fd = signals_.get(), .events = POLLIN, .revents = 0}, {.fd = fd, .events = POLLIN, .revents = 0}}};
    if (::poll(both.data(), both.size(), static_cast<int>(time.count())) <= 0) return false;
    if (both[0].revents != 0) asked_ = true;
    return both[1].revents != 0;
  }
  [[nodiscard]] bool was_asked() const { return asked_; }

 private:
  UniqueFd signals_;
  bool asked_ = false;
};

// One file, from ready to summary.
class Reading {
 public:
  Reading(const Options& options, Stop& stop, CaptureFile& file, PacketFilter* filter)
      : options_(options),
        stop_(stop),
        file_(file),
        filter_(filter),
        selection_(options),
        conversations_(conversation_settings(options, file.regular())),
        witness_(witness_settings(options), names_),
        sink_(make_sink(options, output_, names_, true)),
        progress_(file.bytes_total()),
        shared_terminal_(::isatty(STDOUT_FILENO) == 1) {}

  int go() {
    CaptureBlock block;
    if (!file_.regular()) announce();  // a pipe's first block may be long in coming
    bool more = file_.next(block);
    learn_interfaces();
    if (file_.regular()) announce();
    std::uint64_t look = frames_between_looks;
    for (; more && !done_; more = file_.next(block)) {
      if (block.kind != CaptureBlock::Kind::frame) continue;
      take(block);
      if (--look == 0) {
        look = frames_between_looks;
        look_around();
      }
    }
    return finish();
  }

  // Called before a pipe is read: tells what is known while nothing comes. False: stop.
  bool wait(int fd) {
    while (!stop_.wait_for(fd, std::chrono::milliseconds(0))) {
      if (stop_.was_asked() || done_) return false;
      pass_time();
      deliver();
      if (stop_.wait_for(fd, deliver_every)) break;
    }
    if (Clock::now() - delivered_ >= deliver_every) deliver();
    return !stop_.was_asked() && !done_;
  }

 private:
  void take(const CaptureBlock& block) {
    frames_++;
    if (filter_ != nullptr && !filter_->matches(block)) return;
    if (!tcp_frames_.parse(block, tcp_) || !selection_.wants(tcp_)) return;
    if (tcp_.interface >= names_.interfaces.size()) learn_interfaces();
    segments_++;
    last_ts_ns_ = std::max(last_ts_ns_, tcp_.ts_ns);
    conversations_.observe(tcp_, events_);
    streams_ = std::max(streams_, conversations_.stream() + 1);
    if (!events_.empty()) feed();
  }

  void feed() {
    for (const auto& event : events_) witness_.feed(event, reports_);
    events_.clear();
    if (reports_.size() >= reports_at_a_time) write_reports();
  }

  void learn_interfaces() {
    std::uint32_t index = 1;  // as the conversations number them: 0 is none
    for (const CaptureInterface& interface : file_.interfaces()) {
      names_.interfaces[index] = interface.name.empty() ? fmt::format("interface {}", index - 1) : interface.name;
      index++;
    }
  }

  void announce() {
    Ready ready;
    ready.ts_ns = realtime_ns();
    ready.version = TCPWITNESS_VERSION;
    ready.capture = CaptureSource{.path = options_.read.path, .format = file_.format(), .interfaces = {}};
    for (const CaptureInterface& interface : file_.interfaces()) ready.capture->interfaces.push_back(interface.name);
    fmt::print(stderr, "{}\n", describe(ready));
    sink_->write(ready);
    deliver();
  }

  void look_around() {
    if (stop_.asked()) done_ = true;
    const auto now = Clock::now();
    progress_.at(file_.bytes_read(), frames_, now);
    if (now - delivered_ >= deliver_every) deliver();
  }

  // No frame comes, and yet time passes where they come from.
  void pass_time() {
    if (segments_ == 0) return;
    const auto since = std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - delivered_);
    (void)since;
  }

  void write_reports() {
    if (reports_.empty()) return;
    if (shared_terminal_) progress_.erase();
    for (const auto& report : reports_) {
      if (enough_) break;
      sink_->write(report);
      if (std::holds_alternative<Life>(report)) told_++;
      if (options_.count && told_ >= *options_.count) enough_ = done_ = true;
    }
    reports_.clear();
    if (output_.error() != 0) broken_ = done_ = true;
  }

  void deliver() {
    write_reports();
    if (!sink_->flush()) broken_ = done_ = true;
    delivered_ = Clock::now();
  }

  int finish() {
    progress_.erase();
    if (!enough_) {
      conversations_.finish(events_);
      feed();
      witness_.finish(last_ts_ns_, reports_);
    }
    write_reports();
    if (broken_) return broken_output();
    const bool damaged = file_.damage() && !stop_.was_asked() && !enough_;
    Summary summary = witness_.summary();
    summary.ts_ns = realtime_ns();
    summary.connections = told_;
    summary.capture = CaptureTotals{.frames = frames_,
                                    .segments = segments_,
                                    .conversations = streams_,
                                    .damage = damaged ? file_.damage()->message() : ""};
    sink_->write(summary);
    if (!sink_->flush()) return broken_output();
    fmt::print(stderr, "{}\n", describe(summary));
    return damaged ? fail(*file_.damage()) : 0;
  }

  [[nodiscard]] int broken_output() const {
    fmt::print(stderr, "tcpwitness: cannot write the output: {}\n", std::strerror(output_.error()));
    return 1;
  }

  const Options& options_;
  Stop& stop_;
  CaptureFile& file_;
  PacketFilter* filter_;
  Selection selection_;
  TcpFrames tcp_frames_;
  Conversations conversations_;
  Names names_;
  Output output_{STDOUT_FILENO};
  Witness witness_;
  std::unique_ptr<Sink> sink_;
  Progress progress_;
  bool shared_terminal_;  // the progress bar is where the output is
  TcpFrame tcp_;
  std::vector<Event> events_;
  Reports reports_;
  TimeNs last_ts_ns_ = 0;
  std::uint64_t frames_ = 0;
  std::uint64_t segments_ = 0;
  std::uint64_t streams_ = 0;
  std::uint64_t told_ = 0;
  Clock::time_point delivered_ = Clock::now();
  bool done_ = false;
  bool enough_ = false;  // as many were told as were wanted
  bool broken_ = false;  // the output failed
};

}  // namespace

int run_read(const Options& options) {
  if (options.read.path == "-" && ::isatty(STDIN_FILENO) == 1) {
    return fail(
        {"read standard input", "it is a terminal", "pipe a capture into it: tcpdump -U -w - | tcpwitness read -"});
  }
  std::unique_ptr<PacketFilter> filter;
  if (!options.read.filter.empty()) {
    auto compiled = PacketFilter::compile(options.read.filter);
    if (!compiled) return fail(compiled.error());
    filter = std::move(*compiled);
  }
  Stop stop;
  Reading* reading = nullptr;  // from when there is one
  const auto waiting = [&](int fd) {
    if (!stop.listen()) return true;
    if (reading != nullptr) return reading->wait(fd);
    while (!stop.wait_for(fd, deliver_every)) {
      if (stop.was_asked()) return false;
    }
    return !stop.was_asked();
  };
  auto file = CaptureFile::open(options.read.path, waiting);
  if (stop.was_asked()) return 0;
  if (!file) return fail(file.error());
  if (auto listening = stop.listen(); !listening) return fail(listening.error());
  if (options.pid != 0 || !options.comm.empty()) {
    fmt::print(stderr,
               "tcpwitness: a capture knows no processes: --pid and --comm select only from what 'tcpwitness record' "
               "wrote\n");
    return 2;
  }
  Reading run(options, stop, **file, filter.get());
  reading = &run;
  return run.go();
}

}  // namespace tcpwitness
