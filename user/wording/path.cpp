// SPDX-License-Identifier: Apache-2.0
// path.cpp: paths that fail, for large segments or for all, and what waits for an acknowledgement.
#include <fmt/format.h>

#include "values/duration.hpp"
#include "values/words.hpp"
#include "wording/wording.hpp"

namespace tcpwitness {
namespace {

std::string shown_words(const arguments::PathMtuBlackHole& of) {
  using Shown = arguments::PathMtuBlackHole::Shown;
  constexpr std::int64_t pause_ns = 500'000'000;
  switch (of.shown) {
    case Shown::by_sack:
      return "while the peer acknowledged (SACK) smaller ones that were sent behind it";
    case Shown::by_peer:
      return "while the peer's segments still came in";
    case Shown::by_what_passed_before:
      return fmt::format(
          "{} of its size on this connection; smaller ones had been acknowledged{}",
          of.first ? "the first" : "one of few, if not the first,",
          of.idle_ns >= pause_ns ? fmt::format(" until {} before", duration_in_words(of.idle_ns)) : " just before");
    case Shown::by_smaller_ones:
      break;
  }
  return "but smaller ones were";
}

}  // namespace

std::string words(const arguments::PathMtuBlackHole& of) {
  std::string text = fmt::format(
      "a full-size segment ({} bytes) was sent again {} times without an acknowledgement, {}, and no ICMP message said "
      "that it is too large",
      of.length, of.tries, shown_words(of));
  if (of.shown == arguments::PathMtuBlackHole::Shown::by_what_passed_before)
    text += ": the path does not take segments of this size, or it failed at that moment";
  if (of.smaller != 0) {
    text += fmt::format("; the kernel then tried {} bytes{}", of.smaller,
                        of.smaller_acknowledged ? ", and these were acknowledged" : "");
  }
  text += of.probing ? "; the kernel probes for the path's MTU itself (tcp_mtu_probing)"
                     : "; the kernel does not probe for the path's MTU (net.ipv4.tcp_mtu_probing)";
  return text;
}

std::string words(const arguments::ForwardedPathMtu& of) {
  const arguments::Side to = other(of.from);
  std::string text = fmt::format(
      "{} sent a segment of {} bytes {} times, it {} {} each time and was not acknowledged; nothing as "
      "large was acknowledged before: the path {} may not take this size",
      side_name(of.from), of.length, of.times, of.left ? "left for" : "came in for", side_name(to),
      behind(of.interface, to));
  if (of.smaller != 0) text += fmt::format("; in pieces of {} bytes it got through", of.smaller);
  return text;
}

std::string words(const arguments::PathDead& of) {
  std::string text = fmt::format(
      "nothing has come from the peer for {}: {}what was sent went unanswered through {} retransmissions{}",
      duration_in_words(of.silence_ns),
      of.idle_ns != 0 ? fmt::format("the connection was idle for {}, then ", duration_in_words(of.idle_ns)) : "",
      of.tries,
      of.given_up ? of.error != 0 ? fmt::format(", until the kernel gave up ({})", errno_name(of.error))
                                  : ", until the kernel gave up"
      : of.ended  ? ", until the connection ended"
                  : "; the kernel still tries");
  if (of.first_large) text += "; these were its first full-size segments, so the path's MTU can be the cause too";
  return text;
}

std::string words(const arguments::DelayedAckStall& of) {
  const std::string each = of.writes > 1 ? fmt::format(", {} each,", duration_in_words(of.waited_ns / of.writes)) : "";
  return fmt::format(
      "{} of {} waited {} in all{} for the peer to acknowledge the one before: Nagle's algorithm "
      "holds a small segment back while another is out, and the peer delays its ACK; TCP_NODELAY is not set",
      counted(of.writes, "small write"), process_words(of.process), duration_in_words(of.waited_ns), each);
}

}  // namespace tcpwitness
