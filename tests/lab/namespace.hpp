// SPDX-License-Identifier: Apache-2.0
//
// A named network namespace (as `ip netns add` makes it, so `ip netns exec` and `tcpwitness --netns` find it),
// removed when the object dies. Names are tw-<pid>-<role>; the pid shows whose it is, so that namespaces left by a
// lab that was killed can be recognised and removed by the next one.

#pragma once

#include <functional>
#include <string>

#include "lab/result.hpp"
#include "lab/unique_fd.hpp"

namespace tcpwitness::lab {

class Namespace {
 public:
  static Result<Namespace> create(const std::string& role);

  Namespace(Namespace&&) noexcept;
  Namespace& operator=(Namespace&&) = delete;
  ~Namespace();

  const std::string& name() const { return name_; }
  std::string path() const { return "/run/netns/" + name_; }

  // Runs `work` on a thread of its own inside the namespace and waits for it. Sockets opened and programs started
  // there stay there; the caller's thread never leaves its own namespace.
  Result<void> inside(const std::function<Result<void>()>& work) const;

 private:
  Namespace(std::string name, UniqueFd fd) : name_(std::move(name)), fd_(std::move(fd)) {}

  std::string name_;
  UniqueFd fd_;
};

// Deletes tw-<pid>-* namespaces whose process no longer exists.
void remove_stale_namespaces();

}  // namespace tcpwitness::lab
