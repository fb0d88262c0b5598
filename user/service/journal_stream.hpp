// SPDX-License-Identifier: Apache-2.0
// journal_stream.hpp: lines as the journal takes them: the priority in front, the program's name left out, which it
// knows.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tcpwitness {

// As syslog(3) numbers them.
enum class Priority : std::uint8_t { error = 3, warning = 4, notice = 5, information = 6 };

// The descriptor is the journal's: JOURNAL_STREAM has its device and inode (systemd.exec(5)). A program that is started
// with its stderr elsewhere inherits the variable all the same.
[[nodiscard]] bool is_journal(int fd);
[[nodiscard]] bool is_journal(int fd, std::string_view journal_stream);

// "<4>the reader is slow\n": each line of the text.
[[nodiscard]] std::string journal_lines(std::string_view text, Priority priority);

}  // namespace tcpwitness
