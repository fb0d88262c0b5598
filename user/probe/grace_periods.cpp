// SPDX-License-Identifier: Apache-2.0
#include "probe/grace_periods.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>

#include "values/unique_fd.hpp"

namespace tcpwitness {
namespace {

constexpr std::size_t worth_it = 8;  // hooks
constexpr const char* setting = "/sys/kernel/rcu_expedited";

// Waits until the tracer closes its end, by whatever end of its own.
[[noreturn]] void take_back(int pipe_fd, int setting_fd) {
  setsid();
  prctl(PR_SET_NAME, "tcpwitness-rcu");
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) std::signal(number, SIG_IGN);
  char byte = 0;
  while (read(pipe_fd, &byte, 1) < 0 && errno == EINTR) {
  }
  (void)!pwrite(setting_fd, "0", 1, 0);
  _exit(0);
}

// Nothing of the tracer's may live on in the child: its BPF links are file descriptors.
void keep_only(int low, int high) {
  if (low > high) std::swap(low, high);
  if (low > 0) close_range(0, static_cast<unsigned>(low) - 1, 0);
  if (high > low + 1) close_range(static_cast<unsigned>(low) + 1, static_cast<unsigned>(high) - 1, 0);
  close_range(static_cast<unsigned>(high) + 1, ~0U, 0);
}

}  // namespace

ExpeditedGracePeriods::ExpeditedGracePeriods(std::size_t hooks) {
  if (hooks < worth_it) return;
  const UniqueFd fd(open(setting, O_RDWR | O_CLOEXEC));
  char value = '1';
  // Somebody else's wish is left as it is.
  if (!fd.valid() || pread(fd.get(), &value, 1, 0) != 1 || value != '0') return;
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return;
  child_ = fork();
  if (child_ == 0) {
    keep_only(ends[0], fd.get());
    take_back(ends[0], fd.get());
  }
  close(ends[0]);
  if (child_ < 0 || pwrite(fd.get(), "1", 1, 0) != 1) {
    close(ends[1]);
    if (child_ > 0) waitpid(child_, nullptr, 0);
    child_ = -1;
    return;
  }
  pipe_fd_ = ends[1];
}

ExpeditedGracePeriods::~ExpeditedGracePeriods() {
  if (pipe_fd_ < 0) return;
  close(pipe_fd_);
  while (waitpid(child_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

}  // namespace tcpwitness
