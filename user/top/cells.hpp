// SPDX-License-Identifier: Apache-2.0
// cells.hpp: text of which each character has a known width on every terminal.
//
// A process may call itself anything. What moves the cursor (control characters, escape sequences), what has no width
// of its own (combining characters), what changes the direction of a line (RTL letters and marks) and what terminals
// disagree about (emoji) is shown as '?', so a column ends where it is thought to end.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "sink/cells.hpp"

namespace tcpwitness::top {

// Any bytes, made of such characters alone; without utf8 of ASCII alone.
[[nodiscard]] std::string shown(std::string_view bytes, bool utf8);
// At most so many cells of a text that shown() made: what is cut ends in '~'. A wide character is never halved.
[[nodiscard]] std::string cut(std::string_view text, std::size_t cells);

}  // namespace tcpwitness::top
