// SPDX-License-Identifier: Apache-2.0
// zeek_state.hpp: how a connection went, in Zeek's words: conn_state of its conn.log.
//
// Zeek's words are of the two endpoints' last deeds, whatever the order: what each sent that begins, closes or breaks
// off. Side 0 is the originator. docs/wire-analysis.md has the table.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "wire/analysis.hpp"

namespace tcpwitness {

class ZeekState {
 public:
  // The segments that matter are enough; side 0 or 1 sent it.
  void observe(const SeenSegment& g, unsigned side);
  // Heard: the side sent anything at all. Payload: either side sent any.
  [[nodiscard]] std::string_view word(bool originator_seen, bool responder_seen, bool payload) const;

 private:
  enum class End : std::uint8_t { silent, midstream, asked, answered, open, closed, reset };
  std::array<End, 2> ends_{};
  bool acknowledged_ = false;  // the originator of a SYN sent an ACK without data behind it
  bool withdrawn_ = false;     // its RST came where no such ACK had
};

}  // namespace tcpwitness
