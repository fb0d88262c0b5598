// SPDX-License-Identifier: Apache-2.0
// program.hpp: the real tcpwitness, run with arguments: what it printed, and how it ended.
//
// Nothing waits for ever: a program that does not end in time is ended, and the test fails.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace tcpwitness::read_test {

struct ProgramOutput {
  int status = -1;  // exit code; 128 and more: ended by that signal
  std::string out;
  std::string err;
};

using Arguments = std::vector<std::string>;

class Program {
 public:
  struct Setting {
    bool input = false;                   // standard input is a pipe, see give(); else /dev/null
    bool terminal = false;                // stderr is a terminal of 80 columns
    bool terminal_input = false;          // so is standard input
    std::function<void()> in_child = {};  // just before the program begins
  };
  explicit Program(const Arguments& arguments) : Program(arguments, Setting{}) {}
  Program(const Arguments& arguments, const Setting& setting);
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  void give(std::string_view bytes);
  void end_input();
  void signal(int number) const;
  void close_output();  // as `head` does
  // Reads what it prints for so long, at most so much at a time.
  void listen(std::chrono::milliseconds time, std::size_t bytes_a_ms = 1'000'000);
  // True when stdout has the text.
  [[nodiscard]] bool says(std::string_view text, std::chrono::milliseconds within);
  [[nodiscard]] bool warns(std::string_view text, std::chrono::milliseconds within);  // stderr
  ProgramOutput wait(std::chrono::milliseconds within = std::chrono::seconds(30));

 private:
  bool take(std::size_t most, int wait_ms);

  pid_t pid_ = -1;
  int input_ = -1;
  int output_ = -1;
  int error_ = -1;
  ProgramOutput reported_;
};

// All of it; input is given to standard input, if there is any.
ProgramOutput tcpwitness(const Arguments& arguments, std::string_view input = {});

// A file of tests/field/captures, by its name without ".pcap".
std::string field_capture(const std::string& name);

std::vector<std::string> lines_of(const std::string& text);

// A directory that goes with the test.
class Directory {
 public:
  Directory();
  ~Directory();
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  [[nodiscard]] std::string file(const std::string& name, std::string_view bytes) const;
  [[nodiscard]] std::string path(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

}  // namespace tcpwitness::read_test
