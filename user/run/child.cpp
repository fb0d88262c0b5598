// SPDX-License-Identifier: Apache-2.0
#include "run/child.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <vector>

namespace tcpwitness {
namespace {

constexpr char go = 'g';
constexpr int not_found = 127;             // as shells have it
constexpr int not_executable = 126;        // likewise
constexpr int reaped_by_another = 1 << 8;  // a status: how it ended is not known, which is no success

using Handler = void (*)(int);

// The child: what take_signals() and prepare() changed is as a shell leaves it, no signal ignored (but SIGCHLD, where
// it was) and none blocked.
[[noreturn]] void run(int gate, char* const* arguments, const std::string& message, Handler for_children) {
  char word = 0;
  while (::read(gate, &word, 1) < 0 && errno == EINTR) {
  }
  if (word != go) ::_exit(0);  // there is no tracer any more
  std::signal(SIGPIPE, SIG_DFL);
  std::signal(SIGXFSZ, SIG_DFL);
  if (for_children == SIG_IGN) std::signal(SIGCHLD, SIG_IGN);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  ::execvp(arguments[0], arguments);
  const int error = errno;
  const char* why = std::strerror(error);
  for (const char* text : {message.c_str(), why, "\n"}) {
    if (::write(STDERR_FILENO, text, std::strlen(text)) < 0) break;
  }
  ::_exit(error == ENOENT ? not_found : not_executable);
}

// By its pidfd: a process that has taken over its number is never meant.
void send_signal(long pidfd, long number) { ::syscall(SYS_pidfd_send_signal, pidfd, number, nullptr, 0L); }

}  // namespace

Result<Child> Child::prepare(std::span<const std::string> command) {
  std::vector<std::string> words(command.begin(), command.end());
  std::vector<char*> arguments;
  arguments.reserve(words.size() + 1);
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const std::string message = fmt::format("tcpwitness: cannot run '{}': ", words.front());
  std::array<int, 2> gate{};
  if (::pipe2(gate.data(), O_CLOEXEC) != 0) return failure("make a pipe", std::strerror(errno));
  // Where our caller ignored it, the kernel would reap the child, and nobody would know how it ended.
  const Handler for_children = std::signal(SIGCHLD, SIG_DFL);
  Child child;
  const UniqueFd read_end(gate[0]);
  child.gate_ = UniqueFd(gate[1]);
  child.pid_ = ::fork();
  if (child.pid_ < 0) return failure("start a process", std::strerror(errno));
  if (child.pid_ == 0) {
    child.gate_.reset();
    run(read_end.get(), arguments.data(), message, for_children);
  }
  child.fd_ = UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, child.pid_, 0)));
  if (!child.fd_.valid()) return failure("watch a process", std::strerror(errno));
  return child;
}

void Child::start() {
  if (::write(gate_.get(), &go, 1) == 1) gate_.reset();
}

bool Child::ended() {
  int status = 0;
  if (status_) return true;
  const pid_t ended = ::waitpid(pid_, &status, WNOHANG);
  if (ended == pid_) status_ = status;
  if (ended < 0 && errno == ECHILD) status_ = reaped_by_another;
  return status_.has_value();
}

void Child::wait(int signals) {
  while (!ended()) {
    std::array<pollfd, 2> either{pollfd{.fd = fd_.get(), .events = POLLIN, .revents = 0},
                                 pollfd{.fd = signals, .events = POLLIN, .revents = 0}};
    if (::poll(either.data(), either.size(), -1) < 0 && errno != EINTR) return;
    if (either[1].revents != 0 && either[0].revents == 0 && !pass_on(signals)) return;
  }
}

int Child::exit_code() const {
  if (!status_) return 0;
  return WIFSIGNALED(*status_) ? 128 + WTERMSIG(*status_) : WEXITSTATUS(*status_);
}

bool Child::pass_on(int signals) {
  if (signalled_ || ended()) return false;
  signalfd_siginfo taken{};
  while (::read(signals, &taken, sizeof taken) == static_cast<ssize_t>(sizeof taken)) {
    signalled_ = true;
    const bool of_the_terminal = taken.ssi_code == SI_KERNEL;
    if (!of_the_terminal) send_signal(fd_.get(), static_cast<int>(taken.ssi_signo));
  }
  return true;
}

}  // namespace tcpwitness
