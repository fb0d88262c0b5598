// SPDX-License-Identifier: Apache-2.0
//
// Which connection it is, where a socket has several, two sockets have one, or a socket is its own peer.

#include "live/courses.hpp"

namespace tcpwitness::live {
namespace {

class WhichConnection : public Live {
 protected:
  // What a tracer in the client's namespace reports of a Python program there, which must end well.
  std::optional<Printed> printed(const std::string& program) {
    auto watch = Watch::start(lab().client_ns());
    if (!watch) return std::nullopt;
    if (auto ready = watch->run().wait_ready(); !ready) {
      ADD_FAILURE() << ready.error();
      return std::nullopt;
    }
    const auto done = run_in(lab().client_ns(), {"python3", "-c", program});
    EXPECT_TRUE(done) << done.error();
    lab::pause_for(Millis(200));
    return keep("client", watch->stop());
  }
};

TEST_F(WhichConnection, EachTryOfASocketThatIsRefusedIsALife) {
  if (const std::string none = missing("python3"); !none.empty()) GTEST_SKIP() << none;
  const auto reported = printed(
      "import socket\n"
      "s = socket.socket()\n"
      "for _ in range(4):\n"
      "  try: s.connect(('127.0.0.1', 9))\n"
      "  except ConnectionRefusedError: pass\n");
  if (!reported) return;
  ASSERT_EQ(reported->of("life").size(), 4u) << digest(*reported);
  std::set<int> ports;
  for (const Json& life : reported->of("life")) {
    EXPECT_EQ(life["outcome"], "refused") << life.dump();
    EXPECT_EQ(life["role"], "active");
    EXPECT_EQ(life["witnesses"], Json({"kernel", "wire"})) << life.dump();
    EXPECT_EQ(reported->control_segments(life["conn"]), (Words{"out SYN 0 -", "in RST,ACK 0 1"}));
    ports.insert(life["local"]["port"].get<int>());
  }
  EXPECT_EQ(ports.size(), 4u);
  EXPECT_FALSE(ports.contains(0));
}

TEST_F(WhichConnection, ASocketThatConnectsToItselfSendsNothingAgain) {
  if (const std::string none = missing("python3"); !none.empty()) GTEST_SKIP() << none;
  const auto reported = printed(
      "import socket\n"
      "s = socket.socket()\n"
      "s.bind(('127.0.0.1', 45454)); s.connect(('127.0.0.1', 45454))\n"
      "s.sendall(b'hello'); s.recv(10); s.close()\n");
  if (!reported) return;
  ASSERT_EQ(reported->of("life").size(), 1u) << digest(*reported);
  const Json life = reported->of("life")[0];
  EXPECT_EQ(life["outcome"], "completed");
  EXPECT_EQ(life["closed_by"], "both");
  EXPECT_EQ(reported->findings(life["conn"]), (std::set<std::string>{"time-wait certain"}));
  const Words transitions = reported->transitions(life["conn"]);
  ASSERT_GE(transitions.size(), 3u);
  EXPECT_EQ(transitions[1], "SYN_SENT > SYN_RECV: in SYN 0 -");
  EXPECT_EQ(transitions[2], "SYN_RECV > ESTABLISHED: in SYN,ACK 0 1");
}

// A second subflow is connected by a kernel worker; no subflow has a descriptor.
TEST_F(WhichConnection, SubflowsOfMptcpHaveTheProcessAndWaitForNoAccept) {
  if (const std::string none = missing("python3"); !none.empty()) GTEST_SKIP() << none;
  if (!run_in(lab().client_ns(), {"python3", "-c", "import socket; socket.socket(2, 1, 262)"}))
    GTEST_SKIP() << "this kernel has no MPTCP";
  const auto limits =
      run_in(lab().client_ns(), {"ip", "mptcp", "limits", "set", "subflow", "2", "add_addr_accepted", "2"});
  if (!limits) GTEST_SKIP() << limits.error();
  ASSERT_TRUE(run_in(lab().client_ns(), {"ip", "address", "add", "127.0.0.9/8", "dev", "lo"}));
  ASSERT_TRUE(run_in(lab().client_ns(), {"ip", "mptcp", "endpoint", "add", "127.0.0.9", "dev", "lo", "subflow"}));
  const auto reported = printed(
      "import os, socket, time\n"
      "l = socket.socket(2, 1, 262); l.bind(('0.0.0.0', 7011)); l.listen()\n"
      "if os.fork() == 0:\n"
      "  c = socket.socket(2, 1, 262); c.connect(('127.0.0.1', 7011))\n"
      "  for _ in range(15): c.sendall(b'm' * 1000); time.sleep(0.1)\n"
      "  c.close(); os._exit(0)\n"
      "s, _ = l.accept()\n"
      "while s.recv(65536): pass\n"
      "s.close(); os.wait(); time.sleep(0.3)\n");
  if (!reported) return;
  auto lives = reported->of("life");
  // The kernel refuses a subflow that comes before the server has its connection's keys; another try follows.
  std::erase_if(lives, [](const Json& life) { return life["outcome"] == "refused"; });
  ASSERT_EQ(lives.size(), 4u) << digest(*reported);
  for (const Json& life : lives) {
    EXPECT_FALSE(life["pid"].is_null()) << life.dump();
    EXPECT_EQ(life["comm"], "python3") << life.dump();
    EXPECT_TRUE(reported->findings(life["conn"], "slow-accept").empty());
  }
}

}  // namespace
}  // namespace tcpwitness::live
