// SPDX-License-Identifier: Apache-2.0
#include "probe/netns.hpp"

#include <fcntl.h>
#include <sched.h>

#include <cerrno>
#include <cstring>

#include "values/unique_fd.hpp"

namespace tcpwitness {

Result<void> enter_netns(const std::string& name_or_path) {
  const bool is_path = name_or_path.find('/') != std::string::npos;
  const std::string path = is_path ? name_or_path : "/run/netns/" + name_or_path;
  const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid())
    return failure("open network namespace " + path, std::strerror(errno), "`ip netns list` shows the named ones");
  if (setns(fd.get(), CLONE_NEWNET) != 0) {
    const int error = errno;
    return failure("enter network namespace " + path,
                   error == EINVAL ? "it is not a network namespace" : std::strerror(error),
                   error == EPERM ? "CAP_SYS_ADMIN is needed" : "");
  }
  return {};
}

}  // namespace tcpwitness
