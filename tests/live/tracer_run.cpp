// SPDX-License-Identifier: Apache-2.0
//
// See tracer_run.hpp.

#include "live/tracer_run.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>

namespace tcpwitness::live {
namespace {

using Clock = std::chrono::steady_clock;

// Calls `done` every few milliseconds until it is true or the time is over.
template <typename Done>
bool poll_until(Millis patience, Done done) {
  const auto until = Clock::now() + patience;
  while (!done()) {
    if (Clock::now() >= until) return false;
    lab::pause_for(Millis(10));
  }
  return true;
}

}  // namespace

Transcript::Transcript() : file_(::memfd_create("tw-live", MFD_CLOEXEC)) {}

std::string Transcript::text() const {
  std::string text;
  std::array<char, 65536> buffer;
  for (;;) {
    const ssize_t count = ::pread(file_.get(), buffer.data(), buffer.size(), static_cast<off_t>(text.size()));
    if (count <= 0) return text;
    text.append(buffer.data(), static_cast<size_t>(count));
  }
}

Result<std::unique_ptr<TracerRun>> TracerRun::start(const std::vector<std::string>& arguments,
                                                    const std::vector<std::string>& through, int out) {
  std::vector<std::string> argv;
  if (!through.empty()) {
    argv = {"env"};  // execs, so the process id stays
    argv.insert(argv.end(), through.begin(), through.end());
  }
  argv.emplace_back(TCPWITNESS_BINARY);
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  std::unique_ptr<TracerRun> run(new TracerRun());
  auto child =
      lab::Child::start(argv, {{out >= 0 ? out : run->out_.fd(), STDOUT_FILENO}, {run->err_.fd(), STDERR_FILENO}});
  if (!child) return lab::failure(child.error());
  run->child_ = std::move(*child);
  return run;
}

Result<void> TracerRun::wait_ready(Millis patience) const {
  bool ended = false;
  const bool ready = poll_until(patience, [&] {
    // Text output reports it on stderr, JSON on stdout too.
    if (err().find("tcpwitness: tracing with version") != std::string::npos) return true;
    ended = child_.wait(Millis(0)).has_value();
    return ended;
  });
  if (ended) return lab::failure("tcpwitness ended before it was ready: " + err());
  if (!ready) return lab::failure("tcpwitness is not ready in time: " + err());
  // The line is printed before the snapshot of what exists already is taken.
  const bool json = poll_until(Millis(300), [&] { return out().find("\"type\":\"ready\"") != std::string::npos; });
  static_cast<void>(json);
  return {};
}

bool TracerRun::wait_for(const std::string& word, Millis patience) const {
  return poll_until(patience,
                    [&] { return err().find(word) != std::string::npos || out().find(word) != std::string::npos; });
}

Ended TracerRun::wait(Millis patience) {
  const auto code = child_.wait(patience);
  return {code.value_or(did_not_end), out(), err()};
}

Ended TracerRun::stop(Millis patience) {
  child_.signal(SIGINT);
  return wait(patience);
}

Ended TracerRun::kill() {
  child_.signal(SIGKILL);
  return wait(Millis(5000));
}

Ended run_to_end(const std::vector<std::string>& arguments, const std::vector<std::string>& through, Millis patience) {
  auto run = TracerRun::start(arguments, through);
  if (!run) return {did_not_end, "", run.error()};
  Ended ended = (*run)->wait(patience);
  if (ended.code == did_not_end) (*run)->kill();
  return ended;
}

}  // namespace tcpwitness::live
