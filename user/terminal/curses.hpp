// SPDX-License-Identifier: Apache-2.0
// curses.hpp: ncurses with wide characters, and without its macros.
#pragma once

#include <cstdint>

#define NCURSES_NOMACROS 1
#define NCURSES_WIDECHAR 1
#include <curses.h>
// Of term.h, which makes macros of words like `tab` and `lines`.
extern "C" int setupterm(const char* term, int fd, int* error);

namespace tcpwitness::terminal {

// Of tigetstr(3X); null where the terminal does not have it.
inline const char* capability(const char* name) {
  const char* found = ::tigetstr(name);
  return reinterpret_cast<std::intptr_t>(found) == -1 ? nullptr : found;
}

}  // namespace tcpwitness::terminal
