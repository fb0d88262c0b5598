// SPDX-License-Identifier: Apache-2.0
//
// Namespaces by way of `ip netns`: it already knows how to set up /run/netns and its mount propagation.
// See namespace.hpp for what always holds.

#include "lab/namespace.hpp"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>

#include <atomic>
#include <charconv>
#include <filesystem>
#include <thread>

#include "lab/child.hpp"

namespace tcpwitness::lab {
namespace {

// The pid inside "tw-<pid>-<role>", or 0.
pid_t maker_of(std::string_view name) {
  if (!name.starts_with("tw-")) return 0;
  name.remove_prefix(3);
  pid_t pid = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
  return error == std::errc{} && end != name.data() + name.size() && *end == '-' ? pid : 0;
}

}  // namespace

Result<Namespace> Namespace::create(const std::string& role) {
  // A second lab in the same process (one test starts while another winds down) gets a numbered name.
  static std::atomic<int> made{0};
  std::string name = fmt::format("tw-{}-{}", ::getpid(), role);
  if (std::filesystem::exists("/run/netns/" + name)) name += fmt::format("-{}", ++made);

  if (auto added = run_tool({"ip", "netns", "add", name}); !added) return failure(added.error());
  UniqueFd fd(::open(("/run/netns/" + name).c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return system_failure("open /run/netns/" + name);
  return Namespace(std::move(name), std::move(fd));
}

Namespace::Namespace(Namespace&& other) noexcept : name_(std::exchange(other.name_, {})), fd_(std::move(other.fd_)) {}

Namespace::~Namespace() {
  if (name_.empty()) return;
  fd_.reset();
  if (auto deleted = run_tool({"ip", "netns", "del", name_}); !deleted)
    fmt::print(stderr, "lab: {}\n", deleted.error());
}

Result<void> Namespace::inside(const std::function<Result<void>()>& work) const {
  Result<void> result;
  std::thread([&] {
    result = ::setns(fd_.get(), CLONE_NEWNET) == 0 ? work() : system_failure("setns to " + name_);
  }).join();
  return result;
}

void remove_stale_namespaces() {
  std::error_code ignored;
  std::vector<std::string> stale;
  for (const auto& entry : std::filesystem::directory_iterator("/run/netns", ignored)) {
    const pid_t pid = maker_of(entry.path().filename().string());
    if (pid > 0 && ::kill(pid, 0) != 0 && errno == ESRCH) stale.push_back(entry.path().filename());
  }
  for (const std::string& name : stale) {
    if (auto deleted = run_tool({"ip", "netns", "del", name}); !deleted)
      fmt::print(stderr, "lab: {}\n", deleted.error());
  }
}

}  // namespace tcpwitness::lab
