// SPDX-License-Identifier: Apache-2.0
// privilege_test.cpp: read needs no root and no BPF: another user can, and the first bpf() would end it.
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>

#include "read/capture_bytes.hpp"
#include "read/program.hpp"

namespace tcpwitness::read_test {
namespace {

constexpr unsigned nobody = 65'534;
constexpr int cannot = 126;

// From here on, these two calls have another end.
void forbid(unsigned one, unsigned other, unsigned end) {
  std::array<sock_filter, 5> program{{
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, one, 1, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, other, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, end),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  }};
  const sock_fprog filter{.len = program.size(), .filter = program.data()};
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) ::_exit(cannot);
  if (::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0) ::_exit(cannot);
}

void forbid_bpf() { forbid(SYS_bpf, SYS_perf_event_open, SECCOMP_RET_KILL_PROCESS); }

void become_nobody() {
  if (::getuid() == 0 && ::setresuid(nobody, nobody, nobody) != 0) ::_exit(cannot);
}

TEST(ReadPrivilege, AnyUserCanReadACaptureWithoutBpf) {
  const Directory directory;
  const std::string path = directory.file("x.pcap", Capture().whole(1).bytes);
  Program program({"read", path, "-o", "json"}, {.in_child = [] {
                    become_nobody();
                    forbid_bpf();
                  }});
  const ProgramOutput reported = program.wait();
  if (reported.status == cannot || reported.status == 127)
    GTEST_SKIP() << "another user cannot run " << TCPWITNESS_BINARY;
  EXPECT_EQ(reported.status, 0) << reported.err;
  EXPECT_TRUE(reported.out.contains("\"outcome\":\"completed\"")) << reported.out;
}

// As some containers' filters are. Before: "terminate called after throwing an instance of 'std::system_error'".
TEST(ReadPrivilege, WhereAFilterRefusesThreadsItSaysSo) {
  if (::getuid() != 0) GTEST_SKIP() << "only root can trace";
  Program program({"-d", "0.1"},
                  {.in_child = [] { forbid(SYS_clone3, SYS_clone3, SECCOMP_RET_ERRNO | unsigned{EPERM}); }});
  const ProgramOutput reported = program.wait();
  if (reported.status == cannot) GTEST_SKIP() << "seccomp filters are not to be had here";
  EXPECT_EQ(reported.status, 1) << reported.err;
  EXPECT_TRUE(reported.err.contains("cannot start a thread: Operation not permitted")) << reported.err;
  EXPECT_TRUE(reported.err.contains("seccomp")) << reported.err;
}

// Before: it aborted without a word.
TEST(ReadPrivilege, WhereAFilterRefusesRandomNumbersItReads) {
  const Directory directory;
  Program program({"read", directory.file("x.pcap", Capture().whole(1).bytes)},
                  {.in_child = [] { forbid(SYS_getrandom, SYS_getrandom, SECCOMP_RET_ERRNO | unsigned{EPERM}); }});
  const ProgramOutput reported = program.wait();
  if (reported.status == cannot) GTEST_SKIP() << "seccomp filters are not to be had here";
  EXPECT_EQ(reported.status, 0) << reported.err;
  EXPECT_TRUE(reported.out.contains("completed")) << reported.out;
}

// So that the test above can fail.
TEST(ReadPrivilege, ListeningDoesNeedBpf) {
  Program program({"-d", "0.1"}, {.in_child = forbid_bpf});
  const ProgramOutput reported = program.wait();
  if (reported.status == cannot) GTEST_SKIP() << "seccomp filters are not to be had here";
  EXPECT_NE(reported.status, 0);
}

}  // namespace
}  // namespace tcpwitness::read_test
