// SPDX-License-Identifier: Apache-2.0
// Which processes /proc shows as gone.
#include "probe/process_status.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace tcpwitness {
namespace {

TEST(ProcessIsGone, WhoRunsIsNot) { EXPECT_FALSE(process_is_gone(static_cast<std::uint32_t>(::getpid()))); }

TEST(ProcessIsGone, WhoHasEndedIsBeforeAndAfterItsParentHasWaited) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) ::_exit(0);
  siginfo_t info{};
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT), 0);
  EXPECT_TRUE(process_is_gone(static_cast<std::uint32_t>(child))) << "a zombie";
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  EXPECT_TRUE(process_is_gone(static_cast<std::uint32_t>(child)));
}

}  // namespace
}  // namespace tcpwitness
