// SPDX-License-Identifier: Apache-2.0
// restore.hpp: the terminal as it was found, whatever ends this process.
//
// In order by disarm(). A signal that kills (a crash too) runs a handler with nothing but write() and tcsetattr(). The
// death of whoever started us is a SIGHUP. SIGKILL leaves no time: a second process, the guard, waits for that.
#pragma once

namespace tcpwitness::terminal {

// The modes as they are now, before ncurses changes them. False: errno has the reason.
[[nodiscard]] bool remember_modes();
// Once ncurses has opened the terminal: reads the escape sequences that give it back, and takes the signals that kill.
void arm();
void start_guard();
void disarm();

}  // namespace tcpwitness::terminal
