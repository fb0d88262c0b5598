// SPDX-License-Identifier: Apache-2.0
// messages.hpp: lines for a person on stderr, and the exit codes that go with errors.
#pragma once

#include <functional>
#include <string_view>

#include "service/journal_stream.hpp"
#include "tcpwitness/result.hpp"

namespace tcpwitness {

// A line for a person on stderr, wrapped where that is a terminal, with its priority where it is the journal. Waits a
// moment at most: where nobody reads it, it is lost. Control characters in it, but for the ends of lines, become '?'.
void say(std::string_view text, Priority priority = Priority::information);
// As long as this is not null, it takes the messages: there is a screen on the terminal.
void say_through(std::function<void(std::string_view)> take);

// Prints it on stderr and returns exit code 1.
[[nodiscard]] int fail(const Error& error);
// Of what was asked for: exit code 2.
[[nodiscard]] int refuse(const Error& error);

// The same of standard output, with the errno of Output::error(). A reader that closed its pipe is no failure.
[[nodiscard]] int broken_output(int error);

}  // namespace tcpwitness
