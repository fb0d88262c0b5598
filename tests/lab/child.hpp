// SPDX-License-Identifier: Apache-2.0
//
// A child process with one owner. It is always reaped, and killed first if it still lives when the owner dies;
// nothing is ever signalled but a process started here, by its id. run_tool() is the short form for `ip` and
// `nft`: run, wait, hand back the output or a sentence with the tool's own complaint.

#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lab/result.hpp"
#include "lab/unique_fd.hpp"

namespace tcpwitness::lab {

using Millis = std::chrono::milliseconds;

// True once SIGINT or SIGTERM came (see catch_interrupts); every wait in the lab ends early then.
bool interrupted();
// For executables: turn SIGINT and SIGTERM into interrupted(), so that namespaces are removed on the way out.
void catch_interrupts();
// Sleeps; false if interrupted.
bool pause_for(Millis time);

class Child {
 public:
  struct Redirection {
    int from;  // descriptor in this process
    int to;    // descriptor number in the child
  };

  // Starts argv[0] (looked up in PATH). The child runs in the calling thread's network namespace.
  static Result<Child> start(const std::vector<std::string>& argv, const std::vector<Redirection>& redirections = {});

  Child() = default;
  Child(Child&& other) noexcept : pid_(std::exchange(other.pid_, -1)), pidfd_(std::move(other.pidfd_)) {}
  Child& operator=(Child&& other) noexcept;
  ~Child() { end(); }

  pid_t pid() const { return pid_; }
  bool running() const { return pid_ > 0; }
  void signal(int number) const;
  // Exit code (128 + N when signal N ended it), or nothing when it still runs after `patience`.
  std::optional<int> wait(Millis patience);

 private:
  void end();

  pid_t pid_ = -1;
  UniqueFd pidfd_;
};

Result<std::string> run_tool(const std::vector<std::string>& argv, std::string_view input = {});

}  // namespace tcpwitness::lab
