// SPDX-License-Identifier: Apache-2.0
// keys.hpp: what keys do to a view. Pure: a key and a model give the next view.
#pragma once

#include <cstdint>

#include "top/model.hpp"
#include "top/view.hpp"

namespace tcpwitness::top {

enum class Key : std::uint8_t {
  character,
  up,
  down,
  page_up,
  page_down,
  home,
  end,
  left,
  right,
  enter,
  escape,
  tab,
  back_tab,
  backspace,
  f1,
  f4,
  f5,
  f6,
  f10,
  interrupt,  // Ctrl-C
  suspend,    // Ctrl-Z
  redraw,     // Ctrl-L
};
struct KeyPress {
  Key key = Key::character;
  char32_t character = 0;
};

enum class Wish : std::uint8_t { none, quit, suspend, redraw, pause, story, picture };

// What is left to do is the wish.
Wish press(View& view, const KeyPress& key, const Model& model);

}  // namespace tcpwitness::top
