// SPDX-License-Identifier: Apache-2.0
#include "service/manager.hpp"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "values/monotonic.hpp"
#include "values/number.hpp"

namespace tcpwitness {
namespace {

constexpr auto status_every = std::chrono::seconds(5);
constexpr int watchdog_share = 4;  // of the time that the manager gives
constexpr std::size_t unsent_bytes = 4096;

std::string taken(const char* variable) {
  const char* value = std::getenv(variable);
  std::string text(value != nullptr ? value : "");
  ::unsetenv(variable);
  return text;
}

// "/run/systemd/notify", or "@name" for the abstract name space.
bool make_address(const std::string& text, sockaddr_un& address, socklen_t& size) {
  if (text.size() < 2 || text.size() >= sizeof address.sun_path || (text[0] != '/' && text[0] != '@')) return false;
  address.sun_family = AF_UNIX;
  auto* const path = static_cast<char*>(address.sun_path);
  std::memcpy(path, text.data(), text.size());
  const bool abstract = text[0] == '@';
  if (abstract) path[0] = '\0';
  size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + text.size() + (abstract ? 0 : 1));
  return true;
}

}  // namespace

Result<ServiceManager> ServiceManager::from_environment() {
  const std::string path = taken("NOTIFY_SOCKET");
  const std::string watchdog = taken("WATCHDOG_USEC");
  const std::string watched = taken("WATCHDOG_PID");
  ServiceManager manager;
  if (path.empty()) return manager;
  sockaddr_un address{};
  socklen_t size = 0;
  if (!make_address(path, address, size))
    return failure("reach the service manager at " + path, "NOTIFY_SOCKET is no path and no abstract name");
  UniqueFd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket.valid() || ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), size) != 0)
    return failure("reach the service manager at " + path, std::strerror(errno));
  manager.socket_ = std::move(socket);
  // Both variables are for one process, and a wrapper may have left them to another.
  const auto pid = number_in<pid_t>(watched);
  const auto given = number_in<std::uint64_t>(watchdog);
  constexpr std::uint64_t longest_us = 86'400'000'000;
  if (given && *given != 0 && *given <= longest_us && (watched.empty() || pid == ::getpid()))
    manager.watchdog_every_ = std::chrono::microseconds(*given) / watchdog_share;
  return manager;
}

void ServiceManager::send(std::string message) {
  if (!there()) return;
  if (!unsent_.empty()) message = std::exchange(unsent_, {}) + "\n" + message;
  constexpr int flags = MSG_DONTWAIT | MSG_NOSIGNAL;
  if (::send(socket_.get(), message.data(), message.size(), flags) >= 0) return;
  const bool full = errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS || errno == EINTR;
  if (full && message.size() <= unsent_bytes) unsent_ = std::move(message);
}

void ServiceManager::ready(const std::string& status) {
  alive_said_ = status_said_ = Clock::now();
  send("READY=1\nSTATUS=" + status);
}

void ServiceManager::reloading() { send(fmt::format("RELOADING=1\nMONOTONIC_USEC={}", monotonic_ns() / 1'000)); }

void ServiceManager::stopping(const std::string& status) { send("STOPPING=1\nSTATUS=" + status); }

void ServiceManager::alive(Clock::time_point now, const std::function<std::string()>& status) {
  if (!there()) return;
  std::string message;
  if (watchdog_every_ && now - alive_said_ >= *watchdog_every_) {
    alive_said_ = now;
    message = "WATCHDOG=1";
  }
  if (now - status_said_ >= status_every) {
    status_said_ = now;
    message.append(message.empty() ? "" : "\n").append("STATUS=").append(status());
  }
  if (!message.empty() || !unsent_.empty()) send(std::move(message));
}

}  // namespace tcpwitness
