// SPDX-License-Identifier: Apache-2.0
// child.hpp: the command of "tcpwitness explain -- COMMAND": started when the hooks are attached, and waited for.
//
// It is of the same process group, so what a terminal sends (Ctrl-C) reaches it without us; what only we get is passed
// on. It runs as whoever runs us, as under strace and "ip netns exec".
#pragma once

#include <sys/types.h>

#include <optional>
#include <span>
#include <string>

#include "probe/unique_fd.hpp"
#include "tcpwitness/result.hpp"

namespace tcpwitness {

class Child {
 public:
  // Forks; the child waits for start(). Where this object is gone before that, it never runs the command.
  static Result<Child> prepare(std::span<const std::string> command);

  void start();
  [[nodiscard]] pid_t pid() const { return pid_; }
  // Readable when it has ended.
  [[nodiscard]] int fd() const { return fd_.get(); }
  // Takes note of its end.
  [[nodiscard]] bool ended();
  // Waits for it.
  void wait();
  // As shells have it: 128 + N where signal N ended it. Before its end 0.
  [[nodiscard]] int exit_code() const;
  // A signal that came in: passes it on unless the terminal has sent it to both.
  void pass_on(int signals);

 private:
  pid_t pid_ = 0;
  UniqueFd gate_;
  UniqueFd fd_;
  std::optional<int> status_;
};

}  // namespace tcpwitness
