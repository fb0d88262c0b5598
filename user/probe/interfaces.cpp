// SPDX-License-Identifier: Apache-2.0
#include "probe/interfaces.hpp"

#include <net/if.h>
#include <net/if_arp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

namespace tcpwitness {
namespace {

LinkLayer link_layer(std::uint16_t hardware_type) {
  switch (hardware_type) {
    case ARPHRD_ETHER:
    case ARPHRD_LOOPBACK:
      return LinkLayer::ethernet;
    case ARPHRD_NONE:  // tun, wireguard
    case ARPHRD_PPP:
    case ARPHRD_TUNNEL:
    case ARPHRD_TUNNEL6:
    case ARPHRD_SIT:
    case ARPHRD_IPGRE:
    case 519:  // ARPHRD_RAWIP (4.14)
      return LinkLayer::raw_ip;
    default:
      return LinkLayer::unsupported;
  }
}

struct IfNameIndexFree {
  void operator()(struct if_nameindex* list) const { if_freenameindex(list); }
};

// A socket that only carries interface ioctls.
class ControlSocket {
 public:
  ControlSocket() : fd_(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {}
  ~ControlSocket() {
    if (fd_ >= 0) close(fd_);
  }
  ControlSocket(const ControlSocket&) = delete;
  ControlSocket& operator=(const ControlSocket&) = delete;

  [[nodiscard]] bool ask(unsigned long request, const std::string& name, ifreq& answer) const {
    answer = {};
    std::strncpy(static_cast<char*>(answer.ifr_name), name.c_str(), IFNAMSIZ - 1);
    return ioctl(fd_, request, &answer) == 0;
  }

 private:
  int fd_;
};

Interface describe_interface(const ControlSocket& control, const std::string& name, std::uint32_t index) {
  Interface found{.name = name, .index = index};
  ifreq answer{};
  if (control.ask(SIOCGIFFLAGS, name, answer)) {
    const auto flags = static_cast<unsigned>(answer.ifr_flags);
    found.up = (flags & IFF_UP) != 0;
    found.loopback = (flags & IFF_LOOPBACK) != 0;
  }
  if (control.ask(SIOCGIFHWADDR, name, answer)) {
    found.hardware_type = answer.ifr_hwaddr.sa_family;
    found.layer = link_layer(found.hardware_type);
  }
  return found;
}

}  // namespace

std::vector<Interface> list_interfaces() {
  std::vector<Interface> found;
  const std::unique_ptr<struct if_nameindex, IfNameIndexFree> list(if_nameindex());
  const ControlSocket control;
  for (const auto* entry = list.get(); entry != nullptr && entry->if_index != 0; entry++)
    found.push_back(describe_interface(control, entry->if_name, entry->if_index));
  return found;
}

Result<Interface> find_interface(const std::string& name) {
  const std::uint32_t index = if_nametoindex(name.c_str());
  if (index == 0) {
    std::string known;
    for (const auto& interface : list_interfaces()) known += (known.empty() ? "" : ", ") + interface.name;
    return failure("trace interface " + name, "there is no interface of that name in this network namespace",
                   "there are: " + known);
  }
  auto found = describe_interface(ControlSocket(), name, index);
  if (found.layer == LinkLayer::unsupported)
    return failure(
        "trace interface " + name,
        "its link layer (ARPHRD " + std::to_string(found.hardware_type) + ") is neither Ethernet nor plain IP", "");
  return found;
}

IngressChoice choose_ingress(const Interface& interface, WireMode asked) {
  switch (asked) {
    case WireMode::none:
      return {Ingress::none, "asked for"};
    case WireMode::tc:
      return {Ingress::tc, "asked for"};
    case WireMode::xdp_native:
      return {Ingress::xdp_native, "asked for"};
    case WireMode::xdp_generic:
    case WireMode::xdp:
      return {Ingress::xdp_generic, "asked for"};
    case WireMode::automatic:
      break;
  }
  if (interface.loopback) return {Ingress::tc, "XDP on loopback copies every segment"};
  return {Ingress::tc, "XDP would switch off LRO and copy merged segments"};
}

}  // namespace tcpwitness
