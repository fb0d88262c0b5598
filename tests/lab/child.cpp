// SPDX-License-Identifier: Apache-2.0
//
// Child processes through posix_spawn and pidfds: no fork of a process that may have threads, no SIGCHLD
// handler, no wait without an end. See child.hpp.

#include "lab/child.hpp"

#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <array>
#include <atomic>
#include <thread>

extern char** environ;

namespace tcpwitness::lab {
namespace {

std::atomic<bool> interrupt_seen{false};

void note_interrupt(int) { interrupt_seen = true; }

std::string joined(const std::vector<std::string>& argv) { return fmt::format("{}", fmt::join(argv, " ")); }

UniqueFd scratch_file(const char* name) { return UniqueFd(::memfd_create(name, MFD_CLOEXEC)); }

std::string contents(const UniqueFd& file) {
  std::string text;
  std::array<char, 4096> buffer;
  ::lseek(file.get(), 0, SEEK_SET);
  for (;;) {
    const ssize_t count = ::read(file.get(), buffer.data(), buffer.size());
    if (count <= 0) return text;
    text.append(buffer.data(), static_cast<size_t>(count));
  }
}

}  // namespace

bool interrupted() { return interrupt_seen; }

void catch_interrupts() {
  struct sigaction action{};
  action.sa_handler = note_interrupt;
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
}

bool pause_for(Millis time) {
  const auto until = std::chrono::steady_clock::now() + time;
  while (!interrupted()) {
    const auto left = std::chrono::duration_cast<Millis>(until - std::chrono::steady_clock::now());
    if (left <= Millis(0)) return true;
    std::this_thread::sleep_for(std::min(left, Millis(20)));
  }
  return false;
}

Result<Child> Child::start(const std::vector<std::string>& argv, const std::vector<Redirection>& redirections) {
  std::vector<char*> pointers;
  pointers.reserve(argv.size() + 1);
  for (const std::string& word : argv) pointers.push_back(const_cast<char*>(word.c_str()));
  pointers.push_back(nullptr);

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  for (const Redirection& redirection : redirections) {
    posix_spawn_file_actions_adddup2(&actions, redirection.from, redirection.to);
  }
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  sigset_t hangup;  // ignored where the tests run under nohup
  sigemptyset(&hangup);
  sigaddset(&hangup, SIGHUP);
  posix_spawnattr_setsigdefault(&attributes, &hangup);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);

  Child child;
  const int error = posix_spawnp(&child.pid_, argv.front().c_str(), &actions, &attributes, pointers.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) {
    child.pid_ = -1;
    return system_failure(fmt::format("cannot start `{}`", joined(argv)), error);
  }
  child.pidfd_ = UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, child.pid_, 0)));
  if (!child.pidfd_) return system_failure(fmt::format("pidfd_open for `{}`", joined(argv)));
  return child;
}

Child& Child::operator=(Child&& other) noexcept {
  if (this != &other) {
    end();
    pid_ = std::exchange(other.pid_, -1);
    pidfd_ = std::move(other.pidfd_);
  }
  return *this;
}

void Child::signal(int number) const {
  if (pid_ > 0) ::kill(pid_, number);
}

std::optional<int> Child::wait(Millis patience) {
  if (pid_ <= 0) return std::nullopt;
  const auto until = std::chrono::steady_clock::now() + patience;
  for (;;) {
    int status = 0;
    if (::waitpid(pid_, &status, WNOHANG) == pid_) {
      pid_ = -1;
      pidfd_.reset();
      return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    }
    const auto left = std::chrono::duration_cast<Millis>(until - std::chrono::steady_clock::now());
    if (left <= Millis(0)) return std::nullopt;
    pollfd exited{pidfd_.get(), POLLIN, 0};
    ::poll(&exited, 1, static_cast<int>(left.count()));
  }
}

void Child::end() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
}

Result<std::string> run_tool(const std::vector<std::string>& argv, std::string_view input) {
  const UniqueFd in = scratch_file("lab-tool-in");
  const UniqueFd out = scratch_file("lab-tool-out");
  if (!in || !out) return system_failure("memfd_create");
  if (::write(in.get(), input.data(), input.size()) != static_cast<ssize_t>(input.size())) {
    return system_failure("write to a memfd");
  }
  ::lseek(in.get(), 0, SEEK_SET);
  auto child = Child::start(argv, {{in.get(), 0}, {out.get(), 1}, {out.get(), 2}});
  if (!child) return failure(child.error());
  // Its first run can load modules: in an emulated machine that takes its time.
  const std::optional<int> code = child->wait(std::chrono::seconds(60));
  if (!code) return failure(fmt::format("`{}` did not end within 60 s", joined(argv)));
  if (*code != 0) return failure(fmt::format("`{}` exited with {}: {}", joined(argv), *code, contents(out)));
  return contents(out);
}

}  // namespace tcpwitness::lab
