// SPDX-License-Identifier: Apache-2.0
// retransmissions.hpp: what was sent again, by the kernel's events and on the wire.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "facts/evidence.hpp"
#include "tcpwitness/arguments.hpp"
#include "values/kernel.hpp"

namespace tcpwitness {

// A retransmission on the wire that the kernel has not reported yet: the segment leaves before the kernel's event.
struct PendingRetransmission {
  EventId id = 0;  // 0: reported since
  std::uint32_t seq = 0;
  std::uint32_t segments = 0;
};

// One number sent again and again, and nothing that acknowledges it. Of the kernel's events alone.
struct Unanswered {
  std::uint32_t seq = 0;
  std::uint32_t len = 0;           // of the largest try, in sequence numbers
  std::uint32_t mss = 0;           // a full-size segment's payload at that try
  std::uint32_t tries = 0;         // retransmissions that left
  std::uint32_t sacked = 0;        // segments beyond it that the peer had by its SACK, the most
  TimeNs first_ns = 0;             // of the first retransmission
  TimeNs sent_ns = 0;              // the first retransmission less one timeout: the segment was not sent before that
  TimeNs received_ns = 0;          // when a segment of the peer was last taken, by the newest event
  TimeNs received_before_ns = 0;   // the same by the first event
  std::uint64_t acked_before = 0;  // bytes that the peer had acknowledged in all, by the first event
  std::uint32_t segs_before = 0;   // segments sent in all, by the first event
  std::uint32_t smaller = 0;       // the size that was tried in the end, below len; 0: none
  bool probing = false;            // the kernel looked for the path's MTU itself
  bool passed = false;             // it was acknowledged after all
  bool small_lost = false;         // one below full size was out too, and the peer had nothing of it
  bool full_passed = false;        // the peer had (SACK) a full-size one behind it
  Evidence evidence;
};

struct Retransmissions {
  static constexpr std::size_t pending_limit = 8;
  std::array<std::uint32_t, retransmit_kind_count> by_kind{};
  std::array<std::uint32_t, retransmit_kind_count> matched{};  // of these, with their segment on the wire
  std::array<PendingRetransmission, pending_limit> pending{};
  // Numbers are segments on the wire, as tcp_sock.total_retrans counts them, unless the name says otherwise.
  std::uint32_t pending_pushed = 0;
  std::uint32_t kernel = 0;
  std::uint32_t wire_out = 0;
  std::uint32_t wire_matched = 0;  // of wire_out, those that the kernel reported
  std::uint32_t by_request = 0;    // of wire_out, SYN-ACKs that left with their request socket
  std::uint32_t unmatched_segments = 0;
  std::uint32_t refused = 0;  // of kernel: never left (qdisc, netfilter, no route)
  std::uint32_t put_off = 0;  // attempts, not counted (EBUSY): the copy before still waits on this machine
  Evidence held;              // of put_off, those of one number (held_seq) while no copy of it left
  std::uint32_t held_seq = 0;
  std::uint32_t not_tried = 0;  // attempts, not counted: no route (EHOSTUNREACH), beyond the window (EAGAIN), no memory
  Evidence no_route;            // of not_tried, those for want of a route
  bool copies = false;  // at one of them the peer had got more twice than was sent again: the network delivers copies
  std::uint32_t mtu_until = 0;  // path MTU: sent before that number, in larger segments
  bool mtu_reduced = false;
  std::uint32_t reported = 0;  // events of the kernel
  std::uint32_t last_seq = 0;  // as the kernel reported
  std::uint32_t attempt = 0;   // of the segment at last_seq
  Evidence evidence;
  Evidence run;  // of the segment that was sent again last, at run_seq
  Mark run_first;
  std::uint32_t run_seq = 0;
  Evidence in;                                // of the peer, on the wire
  std::optional<std::uint32_t> late_ack_seq;  // of the newest empty ACK of the peer with a number that it had passed
  bool not_yet_sent = false;                  // payload came again that begins at that number
  Unanswered worst;                           // of those runs of one number that had two tries or more, the longest
  Unanswered current;
  std::array<TimeNs, 8> syn_ts_ns{};  // times of the SYNs we sent, the first included
  std::uint32_t syns = 0;
  bool ack_waits =
      false;  // SYN-ACK: the handshake's ACK had come, and the kernel waits for more (inet_rsk(req)->acked)

  // A fast retransmission or a loss probe finds the copy before in a queue for some microseconds whenever the machine
  // is busy. For a whole timeout it waits where the queue does not drain.
  [[nodiscard]] bool held_long() const { return held.total > 1 && held.last_ns - held.first_ns >= kernel::rto_min_ns; }
};

}  // namespace tcpwitness
