// SPDX-License-Identifier: Apache-2.0
// words.cpp: Wireshark's words for what the analysis found.
#include <array>

#include "tcpwitness/wire.hpp"

namespace tcpwitness {

std::string_view analysis_word(unsigned bit) {
  static constexpr std::array<std::string_view, analysis_flag::count> words{
      "retransmission",       "fast retransmission", "spurious retransmission",
      "out-of-order",         "duplicate ACK",       "previous segment not captured",
      "ACKed unseen segment", "keep-alive",          "keep-alive ACK",
      "zero window",          "zero-window probe",   "zero-window probe ACK",
      "window full",          "window update",       "port reused"};
  return bit < words.size() ? words[bit] : std::string_view("unknown");
}

}  // namespace tcpwitness
