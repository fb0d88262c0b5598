// SPDX-License-Identifier: Apache-2.0
//
// See converse.hpp. Every call has a time limit: a test that cannot go on fails, and does not hang.

#include "live/converse.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <future>
#include <thread>

#include "lab/unique_fd.hpp"

namespace tcpwitness::live {
namespace {

using lab::Result;
using lab::UniqueFd;

UniqueFd tcp_socket() {
  UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const timeval patience{.tv_sec = 20, .tv_usec = 0};
  const int one = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  return fd;
}

sockaddr_in address(uint32_t host, uint16_t port) {
  sockaddr_in result{};
  result.sin_family = AF_INET;
  result.sin_port = htons(port);
  result.sin_addr.s_addr = htonl(host);
  return result;
}

Result<void> send_all(const UniqueFd& fd, const std::vector<char>& bytes) {
  if (::send(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size())) return {};
  return lab::system_failure("send");
}

Result<void> receive_all(const UniqueFd& fd, size_t size) {
  std::vector<char> bytes(size);
  if (::recv(fd.get(), bytes.data(), size, MSG_WAITALL) == static_cast<ssize_t>(size)) return {};
  return lab::system_failure("recv");
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
  in_addr first{};
  ::inet_pton(AF_INET, what.ip.c_str(), &first);
  for (int i = 0; i < what.connections; ++i) {
    const UniqueFd fd = tcp_socket();
    const auto host = ntohl(first.s_addr) + static_cast<uint32_t>(i % what.addresses);
    sockaddr_in to = address(host, what.port);
    if (::connect(fd.get(), reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) return lab::system_failure("connect");
    sockaddr_in self{};
    socklen_t size = sizeof self;
    ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&self), &size);
    ports.push_back(ntohs(self.sin_port));
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
    listener = tcp_socket();
    sockaddr_in at = address(INADDR_ANY, what.port);
    if (::bind(listener.get(), reinterpret_cast<sockaddr*>(&at), sizeof at) != 0) return lab::system_failure("bind");
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
