// SPDX-License-Identifier: Apache-2.0
#include "run/live_run.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "confine/confine.hpp"
#include "run/interface_names.hpp"
#include "run/live_settings.hpp"
#include "run/messages.hpp"
#include "run/signals.hpp"
#include "sink/format.hpp"
#include "sink/views/describe.hpp"
#include "version/version.hpp"

namespace tcpwitness {
namespace {

using std::chrono::milliseconds;

constexpr auto longest_sleep = milliseconds(1000);  // where nothing comes and nothing is due
constexpr auto while_a_command_ends = milliseconds(10);
constexpr auto hint_after = std::chrono::seconds(3);

// Beside a command the report goes to standard error; where that is closed, main() has put there what takes nothing.
bool is_report_unread(const Options& options) {
  const bool to_stderr = options.append.empty() && options.command != Command::record;
  return to_stderr && (::fcntl(STDERR_FILENO, F_GETFL) & O_ACCMODE) == O_RDONLY;
}

}  // namespace

LiveRun::LiveRun(const LiveParts& parts)
    : parts_(parts),
      command_(parts.child),
      names_{parts.features.reset_reasons, parts.features.drop_reasons, {}},
      ready_{.ts_ns = parts.clock.now(),
             .version = version,
             .kernel = parts.features.kernel_release,
             .hooks = parts.tracer.hooks(),
             .ring_bytes = parts.options.ring_bytes,
             .capture = {}},
      output_(parts, names_),
      feed_(parts, ready_, names_, output_),
      drain_(parts, names_, feed_, output_),
      list_(parts, feed_, drain_),
      interim_reports_(parts, feed_, drain_, output_),
      samples_(parts, feed_, drain_) {
  hangup_reopens_ = parts.view == nullptr && hangup_reopens(parts.options, parts.manager);
  if (parts.view != nullptr) parts.view->set_names(names_);
  learn_names();
}

int LiveRun::go() {
  if (const auto code = begin()) return *code;
  const int code = run_to_end(*this);
  return command_.exit_code(code, ended_by_signal_, parts_.signals);
}

std::optional<int> LiveRun::begin() {
  if (const Recorder* recorder = feed_.recorder()) {
    if (const auto wrong = recorder->wrong()) return fail(*wrong);
  }
  if (parts_.view != nullptr) {
    auto opened = parts_.view->open([this] { return parts_.clock.now(); });
    if (!opened) return fail(opened.error());
  }
  confine();
  list_.take();
  announce();
  if (command_.there() && (over() || is_report_unread(parts_.options))) return not_started();
  command_.start();
  started_ = Clock::now();
  return std::nullopt;
}

bool LiveRun::turn() {
  const bool signalled = wait() && !command_.takes_signal(parts_.signals) && !hung_up();
  if (signalled && !command_.there()) LiveOutput::keep_what_is_left();
  drain_.look();
  list_.take_after_loss();
  const auto now = Clock::now();
  const auto since_start = now - started_;
  if (!over() && parts_.backlog.empty()) interim_reports_.report(since_start);
  if (reopen_) reopen();
  parts_.manager.alive(now, [&] { return status("tracing"); });
  if (!over() && parts_.backlog.empty()) samples_.take(since_start);
  const auto any_open = [&] { return feed_.correlator().any_open(); };
  if (command_.over(now, any_open) || parts_.process.over(now, any_open)) return false;
  if (parts_.view != nullptr && !turn_view()) return false;
  ended_by_signal_ = signalled;
  if (signalled || (parts_.options.duration && since_start >= *parts_.options.duration)) return false;
  follow_interfaces();
  hint(since_start);
  return true;
}

// What is decoded from here on comes from others.
void LiveRun::confine() {
  const Work work = parts_.metrics != nullptr ? Work::serve : Work::trace;
  if (auto confined = restrict_system_calls(work, command_.may_signal()); !confined)
    say("tcpwitness: " + confined.error().message(), Priority::warning);
}

void LiveRun::announce() {
  // Under a command only its own words are expected, as with strace.
  const bool quiet = command_.there() || parts_.view != nullptr;
  if (!quiet || !missing_witnesses(ready_).empty()) say(describe(ready_));
  if (parts_.metrics != nullptr) say("tcpwitness: " + parts_.metrics->describe());
  output_.begin(ready_);
  parts_.manager.ready(status("tracing"));
}

// Nobody would see what it does. As long as the child was not started, it ends with us and runs nothing.
int LiveRun::not_started() {
  if (output_.broken()) static_cast<void>(broken_output(output_.error()));
  say("tcpwitness: the command was not run", Priority::error);
  return 1;
}

// Until the next look. True: a signal came.
bool LiveRun::wait() {
  RingSource& ring = parts_.ring;
  if (!parts_.backlog.empty()) return ring.wait(milliseconds(0), parts_.signals);
  auto at_most = std::chrono::duration_cast<milliseconds>(drain_.pace().interval());
  const bool deep = drain_.pace().idle() && feed_.lost_at() == 0 && output_.idle();
  if (deep) {
    const TimeNs now = parts_.clock.now();
    const auto due = std::chrono::nanoseconds(std::max(feed_.correlator().due(), now) - now);
    at_most = std::clamp(std::chrono::ceil<milliseconds>(due), at_most, longest_sleep);
  }
  if (command_.ending() || parts_.process.ending()) at_most = std::min(at_most, while_a_command_ends);
  const auto not_after = [&](std::optional<Clock::duration> since_start) {
    if (!since_start) return;
    const auto left = std::chrono::ceil<milliseconds>(*since_start - (Clock::now() - started_));
    at_most = std::clamp(left, milliseconds(0), at_most);
  };
  not_after(parts_.options.duration);
  not_after(interim_reports_.next());
  not_after(samples_.next());
  if (parts_.view != nullptr) at_most = std::min(at_most, parts_.view->patience());
  if (const auto most = parts_.manager.round_at_least_every())
    at_most = std::clamp(std::chrono::duration_cast<milliseconds>(*most), milliseconds(1),
                         std::max(at_most, milliseconds(1)));
  return deep ? ring.sleep(at_most, parts_.signals) : ring.wait(at_most, parts_.signals);
}

// False: no more of it is wanted.
bool LiveRun::turn_view() {
  LiveView& view = *parts_.view;
  LiveCorrelator& correlator = feed_.correlator();
  correlator.summarize_ordinary(view.crowded());
  if (const auto conn = view.asks_for()) view.answer(correlator.so_far_of(*conn, parts_.clock.now()));
  return view.turn(parts_.clock.now());
}

// SIGHUP: a daemon's outputs are opened again; elsewhere the terminal is gone, and the run ends.
bool LiveRun::hung_up() {
  if (!hangup_reopens_ || !take_hangups(parts_.signals)) return false;
  reopen_ = true;
  return true;
}

// Whole lines went to the old file, the next one goes to the new.
void LiveRun::reopen() {
  output_.deliver();
  if (!output_.reopen()) return;  // at the next look
  reopen_ = false;
  parts_.manager.reloading();
  if (Recorder* recorder = feed_.recorder()) recorder->next_file();
  parts_.manager.ready(status("tracing"));
}

// A person who sees nothing for a while gets a hint what would show something.
void LiveRun::hint(Clock::duration since_start) {
  if (hinted_ || since_start < hint_after) return;
  hinted_ = true;
  const bool person = !command_.there() && parts_.metrics == nullptr && parts_.view == nullptr &&
                      isatty(STDERR_FILENO) == 1 && isatty(STDOUT_FILENO) == 1;
  if (person && output_.lives().all() == 0) say(quiet_hint(ready_));
}

void LiveRun::follow_interfaces() {
  const Tracer::InterfaceNews news = parts_.tracer.follow_interfaces();
  if (news.changed) learn_names();
  if (!news.unseen) return;
  const TimeNs time = parts_.clock.now();
  feed_.untraced(time - std::chrono::nanoseconds(*news.unseen).count(), time);
}

void LiveRun::learn_names() {
  learn_interfaces(names_, parts_.tracer.interface_names());
  if (Recorder* recorder = feed_.recorder()) recorder->interfaces(parts_.tracer.interface_names());
}

std::string LiveRun::status(const char* doing) const {
  return fmt::format("{}, {} connections ended, {} events lost", doing, grouped(output_.lives().all()),
                     grouped(feed_.decoder().lost()));
}

}  // namespace tcpwitness
