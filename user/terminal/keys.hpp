// SPDX-License-Identifier: Apache-2.0
// keys.hpp: what ncurses reads, as the keys of top/keys.hpp.
#pragma once

#include <cwchar>
#include <optional>

#include "top/keys.hpp"

namespace tcpwitness::terminal {

// A key that ncurses has a number for; empty: one that is not used here.
[[nodiscard]] std::optional<top::Key> function_key(wint_t code);
[[nodiscard]] top::KeyPress character_key(wint_t code);

}  // namespace tcpwitness::terminal
