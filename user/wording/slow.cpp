// SPDX-License-Identifier: Apache-2.0
// slow.cpp: time that went by in the handshake, before accept(), and between a segment and its effect.
#include <fmt/format.h>

#include "values/duration.hpp"
#include "wording/wording.hpp"

namespace tcpwitness {
namespace {

std::string sent_again(std::uint32_t resent, std::string_view what) {
  return resent == 0 ? "" : fmt::format("; the {} was sent {} times", what, resent + 1);
}

std::string leg_words(const arguments::SlowHandshake& of) {
  using Leg = arguments::SlowHandshake::Leg;
  const std::string took = duration_in_words(of.leg_ns);
  switch (of.leg) {
    case Leg::leaving:
      return fmt::format("the first SYN to leave this machine left {} after connect()", took);
    case Leg::capture_answer:
      return fmt::format("the SYN-ACK came {} after the first SYN", took);
    case Leg::capture_ack:
      return fmt::format("the SYN-ACK came {} after the first SYN, the ACK of it only {} later: ",
                         duration_in_words(of.answer_ns), took) +
             (of.answer_repeated ? "one of the two was lost behind the place of the capture, or came late"
                                 : "it came late, or an earlier one was not captured");
    case Leg::answer:
      return fmt::format("the peer's SYN-ACK came {} after our first SYN{}", took, sent_again(of.resent, "SYN"));
    case Leg::taking:
      return fmt::format("this kernel processed the SYN-ACK only {} after it came", took);
    case Leg::taking_a_copy:
      return fmt::format("this machine took a copy of the SYN-ACK only {} after the first one came", took);
    case Leg::own_answer:
      return fmt::format("this machine answered the peer's SYN only {} after the first one", took);
    case Leg::ack:
      return fmt::format("the peer's ACK came {} after our first SYN-ACK{}", took, sent_again(of.resent, "SYN-ACK"));
    case Leg::unknown:
      break;
  }
  return "";
}

std::string all_in_all(std::int64_t ns) { return fmt::format(" (handshake: {} in all)", duration_in_words(ns)); }

std::string times(std::uint32_t count, std::string_view what) {
  return count > 1 ? fmt::format("; {} {}s came", count, what) : "";
}

}  // namespace

std::string words(const arguments::SlowHandshake& of) {
  if (of.leg == arguments::SlowHandshake::Leg::unknown)
    return fmt::format("the handshake took {}{}", duration_in_words(of.total_ns),
                       sent_again(of.resent, of.active ? "SYN" : "SYN-ACK"));
  return leg_words(of) + all_in_all(of.total_ns);
}

std::string words(const arguments::ForwardedHandshake& of) {
  using Leg = arguments::ForwardedHandshake::Leg;
  const std::string took = duration_in_words(of.leg_ns);
  std::string text;
  switch (of.leg) {
    case Leg::held_here:
      text = fmt::format("the client's SYN left this machine {} after it came", took);
      break;
    case Leg::answer:
      text = fmt::format("the server's SYN-ACK came {} after the client's first SYN{}", took, times(of.came, "SYN"));
      if (of.stayed != 0) text += fmt::format(", {} of them stayed here", of.stayed);
      break;
    case Leg::ack:
      text =
          fmt::format("the client's ACK came {} after the server's first SYN-ACK{}", took, times(of.came, "SYN-ACK"));
      break;
  }
  return text + all_in_all(of.total_ns);
}

std::string words(const arguments::SlowAccept& of) {
  if (!of.unaccepted) {
    return fmt::format(
        "the peer's data waited {} until the first call of {}: accept() or the first read came late (no later than "
        "that call)",
        duration_in_words(of.waited_ns), process_words(of.process));
  }
  std::string text =
      fmt::format("{} after the handshake {} had not accepted the connection", duration_in_words(of.waited_ns),
                  of.process.pid != 0 ? process_words(of.process) : "the listening process");
  if (of.first_call_ns)
    text += fmt::format("; the first call on it came after {}", duration_in_words(*of.first_call_ns));
  return text;
}

std::string words(const arguments::Late& of) {
  return fmt::format("this kernel processed the {} {} after it arrived", of.segment, duration_in_words(of.delay_ns));
}

}  // namespace tcpwitness
