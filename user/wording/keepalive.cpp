// SPDX-License-Identifier: Apache-2.0
// keepalive.cpp: probes, and what they find: a peer that is dead, or that has forgotten the connection.
#include <fmt/format.h>

#include <string_view>

#include "values/duration.hpp"
#include "values/words.hpp"
#include "wording/wording.hpp"

namespace tcpwitness {
namespace {

std::string_view were(std::uint32_t many) { return many == 1 ? "was" : "were"; }

std::string why_no_answer(const arguments::Keepalive::Death& of) {
  const std::uint32_t dropped = of.answers_dropped;
  const std::uint32_t refused = of.answers_refused;
  if (refused == 0 && dropped == 0) return "no answer arrived";
  if (refused == 0) return fmt::format("no answer reached TCP ({} arrived and {} dropped)", dropped, were(dropped));
  const std::string_view acks = refused + dropped == 1 ? "ACK" : "ACKs";
  if (dropped == 0)
    return fmt::format("TCP took no answer ({} {} arrived and {} refused)", refused, acks, were(refused));
  return fmt::format("TCP took no answer ({} {} arrived: {} {} dropped before TCP, {} {} refused by it)",
                     dropped + refused, acks, dropped, were(dropped), refused, were(refused));
}

std::string death(const arguments::Keepalive& of) {
  const std::string answer = why_no_answer(*of.death);
  std::string text = fmt::format("{}{} keep-alive probe{} left {}, {}: connection declared dead", of.unanswered,
                                 of.probes != 0 ? fmt::format(" of {}", of.probes) : "",
                                 of.unanswered == 1 && of.probes <= 1 ? "" : "s", of.death->interface, answer);
  if (of.death->silence_ms != 0) {
    text += fmt::format(" after {}{}", milliseconds_in_words(of.death->silence_ms),
                        of.death->as_configured ? " as configured" : "");
  }
  if (of.probes != 0) {
    text += fmt::format(" ({} idle, {} interval, {} probes)", milliseconds_in_words(of.time_ms),
                        milliseconds_in_words(of.interval_ms), of.probes);
  }
  return text;
}

std::string of_the_peer(const arguments::Keepalive& of) {
  if (of.replies_unseen)
    return fmt::format("the peer sent {}, no segment of this side was seen", counted(of.received, "keep-alive probe"));
  if (of.received == 1) {
    return fmt::format("the peer sent 1 keep-alive probe, this side {}",
                       of.replied != 0 ? "answered it" : "did not answer it");
  }
  return fmt::format("the peer sent {} keep-alive probes, this side answered {}", of.received,
                     of.replied == of.received ? "all of them" : std::to_string(of.replied));
}

}  // namespace

std::string words(const arguments::Keepalive& of) {
  if (of.sent == 0) return of_the_peer(of);
  if (of.death) return death(of);
  std::string text = fmt::format("{} sent", counted(of.sent, "keep-alive probe"));
  text += of.one_way ? ", no segment of the peer was seen" : fmt::format(", {} answered", of.answered);
  if (of.unanswered != 0 && !of.one_way) {
    text += of.probes != 0 ? fmt::format(", {} of {} unanswered", of.unanswered, of.probes)
                           : fmt::format(", {} unanswered", of.unanswered);
  }
  if (of.probes != 0) {
    text += fmt::format("; first probe after {} of silence, then every {}, at most {}",
                        milliseconds_in_words(of.time_ms), milliseconds_in_words(of.interval_ms), of.probes);
  }
  if (of.gives_up_ns)
    text += fmt::format("; the kernel will give the peer up in {}", duration_in_words(*of.gives_up_ns));
  return text;
}

std::string words(const arguments::ForwardedKeepalive& of) {
  const arguments::Side to = other(of.from);
  return fmt::format(
      "{} keep-alive probes of {} in a row {} {} and were not answered: {} is down, or the path {} is broken",
      of.unanswered, side_name(of.from), of.left ? "left for" : "came in for", side_name(to), side_name(to),
      behind(of.interface, to));
}

std::string words(const arguments::HalfOpen& of) {
  std::string asked = "a silence";
  if (of.after == arguments::HalfOpen::After::keepalive_probes) asked = counted(of.count, "keep-alive probe");
  if (of.after == arguments::HalfOpen::After::retransmissions) asked = counted(of.count, "unanswered retransmission");
  return fmt::format(
      "the peer no longer knew this connection: after {} it answered with a RST that only repeats our "
      "acknowledgement number (it was restarted, or something between forgot the connection)",
      asked);
}

}  // namespace tcpwitness
