// SPDX-License-Identifier: Apache-2.0
// catalogue.hpp: every metric of `serve`: the one definition that the output and docs/metrics.md are made of.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace tcpwitness::metrics {

enum class Metric : std::uint8_t {
  connections,
  open_connections,
  unlisted,
  findings,
  resets,
  bytes,
  segments,
  retransmits,
  connect_time,
  first_byte,
  lifetime,
  keepalive_probes,
  keepalive_answers,
  dropped,
  events,
  lost,
  evicted_flows,
  label_sets,
  label_overflow,
  witness,
  cpu,
  memory,
  start_time,
  build_info,
};
inline constexpr std::size_t metric_count = static_cast<std::size_t>(Metric::build_info) + 1;

enum class Type : std::uint8_t { counter, gauge, histogram };
[[nodiscard]] std::string_view name(Type type);

struct Definition {
  Metric metric;
  const char* name;
  Type type;
  bool chosen;                // also has the labels of --labels
  const char* labels;         // its own: "direction"; ""
  const char* unit;           // "bytes", "seconds", or what is counted
  const char* help;           // one line, without a full stop
  const char* opentelemetry;  // the metric of OpenTelemetry's semantic conventions that is nearest; ""
};

[[nodiscard]] std::span<const Definition, metric_count> catalogue();
[[nodiscard]] const Definition& definition(Metric metric);

// Upper bounds in seconds.
[[nodiscard]] std::span<const double> short_bounds();  // to connect, to the first byte
[[nodiscard]] std::span<const double> long_bounds();   // of a connection

// The table of docs/metrics.md.
[[nodiscard]] std::string catalogue_table();

}  // namespace tcpwitness::metrics
