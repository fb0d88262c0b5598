// SPDX-License-Identifier: Apache-2.0
// closing_words.cpp: see closing_words.hpp.
#include "sink/closing_words.hpp"

#include <fmt/format.h>

#include "sink/format.hpp"

namespace tcpwitness {
namespace {

std::string_view closed_words(ClosedBy closed_by) {
  switch (closed_by) {
    case ClosedBy::local:
      return ", closed by this side";
    case ClosedBy::peer:
      return ", closed by the peer";
    case ClosedBy::both:
      return ", closed by both ends at once";
    case ClosedBy::none:
      break;
  }
  return "";
}

// Neither end is this side.
std::string forwarded_words(const Life& life) {
  std::string words;
  if (life.outcome != Outcome::open && life.closed_by == ClosedBy::local) words += ", closed by the client";
  if (life.outcome != Outcome::open && life.closed_by == ClosedBy::peer) words += ", closed by the server";
  words +=
      fmt::format(": the client sent {}, the server {}", bytes_in_words(life.tx_bytes), bytes_in_words(life.rx_bytes));
  if (life.handshake_ns) words += fmt::format(", handshake {}", duration_in_words(*life.handshake_ns));
  const std::uint32_t in = life.retransmits_in.value_or(0);
  if (life.retransmits != 0) words += fmt::format(", {} retransmitted by the client", life.retransmits);
  if (in != 0) words += fmt::format(", {} retransmitted by the server", in);
  if (life.incomplete) words += " (events were lost in its time)";
  return words;
}

}  // namespace

std::string closing_words(const Life& life) {
  std::string words = life.outcome == Outcome::open      ? "still open"
                      : life.outcome == Outcome::unknown ? "outcome unknown"
                                                         : std::string(name(life.outcome));
  words += fmt::format(" after {}{}", life.preexisting ? "at least " : "", duration_in_words(life.duration_ns));
  if (life.forwarded) return words + forwarded_words(life);
  if (life.outcome != Outcome::open) words += closed_words(life.closed_by);
  // "sent" is what left; what the kernel counts at the end is what was acknowledged. A recording that goes on
  // elsewhere, or breaks off, has no such count.
  const bool counted_at_end = life.outcome != Outcome::open || life.preexisting || !life.wire || life.wire->complete;
  words += fmt::format(": {} {}, received {}", life.has_kernel && counted_at_end ? "delivered" : "sent",
                       bytes_in_words(life.tx_bytes), bytes_in_words(life.rx_bytes));
  if (life.handshake_ns) words += fmt::format(", handshake {}", duration_in_words(*life.handshake_ns));
  if (life.srtt_us) words += fmt::format(", rtt {}", microseconds_in_words(*life.srtt_us));
  const auto counted = [&](std::uint32_t number, std::string_view what) {
    if (number != 0) words += fmt::format(", {} {}", number, what);
  };
  counted(life.retransmits, "retransmitted");
  counted(life.retransmits_in.value_or(0), "retransmitted by the peer");
  counted(life.out_of_order_in.value_or(0), life.has_kernel ? "arrived out of order" : "of the peer out of order");
  counted(life.duplicates_in, "duplicate packets");
  if (life.conversation) {
    const std::uint64_t missing = life.conversation->out.missing_bytes + life.conversation->in.missing_bytes;
    if (missing != 0) words += fmt::format(", {} not captured", bytes_in_words(missing));
    const std::uint32_t twice = life.conversation->out.duplicate_frames + life.conversation->in.duplicate_frames;
    if (twice != 0) words += fmt::format(", {} duplicate packets", twice);
    words += fmt::format(" (tcp.stream {})", life.conversation->stream);
  } else if (life.has_kernel != life.has_wire && life.outcome != Outcome::no_local_port) {
    words += life.has_kernel ? " (kernel only)" : " (packets only)";
  }
  if (life.incomplete) words += " (events were lost in its time)";
  return words;
}

}  // namespace tcpwitness
