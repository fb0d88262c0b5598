// SPDX-License-Identifier: Apache-2.0
// style.cpp: what a terminal can show. The only code of the sinks that looks at the environment.
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <string>
#include <string_view>

#include "sink/sinks.hpp"
#include "values/number.hpp"

namespace tcpwitness {
namespace {

bool is_set(const char* variable) { return variable != nullptr && *variable != '\0'; }

// 0 where it is no number.
unsigned number(const char* variable) {
  const std::string_view text(is_set(variable) ? variable : "");
  return number_in<unsigned>(text).value_or(0);
}

bool is_utf8(const char* locale) {
  if (!is_set(locale)) return false;
  std::string lower(locale);
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lower.find("utf-8") != std::string::npos || lower.find("utf8") != std::string::npos;
}

// 0 where it is not known.
unsigned columns_of(int fd) {
  winsize size{};
  return ::ioctl(fd, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

}  // namespace

TextStyle choose_style(const Terminal& terminal) {
  const bool dumb = is_set(terminal.term) && std::string_view(terminal.term) == "dumb";
  return {
      .colour = terminal.is_tty && !dumb && !is_set(terminal.no_color),
      .utf8 = terminal.is_tty && !dumb && is_utf8(terminal.locale),
      .width = terminal.is_tty ? terminal.columns : number(terminal.columns_wanted),
      .screen = terminal.is_tty && !dumb,
  };
}

TextStyle style_of(int fd) {
  Terminal terminal{.is_tty = ::isatty(fd) == 1,
                    .no_color = std::getenv("NO_COLOR"),
                    .term = std::getenv("TERM"),
                    .columns_wanted = std::getenv("COLUMNS")};
  if (terminal.is_tty) terminal.columns = columns_of(fd);
  for (const char* variable : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    if (!is_set(terminal.locale)) terminal.locale = std::getenv(variable);
  }
  TextStyle style = choose_style(terminal);
  if (terminal.is_tty) style.terminal = fd;
  return style;
}

unsigned width_now(const TextStyle& style) { return style.terminal < 0 ? style.width : columns_of(style.terminal); }

}  // namespace tcpwitness
