// SPDX-License-Identifier: Apache-2.0
// port_count.hpp: adds up what the iterators over ports and descriptors find, into one tw_ports.
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "tcpwitness/event_abi.h"
#include "tcpwitness/pipeline.hpp"
#include "values/kernel_questions.hpp"

namespace tcpwitness {

class PortCount {
 public:
  explicit PortCount(const PortsQuestion& question);

  void port(std::span<const std::byte> record);   // a tw_port_seen
  void owner(std::span<const std::byte> record);  // a tw_owner
  [[nodiscard]] tw_ports result(std::uint64_t now_ns) const;

 private:
  [[nodiscard]] bool wanted(std::uint16_t port) const { return port >= question_.first && port <= question_.last; }

  PortsQuestion question_;
  std::bitset<65536> open_;
  std::bitset<65536> time_wait_;
  std::bitset<65536> listening_;
  std::map<std::uint32_t, std::vector<std::uint16_t>> ports_by_process_;
  std::map<std::uint32_t, tw_port_holder> names_;
};

}  // namespace tcpwitness
