// SPDX-License-Identifier: Apache-2.0
//
// A run ends when it is asked to, whatever its reader does, and at one moment: what goes on then is open, and nothing
// is half reported.

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <fstream>
#include <map>
#include <string>
#include <thread>

#include "live/converse.hpp"
#include "live/courses.hpp"

namespace tcpwitness::live {
namespace {

// A pipe that its owner never reads.
struct Unread {
  Unread() {
    int ends[2] = {-1, -1};
    if (::pipe2(ends, O_CLOEXEC) == 0) {
      reader = UniqueFd(ends[0]);
      writer = UniqueFd(ends[1]);
    }
  }
  UniqueFd reader;
  UniqueFd writer;
};

// A tracer blocks its signals until it has taken the first one.
bool blocks(pid_t pid, int number) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("SigBlk:")) return (std::stoull(line.substr(7), nullptr, 16) >> (number - 1) & 1U) != 0;
  }
  return false;
}

}  // namespace

class Stopping : public Live {
 protected:
  // A tracer that has more to print than its reader, who takes nothing, has room for.
  std::unique_ptr<TracerRun> stuck(Unread& pipe, std::vector<std::string> more = {},
                                   const std::vector<std::string>& through = {}) {
    std::vector<std::string> arguments{"trace", "-o", "json", "--netns", lab().client_ns()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    auto run = TracerRun::start(arguments, through, pipe.writer.get());
    if (!run || !(*run)->wait_ready()) {
      ADD_FAILURE() << (run ? (*run)->err() : run.error());
      return nullptr;
    }
    const auto& here = lab().host(lab::Side::client);
    const auto talked = converse(here, here, {.ip = "127.0.0.1", .connections = 200, .addresses = 4});
    EXPECT_TRUE(talked) << talked.error();
    return std::move(*run);
  }
};

TEST_F(Stopping, AReaderThatTakesNothingKeepsNoSignalAway) {
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    Unread pipe;
    const auto run = stuck(pipe);
    ASSERT_TRUE(run);
    ::kill(run->pid(), number);
    const Ended ended = run->wait(Millis(8000));
    EXPECT_EQ(ended.code, 1) << number << ": " << ended.err;
    EXPECT_NE(ended.err.find("lines of output were dropped"), std::string::npos) << ended.err;
  }
}

TEST_F(Stopping, AReaderThatTakesNothingKeepsNoDurationAway) {
  Unread pipe;
  const auto run = stuck(pipe, {"-d", "2"});
  ASSERT_TRUE(run);
  EXPECT_EQ(run->wait(Millis(10'000)).code, 1) << run->err();
}

TEST_F(Stopping, ASecondSignalEndsItAtOnce) {
  Unread pipe;
  const auto run = stuck(pipe);
  ASSERT_TRUE(run);
  ::kill(run->pid(), SIGINT);
  for (int i = 0; i < 200 && blocks(run->pid(), SIGINT); ++i) lab::pause_for(Millis(50));
  ASSERT_FALSE(blocks(run->pid(), SIGINT));
  lab::pause_for(Millis(400));  // no longer "at once"; it waits two seconds for its reader, and then ends with 1
  ::kill(run->pid(), SIGTERM);
  EXPECT_EQ(run->wait().code, 128 + SIGTERM);
}

// nohup, "trap '' HUP"; a script's shell does so with the SIGINT of what it starts with '&', which ends it all the
// same.
TEST_F(Stopping, AHangUpThatIsIgnoredStaysIgnored) {
  const auto run = TracerRun::start({"life", "-o", "json", "--netns", lab().client_ns()},
                                    {"--ignore-signal=HUP", "--ignore-signal=INT"});
  ASSERT_TRUE(run) << run.error();
  ASSERT_TRUE((*run)->wait_ready()) << (*run)->err();
  for (int i = 0; i < 2; ++i) {
    ::kill((*run)->pid(), SIGHUP);
    lab::pause_for(Millis(300));
  }
  const auto& here = lab().host(lab::Side::client);
  const auto talked = converse(here, here, {.ip = "127.0.0.1", .connections = 1, .addresses = 1});
  EXPECT_TRUE(talked) << talked.error();
  EXPECT_TRUE((*run)->wait_for("\"completed\"", Millis(10'000))) << (*run)->err();
  const Ended ended = (*run)->stop();
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_EQ(Printed(ended.out).of("summary").size(), 1u);
}

// What ends while it waits for its reader is past its first signal, and a hang-up is none.
TEST_F(Stopping, AHangUpThatIsIgnoredIsNoSecondSignal) {
  Unread pipe;
  const auto run = stuck(pipe, {}, {"--ignore-signal=HUP"});
  ASSERT_TRUE(run);
  ::kill(run->pid(), SIGINT);
  for (int i = 0; i < 200 && blocks(run->pid(), SIGINT); ++i) lab::pause_for(Millis(50));
  lab::pause_for(Millis(400));
  ::kill(run->pid(), SIGHUP);
  EXPECT_EQ(run->wait(Millis(8000)).code, 1) << run->err();
}

// sudo and a terminal both pass Ctrl-C on.
TEST_F(Stopping, TheSameSignalTwiceAtOnceIsOne) {
  auto watch = Watch::start(lab().client_ns());
  ASSERT_TRUE(watch);
  ASSERT_TRUE(watch->run().wait_ready());
  ::kill(watch->run().pid(), SIGINT);
  ::kill(watch->run().pid(), SIGTERM);
  const Ended ended = watch->run().wait();
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_EQ(Printed(ended.out).of("summary").size(), 1u);
}

// What is printed is read when the load is over: it would take the processor from it.
TEST_F(Stopping, UnderLoadNothingIsHalfTold) {
  const auto& here = lab().host(lab::Side::client);
  std::atomic<bool> over = false;
  std::array<std::string, 2> errors;
  std::vector<std::jthread> load;
  load.reserve(errors.size());
  for (size_t i = 0; i < errors.size(); ++i) {
    load.emplace_back([&, i] {
      const auto port = static_cast<uint16_t>(9000 + i);
      while (!over && errors[i].empty()) {
        const auto talked =
            converse(here, here, {.ip = "127.0.0.1", .port = port, .connections = 100, .addresses = 32});
        if (!talked) errors[i] = talked.error();
      }
    });
  }
  std::vector<Ended> runs;
  for (int i = 0; i < 3; ++i) {
    auto watch = Watch::start(lab().client_ns(), {}, {}, "life");
    const auto ready = watch ? watch->run().wait_ready() : lab::failure("it did not start");
    if (!ready) ADD_FAILURE() << ready.error();
    if (!ready) break;
    watch->run().wait_for("\"completed\"", Millis(20'000));
    lab::pause_for(Millis(100));
    runs.push_back(watch->run().stop());
  }
  over = true;
  load.clear();
  for (const std::string& error : errors) EXPECT_EQ(error, "");
  EXPECT_EQ(runs.size(), 3u);
  size_t completed = 0;
  for (const Ended& run : runs) {
    const Printed printed(run.out);
    // On a busy machine the ring may overflow; what that touches is marked.
    expect_sound(run, printed, {.losses_allowed = true});
    std::map<std::string, size_t> outcomes;
    for (const Json& life : printed.all()) {
      if (life["type"] != "life" || life["incomplete"] == true) continue;
      const auto outcome = life["outcome"].get<std::string>();
      if (++outcomes[outcome] == 1 && outcome == "unknown") ADD_FAILURE() << life.dump();
    }
    completed += outcomes["completed"];
    EXPECT_EQ(outcomes["unknown"], 0u) << "beside " << outcomes["completed"] << " that completed; "
                                       << printed.summary().dump();
  }
  EXPECT_GT(completed, 300u);
}

}  // namespace tcpwitness::live
