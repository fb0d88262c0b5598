// SPDX-License-Identifier: Apache-2.0
//
// What a run has given up once it decodes what comes from others. (tests/unit/confine.cpp tries what is refused.)

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>

#include "live/courses.hpp"

namespace tcpwitness::live {
namespace {

// CAP_SYS_NICE 23, of the thread that raises the one which reads the ring.
constexpr const char* of_the_guard = "0000000000800000";

// Of every thread; "" where they differ.
std::string status_of(pid_t pid, const std::string& name) {
  std::optional<std::string> found;
  std::error_code error;
  for (const auto& thread : std::filesystem::directory_iterator(fmt::format("/proc/{}/task", pid), error)) {
    std::ifstream status(thread.path() / "status");
    std::string line;
    while (std::getline(status, line)) {
      if (!line.starts_with(name + ":\t")) continue;
      const std::string value = line.substr(name.size() + 2);
      if (value == of_the_guard) continue;
      if (found && *found != value) return "";
      found = value;
    }
  }
  return found.value_or("");
}

bool becomes(pid_t pid, const std::string& name, const std::string& value) {
  for (int i = 0; i < 500 && status_of(pid, name) != value; ++i) lab::pause_for(Millis(10));
  return status_of(pid, name) == value;
}

// CAP_BPF 39, CAP_PERFMON 38, CAP_NET_ADMIN 12; CAP_DAC_OVERRIDE 1.
constexpr const char* of_a_tracer = "000000c000001000";
constexpr const char* of_a_recorder = "000000c000001002";

}  // namespace

using Privileges = Live;

TEST_F(Privileges, ATracerKeepsWhatNewInterfacesNeed) {
  auto watch = Watch::start(lab().client_ns());
  ASSERT_TRUE(watch);
  ASSERT_TRUE(watch->run().wait_ready());
  const pid_t pid = watch->run().pid();
  EXPECT_EQ(status_of(pid, "CapEff"), of_a_tracer);
  EXPECT_EQ(status_of(pid, "CapPrm"), of_a_tracer);
  EXPECT_EQ(status_of(pid, "NoNewPrivs"), "1");
  EXPECT_EQ(status_of(pid, "Seccomp"), "2");
  watch->stop();
}

TEST_F(Privileges, TheThreadThatWritesARecordingHasNoMore) {
  const std::string path = (std::filesystem::temp_directory_path() / fmt::format("tw-priv-{}", ::getpid())).string();
  auto run = TracerRun::start({"record", "-o", "json", "--netns", lab().client_ns(), "-w", path});
  ASSERT_TRUE(run) << run.error();
  ASSERT_TRUE((*run)->wait_ready());
  EXPECT_EQ(status_of((*run)->pid(), "CapEff"), of_a_recorder);
  EXPECT_EQ(status_of((*run)->pid(), "Seccomp"), "2");
  EXPECT_EQ((*run)->stop().code, 0);
  ::unlink(path.c_str());
}

TEST_F(Privileges, WhoReadsAFileIsNobody) {
  const std::string path = (std::filesystem::temp_directory_path() / fmt::format("tw-fifo-{}", ::getpid())).string();
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  auto run = TracerRun::start({"read", path});
  ASSERT_TRUE(run) << run.error();
  UniqueFd writer(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  ::unlink(path.c_str());
  const std::array<uint32_t, 6> header{0xa1b2c3d4, 0x00040002, 0, 0, 65535, 1};  // pcap, Ethernet
  ASSERT_EQ(::write(writer.get(), header.data(), sizeof header), static_cast<ssize_t>(sizeof header));
  const pid_t pid = (*run)->pid();
  EXPECT_TRUE(becomes(pid, "Seccomp", "2")) << (*run)->err();
  EXPECT_EQ(status_of(pid, "Uid"), "65534\t65534\t65534\t65534");
  EXPECT_EQ(status_of(pid, "CapEff"), "0000000000000000");
  EXPECT_EQ(status_of(pid, "NoNewPrivs"), "1");
  writer.reset();
  EXPECT_EQ((*run)->wait().code, 0) << (*run)->err();
}

}  // namespace tcpwitness::live
