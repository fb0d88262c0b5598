// SPDX-License-Identifier: Apache-2.0
// finding.hpp: a judgement about a connection, with its evidence and how sure it is.
//
// Plain values that own what they hold; names are in static storage.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tcpwitness/arguments.hpp"
#include "tcpwitness/event.hpp"

namespace tcpwitness {

using ConnectionId = std::uint64_t;  // 1, 2, ... within a run

// What is found. docs/findings.md has each: its meaning, its evidence, what to do, what would deceive it.
enum class Rule : std::uint8_t {
  keepalive,
  zero_window,
  retransmission,
  time_wait,
  close_wait_stuck,
  reset_origin,
  half_open,
  stray_segment,
  rx_dropped,
  tx_not_sent,
  bad_checksum,
  out_of_window,
  old_timestamp,
  accept_queue_full,
  syn_backlog_full,
  syncookie,
  slow_handshake,
  slow_accept,
  late,
  bytes_disagree,
  port_exhaustion,
  peer_not_closing,
  write_after_peer_closed,
  path_mtu_black_hole,
  path_dead,
  delayed_ack_stall,
  forward_dropped,
  asymmetric_route,
  syn_flood,
};
inline constexpr std::size_t rule_count = static_cast<std::size_t>(Rule::syn_flood) + 1;

// "keepalive", "zero-window", ...
[[nodiscard]] std::string_view name(Rule rule);
// The side that closes first waits in TIME_WAIT (RFC 9293, 3.6): every connection has that, and it is no problem.
[[nodiscard]] bool is_problem(Rule rule);

// How sure a finding is. A rule never becomes more confident because an event is missing.
enum class Confidence : std::uint8_t { inconclusive, likely, certain };
[[nodiscard]] std::string_view name(Confidence confidence);  // "inconclusive", "likely", "certain"

// Who sent the RST that ended a connection: a process of this machine, its kernel, its firewall, or who sent it here. A
// RST that came in may be the peer's or of somebody on the way in its name.
enum class ResetOrigin : std::uint8_t { process, kernel, firewall, peer, outsider };
inline constexpr std::size_t reset_origin_count = static_cast<std::size_t>(ResetOrigin::outsider) + 1;
[[nodiscard]] std::string_view name(ResetOrigin origin);  // "process", "kernel", ...

// The other end of a connection, where the same run follows both: the same address pair turned round, and both initial
// sequence numbers.
struct PeerEnd {
  ConnectionId conn = 0;
  std::uint32_t pid = 0;  // 0: not known
  std::string comm;
};

// One judgement of one rule.
struct Finding {
  Rule rule{};
  Confidence confidence{};
  Arguments arguments{};            // what was found; sentence() makes words of it
  std::vector<EventId> evidence{};  // events that carry it: the first ones and the newest where there are many
  std::uint32_t more_evidence = 0;  // how many more events carry it than are listed
  std::optional<PeerEnd> peer{};    // whom it names at the other end
  std::vector<Finding> because{};   // why: none or one finding of the other end, with its own confidence; inconclusive
                                    // too, where events of this end were lost
  std::optional<ResetOrigin> reset{};  // of reset-origin
};

// A finding in words: one sentence without a full stop, made of its arguments; "" where there are none. It needs
// nothing of the run.
[[nodiscard]] std::string sentence(const Finding& finding);

}  // namespace tcpwitness
