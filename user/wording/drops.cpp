// SPDX-License-Identifier: Apache-2.0
// drops.cpp: segments that the kernel dropped, or refused.
#include <fmt/format.h>

#include "facts/reasons.hpp"
#include "values/duration.hpp"
#include "values/words.hpp"
#include "wording/wording.hpp"

namespace tcpwitness {
namespace {

std::string segments(const arguments::Dropped& dropped) {
  std::string text = counted(dropped.segments, "segment");
  if (dropped.bytes != 0) text += " with " + counted(dropped.bytes, "byte");
  return text;
}

std::string_view or_words(arguments::Refused::Or or_was) {
  using Or = arguments::Refused::Or;
  switch (or_was) {
    case Or::nothing:
      break;
    case Or::received_before:
      return ", or received before: this kernel has one drop reason for both";
    case Or::overtaken:
      return ", or an ACK that came behind what was sent after it: this kernel has one drop reason for both";
  }
  return "";
}

}  // namespace

std::string words(const arguments::RxDropped& of) {
  std::string text;
  if (of.syns_here != 0) {
    text = fmt::format("{} arrived at {} on this machine and never reached TCP there: {}", counted(of.syns_here, "SYN"),
                       to_string(of.remote), reasons_words(of.reasons_here));
  }
  if (of.dropped.segments == 0) return text;
  return fmt::format("{}{} from the peer arrived and never reached {}: {}", text.empty() ? "" : text + "; ",
                     segments(of.dropped), of.process.pid != 0 ? process_words(of.process) : "TCP",
                     reasons_words(of.dropped.reasons)) +
         (of.or_reserves
              ? ", or its buffer came from the memory reserves (PFMemallocDrop): this kernel has one drop reason "
                "for both"
              : "");
}

std::string words(const arguments::TxNotSent& of) {
  using How = arguments::TxNotSent::How;
  switch (of.how) {
    case How::no_neighbour:
      return fmt::format("{} never left this machine: {} (ICMPv6 address unreachable, by this machine itself)",
                         of.syn ? "the SYN" : "a segment that TCP sent", meaning(DropKind::neighbour));
    case How::unexplained:
      return fmt::format(
          "{} that TCP wanted to send never left this machine: each attempt failed here, and the kernel names no "
          "reason; a route or an address that is gone, or a policy",
          counted(of.bytes, "byte"));
    case How::keepalive:
      return "no keep-alive probe left this machine, and the RST at the end did not either: each attempt failed here, "
             "and the kernel names no reason; a route, an address or an interface that is gone, or a policy";
    case How::refused:
      return fmt::format(
          "{} that TCP sent again never left this machine: the interface refused {}, and the kernel names no reason; "
          "its other end is down, or takes no segment of that length",
          counted(of.segments, "segment"), of.segments == 1 ? "it" : "each of them");
    case How::held:
      return fmt::format(
          "a segment that TCP sent did not leave this machine for {} and more: {} times TCP was to send it again, and "
          "the copy before still waited in a queue here; the interface has no carrier, its queue does not drain, or "
          "the next hop's address is not known yet (ARP, neighbour discovery)",
          duration_in_words(of.within_ns), of.attempts);
    case How::no_route:
      return fmt::format(
          "{} TCP was to send a segment again, and nothing left this machine: no route from this address to the peer "
          "(EHOSTUNREACH; the route, the address or the interface is gone, or a policy refuses it)",
          of.attempts == 1 ? "once" : fmt::format("{} times within {}", of.attempts, duration_in_words(of.within_ns)));
    case How::dropped:
      break;
  }
  return fmt::format("{} that TCP sent never left this machine: {}", segments(of.dropped),
                     reasons_words(of.dropped.reasons));
}

std::string words(const arguments::Refused& of) {
  if (of.resets != 0) {
    return fmt::format("TCP refused {} from the peer's address: {} not the number that a RST must have (RFC 5961, 3.2)",
                       counted(of.resets, "RST"), of.resets == 1 ? "it has" : "they have");
  }
  return fmt::format("{} refused {} from the peer's address: {}{}", of.by_checksum ? "the kernel" : "TCP",
                     segments(of.dropped), reasons_words(of.dropped.reasons), or_words(of.or_was));
}

std::string words(const arguments::ForwardDropped& of) {
  std::string text;
  for (const auto& lost : of.lost) {
    text += fmt::format("{}{} from {} came in{} and never left this machine: {}", text.empty() ? "" : "; ",
                        counted(lost.segments, "segment"), side_name(lost.from), on_interface(lost.interface),
                        lost.reported != 0 ? reasons_words(lost.reasons) : "the kernel reported no reason");
    if (lost.reported != 0 && lost.reported < lost.segments)
      text += fmt::format(" (the kernel reported {} of them)", lost.reported);
  }
  return text;
}

std::string words(const arguments::DroppedSyn& of) {
  const std::string which =
      of.count == 1 ? "a SYN" : fmt::format("{} SYNs within {}", of.count, duration_in_words(of.within_ns));
  const std::string nat = of.sent_to ? fmt::format(", was for {} by NAT,", to_string(*of.sent_to)) : "";
  std::string answer;
  if (of.reset_seen) answer = "; it was answered by a RST";
  if (of.icmp) {
    answer = fmt::format("; this machine answered with an ICMP message: {} (type {}, code {})", name(of.icmp),
                         of.icmp.type, of.icmp.code);
  }
  std::string reasons;
  for (const arguments::DropReason& reason : of.reasons) {
    if (!reasons.empty()) reasons += "; ";
    if (of.reasons.size() > 1) reasons += fmt::format("{} ", reason.count);
    reasons += reasons_words({reason});
  }
  return fmt::format("{} from {} to {} arrived{} and never reached TCP: {}{}", which, to_string(of.remote),
                     to_string(of.local), nat, reasons, answer);
}

}  // namespace tcpwitness
