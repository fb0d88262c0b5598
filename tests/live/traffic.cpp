// SPDX-License-Identifier: Apache-2.0
//
// Clients are loops that end when a file called "stop" appears: none is killed in the middle of a connection, which
// would be a fault. See traffic.hpp.

#include "live/traffic.hpp"

#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <sstream>

namespace tcpwitness::live {
namespace {

constexpr const char* nginx_conf = R"(
daemon off; pid nginx.pid; error_log stderr crit; worker_processes 2;
events {{}}
http {{ access_log off; client_body_temp_path t1; proxy_temp_path t2; fastcgi_temp_path t3; uwsgi_temp_path t4;
  scgi_temp_path t5; server {{ listen 8085; listen [::]:8085 ipv6only=on; location / {{ root {0}; }} }} }}
)";

constexpr const char* node_server = R"(
require('http').createServer((q, s) => { q.resume(); q.on('end', () => s.end('x'.repeat(20000))); })
  .listen(8086, '::');
)";

// One agent that keeps its connections, one that does not.
constexpr const char* node_client = R"(
const http = require('http'), fs = require('fs');
const keep = new http.Agent({keepAlive: true, maxSockets: 4}), brief = new http.Agent({keepAlive: false});
const once = (agent, host) => new Promise((done, bad) => {
  http.request({agent, host, port: 8086, method: 'POST'}, r => { r.resume(); r.on('end', done); })
    .on('error', bad).end('y'.repeat(3000));
});
(async () => {
  while (!fs.existsSync('stop')) {
    await Promise.all([once(keep, 'HOST4'), once(keep, 'HOST6'), once(keep, 'HOST4'), once(brief, 'HOST6')]);
    await new Promise(done => setTimeout(done, 50));
  }
  keep.destroy();
})().catch(e => { console.log('node: ' + e); process.exit(1); });
)";

// Where the client's host translates to the server, and what the server's host redirects to nginx.
constexpr const char* service_ip = "10.96.0.1";
constexpr int redirected_port = 8087;

bool has_mptcp() { return lab::UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_MPTCP)).get() >= 0; }

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at))
    text.replace(at, what.size(), by);
  return text;
}

lab::Result<void> await_listener(const std::string& netns, int port) {
  for (int i = 0; i < 500; ++i) {
    const auto listeners = run_in(netns, {"ss", "-ltnH", fmt::format("sport = :{}", port)});
    if (listeners && !listeners->empty()) return {};
    lab::pause_for(Millis(20));
  }
  return lab::failure(fmt::format("nobody listens on port {}", port));
}

}  // namespace

std::string Traffic::obstacle() {
  for (const char* program : {"curl", "nginx", "node", "iperf3", "ss", "bash", "nft"}) {
    if (std::string lacking = missing(program); !lacking.empty()) return lacking;
  }
  return "";
}

lab::Result<std::unique_ptr<Traffic>> Traffic::start(lab::Lab& lab) {
  std::unique_ptr<Traffic> traffic(new Traffic(lab));
  if (auto done = traffic->translate_addresses(); !done) return lab::failure(done.error());
  if (auto done = traffic->start_twins(); !done) return lab::failure(done.error());
  if (auto done = traffic->start_servers(); !done) return lab::failure(done.error());
  if (auto done = traffic->start_clients(); !done) return lab::failure(done.error());
  return traffic;
}

lab::Result<void> Traffic::translate_addresses() {
  const auto in = [](const std::string& netns, std::vector<std::string> argv, const std::string& input = "") {
    argv.insert(argv.begin(), {"ip", "netns", "exec", netns});
    return lab::run_tool(argv, input);
  };
  const auto route =
      in(lab_.client_ns(), {"ip", "route", "replace", fmt::format("{}/32", service_ip), "via", lab::server_ip});
  if (!route) return lab::failure(route.error());
  const auto forth = in(lab_.client_ns(), {"nft", "-f", "-"},
                        fmt::format("table ip traffic {{\n chain o {{\n  type nat hook output priority -100\n"
                                    "  ip daddr {} dnat to {}\n }}\n}}\n",
                                    service_ip, lab::server_ip));
  if (!forth) return lab::failure(forth.error());
  const auto there = in(lab_.server_ns(), {"nft", "-f", "-"},
                        fmt::format("table ip traffic {{\n chain p {{\n  type nat hook prerouting priority -100\n"
                                    "  tcp dport {} redirect to :8085\n }}\n}}\n",
                                    redirected_port));
  if (!there) return lab::failure(there.error());
  return {};
}

lab::Result<void> Traffic::start_twins() {
  auto twins = lab::Lab::create();
  if (!twins) return lab::failure(twins.error());
  twins_ = std::move(*twins);
  return twins_->drop(lab::Side::server, lab::Hook::input, "meta length > 1000 numgen random mod 10 0");
}

void Traffic::repeat(const lab::Namespace& client, const lab::Namespace& server, const Conversation& what) {
  conversations_.emplace_back([&client, &server, what](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      if (!converse(client, server, what)) return;
      lab::pause_for(Millis(200));
    }
  });
}

lab::Result<void> Traffic::start_servers() {
  directory_ = std::filesystem::temp_directory_path() / fmt::format("tw-traffic-{}", ::getpid());
  std::filesystem::create_directories(directory_);
  std::filesystem::permissions(directory_, std::filesystem::perms(0755));
  std::ofstream(directory_ / "small") << std::string(2'000, 'x');
  std::ofstream(directory_ / "file") << std::string(100'000, 'x');
  std::ofstream(directory_ / "big") << std::string(1'000'000, 'x');
  std::ofstream(directory_ / "nginx.conf") << fmt::format(nginx_conf, directory_.string());
  const std::vector<std::vector<std::string>> programs = {
      {"nginx", "-p", directory_.string(), "-c", "nginx.conf", "-e", "stderr"},
      {"node", "-e", node_server},
      {"iperf3", "-s", "-p", "5201"}};
  for (std::vector<std::string> argv : programs) {
    argv.insert(argv.begin(), {"ip", "netns", "exec", lab_.server_ns()});
    auto child = lab::Child::start(argv, {{quiet_.fd(), STDOUT_FILENO}, {quiet_.fd(), STDERR_FILENO}});
    if (!child) return lab::failure(child.error());
    servers_.push_back(std::move(*child));
  }
  for (const int port : {8085, 8086, 5201}) {
    if (auto up = await_listener(lab_.server_ns(), port); !up) return up;
  }
  return {};
}

lab::Result<void> Traffic::start_clients() {
  const std::string node = replaced(replaced(node_client, "HOST4", lab::server_ip), "HOST6", lab::server_ip6);
  std::ofstream(directory_ / "client.js") << node;
  const std::string v4 = lab::server_ip, v6 = fmt::format("[{}]", lab::server_ip6);
  const auto fetches = [](const std::string& options, const std::string& urls, const char* rest) {
    return fmt::format("while [ ! -e stop ]; do curl -sS -o /dev/null {} {} || echo \"curl: $?\"; sleep {}; done",
                       options, urls, rest);
  };
  const std::vector<std::string> loops = {
      fetches("", fmt::format("http://{}:8085/file", v4), "0.05"),
      fetches("", fmt::format("http://{}:8086/", v6), "0.07"),
      fetches("", fmt::format("http://{0}:8085/small -o /dev/null http://{0}:8085/file", v6), "0.1"),
      fetches("--limit-rate 200k", fmt::format("http://{}:8085/big", v4), "0.5"),
      fetches("", fmt::format("http://{}:8085/small", service_ip), "0.05"),
      fetches("", fmt::format("http://{}:{}/file", v4, redirected_port), "0.1"),
      fetches("", fmt::format("http://{}:{}/file", service_ip, redirected_port), "0.15"),
      fmt::format("while [ ! -e stop ]; do iperf3 -c {} -p 5201 -t 1 -b 200M >/dev/null || echo iperf3; sleep 1; "
                  "iperf3 -c {} -p 5201 -t 1 -b 200M -R >/dev/null || echo iperf3; sleep 1; done",
                  lab::server_ip, lab::server_ip6),
      "exec node client.js"};
  for (const std::string& loop : loops) {
    auto child = lab::Child::start(
        {"ip", "netns", "exec", lab_.client_ns(), "bash", "-c", fmt::format("cd {}; {}", directory_.string(), loop)},
        {{quiet_.fd(), STDOUT_FILENO}, {quiet_.fd(), STDERR_FILENO}});
    if (!child) return lab::failure(child.error());
    clients_.push_back(std::move(*child));
  }
  const lab::Namespace& here = lab_.host(lab::Side::client);
  const lab::Namespace& there = lab_.host(lab::Side::server);
  repeat(here, here, {.ip = "127.0.0.1", .connections = 20, .addresses = 4});
  if (has_mptcp())
    repeat(here, there, {.ip = lab::server_ip, .port = 9001, .connections = 5, .protocol = IPPROTO_MPTCP});
  else
    fmt::print("no MPTCP in this kernel: the traffic is without it\n");
  repeat(twins_->host(lab::Side::client), twins_->host(lab::Side::server),
         {.ip = lab::server_ip, .port = lab::service_port, .connections = 5, .request = 3000});
  return {};
}

Traffic::~Traffic() {
  if (!directory_.empty()) std::ofstream(directory_ / "stop") << "now\n";
  for (std::jthread& conversation : conversations_) conversation.request_stop();
  for (lab::Child& client : clients_) client.wait(std::chrono::seconds(15));
  conversations_.clear();
  lab::pause_for(Millis(200));
  for (lab::Child& server : servers_) {
    server.signal(SIGTERM);
    server.wait(Millis(3000));
  }
  std::error_code error;
  if (!directory_.empty()) std::filesystem::remove_all(directory_, error);
}

std::string Traffic::complaint() const {
  std::istringstream lines(quiet_.text());
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("curl: ") || line.starts_with("node: ") || line == "iperf3") return line;
  }
  return "";
}

}  // namespace tcpwitness::live
