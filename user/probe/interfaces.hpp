// SPDX-License-Identifier: Apache-2.0
// interfaces.hpp: the network interfaces of the current namespace, and which hook each should get.
//
// The choice is a pure function of facts, so that it can be tested and printed: it must never hurt the
// machine. Why each mode costs what it costs is measured in docs/architecture.md.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "tcpwitness/result.hpp"
#include "values/wire_mode.hpp"

namespace tcpwitness {

enum class LinkLayer : std::uint8_t { ethernet, raw_ip, unsupported };

struct Interface {
  std::string name;
  std::uint32_t index = 0;
  bool up = false;
  bool loopback = false;
  bool ifb = false;  // nothing is sent or received there: what is redirected to it goes back to where it was
  LinkLayer layer = LinkLayer::unsupported;
  std::uint16_t hardware_type = 0;        // ARPHRD_*
  std::array<std::uint8_t, 6> address{};  // Ethernet
  bool operator==(const Interface&) const = default;
};

enum class Ingress : std::uint8_t { none, xdp_native, xdp_generic, tc };

struct IngressChoice {
  Ingress mode = Ingress::none;
  std::string why;
};

[[nodiscard]] LinkLayer link_layer(std::uint16_t hardware_type);  // ARPHRD_*

// Those of this namespace now, by index.
[[nodiscard]] Result<std::vector<Interface>> list_interfaces();
[[nodiscard]] Result<Interface> find_interface(const std::vector<Interface>& all, const std::string& name);

// What `--wire` asks for on this interface; auto takes the cheapest hook that does no harm.
[[nodiscard]] IngressChoice choose_ingress(const Interface& interface, WireMode asked);

}  // namespace tcpwitness
