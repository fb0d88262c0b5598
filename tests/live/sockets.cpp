// SPDX-License-Identifier: Apache-2.0
//
// `ls`: the sockets that are open now, beside what ss(8) and the cases show.

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <set>
#include <sstream>

#include "lab/child.hpp"
#include "live/courses.hpp"

namespace tcpwitness::live {
namespace {

class Sockets : public Live {
 protected:
  // A Python program in the client's namespace that plays something, prints "up", and waits.
  std::optional<lab::Child> play_python(const std::string& script) {
    auto child = lab::Child::start({"ip", "netns", "exec", lab().client_ns(), "python3", "-c",
                                    "import socket,time\n" + script + "\nprint('up', flush=True)\ntime.sleep(60)\n"},
                                   {{out_.fd(), STDOUT_FILENO}});
    if (!child) return std::nullopt;
    for (int i = 0; i < 2000 && out_.text().empty(); ++i) lab::pause_for(Millis(10));
    EXPECT_EQ(out_.text(), "up\n");
    return std::move(*child);
  }
  std::vector<Json> list(std::vector<std::string> arguments = {}) {
    arguments.insert(arguments.begin(), {"ls", "-o", "json", "--netns", lab().client_ns()});
    const Ended ended = run_to_end(arguments);
    EXPECT_EQ(ended.code, 0) << ended.err;
    std::vector<Json> found;
    std::istringstream lines(ended.out);
    for (std::string line; std::getline(lines, line);) {
      Json json = Json::parse(line);
      if (json["type"] == "socket") found.push_back(std::move(json));
    }
    return found;
  }
  static std::multiset<std::string> rules(const std::vector<Json>& sockets) {
    std::multiset<std::string> found;
    for (const Json& socket : sockets) {
      for (const Json& finding : socket["findings"]) found.insert(finding["rule"].get<std::string>());
    }
    return found;
  }
  static inline const std::string server =
      "s=socket.socket(); s.bind(('127.0.0.1', 7001)); s.listen(1)\n"
      "def call():\n c=socket.socket(); c.connect(('127.0.0.1', 7001)); return c\n";
  Transcript out_;
};

TEST_F(Sockets, OwnersAndQueuesAreThoseOfTheProcess) {
  const auto child =
      play_python(server + "a=call(); b,_=s.accept(); b.sendall(b'x'*100); a.send(b'y'*7); time.sleep(.3)");
  ASSERT_TRUE(child);
  const auto sockets = list();
  ASSERT_EQ(sockets.size(), 3u);
  std::multiset<int> unread;
  for (const Json& socket : sockets) {
    EXPECT_EQ(socket["owners"].size(), 1u) << socket.dump();
    EXPECT_EQ(socket["owners"][0]["pid"], child->pid()) << socket.dump();
    EXPECT_TRUE(socket["findings"].empty()) << socket.dump();
    if (socket["state"] != "LISTEN") unread.insert(socket["recv_queue"].get<int>());
  }
  EXPECT_EQ(unread, (std::multiset<int>{7, 100}));
  EXPECT_TRUE(list({"--problems"}).empty());
  EXPECT_EQ(list({"port 7001 and not host 127.0.0.2"}).size(), 3u);
  EXPECT_TRUE(list({"not port 7001"}).empty());
  EXPECT_TRUE(list({"-p", "1"}).empty());
}

TEST_F(Sockets, WhatIsWrongIsNamed) {
  const auto child = play_python(server +
                                 "a=call(); b,_=s.accept(); a.close()\n"             // b is left in CLOSE_WAIT
                                 "w=call(); r,_=s.accept(); w.setblocking(False)\n"  // r does not read
                                 "try:\n while True: w.send(b'x'*100000)\nexcept BlockingIOError: pass\n"
                                 "waiting=[]\n"
                                 "for i in range(4):\n c=socket.socket(); c.setblocking(False); "
                                 "c.connect_ex(('127.0.0.1', 7001)); waiting.append(c)\n"
                                 "time.sleep(2.5)");
  ASSERT_TRUE(child);
  const auto found = rules(list({"--stuck-after", "1", "--problems"}));
  EXPECT_EQ(found.count("close-wait-stuck"), 1u);
  EXPECT_EQ(found.count("accept-queue-full"), 1u);
  EXPECT_GE(found.count("zero-window"), 1u);
  EXPECT_GE(found.count("retransmission"), 1u) << "the SYNs that a full accept queue refuses";
  EXPECT_EQ(rules(list({"--stuck-after", "1", "--finding", "close-wait-stuck"})).size(), 1u);
  EXPECT_EQ(rules(list({"--stuck-after", "1000"})).count("close-wait-stuck"), 0u);
}

TEST_F(Sockets, AgainAndAgain) {
  const Ended ended = run_to_end({"ls", "--every", "0.1", "-c", "3", "-o", "json", "--netns", lab().client_ns()});
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_EQ(std::ranges::count(ended.out, '\n'), 3) << ended.out;
}

}  // namespace
}  // namespace tcpwitness::live
