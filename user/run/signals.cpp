// SPDX-License-Identifier: Apache-2.0
#include "run/signals.hpp"

#include <fcntl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <ctime>

namespace tcpwitness {
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

Result<UniqueFd> take_signals() {
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);  // a file that may not grow is an error of write() too
  sigset_t set;
  sigemptyset(&set);
  for (const int number : endings) sigaddset(&set, number);
  sigprocmask(SIG_BLOCK, &set, nullptr);
  UniqueFd fd(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd.valid()) return failure("catch signals", std::strerror(errno));
  return fd;
}

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

}  // namespace tcpwitness
