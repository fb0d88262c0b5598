// SPDX-License-Identifier: Apache-2.0
//
// Programs that were not written for us: curl with nginx and with Node, iperf3. Bytes are those the programs
// themselves report, processes those of /proc.

#include <filesystem>
#include <fstream>

#include "live/courses.hpp"

namespace tcpwitness::live {
namespace {

constexpr const char* nginx_conf = R"(
daemon off; pid nginx.pid; error_log stderr crit;
events {{}}
http {{ access_log off; client_body_temp_path t1; proxy_temp_path t2; fastcgi_temp_path t3; uwsgi_temp_path t4;
  scgi_temp_path t5; server {{ listen {}; location / {{ root {}; }} }} }}
)";

std::string comm_of(int64_t pid) {
  std::ifstream file(fmt::format("/proc/{}/comm", pid));
  std::string comm;
  std::getline(file, comm);
  return comm;
}

int64_t parent_of(int64_t pid) {
  std::ifstream file(fmt::format("/proc/{}/status", pid));
  for (std::string word; file >> word;) {
    int64_t parent = 0;
    if (word == "PPid:" && file >> parent) return parent;
  }
  return 0;
}

}  // namespace

class Peers : public Live {
 protected:
  void SetUp() override {
    Live::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    directory_ = std::filesystem::temp_directory_path() / fmt::format("tw-live-{}", ::getpid());
    std::filesystem::create_directories(directory_);
    std::filesystem::permissions(directory_, std::filesystem::perms(0755));
  }
  void TearDown() override {
    Live::TearDown();
    std::error_code error;
    if (!directory_.empty()) std::filesystem::remove_all(directory_, error);
  }
  // Until somebody listens there in the server's namespace.
  bool await_listener(int port) {
    for (int i = 0; i < 500; ++i) {
      const auto listeners = run_in(lab().server_ns(), {"ss", "-ltnH", fmt::format("sport = :{}", port)});
      if (listeners && !listeners->empty()) return true;
      lab::pause_for(Millis(20));
    }
    return false;
  }
  // One transfer with curl, both lives of it; the server's process must be `comm`, a child of `server` or itself.
  void expect_fetched(int port, pid_t server, const std::string& comm);

  std::filesystem::path directory_;
};

void Peers::expect_fetched(int port, pid_t server, const std::string& comm) {
  auto at_client = Watch::start(lab().client_ns());
  auto at_server = Watch::start(lab().server_ns());
  ASSERT_TRUE(at_client && at_server);
  ASSERT_TRUE(at_client->run().wait_ready() && at_server->run().wait_ready());
  const auto reported = run_in(lab().client_ns(), {"curl", "-s", "-o", "/dev/null", "-w",
                                                   "%{size_request} %{size_header} %{size_download} %{local_port}",
                                                   fmt::format("http://{}:{}/file", lab::server_ip, port)});
  ASSERT_TRUE(reported) << reported.error();
  lab::pause_for(Millis(300));
  const Printed mine = keep("client", at_client->stop());
  const Printed theirs = keep("server", at_server->stop());
  uint64_t request = 0;
  uint64_t header = 0;
  uint64_t body = 0;
  uint16_t local_port = 0;
  std::istringstream(*reported) >> request >> header >> body >> local_port;
  ASSERT_GT(body, 0u) << *reported;
  const lab::Endpoint client_at{lab::client_ip, local_port};
  const lab::Endpoint server_at{lab::server_ip, static_cast<uint16_t>(port)};
  const Json client_life = mine.life(client_at, server_at);
  const Json server_life = theirs.life(server_at, client_at);
  ASSERT_FALSE(client_life.empty() || server_life.empty());
  EXPECT_EQ(client_life["role"], "active");
  EXPECT_EQ(client_life["comm"], "curl");
  EXPECT_EQ(client_life["pid_source"], "connect");
  EXPECT_EQ(client_life["outcome"], "completed");
  EXPECT_EQ(client_life["closed_by"], "local");
  EXPECT_EQ(client_life["tx_bytes"], request);
  EXPECT_EQ(client_life["rx_bytes"], header + body);
  EXPECT_EQ(server_life["role"], "passive");
  EXPECT_EQ(server_life["comm"], comm);
  EXPECT_EQ(server_life["outcome"], "completed");
  EXPECT_EQ(server_life["closed_by"], "peer");
  EXPECT_EQ(server_life["rx_bytes"], request);
  EXPECT_EQ(server_life["tx_bytes"], header + body);
  const auto pid = server_life["pid"].get<int64_t>();
  EXPECT_TRUE(pid == server || parent_of(pid) == server) << pid << " is neither " << server << " nor its child";
  EXPECT_EQ(server_life["states"].get<Words>(), passive_states);
}

TEST_F(Peers, CurlFetchesFromNginx) {
  for (const char* program : {"curl", "nginx", "ss"}) {
    if (!missing(program).empty()) GTEST_SKIP() << missing(program);
  }
  std::ofstream(directory_ / "file") << std::string(200'000, 'x');
  std::ofstream(directory_ / "nginx.conf") << fmt::format(nginx_conf, 8085, directory_.string());
  auto nginx = start_in(lab().server_ns(), {"nginx", "-p", directory_.string(), "-c", "nginx.conf", "-e", "stderr"});
  ASSERT_TRUE(nginx) << nginx.error();
  ASSERT_TRUE(await_listener(8085));
  expect_fetched(8085, nginx->pid(), "nginx");
  nginx->signal(SIGTERM);  // the worker too
  nginx->wait(Millis(3000));
}

TEST_F(Peers, CurlFetchesFromNode) {
  for (const char* program : {"curl", "node", "ss"}) {
    if (!missing(program).empty()) GTEST_SKIP() << missing(program);
  }
  auto node = start_in(lab().server_ns(), {"node", "-e",
                                           "require('http').createServer((q, s) => s.end('x'.repeat(150000)))"
                                           ".listen(8086, '0.0.0.0')"});
  ASSERT_TRUE(node) << node.error();
  ASSERT_TRUE(await_listener(8086));
  expect_fetched(8086, node->pid(), comm_of(node->pid()));
}

TEST_F(Peers, IperfsBytesAreEqualOnBothEnds) {
  for (const char* program : {"iperf3", "ss"}) {
    if (!missing(program).empty()) GTEST_SKIP() << missing(program);
  }
  constexpr uint64_t mib = 32;
  const Transcript quiet;
  auto server = lab::Child::start({"ip", "netns", "exec", lab().server_ns(), "iperf3", "-s", "-1", "-p", "5201"},
                                  {{quiet.fd(), STDOUT_FILENO}});
  ASSERT_TRUE(server) << server.error();
  ASSERT_TRUE(await_listener(5201));
  auto at_client = Watch::start(lab().client_ns(), {}, {}, "life");
  auto at_server = Watch::start(lab().server_ns(), {}, {}, "life");
  ASSERT_TRUE(at_client && at_server);
  ASSERT_TRUE(at_client->run().wait_ready() && at_server->run().wait_ready());
  const auto reported =
      run_in(lab().client_ns(), {"iperf3", "-c", lab::server_ip, "-p", "5201", "-n", fmt::format("{}M", mib), "-J"});
  ASSERT_TRUE(reported) << reported.error();
  server->wait(Millis(3000));
  lab::pause_for(Millis(300));
  const Printed mine = keep("client", at_client->stop());
  const Printed theirs = keep("server", at_server->stop());
  const Json report = Json::parse(*reported, nullptr, false);
  const uint64_t sent = report["end"]["sum_sent"]["bytes"].get<uint64_t>();
  const uint64_t received = report["end"]["sum_received"]["bytes"].get<uint64_t>();
  ASSERT_EQ(mine.of("life").size(), 2u) << "control and data";
  ASSERT_EQ(theirs.of("life").size(), 2u);
  bool data_seen = false;
  for (const Json& life : mine.of("life")) {
    EXPECT_EQ(life["comm"], "iperf3");
    const lab::Endpoint local{life["local"]["ip"], life["local"]["port"]};
    const lab::Endpoint remote{life["remote"]["ip"], life["remote"]["port"]};
    const Json other = theirs.life(remote, local);
    ASSERT_FALSE(other.empty());
    EXPECT_EQ(other["comm"], "iperf3");
    EXPECT_EQ(life["rx_bytes"], other["tx_bytes"]);
    // iperf3's server breaks the data connection off with a RST: the sender's kernel then has counted fewer bytes than
    // arrived (a RST acknowledges nothing for it), and must not claim more.
    if (life["outcome"] == "completed") {
      EXPECT_EQ(life["tx_bytes"], other["rx_bytes"]);
    } else {
      EXPECT_LE(life["tx_bytes"].get<uint64_t>(), other["rx_bytes"].get<uint64_t>());
    }
    EXPECT_EQ(life["wire"]["tx_bytes"], other["wire"]["rx_bytes"]) << "the cable loses nothing";
    if (other["rx_bytes"].get<uint64_t>() < 1U << 20U) continue;
    data_seen = true;
    // Between what its server read and what its client wrote, with its cookie of 37 bytes: what was under way when the
    // RST came never got there, and how much that is is not known.
    EXPECT_LE(other["rx_bytes"].get<uint64_t>(), sent + 37);
    EXPECT_GE(other["rx_bytes"].get<uint64_t>(), received + 37);
  }
  EXPECT_TRUE(data_seen);
}

}  // namespace tcpwitness::live
