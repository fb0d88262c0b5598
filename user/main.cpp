// SPDX-License-Identifier: Apache-2.0
// main.cpp: the command line to one of the runs (run/). Exit codes: 0 ok, 1 runtime failure, 2 usage.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <new>
#include <string_view>
#include <variant>

#include "cli/options.hpp"
#include "run/exit_code.hpp"
#include "run/messages.hpp"
#include "run/run.hpp"
#include "version/version.hpp"

namespace {

// Where standard input, output or error is closed, the next file that is opened would take its place, and get what is
// printed. Writing to it is an error then, as it was.
void keep_standard_descriptors() {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    if (::fcntl(fd, F_GETFD) < 0) (void)::open("/dev/null", O_RDONLY);
  }
}

constexpr std::string_view out_of_memory =
    "tcpwitness: there is no more memory to be had (ulimit -v, LimitAS=, overcommit); what was not printed or recorded "
    "by now is "
    "lost\n";

void say_out_of_memory() { (void)!::write(STDERR_FILENO, out_of_memory.data(), out_of_memory.size()); }

std::terminate_handler usual_end = nullptr;  // prints what was thrown, and aborts

// In a thread, or where nothing may be thrown: nobody can catch it.
[[noreturn]] void end_without_memory() {
  if (const auto thrown = std::current_exception()) {
    try {
      std::rethrow_exception(thrown);
    } catch (const std::bad_alloc&) {
      say_out_of_memory();
      ::_exit(tcpwitness::exit_failed);
    } catch (...) {
      usual_end();
    }
  }
  usual_end();
  std::abort();
}

int run(int argc, char** argv) {
  using namespace tcpwitness;
  const auto parsed = parse(argc, argv, version_and_commit());
  if (const auto* information = std::get_if<Information>(&parsed)) {
    const bool written = std::fputs(information->text.c_str(), stdout) >= 0 && std::fflush(stdout) == 0;
    return written ? 0 : broken_output(errno);
  }
  if (const auto* error = std::get_if<UsageError>(&parsed)) {
    say(error->text, Priority::error);
    return exit_usage;
  }
  const auto& options = std::get<Options>(parsed);
  switch (options.command) {
    case Command::read:
      return run_read(options);
    case Command::doctor:
      return run_doctor(options);
    case Command::wireshark:
      return run_wireshark(options);
    case Command::ls:
      return run_ls(options);
    case Command::picture:
      return run_picture(options);
    case Command::top:
      return run_top(options);
    case Command::life:
    case Command::trace:
    case Command::explain:
    case Command::summary:
    case Command::compare:
    case Command::serve:
    case Command::record:
      break;
  }
  return run_live(options);
}

}  // namespace

// What runs is taken apart as after any failure, so that a terminal becomes as it was.
int main(int argc, char** argv) {
  keep_standard_descriptors();
  std::signal(SIGPIPE, SIG_IGN);  // a reader that is gone is an error of write()
  usual_end = std::set_terminate(end_without_memory);
  try {
    return run(argc, argv);
  } catch (const std::bad_alloc&) {
    say_out_of_memory();
    return tcpwitness::exit_failed;
  }
}
