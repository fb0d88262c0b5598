// SPDX-License-Identifier: Apache-2.0
// comparison.hpp: what the kernel and the wire counted and timed of one connection, side by side, and where each
// difference went.
//
// Counts are of wire segments and payload bytes, whatever GSO and GRO make of them: both count a buffer as its
// segments. An amount is always the wire's count minus the kernel's: kernel + parts + unexplained = wire, exactly.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tcpwitness/finding.hpp"

namespace tcpwitness {

// Where what one of them counted and the other did not has gone.
enum class Where : std::uint8_t {
  listener,     // SYN, SYN-ACK: the listener's request socket handles them, and they are no count of the connection's
  mini_socket,  // TIME_WAIT, a reset by the control socket: the connection's own counts end before
  unacknowledged,  // sent, and not acknowledged at the end; or sent before the run, and acknowledged in it
  sent_again,      // the same bytes again
  dropped_before,  // came in, never reached TCP
  refused,         // reached TCP, which did not take it
  never_left,      // TCP sent it, the interface never had it
  queue,           // the interface's hook had it, the queue of this machine dropped it: both count it
  two_moments,     // the connection is still open, and the two were read one after the other
  unexplained,
};
inline constexpr std::size_t where_count = static_cast<std::size_t>(Where::unexplained) + 1;
[[nodiscard]] std::string_view name(Where where);  // "dropped-before-tcp"
// As a sentence's beginning: "arrived and was dropped before TCP".
[[nodiscard]] std::string_view words(Where where);
// Every healthy connection has it: no difference to look after.
[[nodiscard]] constexpr bool is_usual(Where where) { return where == Where::listener || where == Where::mini_socket; }

// What follows from a part, or where it comes from.
enum class PartNote : std::uint8_t {
  none,
  next_is_first_to_tcp,        // of sent_again: what the queue refused at once TCP has not sent
  next_is_first_to_interface,  // of sent_again: the interface never had the first copy
  before_start,                // sent before the run
};

struct Part {
  Where where{};
  std::string reason;  // the kernel's name of a drop; else ""
  DropKind drop{};     // what that means
  PartNote note{};
  std::int64_t amount = 0;  // the wire's count minus the kernel's
  Confidence confidence = Confidence::certain;
};
// What its reason or its note means, in words; "" where there is nothing to say. Static storage.
[[nodiscard]] std::string_view meaning(const Part& part);

// One count of both.
struct CountPair {
  std::optional<std::uint64_t> kernel;  // empty: it does not count this
  std::optional<std::uint64_t> wire;
  std::vector<Part> parts;
  [[nodiscard]] std::int64_t difference() const {
    return kernel && wire ? static_cast<std::int64_t>(*wire - *kernel) : 0;
  }
};

// One direction.
struct SideBySide {
  CountPair bytes;           // payload; kernel: acknowledged by the peer, or received in order; wire: all that passed
  CountPair segments;        // kernel: tcpi_segs_out, tcpi_segs_in
  CountPair sent_again;      // segments; the kernel counts only its own (tcpi_total_retrans)
  std::vector<Part> behind;  // what the interface's hook had, and what never left this machine after all: segments
};

// Why the counts of a connection cannot be held against each other.
enum class NotCompared : std::uint8_t {
  no,            // they can
  kernel_only,   // no packets of it
  packets_only,  // no kernel events of it
  open_before,   // it was open before the start, and what it had counted by then is not known
  events_lost,   // events were lost in its time
  no_socket,     // it never came to a socket that counts
  packets_cut,   // the packets' counts are not those of its whole life
  forwarded,     // it is no connection of this machine
};
inline constexpr std::size_t not_compared_count = static_cast<std::size_t>(NotCompared::forwarded) + 1;
[[nodiscard]] std::string_view name(NotCompared why);   // "events-lost"
[[nodiscard]] std::string_view words(NotCompared why);  // "events were lost in its time"

// Nanoseconds each; what no event shows is absent.
enum class Timed : std::uint8_t {
  handshake_kernel,       // the SYN at the interface (without packets: connect()) to ESTABLISHED
  handshake_wire,         // the same SYN to the ACK that ends the handshake, at the interface
  round_trip_kernel,      // smoothed, when it was over (tcpi_rtt)
  round_trip_wire,        // of the handshake: SYN to SYN-ACK, or SYN-ACK to ACK
  arrival_to_open,        // what ends the handshake came in, to ESTABLISHED
  arrival_to_close_wait,  // the peer's FIN came in, to CLOSE_WAIT
  connect_to_wire,        // connect() to its SYN at the interface
  close_to_wire,          // close() to its FIN at the interface
  arrival_to_read,        // the newest payload came, to the first recv() that is seen; to the kernel's tick
};
inline constexpr std::size_t timed_count = static_cast<std::size_t>(Timed::arrival_to_read) + 1;
[[nodiscard]] std::string_view name(Timed timed);  // "handshake_kernel"

struct Comparison {
  NotCompared why_not = NotCompared::no;
  bool open_before = false;  // it was open before the start: counted since it was found then
  SideBySide tx;
  SideBySide rx;
  std::array<std::optional<std::int64_t>, timed_count> times{};
  [[nodiscard]] bool compared() const { return why_not == NotCompared::no; }
};

}  // namespace tcpwitness
