// SPDX-License-Identifier: Apache-2.0
//
// See converse.hpp. Every call has a time limit: a test that cannot go on fails, and does not hang.

#include "live/converse.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <chrono>
#include <future>
#include <thread>

#include "lab/unique_fd.hpp"

namespace tcpwitness::live {
namespace {

using lab::Result;
using lab::UniqueFd;

UniqueFd stream_socket(int family, int protocol) {
  UniqueFd fd(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, protocol));
  const timeval patience{.tv_sec = 20, .tv_usec = 0};
  const int one = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  return fd;
}

// Of either family; "" is any address.
struct Place {
  sockaddr_in6 six{};
  sockaddr_in four{};
  bool is_six = false;

  Place(const std::string& ip, uint16_t port, bool of_six) : is_six(of_six) {
    six.sin6_family = AF_INET6;
    six.sin6_port = htons(port);
    four.sin_family = AF_INET;
    four.sin_port = htons(port);
    if (!ip.empty()) {
      is_six ? ::inet_pton(AF_INET6, ip.c_str(), &six.sin6_addr) : ::inet_pton(AF_INET, ip.c_str(), &four.sin_addr);
    }
  }
  const sockaddr* at() const {
    return is_six ? reinterpret_cast<const sockaddr*>(&six) : reinterpret_cast<const sockaddr*>(&four);
  }
  socklen_t size() const { return is_six ? sizeof six : sizeof four; }
};

bool is_six(const Conversation& what) { return what.ip.find(':') != std::string::npos; }

Result<void> send_all(const UniqueFd& fd, const std::vector<char>& bytes) {
  if (::send(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size())) return {};
  return lab::system_failure("send");
}

Result<void> receive_all(const UniqueFd& fd, size_t size) {
  std::vector<char> bytes(size);
  if (::recv(fd.get(), bytes.data(), size, MSG_WAITALL) == static_cast<ssize_t>(size)) return {};
  return lab::system_failure("recv");
}

// A process that another thread starts keeps our former listener until it has become its program.
Result<void> bind_when_free(const UniqueFd& listener, const Place& at) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (::bind(listener.get(), at.at(), at.size()) != 0) {
    if (errno != EADDRINUSE || std::chrono::steady_clock::now() >= until) return lab::system_failure("bind");
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return {};
}

Result<void> serve(const UniqueFd& listener, const Conversation& what) {
  const std::vector<char> response(what.response, 'r');
  for (int i = 0; i < what.connections; ++i) {
    const UniqueFd fd(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!fd) return lab::system_failure("accept");
    if (auto got = receive_all(fd, what.request); !got) return got;
    if (auto sent = send_all(fd, response); !sent) return sent;
    char byte = 0;
    if (::recv(fd.get(), &byte, 1, 0) != 0) return lab::system_failure("recv of the end");
  }
  return {};
}

Result<void> ask(const Conversation& what, std::vector<uint16_t>& ports) {
  const std::vector<char> request(what.request, 'q');
  const bool six = is_six(what);
  for (int i = 0; i < what.connections; ++i) {
    const UniqueFd fd = stream_socket(six ? AF_INET6 : AF_INET, what.protocol);
    const Place self(what.from, 0, six);
    if (!what.from.empty() && ::bind(fd.get(), self.at(), self.size()) != 0) return lab::system_failure("bind");
    Place to(what.ip, what.port, six);
    to.four.sin_addr.s_addr = htonl(ntohl(to.four.sin_addr.s_addr) + static_cast<uint32_t>(i % what.addresses));
    if (::connect(fd.get(), to.at(), to.size()) != 0) return lab::system_failure("connect");
    sockaddr_storage own{};
    socklen_t size = sizeof own;
    ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&own), &size);
    ports.push_back(ntohs(reinterpret_cast<const sockaddr_in*>(&own)->sin_port));  // at one place in both families
    if (auto sent = send_all(fd, request); !sent) return sent;
    if (auto got = receive_all(fd, what.response); !got) return got;
  }
  return {};
}

}  // namespace

Result<std::vector<uint16_t>> converse(const lab::Namespace& client, const lab::Namespace& server,
                                       const Conversation& what) {
  UniqueFd listener;
  auto listening = server.inside([&]() -> Result<void> {
    listener = stream_socket(is_six(what) ? AF_INET6 : AF_INET, what.protocol);
    const Place at("", what.listens_on != 0 ? what.listens_on : what.port, is_six(what));
    if (auto bound = bind_when_free(listener, at); !bound) return bound;
    if (::listen(listener.get(), 128) != 0) return lab::system_failure("listen");
    return {};
  });
  if (!listening) return lab::failure(listening.error());
  auto served = std::async(std::launch::async, [&] { return serve(listener, what); });
  std::vector<uint16_t> ports;
  auto asked = client.inside([&] { return ask(what, ports); });
  auto done = served.get();
  if (!asked) return lab::failure("client: " + asked.error());
  if (!done) return lab::failure("server: " + done.error());
  return ports;
}

}  // namespace tcpwitness::live
