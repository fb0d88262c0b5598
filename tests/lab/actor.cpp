// SPDX-License-Identifier: Apache-2.0
//
// The script's end of the channel: orders out, outcomes in, every wait bounded by the order's patience and a
// little more for the actor to report that it ran out. See actor.hpp.

#include "lab/actor.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstdlib>

namespace tcpwitness::lab {
namespace {

constexpr Millis grace{2000};

WireEndpoint wire(const Endpoint& endpoint) {
  WireEndpoint out{};
  endpoint.ip.copy(out.ip, sizeof out.ip - 1);
  out.port = endpoint.port;
  return out;
}

Request with_text(Request request, std::string_view text) {
  text.copy(request.text, sizeof request.text - 1);
  return request;
}

std::string lab_executable() {
  const char* chosen = std::getenv("TCPWITNESS_LAB");
  return chosen && *chosen ? chosen : TCPWITNESS_LAB_EXE;
}

}  // namespace

int64_t Call::ok() const {
  if (reply_.error != 0) failure_.note(fmt::format("{} failed: {}", what_, errno_name(reply_.error)));
  return reply_.value;
}

int64_t Call::ok(int64_t expected) const {
  ok();
  if (reply_.value != expected) failure_.note(fmt::format("{}: expected {}, got {}", what_, expected, reply_.value));
  return reply_.value;
}

int Call::fails_with(int error) const {
  if (reply_.error != error) {
    failure_.note(fmt::format("{}: expected {}, got {}", what_, errno_name(error), errno_name(reply_.error)));
  }
  return reply_.error;
}

Result<Actor> Actor::start(const std::string& netns_path, const std::string& comm, Failure& failure_sink) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return system_failure("socketpair");
  UniqueFd ours(ends[0]), theirs(ends[1]);
  // posix_spawn's dup2 onto the same number would leave close-on-exec set and the actor without a channel.
  if (theirs.get() == actor_channel) {
    theirs = UniqueFd(::fcntl(ends[1], F_DUPFD_CLOEXEC, actor_channel + 1));
  }
  auto child = Child::start({lab_executable(), "actor", netns_path, comm}, {{theirs.get(), actor_channel}});
  if (!child) return failure(child.error());
  Actor actor(std::move(*child), std::move(ours), comm, failure_sink);
  // The first answer means that the actor is in its namespace and carries its name.
  actor.rename(comm).ok();
  if (failure_sink) return failure(fmt::format("actor {}: {}", comm, failure_sink.what()));
  return actor;
}

bool Actor::give(Request& request, Millis patience) {
  if (*failure_) return false;
  request.timeout_ms = static_cast<uint32_t>(patience.count());
  if (::send(channel_.get(), &request, sizeof request, MSG_NOSIGNAL) == sizeof request) return true;
  failure_->note(fmt::format("actor {} is gone", comm_));
  return false;
}

Call Actor::outcome(const char* what, Millis patience) {
  const std::string name = fmt::format("{}: {}", comm_, what);
  Reply reply{.value = -1, .error = ECANCELED, .reserved = 0, .local = {}, .remote = {}};
  if (*failure_) return Call(*failure_, name, reply);
  const auto until = std::chrono::steady_clock::now() + patience + grace;
  while (!interrupted()) {
    pollfd readable{channel_.get(), POLLIN, 0};
    if (::poll(&readable, 1, 50) > 0) {
      if (::recv(channel_.get(), &reply, sizeof reply, 0) == sizeof reply) return Call(*failure_, name, reply);
      failure_->note(name + ": the actor is gone");
      return Call(*failure_, name, reply);
    }
    if (std::chrono::steady_clock::now() > until) break;
  }
  failure_->note(name + (interrupted() ? ": interrupted" : ": no answer"));
  return Call(*failure_, name, reply);
}

Call Actor::order(const char* what, Request request, Millis patience) {
  give(request, patience);
  return outcome(what, patience);
}

Call Actor::rename(const std::string& comm) {
  comm_ = comm;
  return order("rename", with_text({.op = Op::rename}, comm));
}

Call Actor::socket(const Endpoint& for_address) {
  const bool v6 = for_address.ip.find(':') != std::string::npos;
  return order("socket", {.op = Op::open, .a = v6 ? AF_INET6 : AF_INET});
}

Call Actor::set(int fd, int level, int option, int value) {
  return order("setsockopt", {.op = Op::set_int, .fd = fd, .a = level, .b = option, .c = value});
}

Call Actor::linger(int fd, int seconds) { return order("SO_LINGER", {.op = Op::set_linger, .fd = fd, .a = seconds}); }

Call Actor::bind(int fd, const Endpoint& at) { return order("bind", {.op = Op::bind, .fd = fd, .to = wire(at)}); }

Call Actor::listen(int fd, int backlog) { return order("listen", {.op = Op::listen, .fd = fd, .a = backlog}); }

Call Actor::connect(int fd, const Endpoint& to, Millis patience) {
  return order("connect", {.op = Op::connect, .fd = fd, .to = wire(to)}, patience);
}

Call Actor::connected(int fd, Millis patience) { return order("connect", {.op = Op::connected, .fd = fd}, patience); }

Call Actor::accept(int listener) { return order("accept", {.op = Op::accept, .fd = listener}); }

Call Actor::send(int fd, std::string_view text) {
  return order("send", with_text({.op = Op::send, .fd = fd, .size = text.size()}, text));
}

Call Actor::send_bytes(int fd, uint64_t size, int pieces) {
  return order("send", {.op = Op::send, .fd = fd, .a = pieces, .size = size}, std::chrono::seconds(12));
}

Call Actor::fill(int fd) { return order("send until full", {.op = Op::fill, .fd = fd}); }

Call Actor::receive(int fd, uint64_t size, Millis patience) {
  return order("receive", {.op = Op::receive, .fd = fd, .size = size}, patience);
}

Call Actor::drain(int fd, Millis patience) {
  return order("receive to the end", {.op = Op::drain, .fd = fd}, patience);
}

Call Actor::all_acknowledged(int fd) { return order("wait for acknowledgements", {.op = Op::unacked, .fd = fd}); }

Call Actor::unread(int fd, uint64_t size) {
  return order("wait for unread data", {.op = Op::unread, .fd = fd, .size = size});
}

Call Actor::shutdown(int fd) { return order("shutdown", {.op = Op::shutdown, .fd = fd}); }

Call Actor::close(int fd) { return order("close", {.op = Op::close, .fd = fd}); }

Call Actor::serve_in_child(int listener, const std::string& comm, uint64_t request_size) {
  return order("serve in a child", with_text({.op = Op::serve_in_child, .fd = listener, .size = request_size}, comm));
}

Call Actor::reap(pid_t pid) { return order("wait for the child", {.op = Op::reap, .a = pid}); }

void Actor::begin_drain(int fd, Millis patience) {
  Request request{.op = Op::drain, .fd = fd};
  drain_patience_ = patience;
  give(request, patience);
}

Call Actor::end_drain() { return outcome("receive to the end", drain_patience_); }

void Actor::begin_held_send(int fd, std::string_view text, Millis hold) {
  Request request =
      with_text({.op = Op::send_held, .fd = fd, .a = static_cast<int32_t>(hold.count()), .size = text.size()}, text);
  give(request, hold);
}

Call Actor::end_held_send() { return outcome("held send", std::chrono::seconds(5)); }

void Actor::kill() {
  child_.signal(SIGKILL);
  if (!child_.wait(std::chrono::seconds(5))) failure_->note(comm_ + ": still there after SIGKILL");
}

}  // namespace tcpwitness::lab
