// SPDX-License-Identifier: Apache-2.0
// thread_refused.hpp: why std::thread could not start one, as an error.
#pragma once

#include <string>
#include <system_error>

#include "tcpwitness/result.hpp"

namespace tcpwitness {

// clone3(2): EAGAIN for a limit; anything else comes from a filter of system calls.
[[nodiscard]] inline Error thread_refused(std::string what, const std::system_error& error) {
  const bool limit = error.code() == std::errc::resource_unavailable_try_again;
  return {std::move(what), error.code().message(),
          limit ? "raise the limit of processes (pids.max, RLIMIT_NPROC)"
                : "a filter of system calls (seccomp) refuses clone3(): allow it, or let it answer ENOSYS"};
}

}  // namespace tcpwitness
