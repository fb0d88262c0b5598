// SPDX-License-Identifier: Apache-2.0
// compared.hpp: comparisons of connections, added up. A pure function of lives; bounded.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "sink/quantiles.hpp"
#include "tcpwitness/comparison.hpp"
#include "tcpwitness/connection.hpp"

namespace tcpwitness {

// The same share of several connections.
struct PartSum {
  std::string_view meaning;
  std::int64_t amount = 0;
  std::uint64_t connections = 0;
  Confidence confidence = Confidence::certain;  // of the least sure one
};
using PartSums = std::map<std::pair<Where, std::string>, PartSum>;  // by place and the kernel's reason

struct CountSum {
  std::uint64_t kernel = 0;
  std::uint64_t wire = 0;
  bool kernel_counts = false;  // at least one of them
  bool wire_counts = false;
  PartSums parts;
  void take(const CountPair& pair);
  [[nodiscard]] std::int64_t difference() const {
    return kernel_counts && wire_counts ? static_cast<std::int64_t>(wire - kernel) : 0;
  }
};

struct SideSum {
  CountSum bytes;
  CountSum segments;
  CountSum sent_again;
  PartSums behind;
};

// A connection that has more than the usual differences.
struct Differing {
  ConnectionId conn = 0;
  Flow flow;
  Process process;
  std::string what;  // "NETFILTER_DROP", "not explained", ...
};

class Compared {
 public:
  explicit Compared(std::size_t top) : top_(top) {}
  void take(const Life& life);

  std::uint64_t connections = 0;
  std::uint64_t compared = 0;
  std::uint64_t open = 0;         // of `compared`: still
  std::uint64_t open_before = 0;  // of `compared`: counted since they were found at the start
  std::uint64_t differing = 0;
  std::array<std::uint64_t, not_compared_count> not_compared{};
  SideSum tx;
  SideSum rx;
  std::array<Quantiles, timed_count> times;
  std::vector<Differing> examples;  // the first ones

 private:
  std::size_t top_;
};

// Where a connection's counts differ for a reason that somebody may have to look after: drops, queues, what nothing
// explains. "" where they do not.
[[nodiscard]] std::string differs_by(const Comparison& comparison);

}  // namespace tcpwitness
