// SPDX-License-Identifier: Apache-2.0
// waiting.cpp: where the time of a connection went, where the answer was long in coming.
#include <fmt/format.h>

#include "values/duration.hpp"
#include "wording/wording.hpp"

namespace tcpwitness {

// One sentence where the answer was long in coming; "" where it was not, or nothing is known of it. A lost answer that
// came once, when it was sent again, looks like a slow server from the client.
std::string waiting_words(const Phases& phases, Role role) {
  constexpr std::int64_t long_ns = 100'000'000;
  std::string sent;
  if (phases.request && *phases.request >= long_ns)
    sent = fmt::format("Sending the request took {}.", duration_in_words(*phases.request));
  if (!phases.first_byte || *phases.first_byte < long_ns) return sent;
  if (!sent.empty()) sent += ' ';
  if (role == Role::passive)
    return sent + fmt::format("This server took {} to its first byte.", duration_in_words(*phases.first_byte));
  std::string text = fmt::format("The first byte of the answer came after {}.", duration_in_words(*phases.first_byte));
  if (phases.server) {
    text = fmt::format(
        "The server took {} to its first byte; the network {} (a first answer that was lost looks the same).",
        duration_in_words(*phases.server), duration_in_words(*phases.first_byte - *phases.server));
  }
  if (phases.waiting && *phases.waiting >= long_ns)
    text += fmt::format(" Later answers took {} more.", duration_in_words(*phases.waiting));
  return sent + text;
}

}  // namespace tcpwitness
