// SPDX-License-Identifier: Apache-2.0
// tcp.cpp: the kernel's names of TCP states (include/net/tcp_states.h).
#include "tcpwitness/tcp.hpp"

#include <array>

namespace tcpwitness {

std::string_view name(TcpState state) {
  static constexpr std::array<std::string_view, 13> names = {
      "UNKNOWN", "ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT1", "FIN_WAIT2",   "TIME_WAIT",
      "CLOSE",   "CLOSE_WAIT",  "LAST_ACK", "LISTEN",   "CLOSING",   "NEW_SYN_RECV"};
  const auto index = static_cast<std::size_t>(state);
  return index < names.size() ? names[index] : names[0];
}

}  // namespace tcpwitness
