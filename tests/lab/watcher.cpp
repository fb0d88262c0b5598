// SPDX-License-Identifier: Apache-2.0
//
// The watcher's stderr goes through a pipe and a thread that copies it line by line and waits for the word "ready"
// in it. See watcher.hpp.

#include "lab/watcher.hpp"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <future>
#include <memory>

namespace tcpwitness::lab {
namespace {

void copy_stderr(UniqueFd from, std::vector<std::string> ready_words, std::promise<void> ready) {
  bool said = false;
  std::string line;
  std::array<char, 4096> buffer;
  for (;;) {
    const ssize_t count = ::read(from.get(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    [[maybe_unused]] const ssize_t shown = ::write(STDERR_FILENO, buffer.data(), static_cast<size_t>(count));
    for (const char letter : std::string_view(buffer.data(), static_cast<size_t>(count))) {
      if (letter != '\n') {
        line += letter;
        continue;
      }
      const auto in_line = [&](const std::string& word) { return line.find(word) != std::string::npos; };
      if (!said && std::any_of(ready_words.begin(), ready_words.end(), in_line)) {
        said = true;
        ready.set_value();
      }
      line.clear();
    }
  }
  if (!said) ready.set_value();  // it ended: nothing to wait for
}

}  // namespace

Result<std::unique_ptr<Watcher>> Watcher::start(const std::vector<std::string>& argv,
                                                const std::vector<std::string>& ready_words, Millis patience) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return system_failure("pipe");
  UniqueFd in(ends[0]), out(ends[1]);
  auto child = Child::start(argv, {{out.get(), STDERR_FILENO}});
  if (!child) return failure(child.error());
  out.reset();  // the pipe must end with the watcher
  std::promise<void> ready;
  const std::future<void> is_ready = ready.get_future();
  std::unique_ptr<Watcher> watcher(new Watcher(std::move(*child)));
  watcher->relay_ = std::thread(copy_stderr, std::move(in), ready_words, std::move(ready));
  const bool began = is_ready.wait_for(patience) == std::future_status::ready;
  if (const auto code = watcher->child_.wait(Millis(0))) {
    return failure(fmt::format("`{}` ended before anything was played, with {}", fmt::join(argv, " "), *code));
  }
  if (!began) {
    return failure(fmt::format("`{}` has not said that it is ready within {} s", fmt::join(argv, " "),
                               std::chrono::duration_cast<std::chrono::seconds>(patience).count()));
  }
  return watcher;
}

Watcher::~Watcher() {
  if (child_.running()) child_ = Child();  // kills and reaps, which ends the pipe
  if (relay_.joinable()) relay_.join();
}

Result<int> Watcher::stop(Millis patience) {
  child_.signal(SIGINT);
  const std::optional<int> code = child_.wait(patience);
  if (!code) return failure("the watcher did not end after SIGINT");
  if (relay_.joinable()) relay_.join();
  return *code;
}

}  // namespace tcpwitness::lab
