// SPDX-License-Identifier: Apache-2.0
// icmp.hpp: an ICMP error about a segment, as a value.
#pragma once

#include <cstdint>
#include <string_view>

#include "tcpwitness/address.hpp"
#include "tcpwitness/event.hpp"

namespace tcpwitness {

// An ICMP message that quotes a segment of the connection.
struct IcmpMessage {
  int error = 0;  // the errno that it stands for; 0: there is no message
  std::uint8_t type = 0;
  std::uint8_t code = 0;
  bool v6 = false;  // ICMPv6: its types and codes are others
  bool own =
      false;  // this machine sent it to itself: nobody answers for the next hop's address, or its firewall refuses
  Address sender;
  explicit operator bool() const { return error != 0; }
};
[[nodiscard]] std::string_view name(const IcmpMessage& icmp);  // "host unreachable"
[[nodiscard]] IcmpMessage icmp_message(const IcmpSeen& seen);

}  // namespace tcpwitness
