// SPDX-License-Identifier: Apache-2.0
// common.cpp: see common.hpp.
#include "run/common.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <ctime>

#include "run/exit_code.hpp"
#include "sink/chosen.hpp"
#include "sink/compare.hpp"
#include "sink/describe.hpp"
#include "sink/picture/picture.hpp"
#include "sink/summary.hpp"
#include "sink/wall_times.hpp"

namespace tcpwitness {

namespace {
std::function<void(std::string_view)> taker;
}  // namespace

void say_through(std::function<void(std::string_view)> take) { taker = std::move(take); }

void say(std::string_view text, Priority priority) {
  if (taker) return taker(text);
  constexpr int patience_ms = 200;
  static const bool journal = is_journal(STDERR_FILENO);
  std::string line = journal ? journal_lines(text, priority)
                             : wrapped(text, ::isatty(STDERR_FILENO) == 1 ? style_of(STDERR_FILENO).width : 0);
  if (!journal) line.push_back('\n');
  for (std::string_view left = line; !left.empty();) {
    // So much fits where poll() says that there is room.
    const std::string_view some = left.substr(0, PIPE_BUF);
    pollfd ready{.fd = STDERR_FILENO, .events = POLLOUT, .revents = 0};
    const int can = ::poll(&ready, 1, patience_ms);
    if (can < 0 && errno == EINTR) continue;
    if (can <= 0) return;
    const ssize_t written = ::write(STDERR_FILENO, some.data(), some.size());
    if (written < 0 && errno != EINTR && errno != EAGAIN) return;
    if (written > 0) left.remove_prefix(static_cast<std::size_t>(written));
  }
}

int fail(const Error& error) {
  say("tcpwitness: " + error.message(), Priority::error);
  return exit_failed;
}

int refuse(const Error& error) {
  static_cast<void>(fail(error));
  return exit_usage;
}

int broken_output(int error) {
  if (error == 0) error = errno;  // of a picture
  if (error == EPIPE) return 0;   // `| head` has what it wants
  const char* why = error == ECANCELED ? "nobody reads it" : std::strerror(error);
  say(fmt::format("tcpwitness: cannot write the output: {}", why), Priority::error);
  return 1;
}

namespace {

constexpr std::array endings{SIGINT, SIGTERM, SIGHUP};
std::int64_t armed_ns = 0;

std::int64_t monotonic_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

extern "C" void leave(int number) {
  constexpr std::int64_t same_ns = 200'000'000;
  if (monotonic_ns() - armed_ns >= same_ns) _exit(128 + number);
}

}  // namespace

bool take_hangups(int signals) {
  bool hangup = false;
  bool ending = false;
  signalfd_siginfo taken{};
  while (::read(signals, &taken, sizeof taken) == static_cast<ssize_t>(sizeof taken))
    (taken.ssi_signo == SIGHUP ? hangup : ending) = true;
  return hangup && !ending;
}

bool has_terminal() { return UniqueFd(::open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC)).valid(); }

void end_at_next_signal(int signals) {
  signalfd_siginfo taken{};
  while (read(signals, &taken, sizeof taken) > 0) {
  }
  armed_ns = monotonic_ns();
  struct sigaction action{};
  action.sa_handler = leave;
  action.sa_flags = SA_RESTART;
  sigset_t set;
  sigemptyset(&set);
  for (const int number : endings) {
    sigaddset(&set, number);
    sigaction(number, &action, nullptr);
  }
  sigprocmask(SIG_UNBLOCK, &set, nullptr);
}

namespace {

TimeNs read_clock(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<TimeNs>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

}  // namespace

TimeNs realtime_ns() { return read_clock(CLOCK_REALTIME); }

// Two between two readings of the third: the error is half the time that those two are apart. The best of a few, as
// somebody else may have had the processor in between.
RunClock::Reading read_clocks() {
  constexpr TimeNs good_ns = 20'000;
  RunClock::Reading best;
  TimeNs best_apart = 0;
  for (int i = 0; i < 5; ++i) {
    const TimeNs before = read_clock(CLOCK_MONOTONIC);
    const TimeNs wall = read_clock(CLOCK_REALTIME);
    const TimeNs boot = read_clock(CLOCK_BOOTTIME);
    const TimeNs apart = read_clock(CLOCK_MONOTONIC) - before;
    if (i == 0 || apart < best_apart) {
      best = {.ns = before + apart / 2, .boot_ns = boot, .wall_ns = wall};
      best_apart = apart;
    }
    if (apart < good_ns) break;
  }
  return best;
}

Result<UniqueFd> take_signals() {
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);  // a file that may not grow is an error of write() too
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&set, number);
  sigprocmask(SIG_BLOCK, &set, nullptr);
  UniqueFd fd(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd.valid()) return failure("catch signals", std::strerror(errno));
  return fd;
}

ReportSettings report_settings(const Options& options) {
  const bool entries = options.entries() || options.command == Command::top;
  if (options.command == Command::serve)
    return {.finding_reports = true, .open_findings = true, .texts = false, .counted = true};
  return {.timeline = entries,
          .states = options.command == Command::record,
          .finding_reports = options.format == OutputFormat::json || entries || options.choice.any() ||
                             options.command == Command::record,
          .explain = entries,
          .compare = options.comparing(),
          .open_findings = options.choice.wants_findings_at_once() || options.command == Command::top};
}

namespace {

std::unique_ptr<Sink> make_lines(const Options& options, Output& output, const Names& names, bool wire_alone) {
  switch (options.format) {
    case OutputFormat::json:
      return options.stories() ? make_story_json(output, names, wire_alone) : make_json(output, names);
    case OutputFormat::csv:
      return with_wall_times(options.timeline() ? make_trace_csv(output, names, wire_alone) : make_life_csv(output),
                             names);
    case OutputFormat::text:
      break;
  }
  TextStyle style = style_of(output_descriptor(options));
  style.wire_alone = wire_alone;
  if (options.stories()) return make_story_text(output, names, style);
  if (options.timeline()) return make_trace_text(output, names, style);
  style.findings = options.choice.any();
  style.wide = options.wide;
  style.columns = options.columns;
  style.time_wait = std::ranges::find(options.choice.rules, Rule::time_wait) != options.choice.rules.end();
  return with_wall_times(make_life_text(output, style), names);
}

PictureSettings picture_settings(const Options& options, bool wire_alone) {
  PictureSettings settings;
  settings.ladder_alone = options.picture.ladder_alone();
  settings.wire_alone = wire_alone;
  return settings;
}

}  // namespace

int output_descriptor(const Options& options) {
  if (!options.append.empty()) return -1;
  return options.program.empty() ? STDOUT_FILENO : STDERR_FILENO;
}

std::unique_ptr<Sink> make_sink(const Options& options, Output& output, const Names& names, bool wire_alone,
                                Containers* containers) {
  if (options.command == Command::picture) {
    return with_choice(make_picture(options.picture.fd, names, picture_settings(options, wire_alone)), options.choice);
  }
  const bool alone = options.summary_alone() || options.comparing();
  const bool table = alone && options.format == OutputFormat::csv;
  std::unique_ptr<Sink> sink = table ? nullptr : make_lines(options, output, names, wire_alone);
  if (options.comparing()) {
    const auto form = static_cast<CompareForm>(options.format);
    TextStyle style = style_of(output_descriptor(options));
    style.screen = style.screen && options.program.empty();  // the command's own words stay
    sink = make_compare(output, form, options.summary.top, style, std::move(sink), options.every.has_value());
  } else if (alone || options.summary.after_lives) {
    SummarySettings settings{.groups = {}, .top = options.summary.top};
    if (!options.summary.by.empty()) settings.groups.by = options.summary.by;
    if (containers != nullptr) {
      settings.groups.container_of = [containers](const Process& process) {
        return containers->of(process.pid, process.comm);
      };
    }
    const auto form = static_cast<SummaryForm>(options.format);
    sink =
        make_summary(output, form, std::move(settings), style_of(output_descriptor(options)), std::move(sink), !alone);
  }
  if (options.drawing()) {
    auto picture = make_picture(options.picture.fd, names, picture_settings(options, wire_alone));
    sink = with_picture(std::move(sink), std::move(picture));
  }
  return with_choice(std::move(sink), options.choice);
}

}  // namespace tcpwitness
