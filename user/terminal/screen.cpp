// SPDX-License-Identifier: Apache-2.0
#include "terminal/screen.hpp"

#include <fcntl.h>
#include <langinfo.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <termios.h>
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

#define NCURSES_NOMACROS 1
#define NCURSES_WIDECHAR 1
#include <curses.h>
// Of term.h, which makes macros of words like `tab` and `lines`.
extern "C" int setupterm(const char* term, int fd, int* error);

namespace tcpwitness {
namespace {

using top::Key;
using top::KeyPress;

// ---- What a signal handler needs, and nothing that it could find half-written ----

struct Restore {
  volatile sig_atomic_t armed = 0;
  termios modes{};
  std::array<char, 256> escapes{};
  std::size_t length = 0;
  int guard = -1;  // a byte into it: there is nothing left to restore
};
Restore restore;

void dismiss_guard() {
  const char done = 1;
  if (restore.guard >= 0) static_cast<void>(::write(restore.guard, &done, 1));
}

void restore_now() {
  if (restore.armed == 0) return;
  restore.armed = 0;
  static_cast<void>(::write(STDOUT_FILENO, restore.escapes.data(), restore.length));
  ::tcsetattr(STDIN_FILENO, TCSANOW, &restore.modes);
  dismiss_guard();
}

// A process of its own for the one death that nobody can see coming (SIGKILL, the OOM killer): the kernel closes a dead
// process's pipes before its parent is notified, so the shell's prompt comes later. It has no other descriptor: a BPF
// link that it held would stay attached.
[[noreturn]] void guard_terminal(int pipe) {
  constexpr int mine = 3;
  ::dup2(pipe, mine);
  ::close_range(mine + 1, ~0U, 0);
  ::prctl(PR_SET_NAME, "tw-terminal");
  sigset_t all;
  sigfillset(&all);
  ::sigprocmask(SIG_BLOCK, &all, nullptr);
  termios ours{};
  const bool known = ::tcgetattr(STDIN_FILENO, &ours) == 0;
  char done = 0;
  ssize_t got = 0;
  while ((got = ::read(mine, &done, 1)) < 0 && errno == EINTR) {
  }
  if (got > 0) ::_exit(0);
  static_cast<void>(::write(STDOUT_FILENO, restore.escapes.data(), restore.length));
  // Unless somebody has set others since.
  termios now{};
  if (known && ::tcgetattr(STDIN_FILENO, &now) == 0 && now.c_lflag == ours.c_lflag && now.c_iflag == ours.c_iflag)
    ::tcsetattr(STDIN_FILENO, TCSANOW, &restore.modes);
  ::_exit(0);
}

// As a grandchild: nobody has to wait for it.
void start_guard() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return;
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(ends[1]);
    if (::fork() == 0) guard_terminal(ends[0]);
    ::_exit(0);
  }
  ::close(ends[0]);
  if (child > 0) {
    ::waitpid(child, nullptr, 0);
    restore.guard = ends[1];
  } else {
    ::close(ends[1]);
  }
}

extern "C" void die_restored(int number) {
  const int error = errno;
  restore_now();
  std::signal(number, SIG_DFL);
  errno = error;
  ::raise(number);  // delivered when this handler returns
}

// Every signal that ends a process and that nobody takes otherwise.
constexpr std::array deadly{SIGQUIT, SIGILL,  SIGTRAP, SIGABRT,   SIGBUS,  SIGFPE,  SIGUSR1, SIGSEGV,
                            SIGUSR2, SIGALRM, SIGXCPU, SIGVTALRM, SIGPROF, SIGPOLL, SIGPWR,  SIGSYS};

void take_deadly_signals() {
  struct sigaction action{};
  action.sa_handler = die_restored;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_ONSTACK;
  for (const int number : deadly) ::sigaction(number, &action, nullptr);
}

// Of tigetstr(3X): the terminal has it.
bool is_text(const char* found) { return found != nullptr && reinterpret_cast<std::intptr_t>(found) != -1; }

void add_escape(const char* capability) {
  const char* text = ::tigetstr(capability);
  if (!is_text(text)) return;
  // Padding ("$<5>") is of terminals that nobody has any more, and would be printed.
  const std::string_view all(text);
  const std::string_view plain = all.substr(0, all.find("$<"));
  if (restore.length + plain.size() > restore.escapes.size()) return;
  std::ranges::copy(plain, restore.escapes.data() + restore.length);
  restore.length += plain.size();
}

// ---- ----

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

KeyPress plain(Key key) { return {.key = key, .character = 0}; }

// A key that ncurses has a number for; false: nothing that anybody here knows.
bool function_key(wint_t code, KeyPress& press) {
  switch (code) {
    case KEY_UP:
      press = plain(Key::up);
      return true;
    case KEY_DOWN:
      press = plain(Key::down);
      return true;
    case KEY_PPAGE:
      press = plain(Key::page_up);
      return true;
    case KEY_NPAGE:
      press = plain(Key::page_down);
      return true;
    case KEY_HOME:
      press = plain(Key::home);
      return true;
    case KEY_END:
      press = plain(Key::end);
      return true;
    case KEY_LEFT:
      press = plain(Key::left);
      return true;
    case KEY_RIGHT:
      press = plain(Key::right);
      return true;
    case KEY_ENTER:
      press = plain(Key::enter);
      return true;
    case KEY_BTAB:
      press = plain(Key::back_tab);
      return true;
    case KEY_BACKSPACE:
      press = plain(Key::backspace);
      return true;
    case KEY_F(1):
      press = plain(Key::f1);
      return true;
    case KEY_F(4):
      press = plain(Key::f4);
      return true;
    case KEY_F(5):
      press = plain(Key::f5);
      return true;
    case KEY_F(6):
      press = plain(Key::f6);
      return true;
    case KEY_F(10):
      press = plain(Key::f10);
      return true;
    default:
      return false;
  }
}

KeyPress character_key(wint_t code) {
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

}  // namespace

struct Screen::Impl {
  int signals = -1;
  SCREEN* screen = nullptr;
  bool utf8 = false;
  bool colour = false;
  winsize size{};
  std::vector<std::byte> stack;  // of the handlers: a crash can be that there is none left

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
  if (!is_text(::tigetstr("cup")))
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
  if (::tcgetattr(STDIN_FILENO, &restore.modes) != 0) return failure("read the terminal's modes", std::strerror(errno));
  impl.utf8 = use_utf8();
  // The size is the terminal's, not what LINES and COLUMNS said once.
  ::unsetenv("LINES");
  ::unsetenv("COLUMNS");
  impl.screen = ::newterm(nullptr, stdout, stdin);
  if (impl.screen == nullptr) return failure("draw on the terminal", "ncurses cannot use it");
  restore.length = 0;
  for (const char* capability : {"sgr0", "rmkx", "cnorm", "rmcup"}) add_escape(capability);
  restore.armed = 1;
  // Whoever takes the terminal from us (a shell, when ours was killed) may be its owner by the time we give it back.
  std::signal(SIGTTOU, SIG_IGN);
  impl.stack.resize(std::size_t{64} * 1024);
  stack_t stack{};
  stack.ss_sp = impl.stack.data();
  stack.ss_size = impl.stack.size();
  ::sigaltstack(&stack, nullptr);
  take_deadly_signals();
  ::prctl(PR_SET_PDEATHSIG, SIGHUP);
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
  start_guard();
  return {};
}

bool Screen::is_open() const { return impl_->screen != nullptr; }

void Screen::close() {
  Impl& impl = *impl_;
  if (impl.screen == nullptr) return;
  ::endwin();
  ::delscreen(impl.screen);
  impl.screen = nullptr;
  ::tcsetattr(STDIN_FILENO, TCSANOW, &restore.modes);
  restore.armed = 0;
  dismiss_guard();
  ::close(restore.guard);
  restore.guard = -1;
  for (const int number : deadly) std::signal(number, SIG_DFL);
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
    if (taken.ssi_signo == SIGTSTP) input.keys.push_back(plain(Key::suspend));
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
    KeyPress press;
    if (kind == KEY_CODE_YES) {
      if (function_key(code, press)) input.keys.push_back(press);
    } else {
      input.keys.push_back(character_key(code));
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
