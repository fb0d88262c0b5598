// SPDX-License-Identifier: Apache-2.0
// containers.hpp: in which container, service or session a process runs, from /proc/PID/cgroup.
//
// Read once for each process, when it is first seen with a connection: later it may be gone. Bounded.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>

#include "tcpwitness/event.hpp"

namespace tcpwitness {

class Containers {
 public:
  // A process that an event names.
  void note(const Event& event);
  // "": the process is gone, and was not seen before.
  [[nodiscard]] std::string of(std::uint32_t pid, std::string_view comm);

 private:
  struct Known {
    std::string comm;  // another one: the number is another process's, or another program runs in it
    std::string name;
  };
  static constexpr std::size_t limit = 16'384;
  std::unordered_map<std::uint32_t, Known> known_;
};

}  // namespace tcpwitness
