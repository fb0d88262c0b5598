// SPDX-License-Identifier: Apache-2.0
// forwarded.hpp: a connection of two other machines that passes through this one.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "facts/evidence.hpp"
#include "tcpwitness/report.hpp"

namespace tcpwitness {

// A segment of a forwarded connection that came in and may leave yet.
struct Arrival {
  Mark mark;
  std::uint32_t seq = 0;
  std::uint32_t end = 0;
  std::uint32_t ack = 0;
  std::uint32_t count = 0;  // segments that had come in there, this one included
  std::uint8_t flags = 0;
  std::uint8_t ttl = 0;
  bool out = false;  // sent by the client
  bool left = false;
};

// One hop of a forwarded connection; Flow as its segments have it (local is the destination of what comes in there).
struct HopFacts {
  Flow key;
  bool known = false;
  std::uint32_t ifindex = 0;
  std::uint32_t copies_to = 0;  // the interface by which a segment left that had left before: a mirror, a tee
  WireCounters wire{};
  LossCounters loss{};
  TimeNs counted_ns = 0;  // when these were read
  HopTotals in;           // flags alone: the rest is in the counters
  HopTotals out;          // likewise
  std::uint32_t made_here = 0;
  std::uint16_t mss_in = 0;
  std::uint16_t mss_out = 0;
  TimeNs syn_ns = 0;  // the first SYN or SYN-ACK that left
  std::int64_t rtt_ns = -1;
  bool syn_twice = false;
};

// What was made here in somebody's name: toward the client [0], toward the server [1].
struct MadeHere {
  Mark mark;
  std::uint8_t flags = 0;
  SocketKind socket_type{};
};

// One number that one side sends again and again, and nothing that acknowledges it.
struct SentAgain {
  std::uint32_t seq = 0;
  std::uint32_t len = 0;      // payload of one segment, as it was sent again first
  std::uint32_t tries = 0;    // behind the first sending
  std::uint32_t smaller = 0;  // the size with which it got through, below len; 0: it did not
  TimeNs first_ns = 0;
  Evidence evidence;
};

// The connection of two other machines, through this one. Hop 0 is the client's side, hop 1 the server's.
struct ForwardedFacts {
  static constexpr std::size_t limit = 8;
  std::array<HopFacts, 2> hops;
  std::array<Arrival, limit> arrivals{};
  std::uint32_t arrived = 0;
  std::array<Evidence, 2> never_left;          // SYN and FIN that came in and did not leave; [0] the client's
  std::array<std::uint32_t, 2> resets_lost{};  // RSTs likewise
  // Segments that stayed here, by the counters of both hops at one passing segment; since the first such one, of which
  // `before` is the difference (-1: none yet).
  std::array<std::uint64_t, 2> lost{};
  std::array<std::int64_t, 2> before{-1, -1};
  std::array<TimeNs, 2> counted_from_ns{};  // at the first such segment, and at the newest
  std::array<TimeNs, 2> counted_to_ns{};
  std::array<MadeHere, 2> reset_made;
  std::uint32_t untranslated = 0;  // left with the addresses that they came with, although NAT had given it others
  Flow plain;                      // those, behind NAT
  std::array<SentAgain, 2> again;  // of the client, of the server
  std::array<TimeNs, 2> last_seen_ns{};  // when each of them last sent
  std::uint64_t looked_at = 0;           // segments on both hops when their counters were asked for
  Mark left;                             // the newest segment that came in and left
  std::array<bool, 2> came_from{};       // a segment came in on that hop
  std::array<bool, 2> left_to{};         // a segment that came in left on that hop
  IcmpMessage message;                   // the newest ICMP error that left about a segment of it
  Mark message_mark;
  std::uint32_t message_seq = 0;
  // The newest one about the client's SYN. It ends the attempt, unless the SYN comes again: for some it is no error
  // that ends (RFC 1122, 4.2.3.9), and Linux puts off one that comes before connect() has let go of the socket.
  IcmpMessage refusal;
  Mark refusal_mark;
  std::uint32_t refusals_ignored = 0;
};

}  // namespace tcpwitness
