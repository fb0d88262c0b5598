// SPDX-License-Identifier: Apache-2.0
// words.hpp: a journal row of a recording, in Wireshark's Info column: one line for a person who reads
// packets.
//
// Words only repeat what a record or report holds; nothing is judged here.
#pragma once

#include <string>
#include <string_view>

#include "tcpwitness/event.hpp"
#include "tcpwitness/report.hpp"

namespace tcpwitness {

struct EventWords {
  std::string_view kind;  // "state", "retransmit", ...: docs/events.md
  std::string message;
  Process process;  // who acted; pid 0 where nobody is known
  Flow flow;
};

// "nginx(80) ESTABLISHED → CLOSE_WAIT 10.0.0.1:80 ↔ 10.0.0.2:5000". Not for gaps and ends of conversations.
[[nodiscard]] EventWords words_of(const Event& event, const Names& names);

// "keepalive (certain): ...": a packet's comment, and the row of a finding with its ends.
[[nodiscard]] std::string words_of(const Finding& finding);
[[nodiscard]] std::string words_of(const FindingReport& report);
[[nodiscard]] std::string words_of(const Life& life);
[[nodiscard]] std::string words_of(const GapReport& gap);

// A transition that no record stands for.
[[nodiscard]] std::string words_of(const Flow& flow, const StateEntry& state);

[[nodiscard]] std::string ends_of(const Flow& flow);

}  // namespace tcpwitness
