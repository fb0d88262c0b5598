// SPDX-License-Identifier: Apache-2.0
// story_parts.hpp: words that the sentences of more than one file of a story need.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

#include "sink/format.hpp"

namespace tcpwitness::story {

// " 21 us after WHAT" where that was seen.
inline std::string since(TimeNs then, TimeNs now, std::string_view what) {
  return then != 0 && then < now ? fmt::format(" {} after {}", duration_in_words(now - then), what) : "";
}

// Timestamps of several clocks, or of two CPUs, can run back.
inline std::string later(TimeNs then, TimeNs now) {
  return now < then ? ", with an earlier timestamp" : fmt::format(" {} later", duration_in_words(now - then));
}

inline std::string capital(std::string text) {
  if (!text.empty() && text[0] >= 'a' && text[0] <= 'z') text[0] = static_cast<char>(text[0] - 'a' + 'A');
  return text;
}

inline std::string bytes_from(std::uint32_t len, std::uint32_t rel_seq, bool relative) {
  return relative ? fmt::format("{} (from sequence number {})", bytes_in_words(len), rel_seq) : bytes_in_words(len);
}

}  // namespace tcpwitness::story
