// SPDX-License-Identifier: Apache-2.0
// kernel_questions.hpp: what is asked of the kernel about single connections while a run goes on.
#pragma once

#include <cstdint>
#include <optional>

#include "tcpwitness/address.hpp"

namespace tcpwitness {

// Of a namespace: the local ports first to last, towards one destination.
struct PortsQuestion {
  std::uint32_t netns = 0;
  Endpoint remote;
  std::uint16_t first = 0;
  std::uint16_t last = 0;
  bool operator==(const PortsQuestion&) const = default;
};

// One hop of a forwarded connection that is over. With fewer segments, or with a SYN of another number, its flow is
// another connection's by now.
struct FlowToDelete {
  Flow key;
  std::uint64_t segments = 0;
  std::optional<std::uint32_t> isn_in{};  // of what came in on this hop
  std::optional<std::uint32_t> isn_out{};
};

}  // namespace tcpwitness
