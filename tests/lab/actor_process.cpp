// SPDX-License-Identifier: Apache-2.0
//
// One function for each request, each nearly one socket call. Sockets are non-blocking and every wait is a poll()
// with the request's own time limit, so an actor can never hang. See actor_process.hpp.

#include "lab/actor_process.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <linux/userfaultfd.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "lab/actor_protocol.hpp"

namespace tcpwitness::lab {
namespace {

using Clock = std::chrono::steady_clock;

Reply errno_reply(int error = errno) { return {.value = -1, .error = error}; }
Reply value_reply(int64_t value) { return {.value = value}; }
Reply call_reply(int result) { return result < 0 ? errno_reply() : value_reply(result); }

Clock::time_point deadline(const Request& request) {
  return Clock::now() + std::chrono::milliseconds(request.timeout_ms);
}

// 0, or ETIME. An error condition on the socket counts as ready: the call that follows will report it.
int wait_for(int fd, short events, Clock::time_point until) {
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now()).count();
    pollfd ready{fd, events, 0};
    const int count = ::poll(&ready, 1, left > 0 ? static_cast<int>(left) : 0);
    if (count > 0) return 0;
    if (count == 0) return ETIME;
    if (errno != EINTR) return errno;
  }
}

socklen_t to_sockaddr(const WireEndpoint& from, sockaddr_storage& to) {
  std::memset(&to, 0, sizeof to);
  auto& v4 = reinterpret_cast<sockaddr_in&>(to);
  if (::inet_pton(AF_INET, from.ip, &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(from.port);
    return sizeof v4;
  }
  auto& v6 = reinterpret_cast<sockaddr_in6&>(to);
  ::inet_pton(AF_INET6, from.ip, &v6.sin6_addr);
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(from.port);
  return sizeof v6;
}

WireEndpoint from_sockaddr(const sockaddr_storage& from) {
  WireEndpoint to{};
  if (from.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(from);
    ::inet_ntop(AF_INET, &v4.sin_addr, to.ip, sizeof to.ip);
    to.port = ntohs(v4.sin_port);
  } else if (from.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(from);
    const bool mapped = IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr);
    if (mapped) {
      ::inet_ntop(AF_INET, &v6.sin6_addr.s6_addr32[3], to.ip, sizeof to.ip);
    } else {
      ::inet_ntop(AF_INET6, &v6.sin6_addr, to.ip, sizeof to.ip);
    }
    to.port = ntohs(v6.sin6_port);
  }
  return to;
}

Reply with_ends(Reply reply, int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0) reply.local = from_sockaddr(address);
  size = sizeof address;
  if (::getpeername(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0) reply.remote = from_sockaddr(address);
  return reply;
}

Reply open_socket(const Request& request) {
  return call_reply(::socket(request.a, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

Reply set_int(const Request& request) {
  return call_reply(::setsockopt(request.fd, request.a, request.b, &request.c, sizeof request.c));
}

Reply set_linger(const Request& request) {
  const linger value{1, request.a};
  return call_reply(::setsockopt(request.fd, SOL_SOCKET, SO_LINGER, &value, sizeof value));
}

Reply bind_to(const Request& request) {
  sockaddr_storage address;
  const socklen_t size = to_sockaddr(request.to, address);
  return call_reply(::bind(request.fd, reinterpret_cast<sockaddr*>(&address), size));
}

Reply await_connected(const Request& request) {
  if (const int error = wait_for(request.fd, POLLOUT, deadline(request)))
    return with_ends(errno_reply(error), request.fd);
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(request.fd, SOL_SOCKET, SO_ERROR, &error, &size);
  return with_ends(error ? errno_reply(error) : value_reply(0), request.fd);
}

Reply connect_to(const Request& request) {
  sockaddr_storage address;
  const socklen_t size = to_sockaddr(request.to, address);
  if (::connect(request.fd, reinterpret_cast<sockaddr*>(&address), size) == 0)
    return with_ends(value_reply(0), request.fd);
  if (errno != EINPROGRESS || request.timeout_ms == 0) return with_ends(errno_reply(), request.fd);
  return await_connected(request);
}

Reply accept_from(const Request& request) {
  if (const int error = wait_for(request.fd, POLLIN, deadline(request))) return errno_reply(error);
  const int fd = ::accept4(request.fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  return fd < 0 ? errno_reply() : with_ends(value_reply(fd), fd);
}

std::string repeated(const char* text, uint64_t size) {
  const std::string once = *text ? text : "The quick brown fox jumps over the lazy dog. 0123456789\n";
  std::string out;
  while (out.size() < size) out += once;
  out.resize(size);
  return out;
}

Reply send_bytes(const Request& request) {
  const std::string block = repeated(request.text, std::min<uint64_t>(request.size, 1 << 20));
  const uint64_t piece = request.a > 1 ? request.size / static_cast<uint64_t>(request.a) : request.size;
  const auto until = deadline(request);
  uint64_t sent = 0;
  while (sent < request.size) {
    const size_t offset = sent % block.size();
    const size_t count = std::min<uint64_t>({block.size() - offset, piece, request.size - sent});
    const ssize_t done = ::send(request.fd, block.data() + offset, count, MSG_NOSIGNAL);
    if (done >= 0) {
      sent += static_cast<uint64_t>(done);
      continue;
    }
    int error = errno;
    if (error == EAGAIN) error = wait_for(request.fd, POLLOUT, until);
    if (error != 0) return {.value = static_cast<int64_t>(sent), .error = error};
  }
  return value_reply(static_cast<int64_t>(sent));
}

// userfaultfd: the page that send() copies from appears on our order. If anything fails, it is there at once.
Reply send_held(const Request& request) {
  const size_t page = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
  const auto faults = static_cast<int>(::syscall(SYS_userfaultfd, O_CLOEXEC));
  if (faults < 0) return errno_reply();
  void* memory = ::mmap(nullptr, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  uffdio_api api{};
  api.api = UFFD_API;
  uffdio_register watched{};
  watched.range = {reinterpret_cast<uint64_t>(memory), page};
  watched.mode = UFFDIO_REGISTER_MODE_MISSING;
  Reply reply;
  if (memory == MAP_FAILED || ::ioctl(faults, UFFDIO_API, &api) != 0 ||
      ::ioctl(faults, UFFDIO_REGISTER, &watched) != 0) {
    reply = errno_reply();
  } else {
    std::thread provider([&] {
      const std::string text = repeated(request.text, page);
      ::usleep(static_cast<useconds_t>(request.a) * 1000);
      uffdio_copy copy{};
      copy.dst = watched.range.start;
      copy.src = reinterpret_cast<uint64_t>(text.data());
      copy.len = page;
      ::ioctl(faults, UFFDIO_COPY, &copy);
    });
    reply =
        call_reply(static_cast<int>(::send(request.fd, memory, std::min<size_t>(request.size, page), MSG_NOSIGNAL)));
    provider.join();
  }
  if (memory != MAP_FAILED) ::munmap(memory, page);
  ::close(faults);
  return reply;
}

Reply fill(const Request& request) {
  const std::string block = repeated(request.text, 16 << 10);
  int64_t sent = 0;
  for (;;) {
    const ssize_t done = ::send(request.fd, block.data(), block.size(), MSG_NOSIGNAL);
    if (done >= 0) {
      sent += done;
      continue;
    }
    if (errno != EAGAIN) return {.value = sent, .error = errno};
    if (wait_for(request.fd, POLLOUT, Clock::now() + std::chrono::milliseconds(300)) == ETIME) return value_reply(sent);
  }
}

// Reads until `wanted` bytes, end of stream or error.
Reply read_bytes(const Request& request, uint64_t wanted) {
  std::vector<char> buffer(1 << 18);
  const auto until = deadline(request);
  uint64_t got = 0;
  while (got < wanted) {
    const size_t room = std::min<uint64_t>(buffer.size(), wanted - got);
    if (const int error = wait_for(request.fd, POLLIN, until))
      return {.value = static_cast<int64_t>(got), .error = error};
    const ssize_t count = ::recv(request.fd, buffer.data(), room, 0);
    if (count == 0) break;
    if (count < 0 && errno != EAGAIN) return {.value = static_cast<int64_t>(got), .error = errno};
    if (count > 0) got += static_cast<uint64_t>(count);
  }
  return value_reply(static_cast<int64_t>(got));
}

// Neither fact has an event to wait for without reading, so both are asked for every millisecond.
Reply ask_until(const Request& request, unsigned long question, bool (*enough)(int value, uint64_t size)) {
  const auto until = deadline(request);
  for (;;) {
    int value = 0;
    if (::ioctl(request.fd, question, &value) < 0) return errno_reply();
    if (enough(value, request.size)) return value_reply(value);
    if (Clock::now() > until) return {.value = value, .error = ETIME};
    ::usleep(1000);
  }
}

[[noreturn]] void serve_one(int fd, const char* comm, const Request& request) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::prctl(PR_SET_NAME, comm);
  ::close(actor_channel);
  ::close(request.fd);
  Request io = request;
  io.fd = fd;
  const Reply received = read_bytes(io, request.size);
  std::strcpy(io.text, "served by a child\n");
  io.size = std::strlen(io.text);
  const Reply said = send_bytes(io);
  ::close(fd);
  ::_exit(received.error == 0 && said.error == 0 ? 0 : 1);
}

Reply serve_in_child(const Request& request) {
  Reply accepted = accept_from(request);
  if (accepted.error) return accepted;
  const int fd = static_cast<int>(accepted.value);
  const pid_t pid = ::fork();
  if (pid == 0) serve_one(fd, request.text, request);
  ::close(fd);
  accepted.value = pid;
  return pid < 0 ? errno_reply() : accepted;
}

Reply reap(const Request& request) {
  const auto until = deadline(request);
  for (;;) {
    int status = 0;
    const pid_t pid = ::waitpid(request.a, &status, WNOHANG);
    if (pid < 0) return errno_reply();
    if (pid > 0) return value_reply(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    if (Clock::now() > until) return errno_reply(ETIME);
    ::usleep(1000);
  }
}

Reply perform(const Request& request) {
  switch (request.op) {
    case Op::rename:
      return call_reply(::prctl(PR_SET_NAME, request.text));
    case Op::open:
      return open_socket(request);
    case Op::set_int:
      return set_int(request);
    case Op::set_linger:
      return set_linger(request);
    case Op::bind:
      return bind_to(request);
    case Op::listen:
      return with_ends(call_reply(::listen(request.fd, request.a)), request.fd);
    case Op::connect:
      return connect_to(request);
    case Op::connected:
      return await_connected(request);
    case Op::accept:
      return accept_from(request);
    case Op::send:
      return send_bytes(request);
    case Op::send_held:
      return send_held(request);
    case Op::fill:
      return fill(request);
    case Op::receive:
      return read_bytes(request, request.size);
    case Op::drain:
      return read_bytes(request, UINT64_MAX);
    case Op::unacked:
      return ask_until(request, SIOCOUTQ, [](int value, uint64_t) { return value == 0; });
    case Op::unread:
      return ask_until(request, FIONREAD, [](int value, uint64_t size) { return value >= static_cast<int64_t>(size); });
    case Op::shutdown:
      return call_reply(::shutdown(request.fd, SHUT_WR));
    case Op::close:
      return call_reply(::close(request.fd));
    case Op::serve_in_child:
      return serve_in_child(request);
    case Op::reap:
      return reap(request);
  }
  return errno_reply(ENOSYS);
}

}  // namespace

int run_actor(const char* netns_path, const char* comm) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::prctl(PR_SET_NAME, comm);
  // Ctrl-C reaches the whole process group; only the script may end an actor.
  ::signal(SIGINT, SIG_IGN);
  const int netns = ::open(netns_path, O_RDONLY | O_CLOEXEC);
  if (netns < 0 || ::setns(netns, CLONE_NEWNET) != 0) {
    std::perror(netns_path);
    return 1;
  }
  ::close(netns);
  ::fcntl(actor_channel, F_SETFD, FD_CLOEXEC);
  for (;;) {
    Request request;
    const ssize_t size = ::recv(actor_channel, &request, sizeof request, 0);
    if (size == 0) return 0;
    if (size < 0 && errno == EINTR) continue;
    if (size != sizeof request) return 1;
    const Reply reply = perform(request);
    if (::send(actor_channel, &reply, sizeof reply, MSG_NOSIGNAL) != sizeof reply) return 1;
  }
}

}  // namespace tcpwitness::lab
