// SPDX-License-Identifier: Apache-2.0
// pingpong.cpp: one long connection over loopback on which a few bytes go there and back, as between a redis client and
// its server.
//
//   tw_pingpong ROUND_TRIPS [BYTES]
//
// Client and server are two threads with Nagle's algorithm off. Prints one line of names and values: how long a round
// trip took, in the middle and at the 99th percentile.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string_view>
#include <thread>
#include <vector>

namespace {

constexpr std::size_t most_round_trips = 100'000'000;
constexpr std::size_t most_bytes = 1 << 16;

// 0: not a number from 1 to most.
std::size_t number(std::string_view text, std::size_t most) {
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value > most) return 0;
  return value;
}

int tcp_socket() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

bool send_all(int fd, const std::vector<char>& buffer) {
  return ::send(fd, buffer.data(), buffer.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(buffer.size());
}

bool receive_all(int fd, std::vector<char>& buffer) {
  return ::recv(fd, buffer.data(), buffer.size(), MSG_WAITALL) == static_cast<ssize_t>(buffer.size());
}

void serve(int listener, std::size_t bytes) {
  const int fd = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);  // TCP_NODELAY is the listener's
  std::vector<char> buffer(bytes);
  while (receive_all(fd, buffer) && send_all(fd, buffer)) {
  }
  ::close(fd);
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t round_trips = argc > 1 ? number(argv[1], most_round_trips) : 0;
  const std::size_t bytes = argc > 2 ? number(argv[2], most_bytes) : 100;
  if (round_trips == 0 || bytes == 0 || argc > 3) {
    std::fprintf(stderr, "usage: tw_pingpong ROUND_TRIPS [BYTES] (bytes: 1 to %zu)\n", most_bytes);
    return 2;
  }
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof where;
  auto* const address = reinterpret_cast<sockaddr*>(&where);
  const int listener = tcp_socket();
  if (::bind(listener, address, size) != 0 || ::listen(listener, 1) != 0 ||
      ::getsockname(listener, address, &size) != 0) {
    std::perror("tw_pingpong: listen");
    return 1;
  }
  const std::jthread server(serve, listener, bytes);
  const int fd = tcp_socket();
  if (::connect(fd, address, size) != 0) {
    std::perror("tw_pingpong: connect");
    return 1;
  }

  std::vector<char> buffer(bytes);
  std::vector<std::int64_t> took_ns(round_trips);
  bool ok = true;
  for (auto& ns : took_ns) {
    const auto start = std::chrono::steady_clock::now();
    ok = ok && send_all(fd, buffer) && receive_all(fd, buffer);
    ns = (std::chrono::steady_clock::now() - start).count();
  }
  ::close(fd);
  std::ranges::sort(took_ns);
  const auto at = [&](std::size_t percent) {
    return static_cast<double>(took_ns[(took_ns.size() - 1) * percent / 100]) / 1000;
  };
  std::printf("round_trips %zu p50_us %.2f p99_us %.2f\n", round_trips, at(50), at(99));
  return ok ? 0 : 1;
}
