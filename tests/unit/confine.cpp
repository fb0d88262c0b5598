// SPDX-License-Identifier: Apache-2.0
// Tries what must be refused to a process that has confined itself. Each attempt is a child's, whose exit code shows
// what happened: the test itself stays free.
#include "confine/confine.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <fstream>
#include <functional>
#include <string>
#include <thread>

namespace tcpwitness::testing {
namespace {

constexpr int could_not_confine = 99;

// The exit code of `attempt` after `confine`.
int in_child(const std::function<bool()>& confine, const std::function<int()>& attempt) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(confine() ? attempt() : could_not_confine);
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int refused(long result) { return result == -1 ? errno : 0; }

bool for_tracing() { return restrict_system_calls(Work::trace).has_value(); }
bool for_serving() { return restrict_system_calls(Work::serve).has_value(); }
bool for_reading() { return restrict_system_calls(Work::read).has_value(); }

std::string status_line(const std::string& name) {
  std::ifstream status("/proc/self/status");
  std::string line;
  while (std::getline(status, line)) {
    if (line.starts_with(name)) return line.substr(name.size());
  }
  return "";
}

}  // namespace

class Confine : public ::testing::Test {
 protected:
  void SetUp() override {
    if (in_child(for_reading, [] { return 0; }) != 0) GTEST_SKIP() << "this kernel has no seccomp filters";
    const auto execs = [] { return refused(::execl("/bin/true", "true", nullptr)); };
    if (in_child(for_reading, execs) == 0) GTEST_SKIP() << "built with a sanitizer, which makes calls of its own";
  }
};

TEST_F(Confine, NoProgramIsStarted) {
  for (const auto& confine : {for_tracing, for_serving, for_reading})
    EXPECT_EQ(in_child(confine, [] { return refused(::execl("/bin/true", "true", nullptr)); }), EPERM);
}

TEST_F(Confine, NothingGoesOverTheNetwork) {
  for (const auto& confine : {for_tracing, for_serving, for_reading}) {
    for (const int family : {AF_INET, AF_INET6, AF_UNIX, AF_PACKET})
      EXPECT_EQ(in_child(confine, [&] { return refused(::socket(family, SOCK_STREAM, 0)); }), EPERM) << family;
  }
  EXPECT_EQ(in_child(for_reading, [] { return refused(::socket(AF_NETLINK, SOCK_RAW, 0)); }), EPERM);
  EXPECT_EQ(in_child(for_tracing, [] { return refused(::socket(AF_NETLINK, SOCK_RAW, 0)); }), 0) << "interfaces come";
}

TEST_F(Confine, NobodyElseIsTouched) {
  for (const auto& confine : {for_tracing, for_serving, for_reading}) {
    EXPECT_EQ(in_child(confine, [] { return refused(::kill(::getppid(), 0)); }), EPERM);
    EXPECT_EQ(in_child(confine, [] { return refused(::syscall(SYS_tgkill, ::getppid(), ::getppid(), 0)); }), EPERM);
    EXPECT_EQ(in_child(confine, [] { return refused(::syscall(SYS_tgkill, ::getpid(), ::gettid(), 0)); }), 0);
    EXPECT_EQ(in_child(confine, [] { return refused(::ptrace(PTRACE_ATTACH, ::getppid(), nullptr, nullptr)); }), EPERM);
    EXPECT_EQ(in_child(confine, [] { return refused(::setuid(0)); }), EPERM);
    EXPECT_EQ(in_child(confine, [] { return refused(::syscall(SYS_mount, "a", "/", "tmpfs", 0, nullptr)); }), EPERM);
    EXPECT_EQ(in_child(confine, [] { return refused(::chmod("/tmp", 0777)); }), EPERM);
  }
}

// A socket that listened before; a tracer that serves nothing takes nobody in.
TEST_F(Confine, WhoServesTakesClientsInAndGoesToNobody) {
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof at;
  auto* address = reinterpret_cast<sockaddr*>(&at);
  ASSERT_EQ(::bind(listener, address, sizeof at), 0);
  ASSERT_EQ(::listen(listener, 4), 0);
  ASSERT_EQ(::getsockname(listener, address, &length), 0);
  const int client = ::socket(AF_INET, SOCK_STREAM, 0);
  ASSERT_EQ(::connect(client, address, length), 0);
  const auto accepts = [&] {
    const int accepted = ::accept(listener, nullptr, nullptr);
    if (accepted < 0) return errno;
    return ::send(accepted, "x", 1, MSG_NOSIGNAL) == 1 && ::shutdown(accepted, SHUT_WR) == 0 ? 0 : errno;
  };
  EXPECT_EQ(in_child(for_tracing, accepts), EPERM);
  EXPECT_EQ(in_child(for_reading, accepts), EPERM);
  EXPECT_EQ(in_child(for_serving, accepts), 0);
  const int unconnected = ::socket(AF_INET, SOCK_STREAM, 0);
  EXPECT_EQ(in_child(for_serving, [&] { return refused(::connect(unconnected, address, length)); }), EPERM);
  EXPECT_EQ(in_child(for_serving, [&] { return refused(::listen(unconnected, 4)); }), EPERM);
  for (const int fd : {unconnected, client, listener}) ::close(fd);
}

// Two descriptors of one process: the call is allowed by the descriptor.
TEST_F(Confine, TheCommandAloneIsSentSignals) {
  const int its = static_cast<int>(::syscall(SYS_pidfd_open, ::getpid(), 0));
  const int other = ::dup(its);
  ASSERT_TRUE(its >= 0 && other >= 0);
  const auto signals = [](int pidfd) { return refused(::syscall(SYS_pidfd_send_signal, pidfd, 0, nullptr, 0)); };
  const auto with_it = [&] { return restrict_system_calls(Work::trace, its).has_value(); };
  EXPECT_EQ(in_child(with_it, [&] { return signals(its); }), 0);
  EXPECT_EQ(in_child(with_it, [&] { return signals(other); }), EPERM);
  EXPECT_EQ(in_child(with_it, [] { return refused(::kill(::getppid(), 0)); }), EPERM);
  EXPECT_EQ(in_child(for_tracing, [&] { return signals(its); }), EPERM);
  ::close(other);
  ::close(its);
}

TEST_F(Confine, WhoReadsOpensNothingMore) {
  EXPECT_EQ(in_child(for_reading, [] { return refused(::open("/etc/passwd", O_RDONLY)); }), EPERM);
  EXPECT_EQ(in_child(for_reading, [] { return refused(::syscall(SYS_bpf, 0, nullptr, 0)); }), EPERM);
  EXPECT_EQ(in_child(for_reading, [] { return refused(::unlink("/tmp/nothing-of-this-name")); }), EPERM);
}

TEST_F(Confine, WhatTheWorkNeedsGoesOn) {
  const auto work = [] {
    std::thread thread([] {});
    thread.join();
    void* memory = ::mmap(nullptr, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return memory != MAP_FAILED && ::write(STDERR_FILENO, "", 0) == 0 ? 0 : 1;
  };
  for (const auto& confine : {for_tracing, for_serving, for_reading}) EXPECT_EQ(in_child(confine, work), 0);
}

// What `top` does once it is drawn: keys, the size, the modes given back, its own stop and end.
TEST_F(Confine, ATerminalIsStillDrawnOnAndGivenBack) {
  const int master = ::posix_openpt(O_RDWR | O_NOCTTY);
  ASSERT_TRUE(master >= 0 && ::grantpt(master) == 0 && ::unlockpt(master) == 0);
  const int terminal = ::open(::ptsname(master), O_RDWR | O_NOCTTY);
  ASSERT_GE(terminal, 0);
  const auto work = [&] {
    termios modes{};
    winsize size{};
    int waiting = 0;
    pollfd keys{.fd = terminal, .events = POLLIN, .revents = 0};
    if (::tcgetattr(terminal, &modes) != 0 || ::ioctl(terminal, TIOCGWINSZ, &size) != 0) return 1;
    if (::poll(&keys, 1, 0) < 0 || ::ioctl(terminal, FIONREAD, &waiting) != 0) return 2;
    if (::write(terminal, "x", 1) != 1 || ::tcsetattr(terminal, TCSANOW, &modes) != 0) return 3;
    ::signal(SIGURG, SIG_DFL);
    return ::raise(SIGURG) == 0 ? 0 : 4;
  };
  for (const auto& confine : {for_tracing, for_reading}) EXPECT_EQ(in_child(confine, work), 0);
  ::close(terminal);
  ::close(master);
}

TEST(ConfineCapabilities, OnlyThoseThatAreKeptAreLeft) {
  if (::geteuid() != 0) GTEST_SKIP() << "not root: there is nothing to give up";
  const auto keep = [] {
    constexpr std::array kept{CAP_NET_ADMIN};
    return keep_capabilities(kept).has_value();
  };
  EXPECT_EQ(in_child(keep, [] { return status_line("CapEff:").ends_with("0000000000001000") ? 0 : 1; }), 0);
  EXPECT_EQ(in_child(keep, [] { return refused(::sethostname("x", 1)); }), EPERM);
}

TEST(ConfineUser, RootBecomesNobodyForGood) {
  if (::geteuid() != 0) GTEST_SKIP() << "not root";
  const auto become = [] { return become_nobody().has_value(); };
  EXPECT_EQ(in_child(become, [] { return ::geteuid() == 65534 && ::getegid() == 65534 ? 0 : 1; }), 0);
  EXPECT_EQ(in_child(become, [] { return refused(::setuid(0)); }), EPERM);
  EXPECT_EQ(in_child(become, [] { return refused(::open("/etc/shadow", O_RDONLY)); }), EACCES);
}

}  // namespace tcpwitness::testing
