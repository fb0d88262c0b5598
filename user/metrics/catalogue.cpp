// SPDX-License-Identifier: Apache-2.0
#include "metrics/catalogue.hpp"

#include <fmt/format.h>

namespace tcpwitness::metrics {
namespace {

constexpr std::array<Definition, metric_count> definitions{{
    {Metric::connections, "tcpwitness_connections_total", Type::counter, true, "outcome", "connections",
     "Connections that ended, by how", ""},
    {Metric::open_connections, "tcpwitness_open_connections", Type::gauge, true, "state", "connections",
     "Connections that are open, by state of the socket; counted every few seconds; without half-open ones and "
     "TIME_WAIT",
     "system.network.connection.count"},
    {Metric::unlisted, "tcpwitness_unlisted_connections_total", Type::counter, false, "", "connections",
     "Half-open connections that were too many to be reported one by one (SYN flood)", ""},
    {Metric::findings, "tcpwitness_findings_total", Type::counter, true, "rule, confidence", "findings",
     "Findings, one for each connection and rule, when they are first reported", ""},
    {Metric::resets, "tcpwitness_resets_total", Type::counter, true, "origin", "connections",
     "Connections that a RST ended, by who sent it; peer: it came in", ""},
    {Metric::bytes, "tcpwitness_payload_bytes_total", Type::counter, true, "direction", "bytes",
     "Payload that was acknowledged (transmit) or received, of open connections too", "system.network.io"},
    {Metric::segments, "tcpwitness_segments_total", Type::counter, true, "direction", "segments",
     "Segments at the interfaces, of open connections too", "system.network.packet.count"},
    {Metric::retransmits, "tcpwitness_retransmitted_segments_total", Type::counter, true, "direction", "segments",
     "Retransmitted segments, by this side (transmit) or by the peer (receive)", ""},
    {Metric::connect_time, "tcpwitness_connect_duration_seconds", Type::histogram, true, "", "seconds",
     "From connect() or the SYN to ESTABLISHED", ""},
    {Metric::first_byte, "tcpwitness_first_byte_duration_seconds", Type::histogram, true, "", "seconds",
     "From the end of the request to the first byte of the answer", ""},
    {Metric::lifetime, "tcpwitness_connection_duration_seconds", Type::histogram, true, "", "seconds",
     "How long a connection lived, of those that were seen from beginning to end", ""},
    {Metric::keepalive_probes, "tcpwitness_keepalive_probes_total", Type::counter, false, "direction", "probes",
     "Keep-alive probes", ""},
    {Metric::keepalive_answers, "tcpwitness_keepalive_answers_total", Type::counter, false, "", "answers",
     "Answers of peers to keep-alive probes of this machine", ""},
    {Metric::dropped, "tcpwitness_dropped_segments_total", Type::counter, false, "reason, direction", "segments",
     "Segments that the kernel dropped, by its reason; without what TCP drops in ordinary course",
     "system.network.packet.dropped"},
    {Metric::events, "tcpwitness_events_total", Type::counter, false, "", "events", "Events from the kernel", ""},
    {Metric::lost, "tcpwitness_lost_events_total", Type::counter, false, "place", "events",
     "Events that were lost: no room in the ring; program not run (program); not decoded (decoder)", ""},
    {Metric::evicted_flows, "tcpwitness_evicted_flows_total", Type::counter, false, "", "flows",
     "Flows that gave way to newer ones in the flow map (--flows), and of which segments went uncounted; at least so "
     "many, counted every 30 s",
     ""},
    {Metric::label_sets, "tcpwitness_label_sets", Type::gauge, false, "", "label sets",
     "Combinations of the chosen labels that have series of their own", ""},
    {Metric::label_overflow, "tcpwitness_label_overflow_connections_total", Type::counter, false, "", "connections",
     "Connections that ended with a label of other because of --label-limit", ""},
    {Metric::witness, "tcpwitness_witness_up", Type::gauge, false, "witness", "0 or 1",
     "Kernel tracepoints and packets: 1 where they are traced", ""},
    {Metric::cpu, "process_cpu_seconds_total", Type::counter, false, "", "seconds",
     "CPU time of this process, user and system; what its BPF programs take is not in it", "process.cpu.time"},
    {Metric::memory, "process_resident_memory_bytes", Type::gauge, false, "", "bytes",
     "Resident memory of this process", "process.memory.usage"},
    {Metric::start_time, "process_start_time_seconds", Type::gauge, false, "", "seconds",
     "When this process started, in seconds since 1970", ""},
    {Metric::build_info, "tcpwitness_build_info", Type::gauge, false, "version, commit", "1",
     "Which build this is; always 1", ""},
}};

constexpr bool in_order() {
  for (std::size_t i = 0; i < definitions.size(); ++i) {
    if (static_cast<std::size_t>(definitions[i].metric) != i) return false;
  }
  return true;
}
static_assert(in_order());

constexpr std::array<double, 15> seconds_to_answer{0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
                                                   0.05,   0.1,     0.25,   0.5,   1,      2.5,   10};
constexpr std::array<double, 11> seconds_to_live{0.001, 0.01, 0.1, 1, 5, 15, 60, 300, 1800, 14'400, 86'400};

}  // namespace

std::string_view name(Type type) {
  constexpr std::array<std::string_view, 3> names{"counter", "gauge", "histogram"};
  return names[static_cast<std::size_t>(type)];
}

std::span<const Definition, metric_count> catalogue() { return definitions; }
const Definition& definition(Metric metric) { return definitions[static_cast<std::size_t>(metric)]; }

std::span<const double> short_bounds() { return seconds_to_answer; }
std::span<const double> long_bounds() { return seconds_to_live; }

std::string catalogue_table() {
  std::string text = "| metric | type | labels | unit | meaning | OpenTelemetry |\n|---|---|---|---|---|---|\n";
  for (const Definition& each : definitions) {
    std::string labels = each.labels;
    if (each.chosen) labels += labels.empty() ? "(chosen)" : ", (chosen)";
    text += fmt::format("| `{}` | {} | {} | {} | {} | {} |\n", each.name, name(each.type), labels, each.unit, each.help,
                        *each.opentelemetry == '\0' ? "" : fmt::format("`{}`", each.opentelemetry));
  }
  return text;
}

}  // namespace tcpwitness::metrics
