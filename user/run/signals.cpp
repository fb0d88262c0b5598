// SPDX-License-Identifier: Apache-2.0
#include "run/signals.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <utility>

#include "values/monotonic.hpp"

namespace tcpwitness {
namespace {

constexpr std::array endings{SIGINT, SIGTERM, SIGHUP};
bool hangup_taken = true;
std::int64_t armed_ns = 0;

extern "C" void leave(int number) {
  constexpr std::int64_t same_ns = 200'000'000;
  if (monotonic_ns() - armed_ns >= same_ns) _exit(128 + number);
}

bool is_ignored(int number) {
  struct sigaction action{};
  return sigaction(number, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

// Those that end a run. The kernel queues what is blocked even where it is ignored.
sigset_t taken_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : endings) {
    if (number != SIGHUP || hangup_taken) sigaddset(&set, number);
  }
  return set;
}

}  // namespace

Result<UniqueFd> take_signals(IgnoredHangup hangup) {
  hangup_taken = hangup == IgnoredHangup::taken || !is_ignored(SIGHUP);
  std::signal(SIGXFSZ, SIG_IGN);  // a file that may not grow is an error of write() too
  const sigset_t set = taken_signals();
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
  const sigset_t set = taken_signals();
  for (const int number : endings) {
    if (sigismember(&set, number) == 1) sigaction(number, &action, nullptr);
  }
  sigprocmask(SIG_UNBLOCK, &set, nullptr);
}

Result<void> StopSignal::listen() {
  if (signals_.valid()) return {};
  auto taken = take_signals();
  if (!taken) return std::unexpected(taken.error());
  signals_ = std::move(*taken);
  return {};
}

bool StopSignal::asked() {
  pollfd signal{.fd = signals_.get(), .events = POLLIN, .revents = 0};
  if (!requested_ && ::poll(&signal, 1, 0) > 0) {
    requested_ = true;
    end_at_next_signal(signals_.get());
  }
  return requested_;
}

bool StopSignal::wait_for(int fd, std::chrono::milliseconds time) {
  std::array<pollfd, 2> both{
      {{.fd = signals_.get(), .events = POLLIN, .revents = 0}, {.fd = fd, .events = POLLIN, .revents = 0}}};
  if (::poll(both.data(), both.size(), static_cast<int>(time.count())) <= 0) return false;
  if (both[0].revents != 0) requested_ = true;
  return both[1].revents != 0;
}

}  // namespace tcpwitness
