// SPDX-License-Identifier: Apache-2.0
// picture.cpp: picture: of a file where one is named, else live.
#include "run/picture.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ranges>

#include "run/atomic_file.hpp"
#include "run/file_settings.hpp"
#include "run/messages.hpp"
#include "run/run.hpp"
#include "sink/format.hpp"
#include "values/safe_open.hpp"

namespace tcpwitness {
namespace {

// What it was all for.
int say_written(int code, const Options& options) {
  struct stat file{};
  const bool there = ::stat(options.picture.path.c_str(), &file) == 0 && (!S_ISREG(file.st_mode) || file.st_size != 0);
  if (code == 0 && there) say(fmt::format("tcpwitness: wrote {}", printable(options.picture.path, true)));
  return code;
}

// By whatever name, a link or standard input.
bool is_what_is_read(const std::string& input, const std::string& path) {
  struct stat read{};
  struct stat written{};
  if (input.empty() || ::stat(path.c_str(), &written) != 0) return false;
  if ((input == "-" ? ::fstat(STDIN_FILENO, &read) : ::stat(input.c_str(), &read)) != 0) return false;
  return S_ISREG(read.st_mode) && read.st_dev == written.st_dev && read.st_ino == written.st_ino;
}

}  // namespace

Result<Options> with_picture_file(const Options& options) {
  Options with = options;
  const std::string& path = options.picture.path;
  if (path.empty()) return with;
  if (is_what_is_read(options.read.path, path)) return failure("write " + path, "it is the file that is read");
  with.picture.fd = open_beside(path);
  if (with.picture.fd >= 0) return with;
  // Not blocking: a named pipe that nobody reads is an error to be reported, not a reason to stand still.
  std::string why;
  with.picture.fd = open_no_foreign_link(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NONBLOCK, 0644, why);
  if (with.picture.fd < 0) return failure("write " + path, why);
  ::fcntl(with.picture.fd, F_SETFL, ::fcntl(with.picture.fd, F_GETFL) & ~O_NONBLOCK);
  return with;
}

int run_picture(const Options& options) {
  Options chosen = options;
  const std::vector<std::string>& words = options.picture.words;
  const bool file = !words.empty() && names_a_file(words.front());
  const auto rest = words | std::views::drop(file ? 1 : 0);
  (file ? chosen.read.filter : chosen.expression) = fmt::format("{}", fmt::join(rest, " "));
  if (!file) return say_written(run_live(chosen), chosen);
  if (const auto wrong = no_use_for_a_file("draw", words.front(), options)) return refuse(*wrong);
  chosen.read.path = words.front();
  return say_written(run_read(chosen), chosen);
}

}  // namespace tcpwitness
