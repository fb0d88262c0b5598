// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "values/duration.hpp"
#include "values/words.hpp"
#include "wording/wording.hpp"

namespace tcpwitness {
namespace {

// Why it is full the wire does not show: a process that reads slowly has the same window as one that stopped.
std::string period_words(std::string_view whose, const arguments::ClosedWindow& window) {
  const std::string probes = counted(window.probes, "zero-window probe");
  if (window.periods == 0)
    return fmt::format("{}, but the closing of the receive window of {} was not seen", probes, whose);
  std::string text =
      fmt::format("the receive window of {} was closed for {}", whose, duration_in_words(window.closed_ns));
  if (window.periods > 1) text += fmt::format(" in {} periods", window.periods);
  if (window.now == arguments::ClosedWindow::Now::never_opened) text += " and never opened again";
  if (window.now == arguments::ClosedWindow::Now::closed) text += " and is still closed";
  return text + ", " + probes;
}

}  // namespace

std::string words(const arguments::ZeroWindow& of) {
  std::string text;
  if (of.peer) {
    const std::string who = of.forwarded               ? "the server"
                            : of.peer_process.pid != 0 ? process_words(of.peer_process)
                                                       : "the peer";
    text = period_words(who, *of.peer);
    if (of.waiting_bytes != 0) text += fmt::format(", {} waited here", bytes_in_words(of.waiting_bytes));
  }
  if (of.local) {
    if (of.peer) text += "; ";
    text += period_words(of.forwarded ? "the client" : process_words(of.local_process), *of.local) + " came in";
  }
  return text;
}

}  // namespace tcpwitness
