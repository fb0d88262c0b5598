// SPDX-License-Identifier: Apache-2.0
//
// NAT on the watched host: the socket has one address pair, its segments have another. One connection is one life
// with the socket's addresses, those of the wire beside it, and every segment its own.

#include <fmt/format.h>

#include "live/converse.hpp"
#include "live/courses.hpp"

namespace tcpwitness::live {
namespace {

constexpr const char* service_ip = "10.96.0.1";  // nobody's: what a service address is on a kube-proxy host
constexpr const char* service_ip6 = "fd00:96::1";

class Nat : public Live {
 protected:
  // Also why it cannot: then the test is skipped.
  bool translate(lab::Side side, const std::string& family, const std::string& chain, const std::string& rule) {
    const auto& netns = side == lab::Side::client ? lab().client_ns() : lab().server_ns();
    const auto done =
        run_in(netns, {"nft", fmt::format("table {} tw-nat {{ chain c {{ {}; {}; }}; }}", family, chain, rule)});
    if (!done) skipped_ = "no NAT with nft here: " + done.error();
    return static_cast<bool>(done);
  }
  bool route_services() {
    return static_cast<bool>(run_in(lab().client_ns(), {"ip", "route", "add", service_ip, "via", lab::server_ip})) &&
           static_cast<bool>(run_in(lab().client_ns(), {"ip", "route", "add", service_ip6, "via", lab::server_ip6}));
  }

  // One connection, as a tracer prints it in that side's namespace.
  std::optional<Printed> printed(lab::Side side, const Conversation& what, std::vector<std::string> arguments = {},
                                 std::optional<lab::Side> served_at = std::nullopt) {
    const auto& netns = side == lab::Side::client ? lab().client_ns() : lab().server_ns();
    auto watch = Watch::start(netns, std::move(arguments));
    if (!watch) return std::nullopt;
    if (auto ready = watch->run().wait_ready(); !ready) {
      ADD_FAILURE() << ready.error();
      return std::nullopt;
    }
    const auto talked =
        converse(lab().host(lab::Side::client), lab().host(served_at.value_or(lab::Side::server)), what);
    EXPECT_TRUE(talked) << talked.error();
    lab::pause_for(Millis(200));
    return keep("printed", watch->stop());
  }

  // All of it is one connection's, and that is whole.
  static void expect_one(const Printed& printed, const std::string& role, const Json& socket, const Json& wire) {
    const auto lives = printed.of("life");
    ASSERT_EQ(lives.size(), 1u) << digest(printed);
    const Json& life = lives[0];
    EXPECT_EQ(life["role"], role);
    EXPECT_EQ(life["outcome"], "completed");
    EXPECT_EQ(life["witnesses"], Json({"kernel", "wire"}));
    EXPECT_TRUE(life.contains("handshake_ns"));
    const char* side = role == "active" ? "remote" : "local";
    EXPECT_EQ(life[side], socket);
    ASSERT_TRUE(life.contains("nat")) << life.dump();
    EXPECT_EQ(life["nat"][side], wire);
    EXPECT_EQ(life["wire"]["tx_bytes"], life["tx_bytes"]);
    EXPECT_EQ(life["wire"]["rx_bytes"], life["rx_bytes"]);
    EXPECT_EQ(life["wire"]["complete"], true) << life.dump();
    for (const Json& segment : printed.of("segment")) EXPECT_EQ(segment["conn"], life["conn"]) << segment.dump();
    EXPECT_TRUE(printed.findings(life["conn"], "stray-segment").empty());
    EXPECT_EQ(printed.of("finding").size(), printed.of("finding", life["conn"]).size());
  }
  static Json endpoint(const std::string& ip, int port) { return {{"ip", ip}, {"port", port}}; }

  std::string skipped_;
};

constexpr const char* output = "type nat hook output priority -100";
constexpr const char* prerouting = "type nat hook prerouting priority -100";
constexpr const char* postrouting = "type nat hook postrouting priority 100";

const Words client_control{"out SYN 0 -", "in SYN,ACK 0 1", "out FIN,ACK 101 1001", "in FIN,ACK 1001 102"};
const Words server_control{"in SYN 0 -", "out SYN,ACK 0 1", "in FIN,ACK 101 1001", "out FIN,ACK 1001 102"};

TEST_F(Nat, AServiceAddressOfTheClientsHost) {
  ASSERT_TRUE(route_services());
  if (!translate(lab::Side::client, "ip", output,
                 fmt::format("ip daddr {} tcp dport 80 dnat to {}:9001", service_ip, lab::server_ip)))
    GTEST_SKIP() << skipped_;
  const auto reported = printed(lab::Side::client, {.ip = service_ip, .port = 80, .listens_on = 9001});
  if (!reported) return;
  expect_one(*reported, "active", endpoint(service_ip, 80), endpoint(lab::server_ip, 9001));
  EXPECT_EQ(reported->control_segments(reported->of("life")[0]["conn"]), client_control);
}

TEST_F(Nat, AServiceAddressOfTheClientsHostIPv6) {
  ASSERT_TRUE(route_services());
  if (!translate(lab::Side::client, "ip6", output,
                 fmt::format("ip6 daddr {} tcp dport 80 dnat to [{}]:9001", service_ip6, lab::server_ip6)))
    GTEST_SKIP() << skipped_;
  const auto reported = printed(lab::Side::client, {.ip = service_ip6, .port = 80, .listens_on = 9001});
  if (reported) expect_one(*reported, "active", endpoint(service_ip6, 80), endpoint(lab::server_ip6, 9001));
}

TEST_F(Nat, ARedirectedPortOfTheServersHost) {
  if (!translate(lab::Side::server, "ip", prerouting, "tcp dport 80 redirect to :9001")) GTEST_SKIP() << skipped_;
  const auto reported = printed(lab::Side::server, {.ip = lab::server_ip, .port = 80, .listens_on = 9001});
  if (!reported) return;
  expect_one(*reported, "passive", endpoint(lab::server_ip, 9001), endpoint(lab::server_ip, 80));
  EXPECT_EQ(reported->control_segments(reported->of("life")[0]["conn"]), server_control);
}

TEST_F(Nat, ARedirectedPortOfTheServersHostIPv6) {
  if (!translate(lab::Side::server, "ip6", prerouting, "tcp dport 80 redirect to :9001")) GTEST_SKIP() << skipped_;
  const auto reported = printed(lab::Side::server, {.ip = lab::server_ip6, .port = 80, .listens_on = 9001});
  if (reported) expect_one(*reported, "passive", endpoint(lab::server_ip6, 9001), endpoint(lab::server_ip6, 80));
}

TEST_F(Nat, ASourceThatIsMasqueradedWithAnotherPort) {
  ASSERT_TRUE(run_in(lab().client_ns(), {"ip", "address", "add", "10.77.0.1/32", "dev", "lo"}));
  if (!translate(lab::Side::client, "ip", postrouting, "ip saddr 10.77.0.1 tcp dport 9001 masquerade to :33000-33100"))
    GTEST_SKIP() << skipped_;
  const auto reported = printed(lab::Side::client, {.ip = lab::server_ip, .port = 9001, .from = "10.77.0.1"});
  if (!reported) return;
  expect_one(*reported, "active", endpoint(lab::server_ip, 9001), endpoint(lab::server_ip, 9001));
  const Json life = reported->of("life").at(0);
  EXPECT_EQ(life["local"]["ip"], "10.77.0.1");
  EXPECT_EQ(life["nat"]["local"]["ip"], lab::client_ip);
  EXPECT_GE(life["nat"]["local"]["port"], 33000);
}

// Both ends on one host: each has its own life.
TEST_F(Nat, APortOfLoopback) {
  if (!translate(lab::Side::client, "ip", output, "ip daddr 127.0.0.1 tcp dport 80 dnat to 127.0.0.1:9001"))
    GTEST_SKIP() << skipped_;
  const auto reported =
      printed(lab::Side::client, {.ip = "127.0.0.1", .port = 80, .listens_on = 9001}, {}, lab::Side::client);
  if (!reported) return;
  ASSERT_EQ(reported->of("life").size(), 2u);
  for (const Json& life : reported->of("life")) {
    EXPECT_EQ(life["outcome"], "completed") << life.dump();
    EXPECT_EQ(life["wire"]["complete"], true) << life.dump();
    EXPECT_EQ(life.contains("nat"), life["role"] == "active") << life.dump();
  }
  for (const Json& segment : reported->of("segment")) EXPECT_FALSE(segment["conn"].is_null()) << segment.dump();
}

// Without one there is nothing beside the addresses.
TEST_F(Nat, AConnectionThatIsNotTranslatedSaysSoByNothing) {
  const auto reported = printed(lab::Side::client, {.ip = lab::server_ip, .port = 9001});
  if (!reported) return;
  ASSERT_EQ(reported->of("life").size(), 1u);
  EXPECT_FALSE(reported->of("life")[0].contains("nat"));
  EXPECT_EQ(reported->summary()["events"]["translation"], 0);
}

struct Wanted {
  const char* name;
  std::vector<std::string> arguments;
  bool reported;
};
class NatFilter : public Nat, public ::testing::WithParamInterface<Wanted> {};

TEST_P(NatFilter, OfTheClientsSide) {
  ASSERT_TRUE(route_services());
  if (!translate(lab::Side::client, "ip", output,
                 fmt::format("ip daddr {} tcp dport 80 dnat to {}:9001", service_ip, lab::server_ip)))
    GTEST_SKIP() << skipped_;
  const auto reported =
      printed(lab::Side::client, {.ip = service_ip, .port = 80, .listens_on = 9001}, GetParam().arguments);
  if (!reported) return;
  if (GetParam().reported)
    return expect_one(*reported, "active", endpoint(service_ip, 80), endpoint(lab::server_ip, 9001));
  EXPECT_TRUE(reported->of("life").empty());
  EXPECT_TRUE(reported->of("segment").empty());
}
INSTANTIATE_TEST_SUITE_P(Live, NatFilter,
                         ::testing::Values(Wanted{"PortOfTheSocket", {"--port", "80"}, true},
                                           Wanted{"PortOnTheWire", {"--port", "9001"}, true},
                                           Wanted{"HostOfTheSocket", {"--host", "10.96.0.0/16"}, true},
                                           Wanted{"HostOnTheWire", {"--host", lab::server_ip}, true},
                                           Wanted{"AnotherPort", {"--port", "81"}, false},
                                           Wanted{"AnotherHost", {"--host", "10.97.0.0/16"}, false}),
                         [](const auto& one) { return std::string(one.param.name); });

// What the listener on a published port seems to be asked goes on to another machine.
TEST_F(Nat, AForwardedConnectionIsNoneOfTheProxysOnItsPort) {
  lab::Lab& cable = lab();
  const auto beside = lab::Namespace::create("beside");
  ASSERT_TRUE(beside) << beside.error();
  const std::string host = cable.server_ns();
  for (const auto& command : std::vector<std::vector<std::string>>{
           {"ip", "link", "add", "tw-inside", "type", "veth", "peer", "name", "tw-eth0", "netns", beside->name()},
           {"ip", "address", "add", "172.31.0.1/24", "dev", "tw-inside"},
           {"ip", "link", "set", "tw-inside", "up"},
           {"sysctl", "-qw", "net.ipv4.ip_forward=1"}}) {
    const auto done = run_in(host, command);
    ASSERT_TRUE(done) << done.error();
  }
  for (const auto& command :
       std::vector<std::vector<std::string>>{{"ip", "address", "add", "172.31.0.2/24", "dev", "tw-eth0"},
                                             {"ip", "link", "set", "tw-eth0", "up"},
                                             {"ip", "route", "add", "default", "via", "172.31.0.1"}}) {
    const auto done = run_in(beside->name(), command);
    ASSERT_TRUE(done) << done.error();
  }
  if (!translate(lab::Side::server, "ip", prerouting,
                 fmt::format("ip daddr {} tcp dport 9001 dnat to 172.31.0.2:9002", lab::server_ip)))
    GTEST_SKIP() << skipped_;
  // It never gets a connection: its backlog would show one.
  auto proxy = start_in(host, {"python3", "-c",
                               "import socket,time; s=socket.socket(); s.bind(('',9001)); s.listen(); print('up',"
                               "flush=True); time.sleep(60)"});
  ASSERT_TRUE(proxy) << proxy.error();
  auto watch = Watch::start(host);
  ASSERT_TRUE(watch);
  ASSERT_TRUE(watch->run().wait_ready());
  const auto talked = converse(cable.host(lab::Side::client), *beside,
                               {.ip = lab::server_ip, .port = 9001, .connections = 3, .listens_on = 9002});
  EXPECT_TRUE(talked) << talked.error();
  lab::pause_for(Millis(200));
  const Printed& reported = keep("host", watch->stop());
  EXPECT_TRUE(reported.of("life").empty());
  EXPECT_TRUE(reported.of("finding").empty());
}

}  // namespace
}  // namespace tcpwitness::live
