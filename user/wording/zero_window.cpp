// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "values/duration.hpp"
#include "values/words.hpp"
#include "wording/wording.hpp"

namespace tcpwitness {
namespace {

std::string period_words(const arguments::ClosedWindow& window) {
  const std::string probes = counted(window.probes, "zero-window probe");
  if (window.periods == 0) return probes + ", but its closing window was not seen";
  std::string text = fmt::format("the window was closed for {}", seconds(window.closed_ns));
  if (window.periods > 1) text += fmt::format(" in {} periods", window.periods);
  if (window.now == arguments::ClosedWindow::Now::never_opened) text += " and never opened again";
  if (window.now == arguments::ClosedWindow::Now::closed) text += " and is still closed";
  return text + ", " + probes;
}

}  // namespace

std::string words(const arguments::ZeroWindow& of) {
  std::string text;
  if (of.peer) {
    const std::string who = of.forwarded               ? "the server's process"
                            : of.peer_process.pid != 0 ? process_words(of.peer_process)
                                                       : "the peer's process";
    text = fmt::format("{} stopped reading: {}", who, period_words(*of.peer));
    if (of.waiting_bytes != 0) text += fmt::format(", {} bytes waited here", of.waiting_bytes);
  }
  if (of.local) {
    if (of.peer) text += "; ";
    text +=
        fmt::format("{} stopped reading: {} came in",
                    of.forwarded ? "the client's process" : process_words(of.local_process), period_words(*of.local));
  }
  return text;
}

}  // namespace tcpwitness
