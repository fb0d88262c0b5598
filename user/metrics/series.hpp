// SPDX-License-Identifier: Apache-2.0
// series.hpp: the values behind the metrics, as plain numbers: of one label set, and of the whole run.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "metrics/histogram.hpp"
#include "tcpwitness/connection.hpp"
#include "tcpwitness/finding.hpp"
#include "tcpwitness/report.hpp"
#include "tcpwitness/tcp.hpp"

namespace tcpwitness::metrics {

inline constexpr std::size_t confidence_count = static_cast<std::size_t>(Confidence::certain) + 1;
inline constexpr std::size_t state_count = static_cast<std::size_t>(TcpState::new_syn_recv) + 1;

// transmit, receive
using EachWay = std::array<std::uint64_t, 2>;
inline constexpr std::size_t transmit = 0;
inline constexpr std::size_t receive = 1;

struct Series {
  std::array<std::uint64_t, outcome_count> outcomes{};
  std::array<std::array<std::uint64_t, confidence_count>, rule_count> findings{};
  std::array<std::uint64_t, reset_origin_count> resets{};
  EachWay bytes{};
  EachWay segments{};
  EachWay retransmits{};
  Histogram connect_time;
  Histogram first_byte;
  Histogram lifetime;
  std::array<std::uint64_t, state_count> open{};
};

struct RunCounts {
  Totals totals;
  EachWay probes{};
  std::uint64_t answers = 0;
  std::map<std::string, EachWay> drops;  // by the kernel's reason; bounded
  std::uint64_t overflow = 0;            // connections with a label of "other"
  bool kernel = true;
  bool wire = true;
};

struct Snapshot {
  std::vector<std::string> labels;             // their names
  std::vector<std::vector<std::string>> sets;  // their values, of each set
  std::vector<Series> series;                  // of each set
  RunCounts run;
};

}  // namespace tcpwitness::metrics
