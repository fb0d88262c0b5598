// SPDX-License-Identifier: Apache-2.0
// safe_open.hpp: opening a file that somebody else may have prepared a trap for.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

namespace tcpwitness {

// As open(2), but never through a symbolic link of another user than root and the caller: in a directory that all may
// write to it would lead anywhere. -1 with the reason.
[[nodiscard]] inline int open_no_foreign_link(const std::string& path, int flags, mode_t mode, std::string& why) {
  int fd = ::open(path.c_str(), flags | O_NOFOLLOW, mode);
  if (fd < 0 && errno == ELOOP) {
    struct stat link{};
    const bool known = ::lstat(path.c_str(), &link) == 0;
    if (!known || (link.st_uid != ::geteuid() && link.st_uid != 0)) {
      why = "it is a symbolic link that belongs to another user";
      return -1;
    }
    fd = ::open(path.c_str(), flags, mode);
  }
  if (fd < 0) why = std::strerror(errno);
  return fd;
}

}  // namespace tcpwitness
