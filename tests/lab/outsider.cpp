// SPDX-License-Identifier: Apache-2.0
//
// Reads along on the client's side of the third machine; what it sends is routed like everything else. See
// outsider.hpp.

#include "lab/outsider.hpp"

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>

namespace tcpwitness::lab {

Result<Outsider> Outsider::on(const Lab& lab, Failure& failure_sink) {
  if (lab.third_machine() == nullptr) return failure("there is no third machine in this cable");
  UniqueFd in, out;
  auto opened = lab.third_machine()->inside([&]() -> Result<void> {
    in = UniqueFd(::socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, htons(ETH_P_IP)));
    out = UniqueFd(::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW));
    if (!in || !out) return system_failure("raw socket for an outsider");
    // Outgoing copies only come to a socket of every protocol; so it receives the client's at the client's end, and the
    // server at the server's: all that arrives at this machine.
    return {};
  });
  if (!opened) return failure(opened.error());
  return Outsider(std::move(in), std::move(out), failure_sink);
}

Segment Outsider::overhear(const Endpoint& from, std::string_view flags, Millis patience) {
  const auto until = std::chrono::steady_clock::now() + patience;
  std::array<uint8_t, 2048> buffer;
  while (!*failure_ && !interrupted()) {
    const ssize_t size = ::recv(in_.get(), buffer.data(), buffer.size(), 0);
    if (size < 0) {
      if (std::chrono::steady_clock::now() > until) {
        failure_->note(fmt::format("outsider: {} from {} did not pass", flags, to_string(from)));
        break;
      }
      pollfd readable{in_.get(), POLLIN, 0};
      ::poll(&readable, 1, 20);
      continue;
    }
    auto segment = parse({buffer.data(), static_cast<size_t>(size)});
    if (segment && segment->src_ip == from.ip && segment->src_port == from.port && segment->flags == flags)
      return *segment;
  }
  return {};
}

void Outsider::say(const Segment& segment) {
  if (*failure_) return;
  const std::vector<uint8_t> packet = build(segment);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  ::inet_pton(AF_INET, segment.dst_ip.c_str(), &to.sin_addr);
  if (::sendto(out_.get(), packet.data(), packet.size(), 0, reinterpret_cast<sockaddr*>(&to), sizeof to) < 0) {
    failure_->note(fmt::format("outsider: cannot say {}: {}", segment.flags, std::strerror(errno)));
  }
}

}  // namespace tcpwitness::lab
