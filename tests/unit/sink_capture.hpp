// SPDX-License-Identifier: Apache-2.0
// sink_capture.hpp: what a sink writes, as a string. Times are reported in UTC here.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <ctime>
#include <string>
#include <utility>
#include <vector>

#include "sink/sinks.hpp"

namespace tcpwitness::test {

inline std::string read_all(int fd) {
  std::string text;
  char chunk[65536];
  off_t at = 0;
  for (ssize_t got = 0; (got = ::pread(fd, chunk, sizeof chunk, at)) > 0; at += got) {
    text.append(chunk, static_cast<std::size_t>(got));
  }
  return text;
}

// make: Output& -> std::unique_ptr<Sink>.
template <typename Make>
std::string captured(Make make, const Reports& reports) {
  ::setenv("TZ", "UTC", 1);
  ::tzset();
  const int fd = ::memfd_create("sink", MFD_CLOEXEC);
  Output output(::dup(fd));
  auto sink = make(output);
  for (const Report& report : reports) sink->write(report);
  if (!sink->flush()) std::abort();
  std::string text = read_all(fd);
  ::close(fd);
  return text;
}

// print: Output& -> void.
template <typename Print>
std::string printed(Print print) {
  const int fd = ::memfd_create("print", MFD_CLOEXEC);
  Output output(::dup(fd));
  print(output);
  if (!output.flush()) std::abort();
  std::string text = read_all(fd);
  ::close(fd);
  return text;
}

inline std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    lines.push_back(text.substr(at, end - at));
    at = end == std::string::npos ? text.size() : end + 1;
  }
  return lines;
}

}  // namespace tcpwitness::test
