// SPDX-License-Identifier: Apache-2.0
#include "terminal/screen.hpp"

#include <langinfo.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <clocale>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <cwchar>
#include <string>
#include <string_view>

#include "sink/sinks.hpp"
#include "sink/utf8.hpp"
#include "terminal/curses.hpp"
#include "terminal/keys.hpp"
#include "terminal/restore.hpp"

namespace tcpwitness {
namespace {

bool says_something(const char* variable) { return variable != nullptr && *variable != '\0'; }

winsize size_now() {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) {
    size.ws_col = 80;
    size.ws_row = 24;
  }
  return size;
}

// The environment may name a locale that is not installed here (ssh passes it on).
bool use_utf8() {
  if (!style_of(STDOUT_FILENO).utf8) {
    std::setlocale(LC_CTYPE, "C");
    return false;
  }
  for (const char* name : {"", "C.UTF-8", "C.utf8", "en_US.UTF-8"}) {
    if (std::setlocale(LC_CTYPE, name) != nullptr && std::string_view(::nl_langinfo(CODESET)) == "UTF-8") return true;
  }
  std::setlocale(LC_CTYPE, "C");
  return false;
}

std::wstring wide(std::string_view text) {
  std::wstring all;
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    wchar_t character = length == 0 ? L'?' : length == 1 ? at(0) : at(0) & (0xff >> (length + 1));
    for (std::size_t i = 1; i < length; ++i) character = character << 6 | (at(i) & 0x3f);
    all.push_back(character);
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return all;
}

constexpr std::array<short, 14> colours_of_8{-1,
                                             -1,
                                             -1,
                                             COLOR_GREEN,
                                             COLOR_RED,
                                             COLOR_YELLOW,
                                             COLOR_CYAN,
                                             COLOR_RED,
                                             COLOR_BLUE,
                                             COLOR_MAGENTA,
                                             COLOR_GREEN,
                                             COLOR_BLUE,
                                             COLOR_MAGENTA,
                                             COLOR_GREEN};
constexpr std::array<short, 14> colours_of_256{-1, 245, -1, 71, 167, 178, 73, 167, 68, 133, 108, 111, 176, 150};

}  // namespace

struct Screen::Impl {
  int signals = -1;
  SCREEN* screen = nullptr;
  bool utf8 = false;
  bool colour = false;
  winsize size{};

  [[nodiscard]] attr_t attributes(const top::Look& look) const {
    attr_t attributes = look.reverse ? A_REVERSE : A_NORMAL;
    switch (look.colour) {
      case Colour::dim:
        if (!colour) attributes |= A_DIM;
        break;
      case Colour::bold:
        attributes |= A_BOLD;
        break;
      case Colour::bad:
      case Colour::warn:
        if (!colour) attributes |= A_BOLD;
        break;
      case Colour::loud:
        attributes |= A_BOLD | A_REVERSE;
        break;
      default:
        break;
    }
    return attributes;
  }
};

Screen::Screen() : impl_(std::make_unique<Impl>()) {}

Screen::~Screen() {
  close();
  if (impl_->signals >= 0) ::close(impl_->signals);
}

Result<void> Screen::check() {
  constexpr const char* hint = "'tcpwitness life' and 'tcpwitness summary' print text";
  if (::isatty(STDIN_FILENO) != 1 || ::isatty(STDOUT_FILENO) != 1)
    return failure("draw on the terminal", "standard input or output is none", hint);
  const char* term = std::getenv("TERM");
  if (!says_something(term) || std::string_view(term) == "dumb")
    return failure("draw on the terminal", says_something(term) ? "TERM=dumb" : "TERM is not set", hint);
  int error = 0;
  if (::setupterm(term, STDOUT_FILENO, &error) != OK)
    return failure("draw on the terminal", "TERM=" + top::shown(term, false) + " is not known here", hint);
  if (terminal::capability("cup") == nullptr)
    return failure("draw on the terminal", "TERM=" + top::shown(term, false) + " cannot move its cursor", hint);
  return {};
}

Result<std::unique_ptr<Screen>> Screen::prepare() {
  std::unique_ptr<Screen> terminal(new Screen());
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGWINCH, SIGTSTP}) sigaddset(&set, number);
  ::sigprocmask(SIG_BLOCK, &set, nullptr);
  terminal->impl_->signals = ::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  if (terminal->impl_->signals < 0) return failure("follow the terminal's size", std::strerror(errno));
  return terminal;
}

Result<void> Screen::open() {
  Impl& impl = *impl_;
  if (!terminal::remember_modes()) return failure("read the terminal's modes", std::strerror(errno));
  impl.utf8 = use_utf8();
  // The size is the terminal's, not what LINES and COLUMNS were once.
  ::unsetenv("LINES");
  ::unsetenv("COLUMNS");
  impl.screen = ::newterm(nullptr, stdout, stdin);
  if (impl.screen == nullptr) return failure("draw on the terminal", "ncurses cannot use it");
  terminal::arm();
  ::raw();
  ::noecho();
  ::nonl();
  ::keypad(::stdscr, TRUE);
  ::nodelay(::stdscr, TRUE);
  ::set_escdelay(25);
  ::curs_set(0);
  impl.colour = style_of(STDOUT_FILENO).colour && ::has_colors();
  if (impl.colour) {
    ::start_color();
    ::use_default_colors();
    const auto& colours = ::COLORS >= 256 ? colours_of_256 : colours_of_8;
    for (std::size_t i = 0; i < colours.size(); ++i) ::init_pair(static_cast<short>(i + 1), colours.at(i), -1);
  }
  impl.size = size_now();
  ::resizeterm(impl.size.ws_row, impl.size.ws_col);
  terminal::start_guard();
  return {};
}

bool Screen::is_open() const { return impl_->screen != nullptr; }

void Screen::close() {
  Impl& impl = *impl_;
  if (impl.screen == nullptr) return;
  ::endwin();
  ::delscreen(impl.screen);
  impl.screen = nullptr;
  terminal::disarm();
}

bool Screen::utf8() const { return impl_->utf8; }
bool Screen::colour() const { return impl_->colour; }
std::size_t Screen::width() const { return impl_->size.ws_col; }
std::size_t Screen::height() const { return impl_->size.ws_row; }
int Screen::input_fd() const { return STDIN_FILENO; }
int Screen::signal_fd() const { return impl_->signals; }

Screen::Input Screen::input() {
  Impl& impl = *impl_;
  Input input;
  signalfd_siginfo taken{};
  while (::read(impl.signals, &taken, sizeof taken) == static_cast<ssize_t>(sizeof taken)) {
    if (taken.ssi_signo == SIGTSTP) input.keys.push_back({.key = top::Key::suspend, .character = 0});
  }
  const winsize size = size_now();
  if (size.ws_col != impl.size.ws_col || size.ws_row != impl.size.ws_row) {
    impl.size = size;
    ::resizeterm(size.ws_row, size.ws_col);
    input.resized = true;
  }
  pollfd ready{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
  if (::poll(&ready, 1, 0) <= 0) return input;
  int bytes = 0;
  // Readable, and nothing to read: its end.
  input.gone = (ready.revents & (POLLHUP | POLLERR | POLLNVAL)) != 0 ||
               (::ioctl(STDIN_FILENO, FIONREAD, &bytes) == 0 && bytes == 0);
  constexpr std::size_t at_a_time = 64;
  while (!input.gone && input.keys.size() < at_a_time) {
    wint_t code = 0;
    errno = 0;
    const int kind = ::get_wch(&code);
    if (kind == ERR) {
      input.gone = errno == EIO;
      break;
    }
    if (kind != KEY_CODE_YES) {
      input.keys.push_back(terminal::character_key(code));
    } else if (const auto key = terminal::function_key(code)) {
      input.keys.push_back({.key = *key, .character = 0});
    }
  }
  return input;
}

void Screen::draw(const top::Frame& frame) {
  const Impl& impl = *impl_;
  if (impl.screen == nullptr) return;
  ::werase(::stdscr);
  const std::size_t rows = std::min<std::size_t>(frame.size(), impl.size.ws_row);
  for (std::size_t y = 0; y < rows; ++y) {
    ::wmove(::stdscr, static_cast<int>(y), 0);
    for (const top::Piece& piece : frame[y].pieces()) {
      const auto pair = static_cast<short>(impl.colour ? static_cast<int>(piece.look.colour) + 1 : 0);
      ::wattr_set(::stdscr, impl.attributes(piece.look), pair, nullptr);
      const std::wstring text = wide(piece.text);
      ::waddnwstr(::stdscr, text.c_str(), static_cast<int>(text.size()));
    }
  }
  ::wattr_set(::stdscr, A_NORMAL, 0, nullptr);
  ::wrefresh(::stdscr);
}

void Screen::redraw() {
  if (impl_->screen != nullptr) ::clearok(::curscr, TRUE);
}

void Screen::suspend() {
  if (impl_->screen == nullptr) return;
  ::endwin();
  ::raise(SIGSTOP);
  // Continued: what the shell did to the terminal is undone with the next frame.
  ::reset_prog_mode();
  redraw();
}

}  // namespace tcpwitness
