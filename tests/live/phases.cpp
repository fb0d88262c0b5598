// SPDX-License-Identifier: Apache-2.0
//
// Where the time of a connection went, without a record for each segment: a server that takes its time.

#include <string>

#include "lab/child.hpp"
#include "live/courses.hpp"

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
    const Heard& heard = keep(watch == &*at_client ? "client" : "server", watch->stop());
    const auto lives = heard.of("life");
    ASSERT_EQ(lives.size(), 1u);
    const Json phases = lives[0].value("phases", Json::object());
    const auto ns = [&](const char* key) { return phases.value(key, std::int64_t{-1}); };
    EXPECT_GE(ns("first_byte_ns"), 399 * ms) << phases.dump();
    EXPECT_LT(ns("first_byte_ns"), 700 * ms) << phases.dump();
    EXPECT_GE(ns("server_ns"), 390 * ms) << phases.dump();
    EXPECT_GE(ns("request_ack_ns"), 0) << phases.dump();
    EXPECT_LT(ns("request_ack_ns"), 300 * ms) << phases.dump();
    EXPECT_GE(ns("idle_ns"), 1'200 * ms) << phases.dump();
    EXPECT_EQ(ns("waiting_ns"), 0) << phases.dump();
    EXPECT_GE(ns("transfer_ns"), 0) << phases.dump();
    EXPECT_LT(ns("transfer_ns"), 300 * ms) << phases.dump();
    EXPECT_TRUE(heard.of("segment").empty()) << "a life has no record of each segment";
  }
}

}  // namespace
}  // namespace tcpwitness::live
