// SPDX-License-Identifier: Apache-2.0
// paint.hpp: colours by meaning, and the few marks that have an ASCII and a UTF-8 form.
//
// Colour never carries meaning alone: whatever is coloured has it in words too.
#pragma once

#include <cstdint>
#include <string_view>

#include "sink/output.hpp"

namespace tcpwitness {

enum class Colour : std::uint8_t { none, dim, bold, good, bad, warn, wire, loud, hue0, hue1, hue2, hue3, hue4, hue5 };

[[nodiscard]] constexpr std::string_view escape_of(Colour colour) {
  switch (colour) {
    case Colour::none:
      return "";
    case Colour::dim:
      return "\x1b[2m";
    case Colour::bold:
      return "\x1b[1m";
    case Colour::good:
      return "\x1b[32m";
    case Colour::bad:
      return "\x1b[31m";
    case Colour::warn:
      return "\x1b[33m";
    case Colour::wire:
      return "\x1b[36m";
    case Colour::loud:
      return "\x1b[1;7;31m";
    case Colour::hue0:
      return "\x1b[34m";
    case Colour::hue1:
      return "\x1b[35m";
    case Colour::hue2:
      return "\x1b[32m";
    case Colour::hue3:
      return "\x1b[94m";
    case Colour::hue4:
      return "\x1b[95m";
    case Colour::hue5:
      return "\x1b[92m";
  }
  return "";
}
// One of a few, the same for the same number: interleaved connections can be distinguished.
[[nodiscard]] constexpr Colour hue_of(std::uint64_t number) {
  return static_cast<Colour>(static_cast<std::uint64_t>(Colour::hue0) + number % 6);
}
// A terminal's: the cursor home, and nothing on it.
inline constexpr std::string_view clear_screen = "\x1b[H\x1b[2J";
inline constexpr std::string_view colour_off = "\x1b[0m";

inline void append(Buffer& out, std::string_view text) { out.append(text.data(), text.data() + text.size()); }
inline void append_spaces(Buffer& out, std::size_t count) {
  for (; count > 0; --count) out.push_back(' ');
}
inline void append_painted(Buffer& out, std::string_view text, Colour colour, bool on) {
  const bool paint = on && colour != Colour::none && !text.empty();
  if (paint) append(out, escape_of(colour));
  append(out, text);
  if (paint) append(out, colour_off);
}

}  // namespace tcpwitness
