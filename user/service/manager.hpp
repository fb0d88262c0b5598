// SPDX-License-Identifier: Apache-2.0
// manager.hpp: what the service manager learns of this process: ready, alive, at work, stopping (sd_notify(3)).
//
// The protocol is one datagram of NAME=VALUE lines to the socket that NOTIFY_SOCKET names. systemd documents it,
// promises to keep it, and asks those who do not want to link libsystemd to write it themselves. Debian has no
// libsystemd.a, and the program of the tar.gz links nothing but libc, so it is written here.
//
// Nothing here waits: a manager that does not read is asked again with the next message.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "tcpwitness/result.hpp"
#include "values/unique_fd.hpp"

namespace tcpwitness {

class ServiceManager {
 public:
  using Clock =
      std::chrono::steady_clock;  // CLOCK_MONOTONIC, as the manager's: it stands still while the machine is suspended

  // Nobody.
  ServiceManager() = default;
  // Of NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID, which leave the environment: they are not for a command that is
  // run. Opens the socket, so that it is there before system calls are restricted.
  [[nodiscard]] static Result<ServiceManager> from_environment();

  [[nodiscard]] bool there() const { return socket_.valid(); }

  void ready(const std::string& status);
  // Outputs are opened again; ready() ends it.
  void reloading();
  void stopping(const std::string& status);
  // The run loop has come round. The manager kills a process that does not report that in time. `status` is asked for
  // when it is due.
  void alive(Clock::time_point now, const std::function<std::string()>& status);
  // The loop is to come round at least so often.
  [[nodiscard]] std::optional<Clock::duration> round_at_least_every() const { return watchdog_every_; }

 private:
  void send(std::string message);

  UniqueFd socket_;
  std::string unsent_;
  std::optional<Clock::duration> watchdog_every_;
  Clock::time_point alive_said_{};
  Clock::time_point status_said_{};
};

}  // namespace tcpwitness
