// SPDX-License-Identifier: Apache-2.0
// processes.hpp: who descends from a process, and which user a process is of (bpf/processes.bpf.c).
//
// It is attached before the process that is followed makes its first child, or before those that it has are listed.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "tcpwitness/result.hpp"

namespace tcpwitness {

struct ProcessesSettings {
  bool own_children = false;  // whatever this process starts from now on
  std::uint32_t pid = 0;      // this one and its children; 0: none
  bool users = false;         // which user ended processes were of
};

// Whether /proc has the ids of the initial PID namespace, as events have them. In a container it has its own.
[[nodiscard]] bool proc_is_of_initial_namespace();
[[nodiscard]] bool there_is_proc();

class Processes {
 public:
  static Result<std::unique_ptr<Processes>> attach(const ProcessesSettings& settings);
  ~Processes();
  Processes(const Processes&) = delete;
  Processes& operator=(const Processes&) = delete;

  // By the id in the initial PID namespace, as events have it.
  [[nodiscard]] bool follows(std::uint32_t pid) const;
  // The real user; empty: not known.
  [[nodiscard]] std::optional<std::uint32_t> user_of(std::uint32_t pid) const;

 private:
  Processes();
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tcpwitness
