// SPDX-License-Identifier: Apache-2.0
#include "probe/icmp.hpp"

#include <linux/icmp.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "tcpwitness/result.hpp"

namespace tcpwitness {
namespace {

constexpr int sol_raw = 255;  // SOL_RAW

// Echo requests and their like are not even copied for the socket.
bool errors_only(int fd, int family) {
  if (family == AF_INET) {
    icmp_filter blocked{};
    blocked.data = ~((1U << ICMP_DEST_UNREACH) | (1U << ICMP_TIME_EXCEEDED) | (1U << ICMP_PARAMETERPROB));
    return setsockopt(fd, sol_raw, ICMP_FILTER, &blocked, sizeof blocked) == 0;
  }
  icmp6_filter wanted{};
  ICMP6_FILTER_SETBLOCKALL(&wanted);
  for (const int type : {ICMP6_DST_UNREACH, ICMP6_PACKET_TOO_BIG, ICMP6_TIME_EXCEEDED, ICMP6_PARAM_PROB})
    ICMP6_FILTER_SETPASS(type, &wanted);
  return setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &wanted, sizeof wanted) == 0;
}

Result<UniqueFd> open_socket(int family, int program) {
  UniqueFd fd(socket(family, SOCK_RAW | SOCK_CLOEXEC, family == AF_INET ? int{IPPROTO_ICMP} : int{IPPROTO_ICMPV6}));
  if (!fd.valid()) return failure("open a raw socket", std::strerror(errno));
  if (setsockopt(fd.get(), SOL_SOCKET, SO_ATTACH_BPF, &program, sizeof program) != 0)
    return failure("attach its filter", std::strerror(errno));
  if (!errors_only(fd.get(), family)) return failure("choose its messages", std::strerror(errno));
  return fd;
}

}  // namespace

std::vector<Hook> IcmpSockets::attach(int program_v4, int program_v6) {
  std::vector<Hook> hooks;
  const auto one = [&](UniqueFd& socket, int family, int program, std::string name, std::string target) {
    Hook hook{.name = std::move(name), .target = std::move(target), .mode = "socket filter", .why = ""};
    auto opened = open_socket(family, program);
    if (opened) {
      socket = std::move(*opened);
    } else {
      hook.mode = "off";
      hook.why = "ICMP messages are not seen: " + opened.error().message();
    }
    hooks.push_back(std::move(hook));
  };
  one(v4_, AF_INET, program_v4, "icmp_v4", "ICMP");
  one(v6_, AF_INET6, program_v6, "icmp_v6", "ICMPv6");
  return hooks;
}

void IcmpSockets::detach() {
  v4_.reset();
  v6_.reset();
}

}  // namespace tcpwitness
