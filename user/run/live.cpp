// SPDX-License-Identifier: Apache-2.0
// live.cpp: life, trace, explain and record: what happens on this machine now.
//
//   ring -> Decoder -> Correlator -> Sink
//     \________|__________|_____> Recorder (record)
//
// It owns what the core must not: the clock, signals, priority, stderr.
#include <fcntl.h>
#include <fmt/core.h>
#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "cli/options.hpp"
#include "confine/confine.hpp"
#include "decode/digest.hpp"
#include "decode/record.hpp"
#include "probe/features.hpp"
#include "probe/netns.hpp"
#include "probe/process_status.hpp"
#include "probe/tracer.hpp"
#include "recording/recorder.hpp"
#include "run/child.hpp"
#include "run/clocks.hpp"
#include "run/conditions.hpp"
#include "run/delivery.hpp"
#include "run/exit_code.hpp"
#include "run/messages.hpp"
#include "run/outputs.hpp"
#include "run/picture.hpp"
#include "run/run.hpp"
#include "run/serve.hpp"
#include "run/signals.hpp"
#include "run/top.hpp"
#include "service/appended_file.hpp"
#include "service/manager.hpp"
#include "sink/chosen.hpp"
#include "sink/describe.hpp"
#include "sink/format.hpp"
#include "sink/output.hpp"
#include "source/pace.hpp"
#include "source/ring.hpp"
#include "source/urgency.hpp"
#include "tcpwitness/pipeline.hpp"
#include "version/version.hpp"

namespace tcpwitness {
namespace {

constexpr auto slice = std::chrono::microseconds(250);           // so long without giving way
constexpr auto longest_sleep = std::chrono::milliseconds(1000);  // where nothing comes and nothing is due
constexpr std::int64_t flush_every_ns = 40'000'000;
constexpr std::int64_t skipped_every_ns = 10'000'000;
constexpr std::size_t backlog_bytes = std::size_t{256} << 20U;
constexpr std::int64_t step_worth_a_word_ns = 100'000'000;
constexpr auto last_patience = std::chrono::seconds(2);  // with a reader that takes nothing
// After a loss the sockets are listed again: so much later, and as rarely as that takes no more than one per cent of
// the time.
constexpr std::int64_t list_after_ns = 200'000'000;
constexpr std::int64_t list_at_most_every_ns = 2'000'000'000;
constexpr std::int64_t listing_share = 100;
constexpr std::int64_t look_share = 50;  // of looks for a screen
constexpr auto rarest_look = std::chrono::seconds(10);
// What the kernel holds back of a connection that goes on.
constexpr std::int64_t release_every_ns = 500'000'000;
constexpr std::int64_t hops_at_most_every_ns = 5'000'000'000;
constexpr std::int64_t hops_at_least_every_ns = 10'000'000'000;  // see Wait::passing_looked
constexpr auto child_settles = std::chrono::milliseconds(60);    // after its end: what it did last is read and judged
constexpr auto child_patience = std::chrono::seconds(1);         // with connections that outlive it
constexpr int interrupted = 130;                                 // 128 + SIGINT, and nobody waited for the command
// Metrics: what is open is looked at so often, and it takes no more than one per cent of the time.
constexpr auto metrics_every = std::chrono::seconds(5);
constexpr auto hint_after = std::chrono::seconds(3);

using Clock = std::chrono::steady_clock;

TracerSettings tracer_settings(const Options& options) {
  TracerSettings settings;
  settings.interfaces = options.interfaces;
  settings.wire = options.wire;
  settings.kernel = options.kernel;
  settings.ports = options.ports;
  settings.hosts = options.hosts;
  settings.ring_bytes = options.ring_bytes;
  settings.flows = options.flows;
  settings.packets_all = options.packets_all;
  settings.forwarded = options.forwarded;
  // A recording keeps the causes of transitions: 'read --trace' tells them.
  settings.samples = options.sample_every().count() != 0;
  settings.timeline = options.command != Command::life && options.command != Command::summary &&
                      options.command != Command::serve && options.command != Command::top;
  settings.digests = !settings.timeline && !options.packets_all && !options.forwarded && !options.comparing();
  if (options.command == Command::record) settings.snaplen = options.record.snaplen;
  return settings;
}

CorrelatorSettings correlator_settings(const Options& options, const Conditions& conditions, const Tracer& tracer) {
  CorrelatorSettings settings;
  static_cast<ReportSettings&>(settings) = report_settings(options);
  settings.has_kernel = tracer.has_kernel();
  settings.has_wire = tracer.has_wire();
  settings.every_segment = options.packets_all && settings.has_wire;
  settings.forwarded = options.forwarded;
  settings.every_interface = tracer.every_interface();
  if (options.stuck_after) settings.close_wait_stuck_ns = options.stuck_after->count();
  if (!options.children) settings.pid = options.pid;
  settings.comm = options.comm;
  settings.of_process = conditions.of_process();
  settings.of_flow = conditions.of_flow();
  settings.flow_excludes = conditions.flow_excludes();
  return settings;
}

RecorderSettings recorder_settings(const RecordOptions& options) {
  RecorderSettings settings;
  settings.path = options.path;
  settings.rotate_bytes = options.rotate_bytes;
  settings.rotate_every = options.rotate_every;
  settings.keep = options.keep;
  settings.limits = {.total_bytes = options.total_bytes, .longest = options.longest};
  settings.flight = options.flight;
  settings.on = options.on;
  return settings;
}

// What the Correlator of a recording will get of this run.
StartMark start_mark(const Options& options, const CorrelatorSettings& settings, const Ready& ready, TimeNs started_ns,
                     std::int64_t offset_ns, const Features& features) {
  StartMark start;
  start.started_ns = started_ns;
  start.offset_ns = offset_ns;
  start.ready = ready;
  static_cast<RunSettings&>(start) = static_cast<const RunSettings&>(settings);
  start.count = options.count.value_or(0);
  start.snaplen = options.record.snaplen;
  start.reset_reasons = features.reset_reasons;
  start.drop_reasons = features.drop_reasons;
  return start;
}

class NoSink final : public Sink {
 public:
  void write(const Report& /*report*/) override {}
  [[nodiscard]] bool flush() override { return true; }
};

std::unique_ptr<Sink> make_live_sink(const Options& options, Output& output, const Names& names, Containers* containers,
                                     MetricsServer* metrics, LiveView* view) {
  if (metrics != nullptr) return metrics->sink();
  if (view != nullptr) return with_choice(view->sink(), options.choice);
  const bool taken = options.record.quiet || options.record.path == "-";  // by nobody, by the recording
  if (options.command == Command::record && taken) return std::make_unique<NoSink>();
  return make_sink(options, output, names, false, containers);
}

// A thread of its own, with this one capability.
Result<std::unique_ptr<Urgency>> raise_when_it_fills(RingSource& ring, int ring_map_fd) {
  try {
    return Urgency::of_this_thread(ring, ring_map_fd, [] {
      constexpr std::array only{CAP_SYS_NICE};
      if (auto given_up = keep_capabilities(only); !given_up) say("tcpwitness: " + given_up.error().message());
    });
  } catch (const std::system_error& error) {
    return failure("start a thread", error.code().message(), "raise the limit of processes (pids.max, RLIMIT_NPROC)");
  }
}

// Becomes readable each time that the wall clock is set. Not valid: that is seen at the next look.
UniqueFd watch_for_clock_set() {
  UniqueFd timer(::timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC));
  itimerspec far{};
  far.it_value.tv_sec = std::numeric_limits<std::int32_t>::max();
  constexpr int flags = TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET;
  if (timer.valid() && ::timerfd_settime(timer.get(), flags, &far, nullptr) != 0) return UniqueFd();
  return timer;
}

// What the hooks wrote while nobody could decode it yet: during the attaching, while the sockets were listed. Bounded;
// beyond that the ring fills and counts what it loses.
class Backlog {
 public:
  void take(RingSource& ring) {
    if (bytes_ >= backlog_bytes) return;
    RecordBatch batch;
    ring.drain(batch);
    if (batch.places.empty()) return;
    bytes_ += batch.bytes.size();
    batches_.push_back(std::move(batch));
  }
  [[nodiscard]] bool empty() const { return batches_.empty(); }
  [[nodiscard]] std::size_t size() const { return batches_.size(); }
  [[nodiscard]] RecordBatch pop() {
    RecordBatch batch = std::move(batches_.front());
    batches_.pop_front();
    bytes_ -= batch.bytes.size();
    return batch;
  }

 private:
  std::deque<RecordBatch> batches_;
  std::size_t bytes_ = 0;
};

// One run, from ready to summary.
class Run {
 public:
  // started_ns: before the first hook was attached. backlog: what they wrote since. child: null where no command is
  // run. metrics: null where none are served. view: null where there is no screen.
  Run(const Options& options, const Conditions& conditions, Child* child, MetricsServer* metrics, LiveView* view,
      const Features& features, RunClock clock, TimeNs started_ns, Tracer& tracer, RingSource& ring, Urgency& urgency,
      Backlog backlog, int signals, ServiceManager& manager, AppendedFile& appended)
      : options_(options),
        child_(child),
        metrics_(metrics),
        view_(view),
        manager_(manager),
        clock_(std::move(clock)),
        tracer_(tracer),
        ring_(ring),
        urgency_(urgency),
        backlog_(std::move(backlog)),
        signals_(signals),
        names_{features.reset_reasons, features.drop_reasons, {}},
        ready_{.ts_ns = clock_.now(),
               .version = version,
               .kernel = features.kernel_release,
               .hooks = tracer.hooks(),
               .ring_bytes = options.ring_bytes,
               .capture = {}},
        decoder_(clock_.offset_ns(), started_ns),
        output_(output_of(options, appended), Output::Mode::never_waits),
        correlator_(correlator_settings(options, conditions, tracer), names_),
        containers_(conditions.containers()),
        sink_(make_live_sink(options, output_, names_, containers_, metrics, view)) {
    if (options.command == Command::record) {
      recorder_ = std::make_unique<Recorder>(
          recorder_settings(options.record),
          start_mark(options, correlator_settings(options, conditions, tracer), ready_, started_ns, clock_.offset_ns(),
                     features),
          names_, [](const std::string& text) { say("tcpwitness: " + text, Priority::warning); });
    }
    if (options.format == OutputFormat::csv) output_.take_heading(!appended.empty);
    if (appended.fd.valid()) output_.wait_for_room();
    hangup_reopens_ = view == nullptr && (manager_.there() || (!has_terminal() && (appended.fd.valid() || recorder_)));
    if (view_ != nullptr) view_->set_names(names_);
    skipped_until_ns_ = started_ns;
    so_far_every_ = options.every;
    if (metrics != nullptr) so_far_every_ = metrics_every;
    const bool at_once = metrics != nullptr || view != nullptr;
    so_far_next_ = at_once ? Clock::duration{} : options.every.value_or(Clock::duration{});
    sampler_.every = options.sample_every();
    learn_names();
  }

  int go() {
    if (recorder_) {
      if (const auto wrong = recorder_->wrong()) return fail(*wrong);
    }
    if (view_ != nullptr) {
      if (auto opened = view_->open(); !opened) return fail(opened.error());
      say_through([this](std::string_view text) { view_->say(clock_.now(), text); });
    }
    // What is decoded from here on comes from others.
    const std::optional<int> may_signal = child_ != nullptr ? std::optional(child_->fd()) : std::nullopt;
    const Work work = metrics_ != nullptr ? Work::serve : Work::trace;
    if (auto confined = restrict_system_calls(work, may_signal); !confined)
      say("tcpwitness: " + confined.error().message(), Priority::warning);
    take_snapshot();
    announce();
    if (child_ != nullptr && done_) return not_started();
    if (child_ != nullptr) child_->start();
    const auto started = Clock::now();
    bool ended_by_signal = false;
    while (!done_) {
      const bool signalled = wait(started) && (child_ == nullptr || !child_->pass_on(signals_)) && !hung_up();
      if (signalled && child_ == nullptr) keep_what_is_left();
      look();
      list_again();
      const auto now = Clock::now();
      look_so_far(now - started);
      if (reopen_) reopen();
      manager_.alive(now, [&] { return status("tracing"); });
      sample(now - started);
      if (child_is_over(now)) break;
      if (view_ != nullptr && !turn_view()) break;
      ended_by_signal = signalled;
      if (signalled || (options_.duration && now - started >= *options_.duration)) break;
      if (tracer_.follow_interfaces()) learn_names();
      hint(now - started);
    }
    close_view();
    const int code = finish();
    if (child_ == nullptr) return code;
    // It ran, whatever became of our output.
    if (!ended_by_signal) child_->wait(signals_);
    return child_->ended() ? child_->exit_code() : interrupted;
  }

 private:
  // False: no more of it is wanted.
  [[nodiscard]] bool turn_view() {
    correlator_.ordinary_in_short(view_->crowded());
    if (const auto conn = view_->asks_for()) view_->answer(correlator_.so_far_of(*conn, clock_.now()));
    return view_->turn(clock_.now());
  }
  void close_view() {
    if (view_ == nullptr) return;
    view_->close();
    say_through({});
  }

  // Where what is printed goes. stdout, and under a command, whose stdout it is, a copy of stderr.
  [[nodiscard]] static int output_of(const Options& options, const AppendedFile& appended) {
    if (appended.fd.valid()) return ::fcntl(appended.fd.get(), F_DUPFD_CLOEXEC, 0);
    return options.program.empty() ? STDOUT_FILENO : ::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
  }

  // A daemon's outputs are opened again; elsewhere the terminal is gone, and the run ends.
  [[nodiscard]] bool hung_up() {
    if (!hangup_reopens_ || !take_hangups(signals_)) return false;
    reopen_ = true;
    return true;
  }

  // Whole lines went to the old file, the next one goes to the new. Where that cannot be opened, the old one serves on.
  void reopen() {
    deliver();
    if (!options_.append.empty()) {
      if (output_.waiting() != 0 && output_.error() == 0) return;  // a slow reader of a pipe: at the next look
      auto again = append_to(options_.append);
      if (!again) {
        say("tcpwitness: " + again.error().message() + "; the file that is open serves on", Priority::error);
      } else if (output_.replace(::fcntl(again->fd.get(), F_DUPFD_CLOEXEC, 0), again->empty)) {
        say(fmt::format("tcpwitness: {} is opened again", printable(options_.append, true)));
      }
    }
    reopen_ = false;
    manager_.reloading();
    if (recorder_) recorder_->next_file();
    manager_.ready(status("tracing"));
  }

  [[nodiscard]] std::string status(const char* doing) const {
    return fmt::format("{}, {} connections ended, {} events lost", doing, grouped(lives_.all()),
                       grouped(decoder_.lost()));
  }

  // Nobody would see what it does. As long as the child was not started, it ends with us and runs nothing.
  [[nodiscard]] int not_started() {
    if (broken_) static_cast<void>(broken_output(output_.error()));
    say("tcpwitness: the command was not run", Priority::error);
    return 1;
  }

  // Ctrl-C at a terminal ends the reader of a pipe with us (`| tee`): what is left to print goes to the terminal.
  static void keep_what_is_left() {
    constexpr int a_moment_ms = 50;
    struct stat out{};
    const bool piped = ::fstat(STDOUT_FILENO, &out) == 0 && S_ISFIFO(out.st_mode) && ::isatty(STDERR_FILENO) == 1;
    pollfd reader{.fd = STDOUT_FILENO, .events = 0, .revents = 0};
    if (piped && ::poll(&reader, 1, a_moment_ms) > 0) ::dup2(STDERR_FILENO, STDOUT_FILENO);
  }

  // The command has ended, and so have its connections, or they had their time.
  [[nodiscard]] bool child_is_over(Clock::time_point now) {
    if (child_ == nullptr || !child_->ended()) return false;
    if (!child_ended_) child_ended_ = now;
    return now - *child_ended_ > child_patience || (now - *child_ended_ > child_settles && !correlator_.any_open());
  }

  // Until the next look. True: a signal came.
  [[nodiscard]] bool wait(Clock::time_point started) {
    using std::chrono::milliseconds;
    if (!backlog_.empty()) return ring_.wait(milliseconds(0), signals_);
    auto at_most = std::chrono::duration_cast<milliseconds>(pace_.interval());
    const bool deep = pace_.idle() && nothing_waits();
    if (deep) {
      const TimeNs now = clock_.now();
      const auto due = std::chrono::nanoseconds(std::max(correlator_.due(), now) - now);
      at_most = std::clamp(std::chrono::ceil<milliseconds>(due), at_most, longest_sleep);
    }
    if (child_ended_) at_most = std::min(at_most, milliseconds(10));
    const auto not_after = [&](Clock::duration since_start) {
      const auto left = std::chrono::ceil<milliseconds>(since_start - (Clock::now() - started));
      at_most = std::clamp(left, milliseconds(0), at_most);
    };
    if (options_.duration) not_after(*options_.duration);
    if (so_far_every_) not_after(so_far_next_);
    if (sampler_.every.count() != 0) not_after(sampler_.next);
    if (view_ != nullptr) at_most = std::min(at_most, view_->patience());
    if (const auto most = manager_.round_at_least_every())
      at_most = std::clamp(std::chrono::duration_cast<milliseconds>(*most), milliseconds(1),
                           std::max(at_most, milliseconds(1)));
    return deep ? ring_.sleep(at_most, signals_) : ring_.wait(at_most, signals_);
  }

  // But for what the witness waits for.
  [[nodiscard]] bool nothing_waits() const {
    return list_at_ns_ == 0 && !unflushed_ && output_.waiting() == 0 && reports_.empty();
  }

  void look() {
    const TimeNs now = clock_.now();
    const std::chrono::nanoseconds since(now - std::exchange(looked_ns_, now));
    const std::int64_t before = thread_cpu_ns();
    if (now - released_ns_ >= release_every_ns) {
      released_ns_ = now;
      tracer_.release_digests(Tracer::Release::old);
    }
    const std::size_t records = drain();
    pace_.looked(records, std::chrono::nanoseconds(thread_cpu_ns() - before), since);
    urgency_.looked();
  }

  using Records = std::vector<std::vector<std::byte>>;
  // The hooks go on while an iterator is read.
  [[nodiscard]] Tracer::OnRecord into(Records& found) {
    return [this, &found](std::span<const std::byte> record) {
      found.emplace_back(record.begin(), record.end());
      if (found.size() % 1024 == 0) backlog_.take(ring_);
    };
  }

  // What existed before us, reported after what the hooks saw while it was read: a connection of which both
  // speak then begins with its events, not with the snapshot.
  void take_snapshot() {
    Records found;
    tracer_.snapshot_sockets(into(found));
    tracer_.snapshot_owners(into(found));
    drain_backlog();
    take_found(found);
  }

  // As long as who fills it is not the faster one.
  void drain_backlog() {
    constexpr int rounds = 50;
    drain();
    for (int round = 0; round < rounds && !backlog_.empty(); ++round) drain();
  }

  // But for those that were destroyed since: that has been reported already.
  void take_found(const Records& found) {
    for (const auto& record : found) {
      if (!gone_.contains(socket_of(record))) take(record);
    }
    listing_ = false;
    gone_.clear();
  }

  // What was lost may have been the end of a socket, or the beginning of one.
  void list_again() {
    const TimeNs begun = clock_.now();
    if (list_at_ns_ == 0 || begun < std::max(list_at_ns_, not_before_ns_) || !backlog_.empty()) return;
    list_at_ns_ = 0;
    Records found;
    listing_ = true;
    tracer_.snapshot_sockets(into(found));
    tracer_.snapshot_owners(into(found));
    drain_backlog();
    take_found(found);
    end_of_list(begun);
    const TimeNs took = clock_.now() - begun;
    not_before_ns_ = begun + std::max(list_at_most_every_ns, took * listing_share);
  }

  // What goes on is looked at, and printed as it is now. The last time is the end of the run.
  void look_so_far(Clock::duration since_start) {
    if (!so_far_every_ || since_start < so_far_next_ || done_ || !backlog_.empty()) return;
    so_far_next_ += *so_far_every_;
    if (so_far_next_ <= since_start) so_far_next_ = since_start + *so_far_every_;
    if (options_.duration && since_start >= *options_.duration) return;
    const auto begun = Clock::now();
    if (since_start >= list_next_) list_sockets(since_start);
    write_reports();
    const TimeNs now = clock_.now();
    std::size_t looked_at = 0;
    correlator_.so_far(now, [&](Life life) {
      sink_->write(Interim{.ts_ns = now, .life = std::move(life)});
      if (++looked_at % 1024 == 0) backlog_.take(ring_);  // the hooks go on
    });
    std::optional<Totals> totals;
    if (metrics_ != nullptr) totals = totals_so_far();
    sink_->write(Interim{.ts_ns = now, .life = {}, .totals = totals});
    deliver();
    if (metrics_ != nullptr)
      so_far_next_ = std::max(so_far_next_, since_start + listing_share * (Clock::now() - begun));
  }

  [[nodiscard]] Totals totals_so_far() {
    const Summary so_far = correlator_.summary();
    Totals totals{.events = decoder_.received(),
                  .lost = 0,
                  .skipped = tracer_.skipped_runs(),
                  .malformed = decoder_.malformed(),
                  .flows_full = 0,
                  .unlisted = so_far.unlisted};
    for (const auto& state : tracer_.cpu_states()) {
      totals.lost += state.lost;
      totals.flows_full += state.flows_full;
    }
    return totals;
  }

  // How the open connections send, of those where that has changed. At most one per cent of the time.
  void sample(Clock::duration since_start) {
    if (sampler_.every.count() == 0 || since_start < sampler_.next || done_ || !backlog_.empty()) return;
    const auto begun = Clock::now();
    Records found;
    std::unordered_map<std::uint64_t, std::uint64_t> seen;
    tracer_.sample_sockets([&](std::span<const std::byte> record) {
      const auto sample = sample_in(record);
      if (!sample) return;
      const std::uint64_t now = fingerprint(*sample);
      const auto before = sampler_.seen.find(sample->header.cookie);
      if (before == sampler_.seen.end() || before->second != now) found.emplace_back(record.begin(), record.end());
      seen.emplace(sample->header.cookie, now);
    });
    sampler_.seen = std::move(seen);
    drain();  // what happened before
    for (const auto& record : found) take(record);
    const auto took = Clock::now() - begun;
    sampler_.next = std::max(since_start + sampler_.every, since_start + listing_share * took);
  }
  void list_sockets(Clock::duration since_start) {
    const std::int64_t begun_ns = thread_cpu_ns();
    Records found;
    listing_ = true;
    tracer_.snapshot_sockets(into(found));
    // All descriptors of all processes: metrics and a screen do without, and know the owners from what the sockets do.
    if (metrics_ == nullptr && view_ == nullptr) tracer_.snapshot_owners(into(found));
    const std::int64_t listed_ns = thread_cpu_ns();
    drain_backlog();
    take_found(found);
    // A screen shows what is known from events meanwhile, where there are very many sockets.
    const std::chrono::nanoseconds took(listed_ns - begun_ns);
    if (view_ != nullptr) list_next_ = since_start + std::min<Clock::duration>(look_share * took, rarest_look);
  }

  void end_of_list(TimeNs begun) {
    const std::size_t reported = reports_.size();
    correlator_.listed(begun, reports_);
    if (!recorder_) return;
    recorder_->listed(begun);
    record_reports(reported);
  }

  // A finding will name the descriptor that a process has not closed. This walks every descriptor of the host: it may
  // take one per cent of the time.
  void look_for_descriptors() {
    const TimeNs begun = clock_.now();
    if (begun < descriptors_not_before_ns_ || !correlator_.wants_descriptors()) return;
    Records found;
    tracer_.snapshot_close_wait_owners(into(found));
    for (const auto& record : found) take(record);
    descriptors_not_before_ns_ = begun + listing_share * (clock_.now() - begun);
  }

  // The counters of forwarded connections whose time is up: of all of them, so not often.
  void look_at_hops(const Tracer::OnRecord& on_record) {
    const TimeNs begun = clock_.now();
    if (begun < hops_not_before_ns_ || !correlator_.wants_hops()) return;
    tracer_.snapshot_hops(on_record);
    hops_not_before_ns_ =
        begun + std::clamp(listing_share * (clock_.now() - begun), hops_at_most_every_ns, hops_at_least_every_ns);
  }

  // Who has the local ports, which sockets still wait in FIN_WAIT2.
  void look_at_sockets() {
    Records found;
    for (int i = 0; i < 4; ++i) {
      const auto question = correlator_.wants_ports();
      if (!question) break;
      tracer_.count_ports(*question, into(found));
    }
    if (correlator_.wants_fin_wait2()) tracer_.snapshot_fin_wait2(into(found));
    look_at_hops(into(found));
    tracer_.count_hops(correlator_.ended_hops(), into(found));
    for (const auto& record : found) take(record);
    tracer_.delete_flows(correlator_.flows_to_delete());
  }

  void announce() {
    // Under a command only its own words are expected, as with strace.
    const bool quiet = child_ != nullptr || view_ != nullptr;
    if (!quiet || !missing_witnesses(ready_).empty()) say(describe(ready_));
    if (metrics_ != nullptr) say("tcpwitness: " + metrics_->describe());
    announced_ = true;
    sink_->write(ready_);  // first of all: what the snapshot's drain has reported comes after it
    deliver();
    manager_.ready(status("tracing"));
  }

  // A person who sees nothing for a while gets a hint what would show something.
  void hint(Clock::duration since_start) {
    if (hinted_ || since_start < hint_after) return;
    hinted_ = true;
    const bool person = child_ == nullptr && metrics_ == nullptr && view_ == nullptr && isatty(STDERR_FILENO) == 1 &&
                        isatty(STDOUT_FILENO) == 1;
    if (person && lives_.all() == 0) say(quiet_hint(ready_));
  }

  void learn_names() {
    for (const auto& [index, name] : tracer_.interface_names()) {
      names_.interfaces[index] = name;
      if (recorder_) recorder_->interface(index, name);
    }
  }

  void take(std::span<const std::byte> record) {
    events_.clear();
    decoder_.decode(record, events_);
    if (end_ns_ != 0) end_events();
    if (events_.empty()) return;
    const std::size_t reported = reports_.size();
    feed_events();
    if (recorder_) {
      const bool loss_alone = std::holds_alternative<Gap>(events_.back().body);  // the account at the end will tell it
      if (!loss_alone) recorder_->record(record, events_, std::span(reports_).subspan(reported));
      record_reports(reported);
    }
    if (announced_ && reports_.size() >= 256) write_reports();
  }

  void feed_events() {
    for (const auto& event : events_) {
      if (containers_ != nullptr) containers_->note(event);
      correlator_.feed(event, reports_);
      if (std::holds_alternative<Gap>(event.body) && list_at_ns_ == 0) list_at_ns_ = clock_.now() + list_after_ns;
    }
  }

  // Runs of programs that the kernel skipped since the last look: before what was drained meanwhile is judged.
  // What ended is reported 25 ms later at the earliest (Table), so every 10 ms is often enough.
  void note_skipped() {
    const TimeNs now = end_ns_ != 0 ? end_ns_ : clock_.now();
    if (end_ns_ == 0 && now - skipped_until_ns_ < skipped_every_ns) return;
    const TimeNs from = std::exchange(skipped_until_ns_, now);
    if (end_ns_ != 0 && from == end_ns_) return;  // behind the end
    const std::uint64_t total = tracer_.skipped_runs();
    events_.clear();
    decoder_.skipped(total, from, now, events_);
    if (events_.empty()) return;
    const std::size_t reported = reports_.size();
    feed_events();
    if (!recorder_) return;
    recorder_->skipped(total, from, now);
    record_reports(reported);
  }

  // Leaves what is younger than the run; the last look at the sockets is its own. A loss that began before its end is
  // of it.
  void end_events() {
    split_last_digest();
    for (Event& event : events_) {
      Gap* gap = std::get_if<Gap>(&event.body);
      if (gap == nullptr || gap->from_ts_ns > end_ns_) continue;
      gap->to_ts_ns = std::min(gap->to_ts_ns, end_ns_);
      event.ts_ns = std::min(event.ts_ns, end_ns_);
    }
    std::erase_if(events_, [&](const Event& event) {
      const Gap* gap = std::get_if<Gap>(&event.body);
      if (gap != nullptr) return gap->from_ts_ns > end_ns_;
      return event.ts_ns > end_ns_ && !std::holds_alternative<SocketFound>(event.body);
    });
  }

  // Some of the events that it stands for are of the run, others come behind its end.
  void split_last_digest() {
    if (events_.empty() || events_.back().ts_ns <= end_ns_) return;
    if (!std::holds_alternative<SocketDigest>(events_.back().body)) return;
    const Event whole = events_.back();
    events_.pop_back();
    expand(whole, std::get<SocketDigest>(whole.body), events_);
  }

  std::size_t drain() {
    look_at_clock();
    // Before the records are read: none of them is younger than this.
    const TimeNs now = end_ns_ != 0 ? end_ns_ : clock_.now();
    std::size_t count = 0;
    if (!backlog_.empty()) note_skipped();
    // What comes meanwhile is for the next time: under load there would be no end.
    for (std::size_t left = backlog_.size(); left > 0; --left) {
      count += take(backlog_.pop());
      backlog_.take(ring_);
    }
    if (!backlog_.empty()) {
      if (announced_) deliver();
      return count;
    }
    count += read_ring();
    look_for_descriptors();
    look_at_sockets();
    const std::size_t reported = reports_.size();
    const std::uint64_t over = correlator_.waits_over();
    correlator_.advance(now, reports_);
    if (recorder_) {
      recorder_->advanced(now, reports_.size() > reported || correlator_.waits_over() > over);
      record_reports(reported);
      recorder_->flush(now);
      if (recorder_->nobody_reads()) done_ = true;
    }
    if (announced_) deliver_in_time(now);
    return count;
  }

  // What is in the ring when it begins: what comes meanwhile is for the next look, under load there would be no end.
  std::size_t read_ring() {
    constexpr std::size_t clock_every = 16;  // records
    std::size_t count = 0;
    const std::uint64_t until = ring_.memory().written();
    note_skipped();
    for (bool more = true; more;) {
      const auto begun = Clock::now();
      more = ring_.memory().read(until, [&](std::span<const std::byte> record) {
        take_one(record);
        return ++count % clock_every != 0 || Clock::now() - begun < slice;
      });
      if (more && !urgency_.raised()) ::sched_yield();
    }
    return count;
  }

  std::size_t take(const RecordBatch& batch) {
    batch.for_each([&](std::span<const std::byte> record) { take_one(record); });
    return batch.places.size();
  }

  void take_one(std::span<const std::byte> record) {
    if (listing_) {
      if (const auto socket = destroyed_socket(record)) gone_.insert(*socket);
    }
    take(record);
  }

  // Somebody may have set the wall clock: what is printed from now on has its times, and nothing else changes.
  void look_at_clock() {
    const auto step = clock_.look();
    if (!step) return;
    names_.wall.set(step->from, step->ahead_ns);
    if (recorder_) recorder_->clock({.from = step->from, .ahead_ns = step->ahead_ns});
    if (step->slept_ns >= step_worth_a_word_ns) {
      say(fmt::format("tcpwitness: the machine was suspended for {}; durations do not include it",
                      duration_in_words(step->slept_ns)));
    }
    const std::int64_t set = step->by_ns - step->slept_ns;
    if (std::abs(set) < step_worth_a_word_ns) return;
    say(fmt::format("tcpwitness: the wall clock was set {} by {}; durations and order are not touched",
                    set > 0 ? "forward" : "back", duration_in_words(std::abs(set))));
  }

  void record_reports(std::size_t from) {
    if (!recorder_) return;
    for (std::size_t i = from; i < reports_.size(); i++) recorder_->report(reports_[i]);
  }

  void write_reports() {
    for (const auto& report : reports_) {
      if (done_) break;
      if (recorder_ && std::holds_alternative<Entry>(report)) continue;  // the recording's
      sink_->write(report);
      lives_.add(report);
      if (options_.count && lives_.chosen() >= *options_.count && !finishing_) done_ = true;
    }
    reports_.clear();
  }

  // Not a line at a time, and none later than its reader notices.
  void deliver_in_time(TimeNs now) {
    unflushed_ = unflushed_ || !reports_.empty();
    write_reports();
    if (now - flushed_ns_ >= flush_every_ns || done_) deliver();
  }

  void deliver() {
    flushed_ns_ = clock_.now();
    unflushed_ = false;
    write_reports();
    if (!sink_->flush()) {
      broken_ = true;
      done_ = true;
    }
    note_room();
    if (output_.dropped() == 0 || full_ || std::exchange(slow_, true)) return;
    say("tcpwitness: the reader of the output is too slow: lines are dropped until it catches up, and counted",
        Priority::warning);
  }

  // Said once each way.
  void note_room() {
    const bool full = output_.no_room() != 0;
    if (std::exchange(full_, full) == full) return;
    const std::string name = printable(options_.append, true);
    if (!full) return say(fmt::format("tcpwitness: {} is written again", name), Priority::warning);
    say(fmt::format("tcpwitness: cannot write to {}: {}; tracing goes on, {} MiB of lines wait, and what is more is "
                    "dropped and counted",
                    name, std::strerror(output_.no_room()), Output::waiting_bytes >> 20U),
        Priority::error);
  }

  // `| head` has what it wants. A service whose reader is gone has failed, and is to be started again.
  [[nodiscard]] int broken() const {
    if (output_.error() != EPIPE || !manager_.there()) return broken_output(output_.error());
    say("tcpwitness: nobody reads the output any more", Priority::error);
    return exit_failed;
  }

  // The run ends at one moment. What the hooks wrote until then is told, what they write later is not: taken off one by
  // one, they would show the beginning of an end and not the rest.
  int finish() {
    const bool enough = done_;
    manager_.stopping(status("stopping"));
    // Where the command runs on without having had a signal, the next one is its own.
    if (child_ == nullptr || child_->signalled() || child_->ended()) end_at_next_signal(signals_);
    // A last look at what is still open: an idle connection's counters have no event to travel in.
    Records still_open;
    listing_ = true;
    const TimeNs begun = clock_.now();
    tracer_.release_digests(Tracer::Release::all);
    if (!enough) tracer_.snapshot_sockets(into(still_open));
    if (!enough && options_.forwarded) tracer_.snapshot_hops(into(still_open));
    end_ns_ = clock_.now();
    drain_backlog();
    tracer_.detach([&] { backlog_.take(ring_); });
    tracer_.release_digests(Tracer::Release::all);
    // Drained in any case, so that the books balance; what comes after enough was reported goes nowhere.
    while (drain() > 0 || !backlog_.empty()) {
    }
    take_found(still_open);
    finishing_ = true;
    done_ = false;
    const TimeNs now = end_ns_;
    if (enough) reports_.clear();
    std::size_t reported = reports_.size();
    account(now);
    record_reports(reported);
    if (!enough) end_of_list(begun);
    reported = reports_.size();
    if (!enough) correlator_.finish(now, reports_);
    record_reports(reported);
    write_reports();
    Summary summary = correlator_.summary();
    summary.ts_ns = now;
    lives_.sum_up(summary);
    summary.lost = decoder_.lost();
    summary.malformed = decoder_.malformed();
    summary.flows_full = flows_full_;
    summary.unaccounted = unaccounted_;
    summary.unwritten = output_.dropped();
    summary.missing = missing_witnesses(ready_);
    if (recorder_) {
      summary.recording = recorder_->finish(EndMark{.now = now,
                                                    .last_id = 0,
                                                    .continued = {},
                                                    .malformed = summary.malformed,
                                                    .flows_full = flows_full_,
                                                    .unaccounted = unaccounted_});
    }
    reports_.emplace_back(summary);
    if (!broken_) deliver();
    const bool written = broken_ || output_.finish(last_patience);
    if (!written) summary.unwritten = output_.dropped();
    if (broken_ || output_.error() != 0) return broken();
    say(describe(summary));
    return !written || (summary.recording && summary.recording->failed) ? 1 : 0;
  }

  // Double entry: what the producers tried is what we received plus what was lost.
  void account(TimeNs now) {
    events_.clear();
    std::uint64_t tried = 0;
    std::uint32_t cpu = 0;
    for (const auto& state : tracer_.cpu_states()) {
      decoder_.account(cpu, state.lost, now, events_);
      if (recorder_) recorder_->accounted(now, cpu, state.lost);
      cpu++;
      tried += state.tried;
      flows_full_ += state.flows_full;
    }
    flows_full_ += tracer_.evicted_flows();
    end_events();
    for (const auto& event : events_) correlator_.feed(event, reports_);
    const std::uint64_t known = decoder_.received() + decoder_.lost_in_ring();
    unaccounted_ = tried > known ? tried - known : 0;
  }

  const Options& options_;
  Child* child_;
  MetricsServer* metrics_;
  LiveView* view_;
  ServiceManager& manager_;
  bool hangup_reopens_ = false;
  bool reopen_ = false;
  std::optional<Clock::time_point> child_ended_;
  RunClock clock_;
  Tracer& tracer_;
  RingSource& ring_;
  Urgency& urgency_;
  Pace pace_;
  TimeNs looked_ns_ = 0;
  TimeNs flushed_ns_ = 0;
  bool unflushed_ = false;  // a report was written and not flushed
  Backlog backlog_;
  int signals_;
  Names names_;
  Ready ready_;
  std::unordered_set<std::uint64_t> gone_;  // sockets that were destroyed while the others were listed
  bool listing_ = true;                     // the sockets are being listed, or what came meanwhile is read
  TimeNs end_ns_ = 0;                       // of the run; 0: it goes on
  Decoder decoder_;
  Output output_;
  Correlator correlator_;
  Containers* containers_;  // null: nobody asks for them
  std::unique_ptr<Sink> sink_;
  std::unique_ptr<Recorder> recorder_;  // record only
  std::vector<Event> events_;
  Reports reports_;
  Lives lives_{options_.choice};
  std::uint64_t flows_full_ = 0;
  std::uint64_t unaccounted_ = 0;
  TimeNs skipped_until_ns_ = 0;  // the last look for runs that the kernel skipped
  TimeNs released_ns_ = 0;       // what the kernel holds back was asked for
  TimeNs list_at_ns_ = 0;        // the sockets are to be listed again; 0: nothing was lost since
  TimeNs not_before_ns_ = 0;
  TimeNs descriptors_not_before_ns_ = 0;
  TimeNs hops_not_before_ns_ = 0;
  struct Sampler {
    std::chrono::nanoseconds every{};                       // 0: never
    Clock::duration next{};                                 // since the start
    std::unordered_map<std::uint64_t, std::uint64_t> seen;  // what each socket's sending was, by cookie
  };
  Sampler sampler_;
  std::optional<Clock::duration> so_far_every_;
  Clock::duration so_far_next_{};  // since the start: what goes on is looked at
  Clock::duration list_next_{};    // not before that is it asked of the kernel
  bool announced_ = false;         // ready was written
  bool hinted_ = false;
  bool done_ = false;    // enough was reported, or nobody reads
  bool broken_ = false;  // the output failed
  bool slow_ = false;    // lines were dropped for a slow reader
  bool full_ = false;    // the disk
  bool finishing_ = false;
};

}  // namespace

// A process that does not exist has no connections. Only a warning: from within a PID namespace the ids of the host's
// processes, by which they are chosen, cannot be seen.
static void check_pid(std::uint32_t pid) {
  const auto process = process_status(pid, "Tgid:");
  if (!process) return say(fmt::format("tcpwitness: no process {} is seen here: nothing may ever be listed", pid));
  if (*process != pid)
    say(fmt::format("tcpwitness: {0} is a thread; connections are listed by process: -p {1}", pid, *process));
}

int run_live(const Options& options) { return run_live(options, nullptr); }

int run_live(const Options& options, std::unique_ptr<LiveView> view) {
  // What is opened next would get its number.
  if (!options.program.empty() && ::fcntl(STDERR_FILENO, F_GETFD) < 0) return 1;
  if (options.pid != 0) check_pid(options.pid);
  auto manager = ServiceManager::from_environment();
  if (!manager) {
    say("tcpwitness: " + manager.error().message(), Priority::warning);
    manager = ServiceManager();
  }
  Conditions conditions;
  TracerSettings settings = tracer_settings(options);
  if (auto chosen = conditions.choose_flows(options, settings); !chosen) return refuse(chosen.error());
  auto signals = take_signals();
  if (!signals) return fail(signals.error());
  // Before another namespace is entered: who scrapes is in this one.
  std::unique_ptr<MetricsServer> metrics;
  if (options.command == Command::serve) {
    auto listening = MetricsServer::listen(options.serve);
    if (!listening) return fail(listening.error());
    metrics = std::move(*listening);
  }
  if (!options.netns.empty()) {
    if (auto entered = enter_netns(options.netns); !entered) return fail(entered.error());
  }
  if (auto chosen = conditions.choose_processes(options); !chosen) return fail(chosen.error());
  // Before there are threads, and while it can still inherit what this process may do.
  std::optional<Child> child;
  if (!options.program.empty()) {
    auto prepared = Child::prepare(options.program);
    if (!prepared) return fail(prepared.error());
    child = std::move(*prepared);
  }
  AppendedFile appended;
  if (!options.append.empty()) {
    auto opened = append_to(options.append);
    if (!opened) return fail(opened.error());
    appended = *std::move(opened);
  }
  const DisabledFeatures disabled = DisabledFeatures::from_environment();
  const auto features = find_features(disabled);
  if (!features) return fail(features.error());
  const auto tracer = Tracer::load(settings, *features, disabled,
                                   [](const std::string& text) { say("tcpwitness: " + text, Priority::notice); });
  if (!tracer) return fail(tracer.error());
  const auto ring = RingSource::open((*tracer)->ring_fd());
  if (!ring) return fail(ring.error());
  const UniqueFd clock_set = watch_for_clock_set();
  if (clock_set.valid()) {
    if (auto watched = (*ring)->watch(clock_set.get(), RingSource::Ends::becomes_readable); !watched)
      return fail(watched.error());
  }
  if (child) {
    if (auto watched = (*ring)->watch(child->fd(), RingSource::Ends::becomes_readable); !watched)
      return fail(watched.error());
  }
  for (const int fd : {signals->get(), (*tracer)->links_fd()}) {
    if (auto watched = (*ring)->watch(fd); !watched) return fail(watched.error());
  }
  if (view) {
    for (const int fd : {view->terminal().input_fd(), view->terminal().signal_fd()}) {
      if (auto watched = (*ring)->watch(fd); !watched) return fail(watched.error());
    }
  }
  const auto urgency = raise_when_it_fills(**ring, (*tracer)->ring_fd());
  if (!urgency) return fail(urgency.error());
  RunClock clock(read_clocks);
  const TimeNs started_ns = clock.now();
  Backlog backlog;
  if (auto attached = (*tracer)->attach([&] { backlog.take(**ring); }); !attached) return fail(attached.error());
  // Interfaces that come need these; the next file of a recording, or of --append, may lie in somebody else's
  // directory.
  std::vector<int> kept{CAP_BPF, CAP_PERFMON, CAP_NET_ADMIN};
  if (options.command == Command::record || !options.append.empty()) kept.push_back(CAP_DAC_OVERRIDE);
  if (child) kept.push_back(CAP_KILL);  // it may become another user's; the filter of system calls allows no other
  if (auto given_up = keep_capabilities(kept); !given_up)
    say("tcpwitness: " + given_up.error().message(), Priority::warning);
  const auto drawing = with_picture_file(options);
  if (!drawing) return fail(drawing.error());
  if (metrics) {
    if (auto started = metrics->start(); !started) return fail(started.error());
  }
  return Run(*drawing, conditions, child ? &*child : nullptr, metrics.get(), view.get(), *features, std::move(clock),
             started_ns, **tracer, **ring, **urgency, std::move(backlog), signals->get(), *manager, appended)
      .go();
}

}  // namespace tcpwitness
