// SPDX-License-Identifier: Apache-2.0
//
// As a service: what the manager learns and when, a file that is rotated under it, lines as the journal has them.

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <thread>

#include "live/converse.hpp"
#include "live/courses.hpp"

namespace tcpwitness::live {
namespace {

using Clock = std::chrono::steady_clock;

class Manager {
 public:
  explicit Manager(const std::string& path) : fd_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(static_cast<char*>(address.sun_path), path.data(), path.size());
    bound_ = ::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }
  bool bound() const { return bound_; }
  // "" where none comes in time.
  std::string next(Millis patience) const {
    pollfd ready{.fd = fd_.get(), .events = POLLIN, .revents = 0};
    std::array<char, 8192> text{};
    if (::poll(&ready, 1, static_cast<int>(patience.count())) <= 0) return "";
    const ssize_t got = ::recv(fd_.get(), text.data(), text.size(), 0);
    return got > 0 ? std::string(text.data(), static_cast<size_t>(got)) : "";
  }
  // The first that has this line.
  std::string wait_for(const std::string& line, Millis patience = patience_for_a_tracer) const {
    const auto until = Clock::now() + patience;
    while (Clock::now() < until) {
      const std::string message = next(std::chrono::duration_cast<Millis>(until - Clock::now()));
      if (("\n" + message + "\n").find("\n" + line + "\n") != std::string::npos) return message;
    }
    return "";
  }
  void drain() const {
    while (!next(Millis(0)).empty()) {
    }
  }

 private:
  UniqueFd fd_;
  bool bound_ = false;
};

// 'T' while it is stopped.
bool becomes_stopped(pid_t pid) {
  for (int i = 0; i < 500; ++i) {
    std::ifstream file(fmt::format("/proc/{}/stat", pid));
    const std::string line{std::istreambuf_iterator<char>(file), {}};
    const size_t name_ends = line.rfind(')');
    if (name_ends != std::string::npos && line.substr(name_ends + 2, 1) == "T") return true;
    lab::pause_for(Millis(10));
  }
  return false;
}

// What it holds now: a file that grows faster than it is read has no end.
std::string text_of(const std::string& path) {
  std::error_code absent;
  const auto size = std::filesystem::file_size(path, absent);
  std::string text(absent ? 0 : size, '\0');
  std::ifstream in(path, std::ios::binary);
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(in.gcount()));
  return text;
}

}  // namespace

class Service : public Live {
 protected:
  void SetUp() override {
    Live::SetUp();
    if (IsSkipped()) return;
    directory_ = std::filesystem::temp_directory_path() / fmt::format("tw-live-service-{}", ::getpid());
    std::filesystem::remove_all(directory_);
    std::filesystem::create_directory(directory_);
    manager_.emplace(file("notify"));
    ASSERT_TRUE(manager_->bound());
  }
  void TearDown() override {
    manager_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
    Live::TearDown();
  }

  std::string file(const std::string& name) const { return directory_ / name; }
  const Manager& manager() const { return *manager_; }

  // A tracer of the client's namespace.
  std::unique_ptr<TracerRun> start(std::vector<std::string> arguments, std::vector<std::string> variables = {}) {
    arguments.insert(arguments.end(), {"--netns", lab().client_ns()});
    variables.insert(variables.begin(), "NOTIFY_SOCKET=" + file("notify"));
    auto run = TracerRun::start(arguments, variables);
    if (!run) ADD_FAILURE() << run.error();
    return run ? std::move(*run) : nullptr;
  }
  void talk(int connections) {
    const auto& here = lab().host(lab::Side::client);
    const auto talked = converse(here, here, {.ip = "127.0.0.1", .connections = connections, .addresses = 4});
    EXPECT_TRUE(talked) << talked.error();
  }

 private:
  std::filesystem::path directory_;
  std::optional<Manager> manager_;
};

// Everything that happens after READY=1 is reported whole, as what happens after `ready` is.
TEST_F(Service, ReadyComesWhenEveryHookIsAttached) {
  const auto run = start({"life", "-o", "json"});
  ASSERT_TRUE(run);
  const std::string first = manager().next(patience_for_a_tracer);
  EXPECT_NE(run->out().find("\"type\":\"ready\""), std::string::npos) << "READY=1 came before ready was printed";
  EXPECT_TRUE(first.starts_with("READY=1\nSTATUS=tracing")) << first << run->err();
  talk(3);
  ::kill(run->pid(), SIGTERM);
  EXPECT_NE(manager().wait_for("STOPPING=1"), "");
  const Ended ended = run->wait();
  const Printed printed(ended.out);
  expect_sound(ended, printed);
  int whole = 0;
  for (const Json& life : printed.of("life"))
    whole += life.value("outcome", "") == "completed" && !life.value("preexisting", false);
  EXPECT_EQ(whole, 6);  // both ends are here
}

TEST_F(Service, TheWatchdogHearsOfARunThatGoesOnAndOfNoOther) {
  constexpr Millis given(1200);
  const auto run = start({"life"}, {fmt::format("WATCHDOG_USEC={}", given.count() * 1000)});
  ASSERT_TRUE(run);
  ASSERT_NE(manager().wait_for("READY=1"), "") << run->err();
  // Idle: nothing but the watchdog wakes it up.
  for (int i = 0; i < 4; ++i) ASSERT_NE(manager().wait_for("WATCHDOG=1", given), "") << i << run->err();
  ASSERT_EQ(::kill(run->pid(), SIGSTOP), 0);
  ASSERT_TRUE(becomes_stopped(run->pid()));
  manager().drain();
  EXPECT_EQ(manager().next(given * 2), "") << "a process that stands still says that it is alive";
  ASSERT_EQ(::kill(run->pid(), SIGCONT), 0);
  EXPECT_NE(manager().wait_for("WATCHDOG=1", given), "");
  EXPECT_EQ(run->stop().code, 0);
}

// The order of logrotate: rename, then SIGHUP. Connections go on meanwhile.
TEST_F(Service, ARotatedFileLosesNoLineAndHoldsNoHalfOne) {
  const auto run = start({"life", "-o", "json", "--append", file("lives")});
  ASSERT_TRUE(run);
  ASSERT_NE(manager().wait_for("READY=1"), "") << run->err();
  std::atomic<int> made = 0;
  std::jthread traffic([&](const std::stop_token& over) {
    while (!over.stop_requested() && made < 50'000) {
      talk(50);
      made += 50;
      lab::pause_for(Millis(5));
    }
  });
  constexpr int rotations = 5;
  for (int i = 0; i < rotations; ++i) {
    const auto written = [&] { return text_of(file("lives")).find("\"type\":\"life\"") != std::string::npos; };
    for (int waited = 0; !written() && waited < 3000; ++waited) lab::pause_for(Millis(10));
    std::filesystem::rename(file("lives"), file(fmt::format("lives.{}", i)));
    ASSERT_EQ(::kill(run->pid(), SIGHUP), 0);
    EXPECT_NE(manager().wait_for("READY=1"), "") << run->err();
  }
  traffic.request_stop();
  traffic.join();
  const Ended ended = run->stop();
  EXPECT_EQ(ended.code, 0) << ended.err;
  std::string all;
  for (int i = 0; i < rotations; ++i) {
    const std::string part = text_of(file(fmt::format("lives.{}", i)));
    EXPECT_TRUE(part.ends_with("}\n")) << i;
    all += part;
  }
  all += text_of(file("lives"));
  const Printed printed(all);
  EXPECT_TRUE(printed.broken().empty()) << printed.broken().front();
  std::set<int64_t> connections;
  const auto lives = printed.of("life");
  for (const Json& life : lives) connections.insert(life.value("conn", int64_t{0}));
  EXPECT_EQ(lives.size(), static_cast<size_t>(made) * 2);
  EXPECT_EQ(connections.size(), lives.size());
  EXPECT_EQ(printed.summary().value("connections", size_t{0}), lives.size());
}

// Its copy and truncation lose what comes between them, but the file has no hole in front.
TEST_F(Service, AFileThatIsCutOffGoesOnAtItsBeginning) {
  const auto run = start({"life", "-o", "json", "--append", file("lives")});
  ASSERT_TRUE(run);
  ASSERT_NE(manager().wait_for("READY=1"), "") << run->err();
  ASSERT_GT(std::filesystem::file_size(file("lives")), 0U);
  std::filesystem::resize_file(file("lives"), 0);
  talk(1);
  EXPECT_EQ(run->stop().code, 0);
  const std::string text = text_of(file("lives"));
  EXPECT_EQ(text.find('\0'), std::string::npos);
  EXPECT_EQ(Printed(text).of("life").size(), 2U);
  EXPECT_TRUE(Printed(text).broken().empty());
}

TEST_F(Service, EachFileOfATableBeginsWithItsColumns) {
  const auto run = start({"life", "-o", "csv", "--append", file("lives")});
  ASSERT_TRUE(run);
  ASSERT_NE(manager().wait_for("READY=1"), "") << run->err();
  talk(2);
  for (int waited = 0; text_of(file("lives")).find("completed") == std::string::npos && waited < 3000; ++waited)
    lab::pause_for(Millis(10));
  std::filesystem::rename(file("lives"), file("old"));
  ASSERT_EQ(::kill(run->pid(), SIGHUP), 0);
  EXPECT_NE(manager().wait_for("READY=1"), "");
  talk(1);
  EXPECT_EQ(run->stop().code, 0);
  const std::string heading = "type,conn,start,";
  for (const char* name : {"old", "lives"}) {
    const std::string text = text_of(file(name));
    EXPECT_TRUE(text.starts_with(heading)) << name << ": " << text.substr(0, 60);
    EXPECT_EQ(text.find(heading, 1), std::string::npos) << name;
    EXPECT_NE(text.find("completed"), std::string::npos) << name;
  }
}

// The folder is gone: what is open serves on, and nothing ends.
TEST_F(Service, AFileThatCannotBeOpenedAgainIsKept) {
  std::filesystem::create_directory(file("logs"));
  const auto run = start({"life", "-o", "json", "--append", file("logs/lives")});
  ASSERT_TRUE(run);
  ASSERT_NE(manager().wait_for("READY=1"), "") << run->err();
  std::filesystem::rename(file("logs"), file("moved"));
  ASSERT_EQ(::kill(run->pid(), SIGHUP), 0);
  EXPECT_NE(manager().wait_for("READY=1"), "");
  EXPECT_TRUE(run->wait_for("serves on", Millis(5000))) << run->err();
  talk(1);
  EXPECT_EQ(run->stop().code, 0);
  EXPECT_NE(text_of(file("moved/lives")).find("\"type\":\"life\""), std::string::npos);
}

TEST_F(Service, ARecordingBeginsItsNextFile) {
  const auto run = start({"record", "-q", "-w", file("trace.pcapng")});
  ASSERT_TRUE(run);
  ASSERT_NE(manager().wait_for("READY=1"), "") << run->err();
  talk(2);
  ASSERT_EQ(::kill(run->pid(), SIGHUP), 0);
  EXPECT_NE(manager().wait_for("READY=1"), "");
  talk(2);
  EXPECT_EQ(run->stop().code, 0);
  size_t lives = 0;
  for (const char* name : {"trace.pcapng", "trace.00002.pcapng"}) {
    const Ended read = run_to_end({"read", "-o", "json", file(name)});
    EXPECT_EQ(read.code, 0) << name << read.err;
    for (const Json& life : Printed(read.out).of("life")) lives += life.value("outcome", "") == "completed";
  }
  EXPECT_EQ(lives, 8U);
}

// The journal is gone, say: `| head` is content then, a service is not.
TEST_F(Service, AReaderThatIsGoneIsAFailure) {
  int ends[2] = {-1, -1};
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const UniqueFd writer(ends[1]);
  auto run = TracerRun::start({"life", "-o", "json", "--netns", lab().client_ns()}, {"NOTIFY_SOCKET=" + file("notify")},
                              writer.get());
  ASSERT_TRUE(run) << run.error();
  ASSERT_NE(manager().wait_for("READY=1"), "") << (*run)->err();
  ::close(ends[0]);
  talk(1);
  const Ended ended = (*run)->wait();
  EXPECT_EQ(ended.code, 1) << ended.err;
  EXPECT_NE(ended.err.find("nobody reads the output"), std::string::npos) << ended.err;
}

// Under a manager nothing ends by SIGHUP, even where there is nothing to open again.
TEST_F(Service, WithoutAFileAHangUpChangesNothing) {
  const auto run = start({"life", "-o", "json"});
  ASSERT_TRUE(run);
  ASSERT_NE(manager().wait_for("READY=1"), "") << run->err();
  ASSERT_EQ(::kill(run->pid(), SIGHUP), 0);
  EXPECT_NE(manager().wait_for("READY=1"), "");
  talk(1);
  const Ended ended = run->stop();
  EXPECT_EQ(Printed(ended.out).of("life").size(), 2U);
  EXPECT_EQ(ended.code, 0);
}

}  // namespace tcpwitness::live
