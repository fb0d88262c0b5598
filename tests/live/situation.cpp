// SPDX-License-Identifier: Apache-2.0
//
// See situation.hpp.

#include "live/situation.hpp"

#include <fmt/format.h>
#include <linux/bpf.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>
#include <ctime>
#include <set>
#include <sstream>

#include "live/abilities.hpp"

namespace tcpwitness::live {
namespace {

std::string find_obstacle() {
  if (::geteuid() != 0) return "not root: namespaces and BPF need it";
  struct stat file{};
  if (::stat("/sys/kernel/btf/vmlinux", &file) != 0) return "this kernel has no BTF (/sys/kernel/btf/vmlinux)";
  bpf_attr attributes{};
  attributes.map_type = BPF_MAP_TYPE_RINGBUF;
  attributes.max_entries = 4096;
  const long map = ::syscall(SYS_bpf, BPF_MAP_CREATE, &attributes, sizeof attributes);
  if (map < 0) return fmt::format("this kernel lets us make no BPF ring buffer: {}", std::strerror(errno));
  ::close(static_cast<int>(map));
  if (!missing_witness().empty()) return "this kernel lets us have no witness: " + missing_witness();
  if (auto lab = lab::Lab::create(); !lab) return "no namespaces to play in: " + lab.error();
  return "";
}

// A run in which nothing could be tried must not look like one in which everything passed.
class SayWhenAllWereSkipped : public ::testing::Environment {
 public:
  void TearDown() override {
    const auto& all = *::testing::UnitTest::GetInstance();
    const int ran = all.test_to_run_count();
    if (ran == 0 || all.skipped_test_count() != ran) return;
    fmt::print(stderr, "\n*** ALL {} LIVE TESTS WERE SKIPPED: NOTHING WAS SHOWN ABOUT TRACING ***\n*** {} ***\n\n", ran,
               prerequisites());
  }
};
const auto* const say_when_all_were_skipped =
    ::testing::AddGlobalTestEnvironment(new SayWhenAllWereSkipped);  // gtest owns it

int64_t now_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

// A fault that every line has would otherwise be printed for every line.
class Faults {
 public:
  ~Faults() {
    if (count_ > 0) ADD_FAILURE() << count_ << " times, first: " << first_;
  }
  void expect(bool good, const char* what, const Json& line) {
    if (good || count_++ > 0) return;
    first_ = fmt::format("{}: {}", what, line.dump());
  }

 private:
  size_t count_ = 0;
  std::string first_;
};

void expect_ids_to_exist(const Printed& printed) {
  std::set<uint64_t> known;
  for (const Json& line : printed.all()) {
    if (line.contains("id")) known.insert(line["id"].get<uint64_t>());
  }
  const bool events_reported = !known.empty();  // `life` has findings without the events they rest on
  const auto exists = [&](const Json& id) {
    return !events_reported || (id.is_number_unsigned() && known.contains(id.get<uint64_t>()));
  };
  Faults faults;
  for (const Json& line : printed.all()) {
    if (const auto cause = line.find("cause"); cause != line.end() && cause->is_object() && cause->contains("id")) {
      faults.expect(exists((*cause)["id"]), "a cause names an event that was not reported", line);
    }
    if (line.contains("transition")) {
      faults.expect(exists(line["transition"]["id"]), "a segment names a transition that was not reported", line);
    }
    if (line["type"] != "segment" && line.contains("segment")) {
      faults.expect(exists(line["segment"]), "an entry names a segment that was not reported", line);
    }
    if (line["type"] != "finding") continue;
    faults.expect(!line["evidence"].empty(), "a finding without evidence", line);
    for (const Json& id : line["evidence"]) faults.expect(exists(id), "evidence that was not reported", line);
  }
}

void expect_delays_to_be_plausible(const Printed& printed) {
  Faults faults;
  for (const Json& line : printed.all()) {
    for (const char* key : {"cause", "transition"}) {
      const auto found = line.find(key);
      if (found == line.end() || !found->is_object() || !found->contains("delay_ns")) continue;
      const auto delay = (*found)["delay_ns"].get<int64_t>();
      faults.expect(delay >= 0 && delay < 2'000'000'000, "an implausible delay", line);
    }
  }
}

void expect_times_of_now(const Printed& printed) {
  constexpr int64_t ten_minutes = 600'000'000'000;
  const int64_t now = now_ns();
  Faults faults;
  for (const Json& line : printed.all()) {
    faults.expect(std::abs(now - line.value("ts_ns", int64_t{0})) < ten_minutes, "not a time of now", line);
    if (line["type"] != "life") continue;
    const int64_t duration = line.value("duration_ns", int64_t{-1});
    faults.expect(duration >= 0 && duration < ten_minutes, "an implausible duration", line);
  }
}

// Events that a program would have made, had it not been running on that CPU already (docs/reliability.md).
int skipped_runs(const Printed& printed) {
  int runs = 0;
  for (const Json& gap : printed.of("gap")) runs += gap["cause"] == "skipped" ? gap.value("lost", 0) : 0;
  return runs;
}

// An emulated machine is so slow that a program is still running when its next event comes: scripts/kernel-tests.
bool emulated() { return std::getenv("TCPWITNESS_EMULATED") != nullptr; }

}  // namespace

const std::string& prerequisites() {
  static const std::string obstacle = find_obstacle();
  return obstacle;
}

std::string missing(const std::string& program) {
  std::istringstream directories(std::string(std::getenv("PATH") ? std::getenv("PATH") : "") + ":/usr/sbin:/sbin");
  for (std::string directory; std::getline(directories, directory, ':');) {
    if (::access(fmt::format("{}/{}", directory, program).c_str(), X_OK) == 0) return "";
  }
  return "the program " + program + " is not installed";
}

void expect_sound(const Ended& ended, const Printed& printed, Soundness soundness) {
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_TRUE(printed.broken().empty()) << "not NDJSON: " << printed.broken().front();
  ASSERT_FALSE(printed.all().empty()) << "tcpwitness printed nothing: " << ended.err;
  EXPECT_EQ(printed.of("ready").size(), 1u);
  EXPECT_EQ(printed.all().front()["type"], "ready");
  EXPECT_EQ(printed.of("summary").size(), 1u);
  EXPECT_EQ(printed.all().back()["type"], "summary");
  const Json summary = printed.summary();
  if (!soundness.losses_allowed) {
    const int skipped = soundness.skips_allowed || emulated() ? skipped_runs(printed) : 0;
    EXPECT_EQ(summary.value("lost", -1), skipped) << summary.dump() << "\n" << ended.err;
  }
  EXPECT_EQ(summary.value("malformed", -1), 0) << summary.dump();
  EXPECT_EQ(summary.value("unaccounted", -1), 0) << summary.dump();
  const int chosen = summary.value("chosen", summary.value("connections", -1));
  EXPECT_EQ(chosen, static_cast<int>(printed.of("life").size())) << summary.dump();
  expect_ids_to_exist(printed);
  expect_delays_to_be_plausible(printed);
  expect_times_of_now(printed);
}

std::optional<Watch> Watch::start(const std::string& netns, std::vector<std::string> more,
                                  const std::vector<std::string>& through, const std::string& command) {
  std::vector<std::string> arguments{command, "-o", "json"};
  if (!netns.empty()) arguments.insert(arguments.end(), {"--netns", netns});
  arguments.insert(arguments.end(), more.begin(), more.end());
  auto run = TracerRun::start(arguments, through);
  if (!run) {
    ADD_FAILURE() << run.error();
    return std::nullopt;
  }
  Watch watch;
  watch.run_ = std::move(*run);
  return watch;
}

Printed Watch::stop(Soundness soundness) {
  const Ended ended = run_->stop();
  Printed printed(ended.out);
  expect_sound(ended, printed, soundness);
  return printed;
}

Json Watch::ready() const { return Printed(run_->out()).ready(); }

void Live::SetUp() {
  if (!prerequisites().empty()) GTEST_SKIP() << prerequisites();
  auto made = lab::Lab::create();
  ASSERT_TRUE(made) << made.error();
  lab_ = std::move(*made);
}

void Live::TearDown() {
  if (HasFailure()) {
    for (const auto& [title, printed] : kept_) fmt::print("{}:\n{}", title, digest(printed));
  }
  lab_.reset();
}

const Printed& Live::keep(std::string title, Printed printed) {
  return kept_.emplace_back(std::move(title), std::move(printed)).second;
}

// A kernel can run no program in some interrupts (docs/reliability.md). The run reports it itself; then it is played
// again.
std::optional<Story> Live::play(const std::string& name, const Play& how) {
  constexpr int tries = 3;
  for (int i = 1;; ++i) {
    auto story = play_once(name, how, {.skips_allowed = i < tries});
    if (!story || i == tries) return story;
    const auto missed = [](const Printed& printed) {
      return printed.summary().value("missed", 0) + skipped_runs(printed);
    };
    if (missed(story->client) + missed(story->server) == 0) return story;
    fmt::print("the kernel ran no program for an event: {} is played again\n", name);
    lab().reset();
  }
}

std::optional<Story> Live::play_once(const std::string& name, const Play& how, Soundness soundness) {
  const lab::Case* what = lab::find_case(name);
  if (what == nullptr) {
    ADD_FAILURE() << "the lab has no case " << name;
    return std::nullopt;
  }
  auto performance = lab::Performance::open(lab(), *what, how.options);
  if (!performance) {
    ADD_FAILURE() << performance.error();
    return std::nullopt;
  }
  std::vector<std::string> client_arguments = how.arguments;
  client_arguments.insert(client_arguments.end(), how.client_arguments.begin(), how.client_arguments.end());
  auto client = Watch::start(lab().client_ns(), client_arguments, how.through);
  auto server = Watch::start(lab().server_ns(), how.arguments, how.through);
  if (!client || !server) return std::nullopt;
  for (Watch* watch : {&*client, &*server}) {
    if (auto ready = watch->run().wait_ready(); !ready) {
      ADD_FAILURE() << ready.error();
      return std::nullopt;
    }
  }
  if (how.when_ready) how.when_ready((*performance)->so_far());
  auto played = (*performance)->finish();
  if (how.when_played) how.when_played();
  Story story;
  story.client = keep("printed in the client's namespace", client->stop(soundness));
  story.server = keep("printed in the server's namespace", server->stop(soundness));
  if (!played) {
    ADD_FAILURE() << played.error();
    return std::nullopt;
  }
  story.played = std::move(*played);
  return story;
}

lab::Result<std::string> run_in(const std::string& netns, std::vector<std::string> argv) {
  argv.insert(argv.begin(), {"ip", "netns", "exec", netns});
  return lab::run_tool(argv);
}

lab::Result<lab::Child> start_in(const std::string& netns, std::vector<std::string> argv) {
  argv.insert(argv.begin(), {"ip", "netns", "exec", netns});
  return lab::Child::start(argv);
}

void expect_life(const Printed& printed, const Json& life, const Expected& expected) {
  ASSERT_FALSE(life.empty()) << "the connection's life was not reported, or reported twice";
  const Json& conn = life["conn"];
  EXPECT_EQ(life["role"], expected.role);
  EXPECT_EQ(life["pid"], expected.process.pid);
  EXPECT_EQ(life["comm"], expected.process.comm);
  EXPECT_EQ(life["pid_source"], expected.pid_source);
  EXPECT_EQ(life["outcome"], expected.outcome);
  EXPECT_EQ(life["closed_by"], expected.closed_by);
  EXPECT_EQ(life["states"].get<Words>(), expected.states);
  EXPECT_EQ(life.value("errno", 0), expected.error);
  if (expected.error != 0) {
    EXPECT_EQ(life.value("error", ""), lab::errno_name(expected.error));
  }
  EXPECT_EQ(life["tx_bytes"], expected.tx_bytes);
  EXPECT_EQ(life["rx_bytes"], expected.rx_bytes);
  EXPECT_EQ(life["witnesses"], Json({"kernel", "wire"}));
  EXPECT_EQ(life["incomplete"], false);
  std::set<std::string> found;
  std::set<std::string> rules;
  for (const std::string& finding : printed.findings(conn)) {
    const std::string rule = finding.substr(0, finding.find(' '));
    rules.insert(rule);
    const bool any_confidence = expected.findings.contains(rule) && !finding.ends_with("inconclusive");
    found.insert(any_confidence ? rule : finding);
  }
  if (!expected.findings.contains("late") && printed.kernel_was_late(conn)) found.erase("late likely");
  EXPECT_EQ(found, expected.findings);
  EXPECT_EQ(life["findings"].get<std::set<std::string>>(), rules) << "the life's findings are not those reported";
  // Never somebody who only happened to run: the test itself, an interrupted process, the other side.
  for (const int64_t pid : printed.pids(conn)) EXPECT_EQ(pid, expected.process.pid) << "an innocent process is named";
}

}  // namespace tcpwitness::live
