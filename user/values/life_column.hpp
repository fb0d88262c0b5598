// SPDX-License-Identifier: Apache-2.0
// life_column.hpp: what the table of connections can show.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tcpwitness {

enum class LifeColumn : std::uint8_t {
  stream,  // of a capture; what has no place in it or only there: wire_alone
  time,
  start,  // of a capture, with the date: it may be years old
  pid,
  comm,
  local,
  role,
  remote,
  tx,
  rx,
  ms,
  handshake,
  rtt,
  retransmits,
  seen,
  closed_by,
  outcome,
  zeek,  // of a capture
  // Phases (phases.hpp): only where they are asked for.
  accept,
  request,
  request_ack,
  first_byte,
  server,
  waiting,
  transfer,
  stalled,
  idle,
  closing,
  notes,
};
inline constexpr std::size_t life_column_count = 29;
// As --columns has them.
inline constexpr std::array<std::string_view, life_column_count> life_column_names{
    "stream",   "time",    "start",    "pid",     "comm",        "local",      "role",   "remote",
    "tx",       "rx",      "duration", "connect", "srtt",        "retrans",    "src",    "closed-by",
    "outcome",  "zeek",    "accept",   "request", "request-ack", "first-byte", "server", "waiting",
    "transfer", "stalled", "idle",     "closing", "findings"};

}  // namespace tcpwitness
