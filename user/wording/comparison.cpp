// SPDX-License-Identifier: Apache-2.0
// comparison.cpp: where a difference between kernel and wire has gone, in words.
#include "tcpwitness/comparison.hpp"

#include <array>

namespace tcpwitness {
namespace {

constexpr std::array<std::string_view, where_count> where_words{"SYN and SYN-ACK of the listener",
                                                                "of TIME_WAIT or a reset, without the socket",
                                                                "sent and not acknowledged",
                                                                "the same bytes again",
                                                                "arrived and dropped before TCP",
                                                                "arrived and refused by TCP",
                                                                "sent by TCP and never left",
                                                                "passed the hook, dropped in the queue",
                                                                "counted one after the other, while it goes on",
                                                                "not explained"};
constexpr std::array<std::string_view, not_compared_count> not_compared_words{
    "",
    "no packets of it were seen",
    "no kernel events of it",
    "open before start",
    "events were lost in its time",
    "it never had a socket that counts",
    "its packets were not counted to the end",
    "forwarded, no connection of this machine"};

}  // namespace

std::string_view words(Where where) { return where_words[static_cast<std::size_t>(where)]; }
std::string_view words(NotCompared why) { return not_compared_words[static_cast<std::size_t>(why)]; }

std::string_view meaning(const Part& part) {
  switch (part.note) {
    case PartNote::next_is_first_to_tcp:
      return "so TCP counts the copy that left as the first";
    case PartNote::next_is_first_to_interface:
      return "so the copy that left is the interface's first";
    case PartNote::before_start:
      return "sent before the start";
    case PartNote::none:
      break;
  }
  return meaning(part.drop);
}

}  // namespace tcpwitness
