// SPDX-License-Identifier: Apache-2.0
#include "confine/confine.hpp"

#include <grp.h>
#include <linux/capability.h>
#include <seccomp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <limits>
#include <memory>

#if defined(__SANITIZE_ADDRESS__)
#define TCPWITNESS_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TCPWITNESS_SANITIZED 1
#endif
#endif

namespace tcpwitness {
namespace {

constexpr uid_t nobody = 65534;

// Memory, threads, time, signals, and descriptors that are open.
[[maybe_unused]] constexpr std::array always{
    SCMP_SYS(brk),
    SCMP_SYS(mmap),
    SCMP_SYS(munmap),
    SCMP_SYS(mremap),
    SCMP_SYS(mprotect),
    SCMP_SYS(madvise),
    SCMP_SYS(futex),
    SCMP_SYS(clone),
    SCMP_SYS(clone3),
    SCMP_SYS(set_robust_list),
    SCMP_SYS(rseq),
    SCMP_SYS(sched_yield),
    SCMP_SYS(sched_getaffinity),
    SCMP_SYS(gettid),
    SCMP_SYS(getpid),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
    SCMP_SYS(restart_syscall),
    SCMP_SYS(membarrier),
    SCMP_SYS(clock_gettime),
    SCMP_SYS(clock_getres),
    SCMP_SYS(clock_nanosleep),
    SCMP_SYS(nanosleep),
    SCMP_SYS(gettimeofday),
    SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(sigaltstack),
    SCMP_SYS(read),
    SCMP_SYS(readv),
    SCMP_SYS(pread64),
    SCMP_SYS(write),
    SCMP_SYS(writev),
    SCMP_SYS(pwrite64),
    SCMP_SYS(lseek),
    SCMP_SYS(close),
    SCMP_SYS(fstat),
    SCMP_SYS(newfstatat),
    SCMP_SYS(statx),
    SCMP_SYS(fcntl),
    SCMP_SYS(ioctl),
    SCMP_SYS(poll),
    SCMP_SYS(ppoll),
    SCMP_SYS(epoll_wait),
    SCMP_SYS(epoll_pwait),
    SCMP_SYS(epoll_ctl),
    SCMP_SYS(signalfd4),
    SCMP_SYS(fadvise64),
    SCMP_SYS(readahead),
    SCMP_SYS(getrandom),
    SCMP_SYS(prlimit64),
    SCMP_SYS(sysinfo),
    SCMP_SYS(uname),
};

// Interfaces that come (libbpf, rtnetlink, the guards' processes), recordings.
[[maybe_unused]] constexpr std::array tracing{
    SCMP_SYS(bpf),         SCMP_SYS(openat),     SCMP_SYS(open),       SCMP_SYS(stat),          SCMP_SYS(lstat),
    SCMP_SYS(access),      SCMP_SYS(faccessat),  SCMP_SYS(faccessat2), SCMP_SYS(unlink),        SCMP_SYS(unlinkat),
    SCMP_SYS(ftruncate),   SCMP_SYS(flock),      SCMP_SYS(fchmod),     SCMP_SYS(readlink),      SCMP_SYS(readlinkat),
    SCMP_SYS(dup),         SCMP_SYS(dup2),       SCMP_SYS(dup3),       SCMP_SYS(pipe2),         SCMP_SYS(wait4),
    SCMP_SYS(close_range), SCMP_SYS(setsid),     SCMP_SYS(prctl),      SCMP_SYS(setpriority),   SCMP_SYS(getpriority),
    SCMP_SYS(bind),        SCMP_SYS(sendto),     SCMP_SYS(sendmsg),    SCMP_SYS(recvfrom),      SCMP_SYS(recvmsg),
    SCMP_SYS(getsockname), SCMP_SYS(setsockopt), SCMP_SYS(getsockopt), SCMP_SYS(epoll_create1), SCMP_SYS(getdents64),
    SCMP_SYS(geteuid),     SCMP_SYS(getuid),
};

// Who comes to a socket that listens.
[[maybe_unused]] constexpr std::array serving{
    SCMP_SYS(accept), SCMP_SYS(accept4), SCMP_SYS(shutdown), SCMP_SYS(getpeername), SCMP_SYS(timerfd_settime),
};

std::unexpected<Error> failed(const char* what, int error) { return failure(what, std::strerror(error)); }

struct Release {
  void operator()(void* filter) const { seccomp_release(filter); }
};

}  // namespace

Result<void> keep_capabilities(std::span<const int> kept) {
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  std::array<__user_cap_data_struct, 2> have{};
  if (::syscall(SYS_capget, &header, have.data()) != 0) return failed("read this process's capabilities", errno);
  std::array<std::uint32_t, 2> wanted{};
  for (const int capability : kept)
    wanted.at(static_cast<std::size_t>(capability) / 32) |= 1U << (static_cast<unsigned>(capability) % 32);
  // Before CAP_BPF there was CAP_SYS_ADMIN, and some still give that one alone.
  const auto has = [&](unsigned capability) {
    return (have.at(capability / 32).permitted >> capability % 32 & 1U) != 0;
  };
  const bool for_bpf = std::ranges::find(kept, CAP_BPF) != kept.end();
  if (for_bpf && (!has(CAP_BPF) || !has(CAP_PERFMON))) wanted[0] |= 1U << CAP_SYS_ADMIN;
  for (std::size_t i = 0; i < have.size(); ++i) {
    have.at(i).effective &= wanted.at(i);
    have.at(i).permitted &= wanted.at(i);
    have.at(i).inheritable = 0;
  }
  if (::syscall(SYS_capset, &header, have.data()) != 0) return failed("give up capabilities", errno);
  return {};
}

Result<void> become_nobody() {
  if (::geteuid() != 0) return {};
  if (::setgroups(0, nullptr) != 0 || ::setresgid(nobody, nobody, nobody) != 0 ||
      ::setresuid(nobody, nobody, nobody) != 0)
    return failed("become the user nobody", errno);
  return {};
}

Result<void> restrict_system_calls(Work work, std::optional<int> pidfd) {
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return failed("forgo new privileges", errno);
#ifdef TCPWITNESS_SANITIZED
  static_cast<void>(work);
  static_cast<void>(pidfd);  // a sanitizer makes calls of its own
  return {};
#else
  const std::unique_ptr<void, Release> filter(seccomp_init(SCMP_ACT_ERRNO(EPERM)));
  if (!filter) return failed("make a filter of system calls", ENOMEM);
  // The thread that writes a recording is there already.
  int error = -seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_TSYNC, 1);
  // What this architecture does not have is no error.
  const auto allow = [&](int call) {
    const int result = seccomp_rule_add(filter.get(), SCMP_ACT_ALLOW, call, 0);
    if (result != 0 && result != -EDOM) error = -result;
  };
  // The kernel reads an int of it, whatever the register's upper half is.
  const auto allow_with = [&](int call, int first) {
    const scmp_arg_cmp it{.arg = 0,
                          .op = SCMP_CMP_MASKED_EQ,
                          .datum_a = std::numeric_limits<std::uint32_t>::max(),
                          .datum_b = static_cast<std::uint32_t>(first)};
    const int result = seccomp_rule_add_array(filter.get(), SCMP_ACT_ALLOW, call, 1, &it);
    if (result != 0 && result != -EDOM) error = -result;
  };
  for (const int call : always) allow(call);
  allow_with(SCMP_SYS(tgkill), ::getpid());  // abort()
  if (work == Work::serve) {
    for (const int call : serving) allow(call);
  }
  if (work != Work::read) {
    for (const int call : tracing) allow(call);
    allow_with(SCMP_SYS(socket), AF_NETLINK);
  }
  if (pidfd) allow_with(SCMP_SYS(pidfd_send_signal), *pidfd);
  if (error == 0) error = -seccomp_load(filter.get());
  if (error != 0) return failed("restrict system calls (seccomp)", error);
  return {};
#endif
}

}  // namespace tcpwitness
