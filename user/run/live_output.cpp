// SPDX-License-Identifier: Apache-2.0
#include "run/live_output.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <string>
#include <utility>
#include <variant>

#include "run/messages.hpp"
#include "run/outputs.hpp"
#include "service/appended_file.hpp"
#include "sink/filtered.hpp"
#include "sink/format.hpp"

namespace tcpwitness {
namespace {

constexpr auto flush_every = std::chrono::milliseconds(40);
constexpr auto last_patience = std::chrono::seconds(2);  // with a reader that takes nothing

class NoSink final : public Sink {
 public:
  void write(const Report& /*report*/) override {}
  [[nodiscard]] bool flush() override { return true; }
};

std::unique_ptr<Sink> make_live_sink(const LiveParts& parts, Output& output, const Names& names) {
  const Options& options = parts.options;
  if (parts.metrics != nullptr) return parts.metrics->sink();
  if (parts.view != nullptr) return with_filter(parts.view->sink(), options.report_filter);
  const bool taken = options.record.quiet || options.record.path == "-";  // by nobody, by the recording
  if (options.command == Command::record && taken) return std::make_unique<NoSink>();
  return make_sink(options, output, names, false, parts.live_filter.containers());
}

// Where what is printed goes. stdout, and under a command, whose stdout it is, a copy of stderr.
int output_of(const LiveParts& parts) {
  if (parts.appended.fd.valid()) return ::fcntl(parts.appended.fd.get(), F_DUPFD_CLOEXEC, 0);
  return parts.options.program.empty() ? STDOUT_FILENO : ::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
}

}  // namespace

LiveOutput::LiveOutput(const LiveParts& parts, const Names& names)
    : options_(parts.options),
      records_(parts.options.command == Command::record),
      output_(output_of(parts), Output::Mode::never_waits),
      delivery_(parts.options.report_filter, parts.options.count.value_or(0), output_,
                make_live_sink(parts, output_, names), flush_every) {
  if (options_.format == OutputFormat::csv) output_.take_heading(!parts.appended.empty);
  if (parts.appended.fd.valid()) output_.wait_for_room();
}

void LiveOutput::begin(const Ready& ready) {
  begun_ = true;
  delivery_.sink().write(ready);
  deliver();
}

void LiveOutput::write() {
  delivery_.write(waiting_, [&](const Report& report) { return !records_ || !std::holds_alternative<Entry>(report); });
}

void LiveOutput::write_if_many() {
  if (begun_ && waiting_.size() >= many) write();
}

void LiveOutput::deliver_in_time(Clock::time_point now) {
  if (!begun_) return;
  write();
  if (delivery_.due(now) || over()) deliver();
}

void LiveOutput::deliver() {
  write();
  delivery_.flush();
  say_if_full();
  say_if_slow();
}

bool LiveOutput::finish(Summary& summary) {
  const bool delivered = delivery_.finish(summary);
  say_if_full();
  say_if_slow();
  return delivered && output_.finish(last_patience);
}

bool LiveOutput::reopen() {
  if (options_.append.empty()) return true;
  if (output_.waiting() != 0 && output_.error() == 0) return false;  // a slow reader of a pipe
  auto again = append_to(options_.append);
  if (!again) {
    say("tcpwitness: " + again.error().message() + "; the file that is open serves on", Priority::error);
  } else if (output_.replace(::fcntl(again->fd.get(), F_DUPFD_CLOEXEC, 0), again->empty)) {
    say(fmt::format("tcpwitness: {} is opened again", printable(options_.append, true)));
  }
  return true;
}

void LiveOutput::keep_what_is_left() {
  constexpr int a_moment_ms = 50;
  struct stat out{};
  const bool piped = ::fstat(STDOUT_FILENO, &out) == 0 && S_ISFIFO(out.st_mode) && ::isatty(STDERR_FILENO) == 1;
  pollfd reader{.fd = STDOUT_FILENO, .events = 0, .revents = 0};
  if (piped && ::poll(&reader, 1, a_moment_ms) > 0) ::dup2(STDERR_FILENO, STDOUT_FILENO);
}

void LiveOutput::say_if_slow() {
  if (output_.dropped() == 0 || full_ || std::exchange(slow_, true)) return;
  say("tcpwitness: the reader of the output is too slow: lines are dropped until it catches up, and counted",
      Priority::warning);
}

// Once each way.
void LiveOutput::say_if_full() {
  const bool full = output_.no_room() != 0;
  if (std::exchange(full_, full) == full) return;
  const std::string name = printable(options_.append, true);
  if (!full) return say(fmt::format("tcpwitness: {} is written again", name), Priority::warning);
  say(fmt::format("tcpwitness: cannot write to {}: {}; tracing goes on, {} MiB of lines wait, and what is more is "
                  "dropped and counted",
                  name, std::strerror(output_.no_room()), Output::waiting_bytes >> 20U),
      Priority::error);
}

}  // namespace tcpwitness
