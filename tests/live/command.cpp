// SPDX-License-Identifier: Apache-2.0
//
// "tcpwitness life -- COMMAND": it is run, followed with its children, and its end is ours; and -p PID --children,
// --uid.

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <set>
#include <sstream>
#include <thread>

#include "lab/child.hpp"
#include "live/courses.hpp"

namespace tcpwitness::live {
namespace {

// Calls a port that nobody listens on.
const std::string call =
    "import socket,sys; s=socket.socket(); r=s.connect_ex(('127.0.0.1', int(sys.argv[1]))); s.close()";
std::vector<std::string> caller(int port) { return {"python3", "-c", call, std::to_string(port)}; }

class Command : public Live {
 protected:
  Ended run(const std::vector<std::string>& command, std::vector<std::string> arguments = {"life", "-o", "json"},
            const std::vector<std::string>& through = {}) {
    arguments.insert(arguments.end(), {"--netns", lab().client_ns(), "--"});
    arguments.insert(arguments.end(), command.begin(), command.end());
    return run_to_end(arguments, through);
  }
  static std::vector<Json> lives(const std::string& text) {
    std::vector<Json> found;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      if (!line.starts_with('{')) continue;
      Json json = Json::parse(line);
      if (json["type"] == "life") found.push_back(std::move(json));
    }
    return found;
  }
  static std::multiset<int> ports(const std::vector<Json>& lives) {
    std::multiset<int> found;
    for (const Json& life : lives) found.insert(life["remote"]["port"].get<int>());
    return found;
  }
};

TEST_F(Command, ItsConnectionsAreReportedOnStderrAndItsOutputIsItsOwn) {
  const Ended ended = run({"sh", "-c", "echo mine; exit 7"});
  EXPECT_EQ(ended.out, "mine\n");
  EXPECT_EQ(ended.code, 7) << ended.err;
  const Ended called = run(caller(81));
  EXPECT_EQ(called.code, 0) << called.err;
  EXPECT_EQ(called.out, "");
  const auto found = lives(called.err);
  ASSERT_EQ(found.size(), 1u) << called.err;
  EXPECT_EQ(found[0]["outcome"], "refused");
  EXPECT_EQ(found[0]["remote"]["port"], 81);
}

// Grandchildren that are gone when their connections are read, one that outlives its parent, and somebody else's.
TEST_F(Command, ItsChildrenAreFollowedAndNobodyElse) {
  const std::string script = "for i in 1 2 3 4 5; do sh -c 'python3 -c \"$1\" 8$2' - \"$0\" $i; done; true";
  std::atomic<bool> over = false;
  std::jthread other([&] {
    while (!over) {
      auto stranger = lab::Child::start({"ip", "netns", "exec", lab().client_ns(), "python3", "-c", call, "99"}, {});
      if (!stranger || !stranger->wait(Millis(5000))) return;
    }
  });
  const Ended ended = run({"sh", "-c", script, call});
  over = true;
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_EQ(ports(lives(ended.err)), (std::multiset<int>{81, 82, 83, 84, 85})) << ended.err;
}

TEST_F(Command, ASignalIsTheCommands) {
  EXPECT_EQ(run({"sh", "-c", "kill -9 $$"}).code, 137);
  EXPECT_EQ(run({"/nonexistent"}).code, 127);
  EXPECT_EQ(run({"/etc/passwd"}).code, 126);
  auto tracer = TracerRun::start({"life", "--netns", lab().client_ns(), "--", "sh", "-c",
                                  "trap 'echo asked; exit 3' TERM; echo up; while :; do sleep 0.05; done"});
  ASSERT_TRUE(tracer) << tracer.error();
  ASSERT_TRUE((*tracer)->wait_for("up", patience_for_a_tracer)) << (*tracer)->err();
  ::kill((*tracer)->pid(), SIGTERM);
  const Ended ended = (*tracer)->wait();
  EXPECT_EQ(ended.code, 3) << ended.err;
  EXPECT_EQ(ended.out, "up\nasked\n");
}

// As bash -c "trap '' CHLD; exec tcpwitness ..." and some supervisors start it. The command has it as its caller had
// it.
TEST_F(Command, EndsTooWhereItsCallerIgnoresSigchld) {
  const std::string ignores =
      "import os,signal,sys; signal.signal(signal.SIGCHLD, signal.SIG_IGN); os.execv(sys.argv[1], sys.argv[1:])";
  const std::vector<std::string> ignoring{"python3", "-c", ignores};
  const std::string asks = "import signal,sys; print(signal.getsignal(signal.SIGCHLD) == signal.SIG_IGN); sys.exit(5)";
  const Ended ended = run({"python3", "-c", asks}, {"life"}, ignoring);
  EXPECT_EQ(ended.code, 5) << ended.err;
  EXPECT_EQ(ended.out, "True\n");
}

TEST_F(Command, ASecondSignalEndsTheRunAndIsNotPassedOn) {
  auto tracer = TracerRun::start({"life", "--netns", lab().client_ns(), "--", "sh", "-c",
                                  "trap 'echo asked $$' TERM; echo up; while :; do sleep 0.05; done"});
  ASSERT_TRUE(tracer) << tracer.error();
  ASSERT_TRUE((*tracer)->wait_for("up", patience_for_a_tracer)) << (*tracer)->err();
  ::kill((*tracer)->pid(), SIGTERM);
  ASSERT_TRUE((*tracer)->wait_for("asked", Millis(10'000)));
  ::kill((*tracer)->pid(), SIGTERM);
  const Ended ended = (*tracer)->wait();
  EXPECT_EQ(ended.code, 130) << ended.err;
  EXPECT_EQ(ended.out.find("asked", ended.out.find("asked") + 1), std::string::npos) << ended.out;
  const int command = std::stoi(ended.out.substr(ended.out.find("asked") + 6));
  EXPECT_EQ(::kill(command, SIGKILL), 0) << "it runs on";
}

// The report comes when the time is over, the exit code when the command ends; until then signals are the command's.
TEST_F(Command, ADurationEndsTheReportAndNotTheCommand) {
  auto tracer = TracerRun::start({"life", "-d", "1", "--netns", lab().client_ns(), "--", "sh", "-c",
                                  "trap 'echo asked; exit 3' TERM; echo up; while :; do sleep 0.05; done"});
  ASSERT_TRUE(tracer) << tracer.error();
  ASSERT_TRUE((*tracer)->wait_for("up", patience_for_a_tracer)) << (*tracer)->err();
  ASSERT_TRUE((*tracer)->wait_for("tcpwitness: ", patience_for_a_tracer)) << (*tracer)->err();
  ::kill((*tracer)->pid(), SIGTERM);
  const Ended ended = (*tracer)->wait();
  EXPECT_EQ(ended.code, 3) << ended.err;
  EXPECT_EQ(ended.out, "up\nasked\n");
}

TEST_F(Command, IsNotRunWhereNobodyCouldReadTheReport) {
  for (const std::string closing : {"2>&-", "2>/dev/full"}) {
    const Ended ended = run({"echo", "mine"}, {"life", "-o", "json"}, {"sh", "-c", "exec \"$@\" " + closing, "-"});
    EXPECT_EQ(ended.code, 1) << closing;
    EXPECT_EQ(ended.out, "") << closing;
  }
}

// A summary is written at the end.
TEST_F(Command, IsWaitedForWhereTheReportCannotBeWritten) {
  const Ended ended = run({"sh", "-c", "echo mine; exit 7"}, {"summary"}, {"sh", "-c", "exec \"$@\" 2>/dev/full", "-"});
  EXPECT_EQ(ended.code, 7);
  EXPECT_EQ(ended.out, "mine\n");
  EXPECT_EQ(run({"true"}, {"summary"}, {"sh", "-c", "exec \"$@\" 2>/dev/full", "-"}).code, 1)
      << "its own exit code is 0";
}

// There /proc has other numbers than the kernel's events.
TEST_F(Command, InAContainerUsersAreRefusedAndACommandIsFollowed) {
  const std::vector<std::string> container{"unshare", "--pid", "--fork", "--mount-proc"};
  for (const std::vector<std::string>& choice : {std::vector<std::string>{"--uid", "0"}, {"-p", "1", "--children"}}) {
    std::vector<std::string> arguments{"life", "-d", "1"};
    arguments.insert(arguments.end(), choice.begin(), choice.end());
    const Ended refused = run_to_end(arguments, container);
    EXPECT_EQ(refused.code, 1) << refused.err;
    EXPECT_NE(refused.err.find("PID namespace"), std::string::npos) << refused.err;
  }
  const Ended called = run(caller(81), {"life", "-o", "json"}, container);
  EXPECT_EQ(called.code, 0) << called.err;
  EXPECT_EQ(ports(lives(called.err)), (std::multiset<int>{81})) << called.err;
}

TEST_F(Command, WithoutATracerItDoesNotRun) {
  const Ended ended = run({"echo", "mine"}, {"life", "-i", "nonexistent0"});
  EXPECT_EQ(ended.code, 1) << ended.err;
  EXPECT_EQ(ended.out, "");
}

TEST_F(Command, AUserSelectsItsProcesses) {
  auto tracer = TracerRun::start({"life", "-o", "json", "--uid", "65534", "--netns", lab().client_ns()});
  ASSERT_TRUE(tracer) << tracer.error();
  ASSERT_TRUE((*tracer)->wait_ready());
  for (const int user : {0, 65534}) {
    const std::string as = "import os,socket; os.setuid(" + std::to_string(user) + ")\n" + call;
    auto child =
        lab::Child::start({"ip", "netns", "exec", lab().client_ns(), "python3", "-c", as, user == 0 ? "81" : "82"});
    ASSERT_TRUE(child && child->wait(Millis(20'000)));
  }
  ASSERT_TRUE((*tracer)->wait_for("\"port\":82", Millis(5000))) << (*tracer)->out();
  EXPECT_EQ(ports(lives((*tracer)->stop().out)), (std::multiset<int>{82}));
}

// As of nginx, whose master has no connections: the child is there before the tracer.
TEST_F(Command, ChildrenOfAProcessThatRunsAlready) {
  const std::string forks =
      "import os,sys,time,socket\n"
      "if os.fork(): time.sleep(60)\n"
      "print('up', flush=True); sys.stdin.readline()\n"
      "s=socket.socket(); s.connect_ex(('127.0.0.1', 84)); s.close()\n"
      "if os.fork() == 0: s=socket.socket(); s.connect_ex(('127.0.0.1', 85)); s.close(); os._exit(0)\n"
      "os.wait(); time.sleep(60)\n";
  int in[2] = {-1, -1};
  ASSERT_EQ(::pipe2(in, O_CLOEXEC), 0);
  const UniqueFd from(in[0]);
  const UniqueFd to(in[1]);
  const Transcript out;
  auto parent = lab::Child::start({"ip", "netns", "exec", lab().client_ns(), "python3", "-c", forks},
                                  {{from.get(), STDIN_FILENO}, {out.fd(), STDOUT_FILENO}});
  ASSERT_TRUE(parent) << parent.error();
  for (int i = 0; i < 2000 && out.text().empty(); ++i) lab::pause_for(Millis(10));
  ASSERT_EQ(out.text(), "up\n");
  auto tracer = TracerRun::start(
      {"life", "-o", "json", "-p", std::to_string(parent->pid()), "--children", "--netns", lab().client_ns()});
  ASSERT_TRUE(tracer) << tracer.error();
  ASSERT_TRUE((*tracer)->wait_ready());
  ASSERT_EQ(::write(to.get(), "\n", 1), 1);
  ASSERT_TRUE((*tracer)->wait_for("\"port\":85", Millis(10'000))) << (*tracer)->out();
  EXPECT_EQ(ports(lives((*tracer)->stop().out)), (std::multiset<int>{84, 85}));
  parent->signal(SIGKILL);
}

// As with strace -p.
TEST_F(Command, AProcessThatEndsEndsTheRun) {
  auto client =
      lab::Child::start({"ip", "netns", "exec", lab().client_ns(), "python3", "-c",
                         "import socket,time\ntime.sleep(4)\ns=socket.socket()\ns.connect_ex(('127.0.0.1', 86))"});
  ASSERT_TRUE(client) << client.error();
  auto tracer =
      TracerRun::start({"life", "-o", "json", "-p", std::to_string(client->pid()), "--netns", lab().client_ns()});
  ASSERT_TRUE(tracer) << tracer.error();
  ASSERT_TRUE((*tracer)->wait_ready());
  const Ended ended = (*tracer)->wait(Millis(20'000));
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_EQ(ports(lives(ended.out)), (std::multiset<int>{86}));
  EXPECT_NE(ended.err.find(std::to_string(client->pid()) + " has ended"), std::string::npos) << ended.err;
}

TEST_F(Command, AProcessThatIsGoneIsAnError) {
  auto gone = lab::Child::start({"true"});
  ASSERT_TRUE(gone) << gone.error();
  const pid_t pid = gone->pid();
  ASSERT_TRUE(gone->wait(Millis(5000)));
  const Ended ended = run_to_end({"life", "-p", std::to_string(pid), "--netns", lab().client_ns()});
  EXPECT_EQ(ended.code, 1);
  EXPECT_NE(ended.err.find("there is no such process"), std::string::npos) << ended.err;
}

}  // namespace
}  // namespace tcpwitness::live
