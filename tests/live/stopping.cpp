// SPDX-License-Identifier: Apache-2.0
//
// A run ends when it is asked to, whatever its reader does, and at one moment: what goes on then is open, and nothing
// is half told.

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "live/converse.hpp"
#include "live/courses.hpp"

namespace tcpwitness::live {
namespace {

using Clock = std::chrono::steady_clock;

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

}  // namespace

class Stopping : public Live {
 protected:
  // A tracer that has more to print than its reader, who takes nothing, has room for.
  std::unique_ptr<TracerRun> stuck(Unread& pipe, std::vector<std::string> more = {}) {
    std::vector<std::string> arguments{"trace", "-o", "json", "--netns", lab().client_ns()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    auto run = TracerRun::start(arguments, {}, pipe.writer.get());
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
  lab::pause_for(Millis(600));  // it waits two seconds for its reader
  const auto asked = Clock::now();
  ::kill(run->pid(), SIGTERM);
  EXPECT_EQ(run->wait(Millis(5000)).code, 128 + SIGTERM);
  EXPECT_LT(std::chrono::duration_cast<Millis>(Clock::now() - asked), Millis(1000));
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
  EXPECT_EQ(Heard(ended.out).of("summary").size(), 1u);
}

TEST_F(Stopping, UnderLoadNothingIsHalfTold) {
  const auto& here = lab().host(lab::Side::client);
  std::atomic<bool> over = false;
  std::string error;
  std::vector<std::jthread> load;
  for (const uint16_t port : {uint16_t{9000}, uint16_t{9001}}) {
    load.emplace_back([&, port] {
      while (!over) {
        const auto talked =
            converse(here, here, {.ip = "127.0.0.1", .port = port, .connections = 100, .addresses = 32});
        if (!talked) {
          error = talked.error();
          return;
        }
      }
    });
  }
  int completed = 0;
  int unknown = 0;
  for (int i = 0; i < 3; ++i) {
    auto watch = Watch::start(lab().client_ns(), {}, {}, "life");
    ASSERT_TRUE(watch);
    ASSERT_TRUE(watch->run().wait_ready());
    lab::pause_for(Millis(700));
    // On a busy machine the ring may overflow; what that touches is marked.
    const Heard heard = watch->stop({.losses_allowed = true});
    for (const Json& life : heard.of("life")) {
      if (life["incomplete"] == true) continue;
      completed += life["outcome"] == "completed" ? 1 : 0;
      if (life["outcome"] == "unknown" && ++unknown <= 3) ADD_FAILURE() << life.dump();
    }
  }
  over = true;
  load.clear();
  EXPECT_EQ(error, "");
  EXPECT_GT(completed, 300);
  EXPECT_EQ(unknown, 0) << "beside " << completed << " that completed";
}

}  // namespace tcpwitness::live
