// SPDX-License-Identifier: Apache-2.0
// common.cpp: see common.hpp.
#include "run/common.hpp"

#include <fmt/core.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <ctime>

namespace tcpwitness {

int fail(const Error& error) {
  fmt::print(stderr, "tcpwitness: {}\n", error.message());
  return 1;
}

int broken_output(int error) {
  fmt::print(stderr, "tcpwitness: cannot write the output: {}\n", std::strerror(error));
  return 1;
}

TimeNs realtime_ns() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<TimeNs>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

Result<UniqueFd> take_signals() {
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);  // a file that may not grow is an error of write() too
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGHUP);
  sigprocmask(SIG_BLOCK, &set, nullptr);
  UniqueFd fd(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd.valid()) return failure("catch signals", std::strerror(errno));
  return fd;
}

std::unique_ptr<Sink> make_sink(const Options& options, Output& output, const Names& names, bool wire_alone) {
  switch (options.format) {
    case OutputFormat::json:
      return options.stories() ? make_story_json(output, names, wire_alone) : make_json(output, names);
    case OutputFormat::csv:
      return options.timeline() ? make_trace_csv(output, names, wire_alone) : make_life_csv(output);
    case OutputFormat::text:
      break;
  }
  TextStyle style = style_of(STDOUT_FILENO);
  style.wire_alone = wire_alone;
  if (options.stories()) return make_story_text(output, names, style);
  return options.timeline() ? make_trace_text(output, names, style) : make_life_text(output, style);
}

}  // namespace tcpwitness
