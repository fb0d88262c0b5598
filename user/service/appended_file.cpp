// SPDX-License-Identifier: Apache-2.0
#include "service/appended_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "values/safe_open.hpp"

namespace tcpwitness {

Result<AppendedFile> append_to(const std::string& path) {
  std::string why;
  const auto failed = [&] { return failure("append to " + path, why.empty() ? std::strerror(errno) : why); };
  // Not blocking: a named pipe that nobody reads is an error to be reported, not a reason to stand still.
  constexpr int flags = O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
  constexpr mode_t mode = 0640;  // it names processes, addresses and users
  struct stat file{};
  const bool regular = ::stat(path.c_str(), &file) != 0 || S_ISREG(file.st_mode);
  AppendedFile opened{.fd = UniqueFd(open_no_foreign_link(path, flags | (regular ? O_RDWR : O_WRONLY), mode, why))};
  if (!opened.fd.valid() || ::fstat(opened.fd.get(), &file) != 0) return failed();
  opened.empty = !S_ISREG(file.st_mode) || file.st_size == 0;
  char last = '\n';
  if (!opened.empty && ::pread(opened.fd.get(), &last, 1, file.st_size - 1) == 1 && last != '\n' &&
      ::write(opened.fd.get(), "\n", 1) != 1)
    return failed();
  return opened;
}

}  // namespace tcpwitness
