// SPDX-License-Identifier: Apache-2.0
// screen.hpp: a screen on the terminal: a Frame is drawn, keys come back. This folder alone includes ncurses.
//
// The terminal is left as it was found, whatever ends the process: restore.hpp.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "tcpwitness/result.hpp"
#include "top/frame.hpp"
#include "top/keys.hpp"

namespace tcpwitness {

class Screen {
 public:
  // Whether there is one that can be drawn on. What is wrong is reported as a usage error.
  static Result<void> check();
  // Blocks SIGWINCH and SIGTSTP, which come as keys do: before there are threads.
  static Result<std::unique_ptr<Screen>> prepare();
  ~Screen();
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  // The alternate screen, raw keys.
  Result<void> open();
  void close();
  [[nodiscard]] bool is_open() const;

  [[nodiscard]] bool utf8() const;
  [[nodiscard]] bool colour() const;
  [[nodiscard]] std::size_t width() const;
  [[nodiscard]] std::size_t height() const;
  // What becomes readable when there is something for keys().
  [[nodiscard]] int input_fd() const;
  [[nodiscard]] int signal_fd() const;

  struct Input {
    std::vector<top::KeyPress> keys;
    bool resized = false;
    bool gone = false;  // nobody is at the terminal any more
  };
  // Those that are there; waits for none.
  [[nodiscard]] Input input();
  void draw(const top::Frame& frame);
  // Everything is drawn anew with the next frame.
  void redraw();
  // Gives the terminal back and stops this process, until it is continued.
  void suspend();

 private:
  Screen();
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tcpwitness
