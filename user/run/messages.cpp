// SPDX-License-Identifier: Apache-2.0
#include "run/messages.hpp"

#include <fmt/core.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstring>
#include <string>
#include <utility>

#include "run/exit_code.hpp"
#include "sink/format.hpp"
#include "sink/sinks.hpp"
#include "sink/views/describe.hpp"

namespace tcpwitness {
namespace {
std::function<void(std::string_view)> taker;

// What is quoted (a file's name, an argument) may hold orders to a terminal.
std::string without_orders(std::string_view text) {
  std::string out;
  for (std::size_t end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
    out += printable(text.substr(0, end), true) + '\n';
    text.remove_prefix(end + 1);
  }
  return out + printable(text, true);
}
}  // namespace

void say_through(std::function<void(std::string_view)> take) { taker = std::move(take); }

void say(std::string_view given, Priority priority) {
  const std::string text = without_orders(given);
  if (taker) return taker(text);
  constexpr int patience_ms = 200;
  static const bool journal = is_journal(STDERR_FILENO);
  std::string line = journal ? journal_lines(text, priority)
                             : wrapped(text, ::isatty(STDERR_FILENO) == 1 ? style_of(STDERR_FILENO).width : 0);
  if (!journal) line.push_back('\n');
  for (std::string_view left = line; !left.empty();) {
    // So much fits where poll() reports room.
    const std::string_view some = left.substr(0, PIPE_BUF);
    pollfd ready{.fd = STDERR_FILENO, .events = POLLOUT, .revents = 0};
    const int can = ::poll(&ready, 1, patience_ms);
    if (can < 0 && errno == EINTR) continue;
    if (can <= 0) return;
    const ssize_t written = ::write(STDERR_FILENO, some.data(), some.size());
    if (written < 0 && errno != EINTR && errno != EAGAIN) return;
    if (written > 0) left.remove_prefix(static_cast<std::size_t>(written));
  }
}

int fail(const Error& error) {
  say("tcpwitness: " + error.message(), Priority::error);
  return exit_failed;
}

int refuse(const Error& error) {
  static_cast<void>(fail(error));
  return exit_usage;
}

int broken_output(int error) {
  if (error == 0) error = errno;  // of a picture
  if (error == EPIPE) return 0;   // `| head` has read enough
  const char* why = error == ECANCELED ? "nobody reads it" : std::strerror(error);
  say(fmt::format("tcpwitness: cannot write the output: {}", why), Priority::error);
  return 1;
}

}  // namespace tcpwitness
