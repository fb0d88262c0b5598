// SPDX-License-Identifier: Apache-2.0
// crowd.cpp: what belongs to no connection that is followed, or comes in numbers.
#include <fmt/format.h>

#include "values/duration.hpp"
#include "values/words.hpp"
#include "wording/wording.hpp"

namespace tcpwitness {
namespace {

// "from about 4,900 addresses (198.18.0.7, 198.18.0.9, ...) to 10.9.0.2:80"
std::string from_where_to_where(const arguments::Crowd& of) {
  std::string text = "from ";
  if (!of.more_examples) {
    for (std::size_t i = 0; i < of.from_examples.size(); ++i) {
      if (i != 0) text += i + 1 == of.from_examples.size() ? " and " : ", ";
      text += to_string(of.from_examples[i]);
    }
  } else {
    text += fmt::format("about {} addresses (", of.from);
    for (const Address& address : of.from_examples) text += to_string(address) + ", ";
    text += "...)";
  }
  text += " to " + to_string(of.to);
  if (of.to_count > 1) text += fmt::format(" and about {} other endpoints", of.to_count - 1);
  return text;
}

// "; 40 were dropped on this machine (38 NEIGH_FAILED, 2 NETFILTER_DROP)"
std::string dropped_answers(const arguments::DropReasons& dropped) {
  std::uint64_t all = 0;
  for (const arguments::DropReason& reason : dropped) all += reason.count;
  return all == 0 ? "" : fmt::format("; {} were dropped on this machine ({})", all, reasons_counted(dropped));
}

std::string_view segment_words(arguments::StraySegment::Segment segment) {
  using Segment = arguments::StraySegment::Segment;
  switch (segment) {
    case Segment::syn:
      return "SYN";
    case Segment::syn_ack:
      return "SYN-ACK";
    case Segment::fin:
      return "FIN";
    case Segment::other:
      break;
  }
  return "segment";
}

std::string_view fate_words(arguments::StraySegment::Fate fate, bool several) {
  using Fate = arguments::StraySegment::Fate;
  switch (fate) {
    case Fate::reset_seen:
      return several ? "each was answered by RST" : "it was answered by RST";
    case Fate::reset_reported:
      return several ? "the kernel sent a RST for each" : "the kernel sent a RST";
    case Fate::nothing_seen:
      break;
  }
  return "no RST was seen";
}

}  // namespace

std::string words(const arguments::AsymmetricRoute& of) {
  return fmt::format(
      "{} sent {} through this machine and was answered; none of {}'s came through it: the way back is another one",
      side_name(of.seen), counted(of.segments, "segment"), side_name(other(of.seen)));
}

std::string words(const arguments::StraySegment& of) {
  const std::string_view kind = segment_words(of.segment);
  const bool several = of.count > 1;
  const std::string which = several
                                ? fmt::format("{} within {}", counted(of.count, kind), duration_in_words(of.within_ns))
                                : fmt::format("a {}", kind);
  std::string text =
      fmt::format("{} from {} to {} {} no connection here: {}{}", which, to_string(of.remote), to_string(of.local),
                  several ? "fit" : "fits", fate_words(of.fate, several), by_kernel(of.reason));
  if (of.asked) {
    const bool same = of.asked->address == of.remote.address;
    text +=
        fmt::format("; {} the SYN that went to {}: the answer comes from another {}",
                    several ? "they acknowledge" : "it acknowledges", to_string(*of.asked), same ? "port" : "address");
  }
  return text;
}

std::string words(const arguments::More& of) {
  using What = arguments::More::What;
  std::string_view which = "segments";
  std::string what = "fit no connection here";
  if (of.what == What::refused_through_here) {
    which = "connections through this machine";
    what = "were refused by a RST";
  }
  if (of.what == What::dropped_syns) {
    which = "SYNs";
    what = fmt::format("arrived and never reached TCP ({})", reasons_counted(of.reasons));
  }
  return fmt::format("{} more {} within {} {}, {}", of.crowd.count, which, duration_in_words(of.crowd.lasted_ns), what,
                     from_where_to_where(of.crowd));
}

std::string words(const arguments::SynFlood& of) {
  const std::string who = from_where_to_where(of.crowd);
  const std::string within = duration_in_words(of.crowd.lasted_ns);
  if (of.forwarded) {
    return fmt::format(
        "{} connections were begun through this machine within {}, {} completed and {} were refused, {}; {} "
        "SYN-ACKs came back; a SYN flood, or clients whose ACKs do not come",
        of.crowd.count, within, of.completed, of.refused, who, of.answered);
  }
  return fmt::format(
      "{} connections were begun within {} and {} completed, {}; {} answers of the kernel were seen leaving, "
      "{} of them with a SYN cookie{}; a SYN flood, or clients whose ACKs do not come",
      of.crowd.count, within, of.completed, who, of.answered + of.cookies, of.cookies, dropped_answers(of.dropped));
}

}  // namespace tcpwitness
