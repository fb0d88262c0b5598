// SPDX-License-Identifier: Apache-2.0
//
// What a script and its actors exchange over a SOCK_SEQPACKET pair: one request, one reply, both of
// fixed size. Nearly every request is one socket call, so a script reads like the program it stands for. Both
// ends are built together; the size is checked all the same, since $TCPWITNESS_LAB may name an older build.

#pragma once

#include <cstdint>
#include <type_traits>

namespace tcpwitness::lab {

// The descriptor an actor finds its script on.
inline constexpr int actor_channel = 3;

enum class Op : uint32_t {
  rename,          // text: the new comm
  open,            // a: AF_INET or AF_INET6 -> descriptor (a TCP socket, non-blocking)
  set_int,         // fd, a: level, b: option, c: value
  set_linger,      // fd, a: seconds
  bind,            // fd, to
  listen,          // fd, a: backlog
  connect,         // fd, to; waits timeout_ms for the answer (0: EINPROGRESS)
  connected,       // fd; waits for a connect() under way
  accept,          // fd -> descriptor
  send,            // fd, size, text repeated, a: how many send() calls it is cut into (0: one) -> bytes
  send_held,       // fd, size, text, a: milliseconds for which its memory is missing -> bytes
  fill,            // fd: sends until the kernel has taken nothing for 300 ms -> bytes
  receive,         // fd, size -> bytes read until size, end of stream or error
  drain,           // fd -> bytes read until end of stream or error
  unacked,         // fd: waits until the peer's kernel has acknowledged everything -> 0
  unread,          // fd, size: waits until that much lies unread -> bytes
  shutdown,        // fd: SHUT_WR
  close,           // fd
  serve_in_child,  // fd: a listener, text: comm; accepts, forks, the child answers one request and closes -> pid
  reap,            // a: pid -> exit status
};

struct WireEndpoint {
  char ip[46]{};
  uint16_t port{};
};

struct Request {
  Op op{};
  int32_t fd = -1;
  int32_t a{};
  int32_t b{};
  int32_t c{};
  uint32_t timeout_ms{};
  uint64_t size{};
  WireEndpoint to{};
  char text[64]{};
};

struct Reply {
  int64_t value{};
  int32_t error{};  // errno; ETIME when the lab's own patience ended first
  uint32_t reserved{};
  WireEndpoint local{};
  WireEndpoint remote{};
};

static_assert(std::is_trivially_copyable_v<Request> && std::is_trivially_copyable_v<Reply>);

}  // namespace tcpwitness::lab
