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

#include "tcpwitness/result.hpp"
#include "values/unique_fd.hpp"

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
  // Waits for it. A first signal is passed on, a second one ends the waiting.
  void wait(int signals);
  // As shells have it: 128 + N where signal N ended it. Before its end 0.
  [[nodiscard]] int exit_code() const;
  // A signal has come in: the first one is passed on while the command runs, unless the terminal has sent it to both.
  // False: it has ended, or has had one. Then nothing is sent, and the signal is left where it is.
  [[nodiscard]] bool pass_on(int signals);
  [[nodiscard]] bool signalled() const { return signalled_; }

 private:
  pid_t pid_ = 0;
  UniqueFd gate_;
  UniqueFd fd_;
  std::optional<int> status_;
  bool signalled_ = false;
};

}  // namespace tcpwitness
