// SPDX-License-Identifier: Apache-2.0
//
// A player as its script sees it: a real process in a namespace, whose socket calls are ordered one by one. A
// script therefore reads as the intent, in order, without threads: the handshake happens in the kernels, so
// connect() here returns before accept() there is called.
//
// Failures are sticky. A Call must be asked for what the script expects of it; the first one that went otherwise
// is kept in the script's Failure, and from then on every order returns at once without being given.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "lab/actor_protocol.hpp"
#include "lab/child.hpp"
#include "lab/played.hpp"

namespace tcpwitness::lab {

// The first thing that went wrong in a script; later ones are only consequences.
class Failure {
 public:
  void note(std::string what) {
    if (what_.empty()) what_ = std::move(what);
  }
  explicit operator bool() const { return !what_.empty(); }
  const std::string& what() const { return what_; }

 private:
  std::string what_;
};

// The outcome of one order.
class [[nodiscard]] Call {
 public:
  Call(Failure& failure, std::string what, const Reply& reply)
      : failure_(failure), what_(std::move(what)), reply_(reply) {}

  int64_t ok() const;                  // must have succeeded
  int64_t ok(int64_t expected) const;  // must have given just this
  int fails_with(int error) const;     // must have failed so; gives the error back
  // For calls whose outcome is itself the fact: no expectation.
  int error() const { return reply_.error; }
  int64_t value() const { return reply_.value; }

  Endpoint local() const { return {reply_.local.ip, reply_.local.port}; }
  Endpoint remote() const { return {reply_.remote.ip, reply_.remote.port}; }

 private:
  Failure& failure_;
  std::string what_;
  Reply reply_;
};

class Actor {
 public:
  // Starts `lab actor`. `netns_path` as /run/netns/NAME; `comm` has at most 15 characters.
  static Result<Actor> start(const std::string& netns_path, const std::string& comm, Failure& failure);

  Identity identity() const { return {child_.pid(), comm_}; }
  bool alive() const { return child_.running(); }

  Call rename(const std::string& comm);
  Call socket(const Endpoint& for_address);
  Call set(int fd, int level, int option, int value);
  Call linger(int fd, int seconds);
  Call bind(int fd, const Endpoint& at);
  Call listen(int fd, int backlog);
  Call connect(int fd, const Endpoint& to, Millis patience = std::chrono::seconds(12));
  Call connected(int fd, Millis patience);
  Call accept(int listener);
  Call send(int fd, std::string_view text);
  // In so many send() calls of equal size.
  Call send_bytes(int fd, uint64_t size, int pieces = 1);
  Call fill(int fd);
  Call receive(int fd, uint64_t size, Millis patience = std::chrono::seconds(12));
  Call drain(int fd, Millis patience = std::chrono::seconds(12));
  Call all_acknowledged(int fd);
  Call unread(int fd, uint64_t size);
  Call shutdown(int fd);
  Call close(int fd);
  Call serve_in_child(int listener, const std::string& comm, uint64_t request_size);
  Call reap(pid_t pid);

  // drain() in two halves, so that the other side can act meanwhile.
  void begin_drain(int fd, Millis patience);
  Call end_drain();
  // A send() from memory that only appears after `hold`: until then the kernel keeps the socket locked.
  void begin_held_send(int fd, std::string_view text, Millis hold);
  Call end_held_send();

  // SIGKILL, and wait until the process is gone: its kernel has dealt with its sockets then.
  void kill();

 private:
  Actor(Child child, UniqueFd channel, std::string comm, Failure& failure)
      : child_(std::move(child)), channel_(std::move(channel)), comm_(std::move(comm)), failure_(&failure) {}

  Call order(const char* what, Request request, Millis patience = std::chrono::seconds(5));
  bool give(Request& request, Millis patience);
  Call outcome(const char* what, Millis patience);

  Child child_;
  UniqueFd channel_;
  std::string comm_;
  Failure* failure_;
  Millis drain_patience_{0};
};

}  // namespace tcpwitness::lab
