// SPDX-License-Identifier: Apache-2.0
// probes.hpp: keep-alives, and windows of zero with their probes.
#pragma once

#include <cstdint>

#include "facts/evidence.hpp"

namespace tcpwitness {

struct KeepaliveFacts {
  std::uint32_t sent = 0;
  std::uint32_t answered = 0;
  std::uint32_t unanswered = 0;  // in a row, now
  std::uint32_t received = 0;
  std::uint32_t garbage = 0;    // of those received, with a byte
  std::uint32_t replied = 0;    // to those received
  std::uint32_t unreplied = 0;  // of those received, in a row, now
  std::uint32_t time_ms = 0;
  std::uint32_t intvl_ms = 0;
  std::uint32_t probes = 0;
  TimeNs dead_at_ns = 0;
  Mark last_sent;
  Mark last_answer;              // to ours; none where TCP did not take it
  std::uint32_t answer_seq = 0;  // its numbers
  std::uint32_t answer_ack = 0;
  std::uint32_t answers_dropped = 0;    // in a row, now: they arrived, and TCP never got them
  std::uint32_t answers_refused = 0;    // likewise: TCP got them and did not take them
  EventId refused_probe = 0;            // the newest probe to which one of these came
  std::uint32_t unanswered_before = 0;  // the newest answer, and how many of them are in `run`
  std::uint32_t run_before = 0;
  std::uint32_t ifindex = 0;  // of the newest one sent
  bool by_kernel = false;     // the kernel view distinguished keep-alive from zero-window probe
  Evidence evidence;
  Evidence run;  // the unanswered ones, now
};

// One side's closed window.
struct ZeroWindowFacts {
  Mark since;               // the current closed period; id 0: open
  TimeNs closed_ts_ns = 0;  // the newest segment that closed it
  std::uint32_t periods = 0;
  std::int64_t total_ns = 0;
  Mark since_before;  // these, before payload showed that it had been opened unseen
  std::int64_t total_before = 0;
  std::uint32_t probes = 0;  // sent into it
  std::uint32_t unsent_bytes = 0;
  bool by_kernel = false;
  Evidence evidence;
};

}  // namespace tcpwitness
