// SPDX-License-Identifier: Apache-2.0
// open_socket.cpp: what is wrong with a socket by a single look at it (`ls`).
#include <fmt/format.h>

#include "values/duration.hpp"
#include "values/words.hpp"
#include "wording/wording.hpp"

namespace tcpwitness {
namespace {

std::string who(const arguments::OpenSocketState& of) {
  if (!of.held) return "a process that is not known";
  const std::string fd = of.fd >= 0 ? fmt::format(" (descriptor {})", of.fd) : "";
  return process_words(of.process) + fd;
}

std::string_view are(std::uint32_t number) { return number == 1 ? "is" : "are"; }

}  // namespace

std::string words(const arguments::OpenSocketState& of) {
  using What = arguments::OpenSocketState::What;
  switch (of.what) {
    case What::peer_closed:
      return fmt::format("the peer closed at least {} ago, and {}", duration_in_words(of.since_ns),
                         of.unaccepted && !of.held ? "the connection waits for accept()" : who(of) + " has not closed");
    case What::peer_not_closing:
      return fmt::format("this side closed its sending side at least {} ago, and the peer has not closed",
                         duration_in_words(of.since_ns));
    case What::peer_window_closed: {
      // A FIN waits for the window as a byte does.
      const std::string waiting = of.bytes == 0
                                      ? "the FIN waits"
                                      : fmt::format("{} wait{}", counted(of.bytes, "byte"), of.bytes == 1 ? "s" : "");
      return fmt::format("the peer's receive window is 0; {} to be sent, {} {} unanswered", waiting,
                         counted(of.count, "probe"), are(of.count));
    }
    case What::own_window_closed:
      return fmt::format("this side's receive window is 0: {} has not read {}", who(of), counted(of.bytes, "byte"));
    case What::unanswered:
      return fmt::format("{} was retransmitted {} without an answer; the next timeout is {}",
                         of.syn ? "the SYN" : "the oldest segment", counted(of.count, "time"),
                         duration_in_words(of.since_ns));
    case What::recovering:
      return fmt::format("loss recovery is under way; {} {} retransmitted so far", counted(of.count, "segment"),
                         of.count == 1 ? "was" : "were");
    case What::unanswered_probes:
      return fmt::format("{} of {} keep-alive probes are unanswered; the last segment from the peer came {} ago",
                         of.count, of.limit, duration_in_words(of.since_ns));
    case What::accept_queue_full:
      return fmt::format("{} wait{} for accept() by {}; the limit is {}, and no more is taken",
                         counted(of.count, "connection"), of.count == 1 ? "s" : "", who(of), of.limit);
  }
  return "";
}

}  // namespace tcpwitness
