// SPDX-License-Identifier: Apache-2.0
//
// Where the time of a connection went, without a record for each segment: a server that takes its time.

#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <string>

#include "lab/child.hpp"
#include "live/courses.hpp"
#include "live/tcpdump.hpp"

namespace tcpwitness::live {
namespace {

constexpr std::int64_t ms = 1'000'000;

// Answers 400 ms after it has read 100 bytes, with two times 1,000 bytes, 1.3 s apart.
const std::string server = R"(
import socket, time
at = socket.create_server(("", 9000))
print("listens", flush=True)
peer, _ = at.accept()
got = 0
while got < 100: got += len(peer.recv(100))
time.sleep(0.4)
peer.sendall(b"a" * 1000)
time.sleep(1.3)
peer.sendall(b"b" * 1000)
peer.recv(1)
)";
// The request leaves in two pieces, 50 ms apart.
const std::string client = R"(
import socket, sys, time
to = socket.create_connection((sys.argv[1], 9000))
to.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
to.sendall(b"q" * 50)
time.sleep(0.05)
to.sendall(b"q" * 50)
got = 0
while got < 2000: got += len(to.recv(2000))
to.close()
)";

// Answers each of two requests after 600 ms; the client waits 400 ms between them.
constexpr const char* twice_server = R"(
import socket, time
s = socket.socket(); s.bind(('0.0.0.0', 7007)); s.listen(1); print('up', flush=True)
c, _ = s.accept()
for size in (100000, 10):
    c.recv(100); time.sleep(0.6); c.sendall(b'x' * size)
c.recv(1); c.close()
)";
constexpr const char* twice_client = R"(
import socket, time
c = socket.create_connection(('10.99.0.2', 7007))
for size in (100000, 10):
    c.sendall(b'request')
    while size: size -= len(c.recv(size))
    if c: time.sleep(0.4)
c.close()
)";

class PhasesLive : public Live {
 protected:
  static lab::Result<lab::Child> python(const std::string& netns, const std::string& program, const std::string& more) {
    return lab::Child::start({"ip", "netns", "exec", netns, "python3", "-c", program, more});
  }
};

TEST_F(PhasesLive, TheFirstByteIsTheServersAndAPauseIsNoTransfer) {
  auto at_client = Watch::start(lab().client_ns(), {}, {}, "life");
  auto at_server = Watch::start(lab().server_ns(), {}, {}, "life");
  ASSERT_TRUE(at_client && at_server);
  ASSERT_TRUE(at_client->run().wait_ready() && at_server->run().wait_ready());
  auto listens = python(lab().server_ns(), server, "");
  ASSERT_TRUE(listens) << listens.error();
  lab::pause_for(Millis(500));
  auto asks = python(lab().client_ns(), client, lab::server_ip);
  ASSERT_TRUE(asks) << asks.error();
  EXPECT_EQ(asks->wait(Millis(8000)).value_or(-1), 0);
  EXPECT_EQ(listens->wait(Millis(3000)).value_or(-1), 0);
  lab::pause_for(Millis(300));
  for (Watch* watch : {&*at_client, &*at_server}) {
    const Printed& printed = keep(watch == &*at_client ? "client" : "server", watch->stop());
    const auto lives = printed.of("life");
    ASSERT_EQ(lives.size(), 1u);
    const Json phases = lives[0].value("phases", Json::object());
    const auto ns = [&](const char* key) { return phases.value(key, std::int64_t{-1}); };
    EXPECT_GE(ns("first_byte_ns"), 399 * ms) << phases.dump();
    EXPECT_LT(ns("first_byte_ns"), 700 * ms) << phases.dump();
    EXPECT_GE(ns("server_ns"), 390 * ms) << phases.dump();
    EXPECT_GE(ns("request_ack_ns"), 0) << phases.dump();
    EXPECT_LT(ns("request_ack_ns"), 300 * ms) << phases.dump();
    EXPECT_GE(ns("waiting_ns"), 1'200 * ms) << phases.dump();
    EXPECT_LT(ns("waiting_ns"), 1'600 * ms) << phases.dump();
    EXPECT_FALSE(phases.contains("idle_ns") || phases.contains("transfer_ns")) << phases.dump();
    EXPECT_TRUE(printed.of("segment").empty()) << "a life has no record of each segment";
  }
}

TEST_F(PhasesLive, OfASlowServerAreThoseOfTheCapture) {
  for (const char* program : {"python3", "tcpdump"}) {
    if (!missing(program).empty()) GTEST_SKIP() << missing(program);
  }
  const auto file = std::filesystem::temp_directory_path() / fmt::format("tw-phases-{}.pcap", ::getpid());
  const Transcript reported;
  auto serving = lab::Child::start({"ip", "netns", "exec", lab().server_ns(), "python3", "-c", twice_server},
                                   {{reported.fd(), STDOUT_FILENO}});
  ASSERT_TRUE(serving) << serving.error();
  for (int i = 0; i < 500 && reported.text().find("up") == std::string::npos; ++i) lab::pause_for(Millis(20));
  auto capture = Tcpdump::start(lab(), file, {"--immediate-mode"});
  ASSERT_TRUE(capture) << capture.error();
  auto watch = Watch::start(lab().client_ns(), {"--packets", "all"});
  ASSERT_TRUE(watch);
  ASSERT_TRUE(watch->run().wait_ready());
  const auto ran = run_in(lab().client_ns(), {"python3", "-c", twice_client});
  ASSERT_TRUE(ran) << ran.error();
  lab::pause_for(Millis(500));
  const Printed printed = keep("client", watch->stop());
  const auto stopped = capture->stop();
  ASSERT_TRUE(stopped) << stopped.error();
  const Ended read = run_to_end({"read", "-o", "json", file.string()});
  std::error_code error;
  std::filesystem::remove(file, error);
  const Printed captured(read.out);
  ASSERT_EQ(printed.of("life").size(), 1U);
  ASSERT_EQ(captured.of("life").size(), 1U) << read.err;
  const Json live = printed.of("life").front()["phases"];
  const Json wire = captured.of("life").front()["phases"];
  for (const Json& phases : {live, wire}) {
    SCOPED_TRACE(phases.dump());
    for (const char* key : {"connect_ns", "synack_ack_ns", "request_ack_ns", "first_byte_ns", "server_ns", "waiting_ns",
                            "transfer_ns", "stalled_ns", "idle_ns", "closing_ns"}) {
      ASSERT_TRUE(phases.contains(key)) << key;
    }
    EXPECT_FALSE(phases.contains("accept_ns")) << "a client accepts nothing";
    EXPECT_GE(phases["server_ns"].get<int64_t>(), 600 * ms);
    EXPECT_LE(phases["server_ns"], phases["first_byte_ns"]);
    EXPECT_GE(phases["waiting_ns"].get<int64_t>(), 600 * ms);
    EXPECT_GE(phases["idle_ns"].get<int64_t>(), 400 * ms);
    EXPECT_LT(phases["transfer_ns"].get<int64_t>(), 300 * ms);
  }
  for (const char* key : {"first_byte_ns", "waiting_ns", "idle_ns", "transfer_ns"}) {
    EXPECT_NEAR(live[key].get<double>(), wire[key].get<double>(), 20.0 * ms) << key << live.dump() << wire.dump();
  }
}

}  // namespace
}  // namespace tcpwitness::live
