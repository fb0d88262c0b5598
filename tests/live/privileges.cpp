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

#include "live/converse.hpp"
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

// Those that the README names. Without CAP_NET_RAW the two ICMP sockets are off, and nothing else is.
TEST_F(Privileges, TheNamedCapabilitiesAreEnough) {
  if (!missing("setpriv").empty()) GTEST_SKIP() << missing("setpriv");
  const auto& here = lab().host(lab::Side::client);
  for (const std::string more : {"", ",+net_raw"}) {
    SCOPED_TRACE(more);
    const std::string sets = "=-all,+bpf,+perfmon,+net_admin" + more;
    auto run =
        TracerRun::start({"life", "-o", "json"},
                         {"ip", "netns", "exec", lab().client_ns(), "setpriv", "--reuid=65534", "--regid=65534",
                          "--clear-groups", "--inh-caps" + sets, "--ambient-caps" + sets, "--bounding-set" + sets});
    ASSERT_TRUE(run) << run.error();
    if (auto ready = (*run)->wait_ready(); !ready) {
      // The binary may lie where nobody else may look, and an old setpriv does not know them.
      if (ready.error().find("setpriv:") != std::string::npos) GTEST_SKIP() << ready.error();
      FAIL() << ready.error();
    }
    ASSERT_TRUE(converse(here, here, {.ip = "127.0.0.1"}));
    EXPECT_TRUE((*run)->wait_for("\"type\":\"life\"", Millis(5000)));
    lab::pause_for(Millis(200));
    const Ended ended = (*run)->stop();
    EXPECT_EQ(ended.code, 0) << ended.err;
    const Printed printed = keep("client", Printed(ended.out));
    for (const Json& hook : printed.hooks()) {
      const bool icmp = hook["name"].get<std::string>().starts_with("icmp_v");
      if (icmp) {
        EXPECT_EQ(hook["mode"] == "off", more.empty()) << hook.dump();
      }
    }
    const auto lives = printed.of("life");
    ASSERT_EQ(lives.size(), 2u);
    for (const Json& life : lives) {
      EXPECT_EQ(life["outcome"], "completed");
      EXPECT_EQ(life["witnesses"], Json({"kernel", "wire"}));
      EXPECT_EQ(life["pid"], ::getpid());
    }
  }
}

// There it has every capability, and none that counts for BPF. (Where it may load programs: every other test.)
TEST_F(Privileges, InAUserNamespaceItSaysSo) {
  if (!missing("unshare").empty()) GTEST_SKIP() << missing("unshare");
  const Ended possible = run_to_end({"--version"}, {"unshare", "--user", "--map-root-user"});
  if (possible.code != 0) GTEST_SKIP() << "no user namespace to be had: " << possible.err;
  const Ended ended = run_to_end({"life", "-d", "1"}, {"unshare", "--user", "--map-root-user"});
  EXPECT_EQ(ended.code, 1);
  EXPECT_NE(ended.err.find("user namespace"), std::string::npos) << ended.err;
  EXPECT_EQ(ended.err.find("libbpf:"), std::string::npos) << ended.err;
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
