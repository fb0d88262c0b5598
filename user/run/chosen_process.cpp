// SPDX-License-Identifier: Apache-2.0
#include "run/chosen_process.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "probe/process_status.hpp"
#include "probe/processes.hpp"
#include "run/followed_command.hpp"
#include "run/messages.hpp"

namespace tcpwitness {

Result<ChosenProcess> ChosenProcess::find(std::uint32_t pid) {
  ChosenProcess chosen;
  chosen.pid_ = pid;
  const auto process = process_status(pid, "Tgid:");
  // From within a PID namespace the ids of the host's processes, by which connections are chosen, cannot be seen.
  if (!proc_is_of_initial_namespace()) {
    if (!process) say(fmt::format("tcpwitness: no process {} is seen here: nothing may ever be listed", pid));
    return chosen;
  }
  if (!process) {
    return failure(fmt::format("trace process {}", pid), "there is no such process",
                   "-p takes the number of a process that runs; --comm takes a name");
  }
  if (*process != pid) {
    say(fmt::format("tcpwitness: {0} is a thread; connections are listed by process: -p {1}", pid, *process));
    return chosen;
  }
  const long fd = ::syscall(SYS_pidfd_open, static_cast<long>(pid), 0L);
  if (fd >= 0) chosen.fd_ = UniqueFd(static_cast<int>(fd));
  return chosen;
}

bool ChosenProcess::over(Clock::time_point now, const std::function<bool()>& any_open) {
  if (!fd_.valid()) return false;
  pollfd end{.fd = fd_.get(), .events = POLLIN, .revents = 0};
  if (!ended_at_ && ::poll(&end, 1, 0) == 1) {
    ended_at_ = now;
    say(fmt::format("tcpwitness: process {} has ended", pid_));
  }
  return ended_at_ && FollowedCommand::waited(now - *ended_at_, any_open);
}

}  // namespace tcpwitness
