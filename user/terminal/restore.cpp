// SPDX-License-Identifier: Apache-2.0
#include "terminal/restore.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <string_view>

#include "terminal/curses.hpp"

namespace tcpwitness::terminal {
namespace {

// All that a signal handler needs, and nothing that it could find half-written.
struct Restore {
  volatile sig_atomic_t armed = 0;
  termios modes{};
  std::array<char, 256> escapes{};
  std::size_t length = 0;
  int guard = -1;  // a byte into it: there is nothing left to restore
};
Restore saved;
std::array<std::byte, std::size_t{64} * 1024> handler_stack;  // a crash can be that there is no stack left

void dismiss_guard() {
  const char done = 1;
  if (saved.guard >= 0) static_cast<void>(::write(saved.guard, &done, 1));
}

void restore_now() {
  if (saved.armed == 0) return;
  saved.armed = 0;
  static_cast<void>(::write(STDOUT_FILENO, saved.escapes.data(), saved.length));
  ::tcsetattr(STDIN_FILENO, TCSANOW, &saved.modes);
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
  static_cast<void>(::write(STDOUT_FILENO, saved.escapes.data(), saved.length));
  // Unless somebody has set others since.
  termios now{};
  if (known && ::tcgetattr(STDIN_FILENO, &now) == 0 && now.c_lflag == ours.c_lflag && now.c_iflag == ours.c_iflag)
    ::tcsetattr(STDIN_FILENO, TCSANOW, &saved.modes);
  ::_exit(0);
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

void add_escape(const char* name) {
  const char* text = capability(name);
  if (text == nullptr) return;
  // Padding ("$<5>") is of terminals that nobody has any more, and would be printed.
  const std::string_view all(text);
  const std::string_view plain = all.substr(0, all.find("$<"));
  if (saved.length + plain.size() > saved.escapes.size()) return;
  std::ranges::copy(plain, saved.escapes.data() + saved.length);
  saved.length += plain.size();
}

}  // namespace

bool remember_modes() { return ::tcgetattr(STDIN_FILENO, &saved.modes) == 0; }

void arm() {
  saved.length = 0;
  for (const char* name : {"sgr0", "rmkx", "cnorm", "rmcup"}) add_escape(name);
  saved.armed = 1;
  // Whoever takes the terminal from us (a shell, when ours was killed) may be its owner by the time we give it back.
  std::signal(SIGTTOU, SIG_IGN);
  stack_t stack{};
  stack.ss_sp = handler_stack.data();
  stack.ss_size = handler_stack.size();
  ::sigaltstack(&stack, nullptr);
  take_deadly_signals();
  ::prctl(PR_SET_PDEATHSIG, SIGHUP);
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
    saved.guard = ends[1];
  } else {
    ::close(ends[1]);
  }
}

void disarm() {
  ::tcsetattr(STDIN_FILENO, TCSANOW, &saved.modes);
  saved.armed = 0;
  dismiss_guard();
  ::close(saved.guard);
  saved.guard = -1;
  for (const int number : deadly) std::signal(number, SIG_DFL);
}

}  // namespace tcpwitness::terminal
