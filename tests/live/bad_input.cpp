// SPDX-License-Identifier: Apache-2.0
//
// What goes wrong for a user: each time a message on stderr that names it, the agreed exit code (1 failure, 2
// usage), and nothing left attached, even after kill -9.

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "live/converse.hpp"
#include "live/courses.hpp"
#include "live/residue.hpp"

namespace tcpwitness::live {
namespace {

bool says(const std::string& text, const std::string& word) { return text.find(word) != std::string::npos; }

// The guards of a tracer's clsact filters, by its children: other tracers of this machine have theirs.
std::vector<pid_t> guards_of(pid_t tracer) {
  std::vector<pid_t> found;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
    std::ifstream file(entry.path() / "stat");
    pid_t pid = 0;
    std::string comm;
    std::string state;
    pid_t parent = 0;
    if (file >> pid >> comm >> state >> parent && comm == "(tcpwitness-tc)" && parent == tracer) found.push_back(pid);
  }
  return found;
}

bool ends(pid_t pid, Millis patience) {
  const auto until = std::chrono::steady_clock::now() + patience;
  for (;;) {
    std::ifstream file(fmt::format("/proc/{}/stat", pid));
    std::string number;
    std::string comm;
    std::string state;
    if (!(file >> number >> comm >> state) || comm != "(tcpwitness-tc)" || state == "Z") return true;
    if (std::chrono::steady_clock::now() >= until) return false;
    lab::pause_for(Millis(20));
  }
}

}  // namespace

class BadInput : public Live {
 protected:
  void SetUp() override {
    Live::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    for (const char* program : {"bpftool", "tc"}) {
      if (!missing(program).empty()) GTEST_SKIP() << missing(program);
    }
    before_ = attachments(lab().client_ns());
  }

  // It must end at once, with this code, print each word on stderr, nothing on stdout, and leave nothing.
  void expect_refused(int code, const std::vector<std::string>& arguments, const Words& words,
                      const std::vector<std::string>& through = {}) {
    const Ended ended = run_to_end(arguments, through);
    EXPECT_EQ(ended.code, code) << ended.err;
    EXPECT_TRUE(ended.out.empty()) << ended.out;
    EXPECT_TRUE(ended.err.starts_with("tcpwitness: ")) << ended.err;
    for (const std::string& word : words) EXPECT_TRUE(says(ended.err, word)) << word << " is missing in: " << ended.err;
    EXPECT_EQ(attachments(lab().client_ns()), before_);
  }
  std::optional<Watch> start(const std::vector<std::string>& arguments = {},
                             const std::vector<std::string>& through = {}) {
    auto watch = Watch::start(lab().client_ns(), arguments, through);
    if (!watch) return watch;
    if (auto ready = watch->run().wait_ready(); !ready) {
      ADD_FAILURE() << ready.error();
      return std::nullopt;
    }
    objects_ = objects_of(watch->run().pid());
    EXPECT_FALSE(objects_.programs.empty());
    EXPECT_FALSE(objects_.links.empty());
    return watch;
  }
  void expect_nothing_left() { EXPECT_EQ(residue(objects_, lab().client_ns(), before_), ""); }
  lab::Result<std::vector<uint16_t>> talk(int connections = 1) {
    return converse(lab().host(lab::Side::client), lab().host(lab::Side::server),
                    {.ip = lab::server_ip, .connections = connections});
  }
  const std::string& before() const { return before_; }

 private:
  std::string before_;
  KernelObjects objects_;
};

TEST_F(BadInput, NotRoot) {
  const Ended ended =
      run_to_end({"-d", "1"}, {"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all"});
  if (says(ended.err, "setpriv") || says(ended.err, "ermission denied")) GTEST_SKIP() << ended.err;
  EXPECT_EQ(ended.code, 1);
  EXPECT_TRUE(says(ended.err, "CAP_BPF") && says(ended.err, "root")) << ended.err;
  EXPECT_TRUE(ended.out.empty()) << ended.out;
}

TEST_F(BadInput, RootWithoutTheCapabilities) {
  const Ended ended = run_to_end({"-d", "1"}, {"setpriv", "--bounding-set=-net_admin", "--inh-caps=-net_admin"});
  if (says(ended.err, "setpriv")) GTEST_SKIP() << ended.err;
  EXPECT_EQ(ended.code, 1);
  EXPECT_TRUE(says(ended.err, "CAP_NET_ADMIN")) << ended.err;
}

namespace {

// What stands before the tracer: a mount namespace in which /proc is empty.
const std::vector<std::string> without_proc{"unshare", "--mount", "sh", "-c",
                                            "mount -t tmpfs none /proc && exec \"$0\" \"$@\""};

}  // namespace

// Before: it lacked all of them.
TEST_F(BadInput, WithoutProcOnlyTheMissingCapabilityIsNamed) {
  std::vector<std::string> through = without_proc;
  through[4] =
      "mount -t tmpfs none /proc && exec setpriv --bounding-set=-net_admin --inh-caps=-net_admin \"$0\" \"$@\"";
  const Ended ended = run_to_end({"-d", "1"}, through);
  if (says(ended.err, "setpriv") || says(ended.err, "mount:")) GTEST_SKIP() << ended.err;
  EXPECT_EQ(ended.code, 1);
  EXPECT_TRUE(says(ended.err, "lacks CAP_NET_ADMIN;")) << ended.err;
}

// Before: the connections of every namespace.
TEST_F(BadInput, WithoutProcItTracesItsNamespaceAlone) {
  auto watch = Watch::start(lab().client_ns(), {}, without_proc, "life");
  ASSERT_TRUE(watch);
  if (auto ready = watch->run().wait_ready(); !ready) {
    if (says(ready.error(), "mount:")) GTEST_SKIP() << ready.error();
    FAIL() << ready.error();
  }
  for (const lab::Side side : {lab::Side::server, lab::Side::client}) {
    const auto& here = lab().host(side);
    ASSERT_TRUE(converse(here, here, {.ip = "127.0.0.1", .connections = 2}));
  }
  EXPECT_TRUE(watch->run().wait_for("\"type\":\"life\"", Millis(5000)));
  lab::pause_for(Millis(300));
  const Printed printed = keep("client", watch->stop());
  EXPECT_EQ(printed.of("life").size(), 4u) << "both ends of two connections";
}

namespace {

// A control group in which there may be one process, of one thread; "" where there is none to be had.
std::string group_of_one() {
  for (const char* root : {"/sys/fs/cgroup/pids", "/sys/fs/cgroup"}) {
    const std::string place = fmt::format("{}/tw-live-{}", root, ::getpid());
    std::error_code error;
    if (!std::filesystem::create_directory(place, error)) continue;
    std::ofstream most(place + "/pids.max");
    most << 1 << std::flush;
    if (most.good()) return place;
    std::filesystem::remove(place, error);
  }
  return "";
}

}  // namespace

// Before: std::terminate.
TEST_F(BadInput, NoThreadToBeHadIsASentence) {
  const std::string group = group_of_one();
  if (group.empty()) GTEST_SKIP() << "no control group that limits processes to be had";
  expect_refused(1, {"--netns", lab().client_ns(), "-d", "1"}, {"cannot start a thread", "pids.max"},
                 {"sh", "-c", fmt::format("echo $$ >{}/cgroup.procs && exec \"$0\" \"$@\"", group)});
  std::error_code error;
  std::filesystem::remove(group, error);
}

TEST_F(BadInput, PrivilegeMissing) {
  expect_refused(1, {"--netns", lab().client_ns()}, {"CAP_BPF", "sudo"}, {"TCPWITNESS_WITHOUT=privilege"});
}
TEST_F(BadInput, NoTypeInformation) {
  expect_refused(1, {"--netns", lab().client_ns()}, {"BTF", "/sys/kernel/btf/vmlinux"}, {"TCPWITNESS_WITHOUT=btf"});
}
TEST_F(BadInput, KernelTooOld) {
  expect_refused(1, {"--netns", lab().client_ns()}, {"5.8", "kernel"}, {"TCPWITNESS_WITHOUT=ring-buffer"});
}
TEST_F(BadInput, AListThatCannotBeTakenIsNoEmptyList) {
  expect_refused(1, {"ls", "--netns", lab().client_ns()}, {"snapshot"}, {"TCPWITNESS_WITHOUT=load:snapshot_tcp"});
  expect_refused(1, {"ls", "--comm", "x", "--netns", lab().client_ns()}, {"snapshot"},
                 {"TCPWITNESS_WITHOUT=load:snapshot_owners"});
}
TEST_F(BadInput, UnknownInterface) {
  expect_refused(1, {"--netns", lab().client_ns(), "-i", "nowhere0"}, {"nowhere0", "veth-client"});
}
TEST_F(BadInput, UnknownNamespace) { expect_refused(1, {"--netns", "tw-no-such"}, {"tw-no-such", "ip netns"}); }
TEST_F(BadInput, SomethingThatIsNoNamespace) { expect_refused(1, {"--netns", "/etc/passwd"}, {"/etc/passwd"}); }

TEST_F(BadInput, ValuesOutOfRangeAreUsageErrors) {
  const std::vector<std::vector<std::string>> wrong{{"--port", "0"},
                                                    {"--port", "65536"},
                                                    {"--port", "http"},
                                                    {"-p", "0"},
                                                    {"-p", "-3"},
                                                    {"--host", "300.1.1.1"},
                                                    {"--host", "10.0.0.0/33"},
                                                    {"-d", "0"},
                                                    {"-d", "soon"},
                                                    {"-c", "0"},
                                                    {"--wire", "pcap"},
                                                    {"--ring-size", "100K"},
                                                    {"--ring-size", "1K"},
                                                    {"--kernel", "maybe"},
                                                    {"-o", "xml"},
                                                    {"--no-such-option"},
                                                    {"--wire", "none", "--kernel", "off"},
                                                    {"-i", "a-name-that-is-too-long"}};
  for (const auto& arguments : wrong) expect_refused(2, arguments, {arguments[0].substr(0, 2)});
}

TEST_F(BadInput, AnInterfaceThatVanishesIsSaidAndTracingGoesOn) {
  ASSERT_TRUE(
      lab::run_tool({"ip", "-n", lab().client_ns(), "link", "add", "gone0", "type", "veth", "peer", "name", "gone1"}));
  ASSERT_TRUE(lab::run_tool({"ip", "-n", lab().client_ns(), "link", "set", "gone0", "up"}));
  auto watch = start();
  ASSERT_TRUE(watch);
  ASSERT_TRUE(lab::run_tool({"ip", "-n", lab().client_ns(), "link", "del", "gone0"}));
  EXPECT_TRUE(watch->run().wait_for("interface gone0 is gone", Millis(4000))) << watch->err();
  const auto talked = talk();
  EXPECT_TRUE(talked) << talked.error();
  lab::pause_for(Millis(200));
  const Printed& printed = keep("client", watch->stop());
  ASSERT_EQ(printed.of("life").size(), 1u);
  EXPECT_EQ(printed.of("life")[0]["outcome"], "completed");
  expect_nothing_left();
}

TEST_F(BadInput, AnInterfaceThatComesUpLaterIsHeard) {
  auto watch = start();
  ASSERT_TRUE(watch);
  ASSERT_TRUE(
      lab::run_tool({"ip", "-n", lab().client_ns(), "link", "add", "late0", "type", "veth", "peer", "name", "late1"}));
  ASSERT_TRUE(lab::run_tool({"ip", "-n", lab().client_ns(), "link", "set", "late0", "up"}));
  EXPECT_TRUE(watch->run().wait_for("interface late0 appeared", Millis(4000))) << watch->err();
  watch->stop();
  ASSERT_TRUE(lab::run_tool({"ip", "-n", lab().client_ns(), "link", "del", "late0"}));
  expect_nothing_left();
}

TEST_F(BadInput, AnXdpSlotThatIsTakenMakesItFallBackToTcAndSayWhy) {
  auto holder = Watch::start(lab().client_ns(), {"--wire", "xdp-generic", "-i", lab::client_link});
  ASSERT_TRUE(holder);
  ASSERT_TRUE(holder->run().wait_ready());
  auto watch = start({"--wire", "xdp-generic", "-i", lab::client_link});
  ASSERT_TRUE(watch);
  const auto talked = talk();
  EXPECT_TRUE(talked) << talked.error();
  lab::pause_for(Millis(200));
  EXPECT_TRUE(says(watch->err(), "XDP")) << watch->err();
  const Printed& second = keep("the second", watch->stop());
  const Printed& first = keep("the first", holder->stop());
  bool found = false;
  for (const Json& hook : second.hooks()) {
    if (hook["name"] != "wire_ingress") continue;
    found = true;
    EXPECT_EQ(hook["mode"], tc());
    EXPECT_TRUE(says(hook.value("why", ""), "another XDP program holds the slot")) << hook.dump();
  }
  EXPECT_TRUE(found);
  for (const Printed* printed : {&first, &second}) {
    ASSERT_EQ(printed->of("life").size(), 1u);
    EXPECT_EQ(printed->of("life")[0]["outcome"], "completed");
    EXPECT_EQ(printed->control_segments(printed->of("life")[0]["conn"]).size(), 4u);
  }
  expect_nothing_left();
}

TEST_F(BadInput, AClosedOutputPipeEndsTheRunQuietly) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  UniqueFd reader(ends[0]);
  UniqueFd writer(ends[1]);
  auto run = TracerRun::start({"trace", "-o", "json", "--netns", lab().client_ns()}, {}, writer.get());
  ASSERT_TRUE(run) << run.error();
  writer.reset();
  ASSERT_TRUE((*run)->wait_ready());
  const KernelObjects objects = objects_of((*run)->pid());
  reader.reset();
  const auto talked = talk(3);
  EXPECT_TRUE(talked) << talked.error();
  const Ended ended = (*run)->wait(Millis(5000));
  EXPECT_EQ(ended.code, 0) << ended.err;  // as with `| head`
  EXPECT_FALSE(says(ended.err, "cannot write the output")) << ended.err;
  EXPECT_EQ(residue(objects, lab().client_ns(), before()), "");
}

TEST_F(BadInput, ARingThatIsTooSmallLosesEventsAndCountsEveryOne) {
  auto watch = start({"--ring-size", "64K"});
  ASSERT_TRUE(watch);
  // The consumer is held, so that the ring must overflow.
  ::kill(watch->run().pid(), SIGSTOP);
  const auto talked = talk(300);
  ::kill(watch->run().pid(), SIGCONT);
  ASSERT_TRUE(talked) << talked.error();
  ASSERT_TRUE(talk(20));
  lab::pause_for(Millis(200));
  const Printed& printed = keep("client", watch->stop({.losses_allowed = true}));
  const Json summary = printed.summary();
  EXPECT_GT(summary["lost"].get<uint64_t>(), 0u);
  uint64_t in_gaps = 0;
  for (const Json& gap : printed.of("gap")) {
    in_gaps += gap["lost"].get<uint64_t>();
    EXPECT_GT(gap["lost"].get<uint64_t>(), 0u);
    EXPECT_LE(gap["from_ts_ns"].get<int64_t>(), gap["to_ts_ns"].get<int64_t>());
  }
  EXPECT_EQ(in_gaps, summary["lost"]);
  int incomplete = 0;
  for (const Json& life : printed.of("life")) {
    if (life["incomplete"] == false) {
      EXPECT_EQ(life["outcome"], "completed") << "whole lives are reported as they were: " << life.dump();
      continue;
    }
    ++incomplete;
    for (const Json& finding : printed.of("finding", life["conn"])) EXPECT_EQ(finding["confidence"], "inconclusive");
  }
  EXPECT_GT(incomplete, 0);
  EXPECT_TRUE(says(watch->err(), "--ring-size")) << "the remedy: " << watch->err();
  expect_nothing_left();
}

TEST_F(BadInput, AMissingTracepointIsSaidAndTheRestGoesOn) {
  const auto story = play("kill-unread", {.through = {"TCPWITNESS_WITHOUT=tracepoint:tcp_send_reset"}});
  if (!story) return;
  const Json theirs = story->server_life();
  ASSERT_FALSE(theirs.empty());
  bool off = false;
  for (const Json& hook : story->server.hooks()) {
    if (hook["name"] != "kernel_send_reset") continue;
    off = true;
    EXPECT_EQ(hook["mode"], "off");
    EXPECT_FALSE(hook.value("why", "").empty()) << "what is lost";
  }
  EXPECT_TRUE(off);
  EXPECT_EQ(theirs["outcome"], "aborted") << "the socket and the wire say so too";
  EXPECT_TRUE(story->server.of("reset", theirs["conn"]).empty());
  EXPECT_FALSE(story->server.findings(theirs["conn"]).contains("reset-origin certain"))
      << "never surer for want of an event";
}

TEST_F(BadInput, AMissingTracepointIsALineOnStderr) {
  auto watch = start({}, {"TCPWITNESS_WITHOUT=tracepoint:tcp_send_reset"});
  ASSERT_TRUE(watch);
  EXPECT_TRUE(says(watch->err(), "tcp_send_reset")) << watch->err();
  watch->stop();
  expect_nothing_left();
}

TEST_F(BadInput, NothingIsLeftAfterAnOrdinaryEnd) {
  for (const char* without : {"TCPWITNESS_WITHOUT=", "TCPWITNESS_WITHOUT=tcx"}) {
    auto watch = start({"--wire", "xdp-generic"}, {without});
    ASSERT_TRUE(watch);
    EXPECT_NE(attachments(lab().client_ns()), before()) << "this test sees what is attached";
    watch->stop();
    expect_nothing_left();
  }
}

TEST_F(BadInput, NothingIsLeftAfterKill9InTcxMode) {
  auto watch = start();
  ASSERT_TRUE(watch);
  EXPECT_EQ(watch->run().kill().code, 128 + SIGKILL);
  expect_nothing_left();
}

TEST_F(BadInput, NothingIsLeftAfterKill9InXdpMode) {
  auto watch = start({"--wire", "xdp-generic"});
  ASSERT_TRUE(watch);
  EXPECT_NE(attachments(lab().client_ns()), before());
  EXPECT_EQ(watch->run().kill().code, 128 + SIGKILL);
  expect_nothing_left();
}

TEST_F(BadInput, NothingIsLeftAfterKill9InClsactMode) {
  auto watch = start({}, {"TCPWITNESS_WITHOUT=tcx"});
  ASSERT_TRUE(watch);
  const std::vector<pid_t> guards = guards_of(watch->run().pid());
  ASSERT_EQ(guards.size(), 1u);
  EXPECT_TRUE(says(attachments(lab().client_ns()), "clsact"));
  EXPECT_EQ(watch->run().kill().code, 128 + SIGKILL);
  EXPECT_TRUE(ends(guards.front(), Millis(20000))) << "the guard itself stays behind";
  expect_nothing_left();
}

// Before: the second took the first one's filter, and left with it; the first went on without the wire and did not
// report it.
TEST_F(BadInput, ASecondRunInClsactModeLeavesTheFirstItsFilters) {
  auto first = start({}, {"TCPWITNESS_WITHOUT=tcx"});
  ASSERT_TRUE(first);
  auto second = start({}, {"TCPWITNESS_WITHOUT=tcx"});
  ASSERT_TRUE(second);
  second->stop();
  const Ended doctor = run_to_end({"doctor", "-o", "json", "--netns", lab().client_ns()}, {"TCPWITNESS_WITHOUT=tcx"});
  EXPECT_EQ(doctor.code, 0) << doctor.err;
  EXPECT_NE(doctor.out.find("egress: of a run that is at work"), std::string::npos) << doctor.out;
  auto third = start({}, {"TCPWITNESS_WITHOUT=tcx"});  // goes on where the first one, who made the qdisc, ends
  ASSERT_TRUE(third);
  ASSERT_TRUE(lab::play(lab(), *lab::find_case("close-client")));
  const Printed printed = first->stop();
  ASSERT_EQ(printed.of("life").size(), 1u);
  EXPECT_EQ(printed.of("life")[0]["witnesses"], Json({"kernel", "wire"}));
  ASSERT_TRUE(lab::play(lab(), *lab::find_case("close-client")));
  const Printed after = third->stop();
  ASSERT_EQ(after.of("life").size(), 2u);
  EXPECT_EQ(after.of("life")[1]["witnesses"], Json({"kernel", "wire"}));
}

// As another tracer does, or a container network: it finds the qdisc and uses it.
TEST_F(BadInput, AFilterThatSomebodyPutIntoOurQdiscStays) {
  auto watch = start({}, {"TCPWITNESS_WITHOUT=tcx"});
  ASSERT_TRUE(watch);
  const std::vector<std::string> tc{"tc", "-n", lab().client_ns(), "filter"};
  const auto say = [&](std::vector<std::string> more) {
    more.insert(more.begin(), tc.begin(), tc.end());
    return lab::run_tool(more);
  };
  // Classic BPF that matches nothing: the classifier is there where ours is.
  const auto added =
      say({"add", "dev", lab::client_link, "ingress", "pref", "7", "bpf", "bytecode", "1,6 0 0 0,", "flowid", "1:1"});
  ASSERT_TRUE(added) << added.error();
  watch->stop();
  const auto left = say({"show", "dev", lab::client_link, "ingress"});
  ASSERT_TRUE(left) << left.error();
  EXPECT_NE(left->find("pref 7 bpf"), std::string::npos) << *left;
  EXPECT_EQ(left->find("wire_ingress"), std::string::npos) << *left;
}

TEST_F(BadInput, AClsactQdiscOfSomebodyElseStays) {
  ASSERT_TRUE(lab::run_tool({"tc", "-n", lab().client_ns(), "qdisc", "add", "dev", lab::client_link, "clsact"}));
  const std::string with_qdisc = attachments(lab().client_ns());
  auto watch = start({}, {"TCPWITNESS_WITHOUT=tcx"});
  ASSERT_TRUE(watch);
  const KernelObjects objects = objects_of(watch->run().pid());
  watch->stop();
  EXPECT_EQ(residue(objects, lab().client_ns(), with_qdisc), "");
}

}  // namespace tcpwitness::live
