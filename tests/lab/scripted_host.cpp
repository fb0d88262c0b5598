// SPDX-License-Identifier: Apache-2.0
//
// Out through a raw socket, in through a packet socket, both opened inside the namespace. See scripted_host.hpp.

#include "lab/scripted_host.hpp"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>

namespace tcpwitness::lab {
namespace {

// What is for this host alone: beside other traffic the socket's buffer would overflow, and an answer be lost in it.
// The packets of a SOCK_DGRAM socket begin with the IP header.
bool hear_only(int packet_socket, const char* ip, uint16_t port) {
  in_addr address{};
  ::inet_pton(AF_INET, ip, &address);
  std::array<sock_filter, 7> program{{
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 16),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ntohl(address.s_addr), 0, 4),
      BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0),
      BPF_STMT(BPF_LD | BPF_H | BPF_IND, 2),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, port, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, 0xffffffff),
      BPF_STMT(BPF_RET | BPF_K, 0),
  }};
  const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
  return ::setsockopt(packet_socket, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) == 0;
}

}  // namespace

Result<ScriptedHost> ScriptedHost::beside(const Lab& lab, Side side, uint16_t port, Failure& failure_sink) {
  UniqueFd in, out;
  const char* ip = side == Side::client ? scripted_client_ip : scripted_server_ip;
  auto opened = lab.host(side).inside([&]() -> Result<void> {
    in = UniqueFd(::socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, htons(ETH_P_IP)));
    out = UniqueFd(::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW));
    if (!in || !out) return system_failure("raw socket for a scripted host");
    if (!hear_only(in.get(), ip, port)) return system_failure("filter of a scripted host");
    sockaddr_ll link{};
    link.sll_family = AF_PACKET;
    link.sll_protocol = htons(ETH_P_IP);
    link.sll_ifindex = static_cast<int>(::if_nametoindex(side == Side::client ? client_link : server_link));
    const int on = 1;
    ::setsockopt(in.get(), SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on);
    if (::bind(in.get(), reinterpret_cast<sockaddr*>(&link), sizeof link) != 0)
      return system_failure("bind packet socket");
    return {};
  });
  if (!opened) return failure(opened.error());
  return ScriptedHost(std::move(in), std::move(out), {ip, port}, failure_sink);
}

void ScriptedHost::say(std::string_view flags, uint32_t seq, uint32_t ack, std::string_view data, const Oddity& odd) {
  if (*failure_) return;
  const bool acknowledges = flags.find('A') != std::string_view::npos;
  if (timestamps_) ++timestamps_->value;
  std::optional<Timestamps> timestamps = timestamps_;
  if (timestamps) timestamps->value -= odd.older_by;
  const std::vector<uint8_t> packet = build({.src_ip = self_.ip,
                                             .dst_ip = peer_.ip,
                                             .src_port = self_.port,
                                             .dst_port = peer_.port,
                                             .seq = our_isn_ + seq,
                                             .ack = acknowledges ? their_isn_ + ack : 0,
                                             .flags = std::string(flags),
                                             .window = odd.window,
                                             .data = std::string(data),
                                             .timestamps = timestamps,
                                             .damaged = odd.damaged});
  sockaddr_in to{};
  to.sin_family = AF_INET;
  ::inet_pton(AF_INET, peer_.ip.c_str(), &to.sin_addr);
  if (::sendto(out_.get(), packet.data(), packet.size(), 0, reinterpret_cast<sockaddr*>(&to), sizeof to) < 0) {
    failure_->note(fmt::format("scripted host: cannot say {}: {}", flags, std::strerror(errno)));
  }
}

Segment ScriptedHost::hear(std::string_view flags, Millis patience) { return expect(flags, patience, false); }

Segment ScriptedHost::hear_again(std::string_view flags, Millis patience) { return expect(flags, patience, true); }

std::optional<Segment> ScriptedHost::next(Millis patience) {
  const auto until = std::chrono::steady_clock::now() + patience;
  std::array<uint8_t, 2048> buffer;
  while (!interrupted()) {
    const ssize_t size = ::recv(in_.get(), buffer.data(), buffer.size(), 0);
    if (size < 0) {
      if (std::chrono::steady_clock::now() > until) return std::nullopt;
      pollfd readable{in_.get(), POLLIN, 0};
      ::poll(&readable, 1, 20);
      continue;
    }
    auto segment = parse({buffer.data(), static_cast<size_t>(size)});
    if (!segment || segment->dst_ip != self_.ip || segment->dst_port != self_.port) continue;
    if (!peer_.ip.empty() && (segment->src_ip != peer_.ip || segment->src_port != peer_.port)) continue;
    return segment;
  }
  return std::nullopt;
}

Segment ScriptedHost::expect(std::string_view flags, Millis patience, bool repeats_count) {
  while (!*failure_) {
    auto received = next(patience);
    if (!received) {
      failure_->note(fmt::format("scripted host: expected {}, received nothing", flags));
      break;
    }
    if (received->flags.find('S') != std::string::npos) {
      their_isn_ = received->seq;
      peer_ = {received->src_ip, received->src_port};
    }
    if (timestamps_ && received->timestamps) timestamps_->echo = received->timestamps->value;
    received->seq -= their_isn_;
    if (received->flags.find('A') != std::string::npos) received->ack -= our_isn_;
    const bool repeated = received->flags == last_.flags && received->seq == last_.seq && received->ack == last_.ack;
    if (repeated && !repeats_count) continue;
    last_ = *received;
    if (received->flags != flags) {
      failure_->note(fmt::format("scripted host: expected {}, received {} seq {} ack {}", flags, received->flags,
                                 received->seq, received->ack));
    }
    return *received;
  }
  return {};
}

}  // namespace tcpwitness::lab
