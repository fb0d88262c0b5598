// SPDX-License-Identifier: Apache-2.0
// run.hpp: runs the core over a list of events and gives tests names for what came out.
#pragma once

#include <algorithm>
#include <optional>
#include <vector>

#include "tcpwitness/pipeline.hpp"
#include "unit/events.hpp"

namespace tcpwitness::testing {

// Names as a 6.18 kernel gives them; only those that rules ask for.
inline const Names& kernel_names() {
  static const Names names = [] {
    Names made;
    made.reset_reasons = {
        "SK_RST_REASON_NOT_SPECIFIED",       "SK_RST_REASON_NO_SOCKET",   "SK_RST_REASON_TCP_ABORT_ON_CLOSE",
        "SK_RST_REASON_TCP_ABORT_ON_DATA",   "SK_RST_REASON_TCP_STATE",   "SK_RST_REASON_TCP_KEEPALIVE_TIMEOUT",
        "SK_RST_REASON_TCP_TIMEWAIT_SOCKET", "SK_RST_REASON_INVALID_SYN", "SK_RST_REASON_TCP_ABORT_ON_MEMORY"};
    made.drop_reasons = {"",
                         "",
                         "",
                         "NO_SOCKET",
                         "NETFILTER_DROP",
                         "QDISC_DROP",
                         "TCP_CSUM",
                         "TCP_INVALID_SEQUENCE",
                         "TCP_RFC7323_PAWS",
                         "TCP_OLD_DATA",
                         "TCP_LISTEN_OVERFLOW",
                         "NEIGH_FAILED",
                         "SOCKET_RCVBUFF",
                         "TCP_OLD_SEQUENCE",
                         "TCP_INVALID_END_SEQUENCE",
                         "TCP_OFOMERGE"};
    made.interfaces = {{2, "eth0"}};
    return made;
  }();
  return names;
}
inline constexpr std::uint32_t reason_no_socket = 1, reason_abort_on_close = 2, reason_abort_on_data = 3,
                               reason_tcp_state = 4, reason_keepalive = 5, reason_timewait = 6, reason_invalid_syn = 7,
                               reason_abort_on_memory = 8;
inline constexpr std::uint32_t drop_no_socket = 3, drop_netfilter = 4, drop_qdisc = 5, drop_csum = 6, drop_sequence = 7,
                               drop_paws = 8, drop_old_data = 9, drop_listen_overflow = 10, drop_neighbour = 11,
                               drop_rcvbuff = 12, drop_old_sequence = 13, drop_end_sequence = 14, drop_merged = 15;

inline CorrelatorSettings life_settings() {
  CorrelatorSettings settings;
  settings.finding_reports = true;
  settings.explain = true;
  return settings;
}
inline CorrelatorSettings trace_settings() {
  CorrelatorSettings settings = life_settings();
  settings.timeline = true;
  return settings;
}

struct RunResult {
  Reports reports;
  Summary summary;

  [[nodiscard]] std::vector<Life> lives() const { return all<Life>(); }
  [[nodiscard]] Life life(std::size_t index = 0) const {
    const auto found = lives();
    return index < found.size() ? found[index] : Life{};
  }
  [[nodiscard]] std::vector<Entry> entries() const { return all<Entry>(); }
  template <typename Body>
  [[nodiscard]] std::vector<std::pair<Entry, Body>> entries_of() const {
    std::vector<std::pair<Entry, Body>> found;
    for (const Entry& entry : entries()) {
      if (const Body* body = std::get_if<Body>(&entry.body)) found.emplace_back(entry, *body);
    }
    return found;
  }
  [[nodiscard]] std::optional<SegmentEntry> segment(EventId id) const {
    for (const auto& [entry, body] : entries_of<SegmentEntry>()) {
      if (entry.id == id) return body;
    }
    return std::nullopt;
  }
  [[nodiscard]] std::optional<StateEntry> transition(TcpState from, TcpState to) const {
    for (const auto& [entry, body] : entries_of<StateEntry>()) {
      if (body.from == from && body.to == to) return body;
    }
    return std::nullopt;
  }
  [[nodiscard]] std::optional<Finding> finding(Rule rule) const {
    for (const auto& report : all<FindingReport>()) {
      if (report.finding.rule == rule) return report.finding;
    }
    return std::nullopt;
  }
  template <typename T>
  [[nodiscard]] std::vector<T> all() const {
    std::vector<T> found;
    for (const Report& report : reports) {
      if (const T* value = std::get_if<T>(&report)) found.push_back(*value);
    }
    return found;
  }
};

// Feeds everything, lets `after_ns` pass, and ends the run.
inline RunResult run(const std::vector<Event>& events, CorrelatorSettings settings = life_settings(),
                     std::int64_t after_ns = 100 * ms, const Names& names = kernel_names()) {
  RunResult result;
  Correlator correlator(std::move(settings), names);
  TimeNs now = 0;
  for (const Event& event : events) {
    correlator.feed(event, result.reports);
    now = std::max(now, event.ts_ns);
  }
  if (after_ns > 0) correlator.advance(now + after_ns, result.reports);
  correlator.finish(now + after_ns, result.reports);
  result.summary = correlator.summary();
  return result;
}

// What the wire alone would have shown of a story, without a socket to ask.
inline std::vector<Event> wire_alone(std::vector<Event> events) {
  std::erase_if(events, [](const Event& e) {
    return !std::holds_alternative<Segment>(e.body) && !std::holds_alternative<IcmpSeen>(e.body);
  });
  for (Event& event : events) {
    Segment* segment = std::get_if<Segment>(&event.body);
    if (segment == nullptr) continue;
    segment->header.cookie = 0;
    segment->socket = {};
    segment->socket.type = SocketKind::unknown;
  }
  return events;
}
inline CorrelatorSettings wire_settings() {
  CorrelatorSettings settings = trace_settings();
  settings.has_kernel = false;
  return settings;
}

inline std::vector<TcpState> states(std::initializer_list<TcpState> list) { return list; }

}  // namespace tcpwitness::testing
