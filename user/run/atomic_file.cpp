// SPDX-License-Identifier: Apache-2.0
#include "run/atomic_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <optional>
#include <utility>

namespace tcpwitness {
namespace {

int keeper = -1;  // a socket to the process that gives the name

// What the run writes to it. A socket that is closed before means the second.
enum class FileEnd : char { whole, removed, not_ours };

// A process of its own that gives the file its name, or removes it where the run ends before: the run itself is another
// user by then and may make no such call, and nobody can see its SIGKILL coming. It has no other descriptor, as whoever
// reads the output would wait for it.
[[noreturn]] void name_it_later(int socket, const char* beside, const char* path) {
  constexpr int mine = 3;
  ::dup2(socket, mine);
  for (int fd = 0; fd < mine; ++fd) ::close(fd);
  ::close_range(mine + 1, ~0U, 0);
  ::prctl(PR_SET_NAME, "tw-picture");
  sigset_t all;
  sigfillset(&all);
  ::sigprocmask(SIG_BLOCK, &all, nullptr);
  FileEnd ending = FileEnd::removed;
  ssize_t got = 0;
  while ((got = ::read(mine, &ending, 1)) < 0 && errno == EINTR) {
  }
  if (got != 1) ending = FileEnd::removed;
  const int error = ending == FileEnd::whole && ::rename(beside, path) != 0 ? errno : 0;
  if (ending == FileEnd::removed || error != 0) ::unlink(beside);
  static_cast<void>(::write(mine, &error, sizeof error));
  ::_exit(0);
}

// As a grandchild: nobody has to wait for it. -1: there is none.
int start_keeper(const std::string& beside, const std::string& path) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) return -1;
  const pid_t child = ::fork();
  if (child == 0) {
    const pid_t second = ::fork();
    if (second == 0) name_it_later(ends[0], beside.c_str(), path.c_str());
    ::_exit(second < 0 ? 1 : 0);
  }
  ::close(ends[0]);
  int status = 1;
  while (child > 0 && ::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (child > 0 && status == 0) return ends[1];
  ::close(ends[1]);
  return -1;
}

// Its error number, or 0, when it has done so.
int end_keeper(FileEnd ending) {
  const int socket = std::exchange(keeper, -1);
  int error = EIO;
  if (::write(socket, &ending, 1) != 1 || ::read(socket, &error, sizeof error) != sizeof error) error = EIO;
  ::close(socket);
  return error;
}

bool make_alike(int fd, const struct stat& before) {
  struct stat now{};
  if (::fstat(fd, &now) != 0) return false;
  const bool same_owner = now.st_uid == before.st_uid && now.st_gid == before.st_gid;
  return (same_owner || ::fchown(fd, before.st_uid, before.st_gid) == 0) && ::fchmod(fd, before.st_mode & 07777) == 0;
}

// Of something that has only this name and is mounted nowhere; nothing: of what does not exist yet.
bool can_be_replaced(const std::string& path, std::optional<struct stat>& before) {
  struct stat found{};
  if (::lstat(path.c_str(), &found) != 0) return errno == ENOENT;
  before = found;
  if (!S_ISREG(found.st_mode) || found.st_nlink != 1 || ::access(path.c_str(), W_OK) != 0) return false;
  struct statx more{};
  if (::statx(AT_FDCWD, path.c_str(), AT_SYMLINK_NOFOLLOW, STATX_TYPE, &more) != 0) return false;
  return (more.stx_attributes & STATX_ATTR_MOUNT_ROOT) == 0;
}

}  // namespace

int open_beside(const std::string& path) {
  std::optional<struct stat> before;
  if (!can_be_replaced(path, before)) return -1;
  const std::string name = fmt::format("{}.{}.part", path, ::getpid());
  // First, so that there is no moment at which the file exists and nobody would remove it.
  keeper = start_keeper(name, path);
  if (keeper < 0) return -1;
  constexpr int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  const int fd = ::open(name.c_str(), flags, before ? 0600 : 0644);
  if (fd >= 0 && (!before || make_alike(fd, *before))) return fd;
  static_cast<void>(end_keeper(fd < 0 ? FileEnd::not_ours : FileEnd::removed));
  if (fd >= 0) ::close(fd);
  return -1;
}

bool name_what_is_beside() {
  if (keeper < 0) return true;
  errno = end_keeper(FileEnd::whole);
  return errno == 0;
}

}  // namespace tcpwitness
