// SPDX-License-Identifier: Apache-2.0
// program.cpp: see program.hpp.
#include "read/program.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <utility>

namespace tcpwitness::read_test {
namespace {

using Clock = std::chrono::steady_clock;

struct Ends {
  int ours = -1;
  int its = -1;
};

Ends make_pipe(bool it_reads) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) std::abort();
  return it_reads ? Ends{ends[1], ends[0]} : Ends{ends[0], ends[1]};
}

Ends make_terminal() {
  Ends ends;
  winsize size{.ws_row = 24, .ws_col = 80, .ws_xpixel = 0, .ws_ypixel = 0};
  if (::openpty(&ends.ours, &ends.its, nullptr, nullptr, &size) != 0) std::abort();
  ::fcntl(ends.ours, F_SETFD, FD_CLOEXEC);
  ::fcntl(ends.its, F_SETFD, FD_CLOEXEC);
  return ends;
}

void close_once(int& fd) {
  if (fd >= 0) ::close(std::exchange(fd, -1));
}

// What there is, at most `most`; false at the end.
bool take_from(int& fd, std::string& into, std::size_t most) {
  std::string chunk(std::min<std::size_t>(most, 65'536), '\0');
  const ssize_t got = ::read(fd, chunk.data(), chunk.size());
  if (got <= 0) {  // a terminal whose other end is closed fails with EIO
    close_once(fd);
    return false;
  }
  into.append(chunk, 0, static_cast<std::size_t>(got));
  return true;
}

}  // namespace

Program::Program(const Arguments& arguments, const Setting& setting) {
  Ends input;
  if (setting.input) input = make_pipe(true);
  if (setting.terminal_input) input = make_terminal();
  if (input.its < 0) input.its = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  const Ends output = make_pipe(false);
  const Ends error = setting.terminal ? make_terminal() : make_pipe(false);
  std::vector<std::string> words{TCPWITNESS_BINARY};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  pid_ = ::fork();
  if (pid_ == 0) {
    ::dup2(input.its, STDIN_FILENO);
    ::dup2(output.its, STDOUT_FILENO);
    ::dup2(error.its, STDERR_FILENO);
    ::setenv("TZ", "UTC", 1);
    ::unsetenv("COLUMNS");
    if (setting.in_child) setting.in_child();
    ::execv(argv[0], argv.data());
    ::_exit(127);
  }
  ::close(input.its);
  ::close(output.its);
  ::close(error.its);
  input_ = input.ours;
  output_ = output.ours;
  error_ = error.ours;
}

Program::~Program() {
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  close_once(input_);
  close_once(output_);
  close_once(error_);
}

// Reads what the program prints meanwhile: both pipes have an end.
void Program::give(std::string_view bytes) {
  std::signal(SIGPIPE, SIG_IGN);
  ::fcntl(input_, F_SETFL, O_NONBLOCK);
  const auto end = Clock::now() + std::chrono::seconds(20);
  while (!bytes.empty() && Clock::now() < end) {
    const ssize_t written = ::write(input_, bytes.data(), bytes.size());
    if (written > 0) bytes.remove_prefix(static_cast<std::size_t>(written));
    if (written < 0 && errno != EAGAIN) return;  // it reads no more
    if (written < 0) take(65'536, 1);
  }
}

void Program::end_input() { close_once(input_); }
void Program::signal(int number) const { ::kill(pid_, number); }
void Program::close_output() { close_once(output_); }

// Some of what was printed; false when nothing more can come.
bool Program::take(std::size_t most, int wait_ms) {
  std::array<pollfd, 2> both{
      {{.fd = output_, .events = POLLIN, .revents = 0}, {.fd = error_, .events = POLLIN, .revents = 0}}};
  if (::poll(both.data(), both.size(), wait_ms) <= 0) return output_ >= 0 || error_ >= 0;
  if (both[0].revents != 0) take_from(output_, reported_.out, most);
  if (both[1].revents != 0) take_from(error_, reported_.err, 65'536);
  return output_ >= 0 || error_ >= 0;
}

void Program::listen(std::chrono::milliseconds time, std::size_t bytes_a_ms) {
  const auto end = Clock::now() + time;
  while (Clock::now() < end && take(bytes_a_ms, 1)) ::usleep(1'000);
}

bool Program::says(std::string_view text, std::chrono::milliseconds within) {
  const auto end = Clock::now() + within;
  while (!reported_.out.contains(text)) {
    if (Clock::now() >= end || !take(65'536, 10)) return reported_.out.contains(text);
  }
  return true;
}

bool Program::warns(std::string_view text, std::chrono::milliseconds within) {
  const auto end = Clock::now() + within;
  while (!reported_.err.contains(text)) {
    if (Clock::now() >= end || !take(65'536, 10)) return reported_.err.contains(text);
  }
  return true;
}

ProgramOutput Program::wait(std::chrono::milliseconds within) {
  const auto end = Clock::now() + within;
  while (Clock::now() < end && take(65'536, 10)) {
  }
  int status = 0;
  while (::waitpid(pid_, &status, WNOHANG) == 0) {
    if (Clock::now() >= end) {
      ADD_FAILURE() << "not over in time; it said: " << reported_.err;
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, &status, 0);
      break;
    }
    ::usleep(1'000);
  }
  pid_ = -1;
  reported_.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return reported_;
}

ProgramOutput tcpwitness(const Arguments& arguments, std::string_view input) {
  Program program(arguments, {.input = !input.empty()});
  if (!input.empty()) {
    program.give(input);
    program.end_input();
  }
  return program.wait();
}

std::string field_capture(const std::string& name) {
  return std::string(TCPWITNESS_PROJECT "/tests/field/captures/") + name + ".pcap";
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

Directory::Directory() {
  std::string pattern = ::testing::TempDir() + "tw_read.XXXXXX";
  if (::mkdtemp(pattern.data()) == nullptr) std::abort();
  path_ = pattern;
  ::chmod(path_.c_str(), 0755);  // another user may look too
}
Directory::~Directory() { std::filesystem::remove_all(path_); }

std::string Directory::file(const std::string& name, std::string_view bytes) const {
  std::ofstream(path(name), std::ios::binary) << bytes;
  return path(name);
}

}  // namespace tcpwitness::read_test
