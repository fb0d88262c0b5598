// SPDX-License-Identifier: Apache-2.0
// page.hpp: a snapshot as the page that a scraper gets: Prometheus' text format, by prometheus-cpp.
#pragma once

#include <cstdint>
#include <string>

#include "metrics/series.hpp"

namespace tcpwitness::metrics {

// Of this process.
struct Own {
  double cpu_seconds = 0;
  std::uint64_t memory_bytes = 0;
  double started = 0;  // seconds since 1970
  std::string version;
  std::string commit;
};

inline constexpr const char* content_type = "text/plain; version=0.0.4; charset=utf-8";

[[nodiscard]] std::string page_of(const Snapshot& snapshot, const Own& own);

}  // namespace tcpwitness::metrics
