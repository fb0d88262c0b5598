// SPDX-License-Identifier: Apache-2.0
// confine.hpp: what this process may still do once everything is opened.
//
// What comes from others (segments, names, files) is decoded by a process that has given up what it no longer needs:
// capabilities, new privileges (execve of set-user-ID programs) and system calls (seccomp). A call that is not on the
// list fails with EPERM. A kernel without seccomp is no reason not to run: it is reported.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "tcpwitness/result.hpp"

namespace tcpwitness {

enum class Work : std::uint8_t {
  trace,  // reads the ring, attaches to interfaces that come, writes recordings
  serve,  // the same, and answers on a socket that listens
  read,   // reads what is open, writes what is open, makes threads
};

// This thread, and those that it makes, keep these capabilities (of those they have) and no others.
[[nodiscard]] Result<void> keep_capabilities(std::span<const int> kept);
// The user "nobody" from now on, where it is root. Its groups go too.
[[nodiscard]] Result<void> become_nobody();
// No new privileges, and only the system calls of this work, in all threads.
// pidfd: of a process that may be sent signals.
[[nodiscard]] Result<void> restrict_system_calls(Work work, std::optional<int> pidfd = {});

}  // namespace tcpwitness
