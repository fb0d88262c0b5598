// SPDX-License-Identifier: Apache-2.0
#include "terminal/keys.hpp"

#include "terminal/curses.hpp"

namespace tcpwitness::terminal {

using top::Key;
using top::KeyPress;

std::optional<Key> function_key(wint_t code) {
  switch (code) {
    case KEY_UP:
      return Key::up;
    case KEY_DOWN:
      return Key::down;
    case KEY_PPAGE:
      return Key::page_up;
    case KEY_NPAGE:
      return Key::page_down;
    case KEY_HOME:
      return Key::home;
    case KEY_END:
      return Key::end;
    case KEY_LEFT:
      return Key::left;
    case KEY_RIGHT:
      return Key::right;
    case KEY_ENTER:
      return Key::enter;
    case KEY_BTAB:
      return Key::back_tab;
    case KEY_BACKSPACE:
      return Key::backspace;
    case KEY_F(1):
      return Key::f1;
    case KEY_F(4):
      return Key::f4;
    case KEY_F(5):
      return Key::f5;
    case KEY_F(6):
      return Key::f6;
    case KEY_F(10):
      return Key::f10;
    default:
      return std::nullopt;
  }
}

KeyPress character_key(wint_t code) {
  const auto plain = [](Key key) { return KeyPress{.key = key, .character = 0}; };
  switch (code) {
    case 3:
      return plain(Key::interrupt);
    case 8:
    case 127:
      return plain(Key::backspace);
    case 9:
      return plain(Key::tab);
    case 10:
    case 13:
      return plain(Key::enter);
    case 12:
      return plain(Key::redraw);
    case 26:
      return plain(Key::suspend);
    case 27:
      return plain(Key::escape);
    default:
      return {.key = Key::character, .character = static_cast<char32_t>(code)};
  }
}

}  // namespace tcpwitness::terminal
