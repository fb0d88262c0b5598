// SPDX-License-Identifier: Apache-2.0
// flow_fields.hpp: what user space reads of an entry of the flow map (bpf/maps.h), by the map's own types.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "tcpwitness/event_abi.h"

struct bpf_map;
struct bpf_object;

namespace tcpwitness {

class FlowFields {
 public:
  // Without the map's types nothing is known of any entry.
  FlowFields(const bpf_object* object, const bpf_map* flows);

  [[nodiscard]] tw_wire_counters wire(std::span<const std::byte> entry) const;
  [[nodiscard]] tw_loss_counters loss(std::span<const std::byte> entry) const;
  // It is one side of a forwarded connection.
  [[nodiscard]] bool hop(std::span<const std::byte> entry) const;
  // The number of the SYN that came in, or left; nullopt: none was seen.
  [[nodiscard]] std::optional<std::uint32_t> isn(std::span<const std::byte> entry, bool out) const;

 private:
  [[nodiscard]] std::span<const std::byte> half(std::span<const std::byte> entry, bool out) const;
  struct Place {
    std::size_t halves = 0;  // of both directions, incoming first
    std::size_t half_bytes = 0;
    std::size_t loss = 0;
    std::size_t hop = 0;
    // In a half:
    std::size_t isn = 0;
    std::size_t syn = 0;
    std::size_t bytes = 0;
    std::size_t segs = 0;
    std::size_t retrans_bytes = 0;
  };
  std::optional<Place> place_;
};

}  // namespace tcpwitness
