// SPDX-License-Identifier: Apache-2.0
// phases.hpp: where the time of a connection went.
//
// A phase that no evidence shows is absent, never zero.
#pragma once

#include <cstdint>
#include <optional>

namespace tcpwitness {

// Longer than that, with everything acknowledged and the window open, a sender had nothing to send: a round trip that
// the congestion window waits for is shorter (RFC 6298: the least retransmission timeout of Linux). Nanoseconds.
inline constexpr std::int64_t pause_ns = 200'000'000;

// When payload passed the interface, each way. Absolute, in nanoseconds; 0: not known. Where every segment
// is seen all of it is filled; a flow's counters fill the first six at most.
struct PayloadTimes {
  std::int64_t first_out = 0;
  std::int64_t first_out_acked = 0;  // the peer's first segment that acknowledges all of it
  std::int64_t last_out = 0;
  std::int64_t first_in = 0;
  std::int64_t first_in_acked = 0;
  std::int64_t last_in = 0;
  std::int64_t request_end = 0;  // the last payload of the side that sent first, before the other side's first
  bool repeated = false;         // until then something was sent again, or its own first bytes came late
  // The time between two segments with payload, by what it was spent on. Where every segment was seen.
  bool every_segment = false;
  std::int64_t transfer_ns = 0;  // one segment of a side follows another one
  std::int64_t stalled_ns = 0;   // until something was sent again, or while the receiver's window was closed
  // Until this side, or the peer, sent: behind payload of the other one, the first such time left out; or after a pause
  // of its own with everything acknowledged. Of a flow's counters: what took 1 s or more.
  std::int64_t until_out_ns = 0;
  std::int64_t until_in_ns = 0;
};

// Nanoseconds each (docs/events.md).
struct Phases {
  std::optional<std::int64_t> connect;      // connect(), or the first SYN, to the SYN-ACK
  std::optional<std::int64_t> synack_ack;   // from there to ESTABLISHED, or to the ACK that a capture shows
  std::optional<std::int64_t> accept;       // ESTABLISHED to the first call of a process: accept() was not later
  std::optional<std::int64_t> request;      // the first payload of a client that sends first, to its last one before
                                            // the answer, or so far
  std::optional<std::int64_t> request_ack;  // the first payload to its acknowledgement
  std::optional<std::int64_t> first_byte;   // the end of the request to the first byte of the answer; or ESTABLISHED to
                                            // the first byte of a server that sends first
  std::optional<std::int64_t> server;       // of that, without the handshake's round trip
  std::optional<std::int64_t> waiting;      // for the server: behind payload of the client
  std::optional<std::int64_t> transfer;     // payload follows payload of the same side
  std::optional<std::int64_t> stalled;      // until something was sent again, or while a window was closed
  std::optional<std::int64_t> idle;         // for the client: behind payload of the server
  std::optional<std::int64_t> closing;      // the first FIN to the end
};

}  // namespace tcpwitness
