// SPDX-License-Identifier: Apache-2.0
#include "facts/retransmissions.hpp"

namespace tcpwitness {

std::string_view words(RetransmitKind kind) {
  static constexpr std::array<std::string_view, retransmit_kind_count> text = {
      "SYN", "SYN-ACK", "fast", "RTO", "zero-window RTO", "loss recovery", "tail-loss probe", "path MTU", "unknown"};
  return text[static_cast<std::size_t>(kind)];
}

}  // namespace tcpwitness
