// SPDX-License-Identifier: Apache-2.0
//
// Every way to see packets, and none: the same handshake, exchange and close must come out, with
// what the chosen hooks can know. Also devices that are no plain Ethernet: a VLAN on top of one, and a tun.

#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sys/ioctl.h>

#include <array>
#include <atomic>
#include <thread>

#include "live/converse.hpp"
#include "live/courses.hpp"

namespace tcpwitness::live {
namespace {

// "mode" or "mode: why" of one of the ready object's hooks.
std::string mode_of(const Printed& printed, const std::string& name, const std::string& target) {
  for (const Json& hook : printed.hooks()) {
    if (hook["name"] == name && hook["target"] == target) return hook["mode"];
  }
  return "none";
}

std::set<std::string> hooks_heard(const Printed& printed, const std::string& ifname) {
  std::set<std::string> names;
  for (const Json& segment : printed.of("segment")) {
    if (segment["ifname"] == ifname) names.insert(segment["hook"].get<std::string>());
  }
  return names;
}

}  // namespace

class Hooks : public Live {
 protected:
  void expect_reported_by(const Play& how, const std::string& ingress, const std::string& egress,
                          const std::string& ingress_hook) {
    const auto story = play("handshake", how);
    if (!story) return;
    EXPECT_EQ(mode_of(story->client, "wire_ingress", lab::client_link), ingress);
    EXPECT_EQ(mode_of(story->client, "wire_egress", lab::client_link), egress);
    EXPECT_EQ(hooks_heard(story->client, lab::client_link), (std::set<std::string>{ingress_hook, "tc-egress"}));
    expect_client_closed_first(*story, client_completes(story->played), server_completes(story->played));
  }
  void expect_not_traced(const Play& how, const std::string& why);
  void expect_stacked_devices_counted_once(const std::string& server_ip);
};

TEST_F(Hooks, GenericXdp) { expect_reported_by({.arguments = {"--wire", "xdp-generic"}}, "xdp-generic", tc(), "xdp"); }
TEST_F(Hooks, NativeXdp) { expect_reported_by({.arguments = {"--wire", "xdp-native"}}, "xdp-native", tc(), "xdp"); }
TEST_F(Hooks, TcOnBothSides) { expect_reported_by({.arguments = {"--wire", "tc"}}, tc(), tc(), "tc-ingress"); }
TEST_F(Hooks, ClsactWhereTcxIsMissing) {
  expect_reported_by({.through = {"TCPWITNESS_WITHOUT=tcx"}}, "clsact", "clsact", "tc-ingress");
}
TEST_F(Hooks, GenericXdpWithClsact) {
  expect_reported_by({.arguments = {"--wire", "xdp-generic"}, .through = {"TCPWITNESS_WITHOUT=tcx"}}, "xdp-generic",
                     "clsact", "xdp");
}

namespace {

// What tc shows on both sides of an interface.
std::string filters_on(const std::string& netns, const std::string& ifname) {
  std::string all;
  for (const char* side : {"ingress", "egress"})
    all += lab::run_tool({"tc", "-n", netns, "filter", "show", "dev", ifname, side}).value_or("");
  return all;
}

}  // namespace

void Hooks::expect_not_traced(const Play& how, const std::string& why) {
  Play watched = how;
  std::string filters;
  watched.when_ready = [&](const lab::Played&) { filters = filters_on(lab().client_ns(), lab::client_link); };
  const auto story = play("handshake", watched);
  if (!story) return;
  EXPECT_EQ(mode_of(story->client, "wire_ingress", lab::client_link), "off");
  EXPECT_EQ(mode_of(story->client, "wire_egress", lab::client_link), "off");
  EXPECT_EQ(filters.find("wire_"), std::string::npos) << "no half stays: " << filters;
  bool said = false;
  for (const Json& hook : story->client.hooks()) said |= hook.value("why", "").contains(why);
  EXPECT_TRUE(said) << why;
  EXPECT_TRUE(hooks_heard(story->client, lab::client_link).empty());
  ASSERT_EQ(story->client.of("life").size(), 1u) << "what arrives is nobody's that leaves";
  const Json mine = story->client_life();
  ASSERT_FALSE(mine.empty());
  EXPECT_EQ(mine["outcome"], "completed");
  EXPECT_EQ(mine["witnesses"], Json({"kernel"}));
}

TEST_F(Hooks, AnInterfaceOfWhichOneDirectionCannotBeAttachedIsNotTraced) {
  for (const std::string direction : {"ingress", "egress"}) {
    for (const std::string mode : {"", ",tcx"}) {
      SCOPED_TRACE(direction + mode);
      const std::string without = fmt::format("attach:wire_{}@{}{}", direction, lab::client_link, mode);
      expect_not_traced({.through = {"TCPWITNESS_WITHOUT=" + without}}, "a test forbids it");
    }
  }
}

// Traffic shaping has added it to many an interface. Before: the program for egress took the ingress one's place, and
// what arrived was reported as what leaves.
TEST_F(Hooks, AnIngressQdiscHasNoSideForWhatLeaves) {
  const auto added = lab::run_tool({"tc", "-n", lab().client_ns(), "qdisc", "add", "dev", lab::client_link, "ingress"});
  if (!added) GTEST_SKIP() << "no ingress qdisc here: " << added.error();
  for (const std::string wire : {"auto", "xdp-generic"}) {
    SCOPED_TRACE(wire);
    expect_not_traced({.arguments = {"--wire", wire}, .through = {"TCPWITNESS_WITHOUT=tcx"}},
                      "it has an ingress qdisc");
    const auto left = lab::run_tool({"tc", "-n", lab().client_ns(), "qdisc", "show", "dev", lab::client_link});
    EXPECT_NE(left.value_or("").find("qdisc ingress"), std::string::npos) << "somebody else's";
  }
}

TEST_F(Hooks, TheKernelAloneTellsTheLifeWithoutSegments) {
  const auto story = play("handshake", {.arguments = {"--wire", "none"}});
  if (!story) return;
  const Json mine = story->client_life();
  const Json theirs = story->server_life();
  ASSERT_FALSE(mine.empty() || theirs.empty());
  for (const Json& life : {mine, theirs}) {
    EXPECT_EQ(life["outcome"], "completed");
    EXPECT_EQ(life["witnesses"], Json({"kernel"}));
    EXPECT_FALSE(life.contains("wire"));
  }
  EXPECT_EQ(mine["pid"], story->played.client.pid);
  EXPECT_EQ(theirs["pid"], story->played.server.pid);
  // Where the peer's FIN comes behind its ACK, FIN_WAIT2 and TIME_WAIT are of a mini-socket, which no tracepoint sees.
  expect_either(mine["states"].get<Words>(), active_states, {active_states.begin(), active_states.end() - 1});
  EXPECT_EQ(theirs["states"].get<Words>(), (Words{"SYN_RECV", "ESTABLISHED", "CLOSE_WAIT", "LAST_ACK", "CLOSE"}));
  EXPECT_EQ(mine["tx_bytes"], story->played.client_bytes);
  EXPECT_EQ(mine["rx_bytes"], story->played.server_bytes);
  EXPECT_TRUE(story->client.of("segment").empty());
}

TEST_F(Hooks, TheWireAloneTellsTheLifeWithoutProcesses) {
  const auto story = play("handshake", {.arguments = {"--kernel", "off"}});
  if (!story) return;
  const Json mine = story->client_life();
  const Json theirs = story->server_life();
  ASSERT_FALSE(mine.empty() || theirs.empty());
  for (const Json& life : {mine, theirs}) {
    EXPECT_EQ(life["outcome"], "completed");
    EXPECT_EQ(life["witnesses"], Json({"wire"}));
    EXPECT_TRUE(life["pid"].is_null());
    EXPECT_EQ(life["pid_source"], "unknown");
  }
  EXPECT_EQ(mine["role"], "active");
  EXPECT_EQ(theirs["role"], "passive");
  EXPECT_EQ(mine["closed_by"], "local");
  EXPECT_EQ(theirs["closed_by"], "peer");
  EXPECT_EQ(mine["tx_bytes"], story->played.client_bytes);
  EXPECT_EQ(mine["rx_bytes"], story->played.server_bytes);
  EXPECT_EQ(theirs["tx_bytes"], story->played.server_bytes);
  EXPECT_TRUE(story->client.of("reset").empty());
}

namespace {

// Of three connections whose segments each passed two devices.
void expect_counted_once(const Printed& at_client, const Printed& at_server) {
  for (const Printed* printed : {&at_client, &at_server}) {
    ASSERT_EQ(printed->of("life").size(), 3u);
    const bool is_client = printed == &at_client;
    for (const Json& life : printed->of("life")) {
      EXPECT_EQ(life["outcome"], "completed");
      EXPECT_EQ(life["retransmits"], 0);
      EXPECT_TRUE(printed->findings(life["conn"], "retransmission").empty());
      EXPECT_TRUE(printed->analysed(life["conn"], "retransmission").empty());
      EXPECT_EQ(life["tx_bytes"], is_client ? 100 : 1000);
      EXPECT_EQ(life["rx_bytes"], is_client ? 1000 : 100);
      EXPECT_EQ(life["wire"]["tx_bytes"], life["tx_bytes"]) << "counted once, not once a device";
      EXPECT_EQ(life["wire"]["rx_bytes"], life["rx_bytes"]) << "counted once, not once a device";
    }
  }
}

}  // namespace

void Hooks::expect_stacked_devices_counted_once(const std::string& server_ip) {
  auto client = Watch::start(lab().client_ns());
  auto server = Watch::start(lab().server_ns());
  ASSERT_TRUE(client && server);
  ASSERT_TRUE(client->run().wait_ready() && server->run().wait_ready());
  const auto ports =
      converse(lab().host(lab::Side::client), lab().host(lab::Side::server), {.ip = server_ip, .connections = 3});
  ASSERT_TRUE(ports) << ports.error();
  lab::pause_for(Millis(300));
  const Printed at_client = keep("client", client->stop());
  const Printed at_server = keep("server", server->stop());
  expect_counted_once(at_client, at_server);
}

TEST_F(Hooks, ASegmentSeenOnAVlanAndOnItsDeviceIsNoRetransmission) {
  const auto add = [&](const std::string& netns, const char* link, const char* address) {
    return lab::run_tool({"ip", "-n", netns, "-batch", "-"},
                         fmt::format("link add link {} name vlan7 type vlan id 7\nlink set vlan7 up\n"
                                     "addr add {}/24 dev vlan7\n",
                                     link, address));
  };
  if (auto added = add(lab().client_ns(), lab::client_link, "10.98.0.1"); !added) {
    GTEST_SKIP() << "no VLAN devices here: " << added.error();
  }
  ASSERT_TRUE(add(lab().server_ns(), lab::server_link, "10.98.0.2"));
  expect_stacked_devices_counted_once("10.98.0.2");
}

TEST_F(Hooks, ASegmentSeenOnABridgeAndOnItsPortIsNoRetransmission) {
  auto bridged = lab::run_tool({"ip", "-n", lab().client_ns(), "-batch", "-"},
                               fmt::format("link add br7 type bridge\nlink set {0} master br7\n"
                                           "addr flush dev {0}\nlink set br7 up\naddr add {1}/24 dev br7\n",
                                           lab::client_link, lab::client_ip));
  if (!bridged) GTEST_SKIP() << "no bridges here: " << bridged.error();
  expect_stacked_devices_counted_once(lab::server_ip);
}

namespace {

// A tun device in a namespace; its descriptor is the cable.
lab::Result<UniqueFd> make_tun(const lab::Namespace& where, const char* address) {
  UniqueFd fd;
  auto made = where.inside([&]() -> lab::Result<void> {
    fd = UniqueFd(::open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK));
    if (!fd) return lab::system_failure("open /dev/net/tun");
    ifreq request{};
    std::strncpy(request.ifr_name, "tun7", IFNAMSIZ - 1);
    request.ifr_flags = static_cast<short>(IFF_TUN | IFF_NO_PI);
    if (::ioctl(fd.get(), TUNSETIFF, &request) != 0) return lab::system_failure("TUNSETIFF");
    auto up = lab::run_tool({"ip", "-batch", "-"}, fmt::format("addr add {}/24 dev tun7\nlink set tun7 up\n", address));
    return up ? lab::Result<void>{} : lab::failure(up.error());
  });
  if (!made) return lab::failure(made.error());
  return fd;
}

// Copies packets both ways until reported to stop.
void carry(const UniqueFd& one, const UniqueFd& other, const std::atomic<bool>& over) {
  std::array<char, 65536> packet;
  const auto copy = [&](const UniqueFd& from, const UniqueFd& to) {
    const ssize_t size = ::read(from.get(), packet.data(), packet.size());
    if (size > 0 && ::write(to.get(), packet.data(), static_cast<size_t>(size)) < 0) return;
  };
  while (!over) {
    std::array<pollfd, 2> both{{{one.get(), POLLIN, 0}, {other.get(), POLLIN, 0}}};
    if (::poll(both.data(), 2, 50) <= 0) continue;
    if (both[0].revents & POLLIN) copy(one, other);
    if (both[1].revents & POLLIN) copy(other, one);
  }
}

}  // namespace

TEST_F(Hooks, ADeviceWithoutEthernetHeadersIsHeardToo) {
  auto client_end = make_tun(lab().host(lab::Side::client), "10.97.0.1");
  if (!client_end) GTEST_SKIP() << "no tun devices here: " << client_end.error();
  auto server_end = make_tun(lab().host(lab::Side::server), "10.97.0.2");
  ASSERT_TRUE(server_end) << server_end.error();
  std::atomic<bool> over = false;
  std::jthread cable([&] { carry(*client_end, *server_end, over); });
  auto client = Watch::start(lab().client_ns());
  auto server = Watch::start(lab().server_ns());
  const bool ready = client && server && client->run().wait_ready() && server->run().wait_ready();
  EXPECT_TRUE(ready);
  if (ready) {
    const auto ports =
        converse(lab().host(lab::Side::client), lab().host(lab::Side::server), {.ip = "10.97.0.2", .connections = 2});
    EXPECT_TRUE(ports) << ports.error();
    lab::pause_for(Millis(300));
    for (Watch* watch : {&*client, &*server}) {
      const Printed& printed = keep(watch == &*client ? "client" : "server", watch->stop());
      EXPECT_EQ(printed.of("life").size(), 2u);
      EXPECT_EQ(hooks_heard(printed, "tun7"), (std::set<std::string>{"tc-ingress", "tc-egress"}));
      for (const Json& life : printed.of("life")) {
        EXPECT_EQ(life["outcome"], "completed");
        EXPECT_EQ(life["witnesses"], Json({"kernel", "wire"}));
        EXPECT_EQ(printed.control_segments(life["conn"]).size(), 4u);
        EXPECT_EQ(life["wire"]["tx_bytes"], life["tx_bytes"]);
      }
    }
  }
  over = true;
}

}  // namespace tcpwitness::live
