// SPDX-License-Identifier: Apache-2.0
#include "service/journal_stream.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>

namespace tcpwitness {

bool is_journal(int fd, std::string_view journal_stream) {
  struct stat file{};
  if (journal_stream.empty() || ::fstat(fd, &file) != 0) return false;
  return journal_stream == fmt::format("{}:{}", file.st_dev, file.st_ino);
}

bool is_journal(int fd) {
  const char* stream = std::getenv("JOURNAL_STREAM");
  return stream != nullptr && is_journal(fd, stream);
}

std::string journal_lines(std::string_view text, Priority priority) {
  constexpr std::string_view own_name = "tcpwitness: ";
  std::string lines;
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (line.starts_with(own_name)) line.remove_prefix(own_name.size());
    if (!line.empty()) lines += fmt::format("<{}>{}\n", static_cast<unsigned>(priority), line);
  }
  return lines;
}

}  // namespace tcpwitness
