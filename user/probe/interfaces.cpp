// SPDX-License-Identifier: Apache-2.0
#include "probe/interfaces.hpp"

#include <net/if_arp.h>

#include <algorithm>
#include <ranges>

#include "probe/links.hpp"

namespace tcpwitness {

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

Result<std::vector<Interface>> list_interfaces() {
  const auto links = Links::open();
  if (!links) return std::unexpected(links.error());
  std::vector<Interface> found;
  for (const auto& [index, interface] : (*links)->all()) found.push_back(interface);
  return found;
}

Result<Interface> find_interface(const std::vector<Interface>& all, const std::string& name) {
  const auto found = std::ranges::find(all, name, &Interface::name);
  if (found == all.end()) {
    std::string known;
    for (const auto& interface : all) known += (known.empty() ? "" : ", ") + interface.name;
    return failure("trace interface " + name, "there is no interface of that name in this network namespace",
                   "there are: " + known);
  }
  if (found->layer == LinkLayer::unsupported)
    return failure(
        "trace interface " + name,
        "its link layer (ARPHRD " + std::to_string(found->hardware_type) + ") is neither Ethernet nor plain IP", "");
  if (found->ifb)
    return failure("trace interface " + name,
                   "it is an ifb: what is redirected to it comes in, or leaves, by another interface",
                   "trace that one");
  return *found;
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
