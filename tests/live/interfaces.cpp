// SPDX-License-Identifier: Apache-2.0
//
// Interfaces that come, go and change their names while they are traced, and hundreds of them.

#include <bpf/bpf.h>
#include <fmt/format.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include "live/converse.hpp"
#include "live/courses.hpp"

namespace tcpwitness::live {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int pairs = 100;

// Both hosts get one end of another cable; "ip -batch", so that nothing waits between its lines.
lab::Result<void> add_cable(lab::Lab& lab, const std::string& name, const std::string& net) {
  auto made = lab::run_tool({"ip", "-n", lab.server_ns(), "-batch", "-"},
                            fmt::format("link add {0}-s type veth peer name {0}-c netns {1}\nlink set {0}-s up\n"
                                        "addr add {2}.2/24 dev {0}-s\n",
                                        name, lab.client_ns(), net));
  if (!made) return lab::failure(made.error());
  auto up = lab::run_tool({"ip", "-n", lab.client_ns(), "-batch", "-"},
                          fmt::format("link set {0}-c up\naddr add {1}.1/24 dev {0}-c\n", name, net));
  return up ? lab::Result<void>{} : lab::failure(up.error());
}

lab::Result<void> add_many(const std::string& netns) {
  std::string commands;
  for (int i = 0; i < pairs; ++i)
    commands +=
        fmt::format("link add many{0} type veth peer name more{0}\nlink set many{0} up\nlink set more{0} up\n", i);
  auto made = lab::run_tool({"ip", "-n", netns, "-batch", "-"}, commands);
  return made ? lab::Result<void>{} : lab::failure(made.error());
}

}  // namespace

class Interfaces : public Live {
 protected:
  // rtnetlink reports an interface when it is there already; it is traced a moment later, and the notice has the time.
  static void wait_for_hooks(Watch& watch) {
    EXPECT_TRUE(watch.run().wait_for("traced from now on", Millis(4000))) << watch.err();
  }

  // One connection over the new cable; what the client's end saw of it.
  Json talk_over(const std::string& net, Watch& client, const std::string& title) {
    const auto ports = converse(lab().host(lab::Side::client), lab().host(lab::Side::server), {.ip = net + ".2"});
    EXPECT_TRUE(ports) << ports.error();
    EXPECT_TRUE(client.run().wait_for("\"type\":\"life\"", Millis(5000)));
    heard_ = &keep(title, client.stop());
    const auto lives = heard_->of("life");
    EXPECT_EQ(lives.size(), 1u);
    return lives.empty() ? Json::object() : lives.front();
  }

  const Printed* heard_ = nullptr;
};

TEST_F(Interfaces, OneThatAppearsIsTraced) {
  auto client = Watch::start(lab().client_ns(), {}, {}, "trace");
  ASSERT_TRUE(client);
  ASSERT_TRUE(client->run().wait_ready());
  ASSERT_TRUE(add_cable(lab(), "new7", "10.96.0"));
  wait_for_hooks(*client);
  const Json life = talk_over("10.96.0", *client, "client");
  ASSERT_FALSE(life.empty());
  EXPECT_EQ(life["outcome"], "completed");
  EXPECT_EQ(life["witnesses"], Json({"kernel", "wire"}));
  EXPECT_EQ(heard_->control_segments(life["conn"]).size(), 4u) << "SYN, SYN-ACK and both FINs";
  EXPECT_EQ(life["wire"]["tx_bytes"], life["tx_bytes"]);
  EXPECT_EQ(life["wire"]["complete"], true);
  for (const Json& segment : heard_->of("segment", life["conn"])) EXPECT_EQ(segment["ifname"], "new7-c");
}

TEST_F(Interfaces, ItsNewNameIsShown) {
  ASSERT_TRUE(add_cable(lab(), "old7", "10.96.0"));
  auto client = Watch::start(lab().client_ns(), {}, {}, "trace");
  ASSERT_TRUE(client);
  ASSERT_TRUE(client->run().wait_ready());
  ASSERT_TRUE(lab::run_tool({"ip", "-n", lab().client_ns(), "-batch", "-"},
                            "link set old7-c down\nlink set old7-c name new8\nlink set new8 up\n"));
  EXPECT_TRUE(client->run().wait_for("interface old7-c is now called new8", Millis(4000))) << client->err();
  const Json life = talk_over("10.96.0", *client, "client");
  ASSERT_FALSE(life.empty());
  EXPECT_EQ(heard_->control_segments(life["conn"]).size(), 4u);
  for (const Json& segment : heard_->of("segment", life["conn"])) EXPECT_EQ(segment["ifname"], "new8");
  EXPECT_EQ(client->err().find("is gone"), std::string::npos) << client->err();
}

// Another interface may get the index's name, the name's index, or both.
TEST_F(Interfaces, ANameThatIsUsedAgainIsAnotherInterface) {
  ASSERT_TRUE(add_cable(lab(), "two7", "10.96.0"));
  auto client = Watch::start(lab().client_ns(), {"-i", "two7-c"}, {}, "trace");
  ASSERT_TRUE(client);
  ASSERT_TRUE(client->run().wait_ready());
  ASSERT_TRUE(lab::run_tool({"ip", "-n", lab().server_ns(), "link", "del", "two7-s"}));
  ASSERT_TRUE(client->run().wait_for("interface two7-c is gone", Millis(4000))) << client->err();
  ASSERT_TRUE(add_cable(lab(), "two7", "10.95.0"));
  wait_for_hooks(*client);
  const Json life = talk_over("10.95.0", *client, "client");
  ASSERT_FALSE(life.empty());
  EXPECT_EQ(heard_->control_segments(life["conn"]).size(), 4u);
}

// Each tcx link waits for a grace period: 5 to 6 s for all of them, as long as nobody asks the kernel to hurry.
TEST_F(Interfaces, TwoHundredAreReadySoon) {
  const auto expedited = [] { return lab::run_tool({"cat", "/sys/kernel/rcu_expedited"}).value_or(""); };
  // Of this machine, which may have chosen 1. Another tracer, of a test beside this one, asks for it for a moment.
  const auto settled = [&](const std::string& wanted) {
    std::string now = expedited();
    for (int i = 0; i < 50 && now != wanted; ++i, now = expedited()) lab::pause_for(Millis(100));
    return now;
  };
  const std::string setting = settled("0\n");
  ASSERT_TRUE(add_many(lab().client_ns()));
  const auto begun = Clock::now();
  auto watch = Watch::start(lab().client_ns());
  ASSERT_TRUE(watch);
  ASSERT_TRUE(watch->run().wait_ready());
  const auto ready = std::chrono::duration_cast<Millis>(Clock::now() - begun);
  EXPECT_LT(ready, Millis(3000)) << "0.3 s on an idle machine";
  const auto asked = Clock::now();
  const Printed printed = watch->stop();
  EXPECT_LT(std::chrono::duration_cast<Millis>(Clock::now() - asked), Millis(3000));
  size_t on = 0;
  for (const Json& hook : printed.hooks()) on += hook["mode"] == tc() ? 1 : 0;
  EXPECT_EQ(on, 2u * (2 * pairs + 2)) << "both sides of each, lo and the cable";
  EXPECT_EQ(settled(setting), setting) << "it is taken back";
}

TEST_F(Interfaces, NothingIsLostWhileTwoHundredAreAttached) {
  ASSERT_TRUE(add_many(lab().client_ns()));
  const auto& here = lab().host(lab::Side::client);
  std::atomic<bool> over = false;
  std::string error;
  std::jthread load([&] {
    while (!over) {
      if (auto talked = converse(here, here, {.ip = "127.0.0.1", .connections = 200, .addresses = 32}); !talked) {
        error = talked.error();
        return;
      }
    }
  });
  auto watch = Watch::start(lab().client_ns(), {}, {}, "life");
  const bool ready = watch && watch->run().wait_ready();
  lab::pause_for(Millis(200));
  const Printed printed = ready ? watch->stop() : Printed("");  // a loss would be a failure
  over = true;
  load.join();
  EXPECT_TRUE(ready);
  for (const Json& gap : printed.of("gap"))
    ADD_FAILURE() << gap.dump() << " of " << printed.ready()["ts_ns"] << " to " << printed.summary()["ts_ns"];
  EXPECT_EQ(error, "");
  EXPECT_GT(printed.of("life").size(), 0u) << watch->err();
}

namespace {

// The links of one process to tcx on an interface, by what /proc shows of its descriptors.
std::vector<int> links_to(pid_t tracer, const std::string& ifindex) {
  std::vector<int> links;
  for (const auto& entry : std::filesystem::directory_iterator(fmt::format("/proc/{}/fdinfo", tracer))) {
    std::ifstream file(entry.path());
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    const std::size_t id = text.find("link_id:");
    if (text.contains("link_type:\ttcx") && text.contains("ifindex:\t" + ifindex + "\n") && id != std::string::npos)
      links.push_back(std::atoi(text.c_str() + id + 8));
  }
  return links;
}

}  // namespace

// What an administrator, or another program that cleans up an interface, does.
TEST_F(Interfaces, AProgramThatSomebodyDetachesIsAttachedOnceMore) {
  const auto index = lab::run_tool({"ip", "-n", lab().client_ns(), "-o", "link", "show", "dev", lab::client_link});
  ASSERT_TRUE(index);
  const std::string ifindex = index->substr(0, index->find(':'));
  for (const bool tcx : {true, false}) {
    SCOPED_TRACE(tcx ? "tcx" : "clsact");
    const auto detach = [&](const TracerRun& run) {
      if (!tcx)
        return lab::run_tool({"tc", "-n", lab().client_ns(), "qdisc", "del", "dev", lab::client_link, "clsact"})
            .has_value();
      const std::vector<int> links = links_to(run.pid(), ifindex);
      if (links.empty()) return false;
      const UniqueFd link(bpf_link_get_fd_by_id(static_cast<__u32>(links.front())));  // one direction
      return bpf_link_detach(link.get()) == 0;
    };
    if (tcx && tc() != "tcx") continue;
    const auto variable = fmt::format("TCPWITNESS_WITHOUT={}", tcx ? "" : "tcx");
    auto run = TracerRun::start({"life", "-o", "json", "--netns", lab().client_ns()}, {variable});
    ASSERT_TRUE(run) << run.error();
    ASSERT_TRUE((*run)->wait_ready());
    ASSERT_TRUE(detach(**run));
    ASSERT_TRUE((*run)->wait_for("it is attached again", Millis(6000))) << (*run)->err();
    ASSERT_TRUE(converse(lab().host(lab::Side::client), lab().host(lab::Side::server), {.ip = lab::server_ip}));
    ASSERT_TRUE((*run)->wait_for("\"type\":\"life\"", Millis(5000)));
    ASSERT_TRUE(detach(**run)) << "once more";
    EXPECT_TRUE((*run)->wait_for("it is not traced any more", Millis(6000))) << (*run)->err();
    const Printed printed((*run)->stop().out);
    const auto lives = printed.of("life");
    ASSERT_EQ(lives.size(), 1u);
    EXPECT_EQ(lives[0]["outcome"], "completed");
    EXPECT_EQ(lives[0]["wire"]["complete"], true);
    EXPECT_EQ(lives[0]["wire"]["tx_bytes"], lives[0]["tx_bytes"]);
    EXPECT_EQ(lives[0]["incomplete"], false);
    ASSERT_EQ(printed.of("gap").size(), 2u);
    for (const Json& gap : printed.of("gap")) {
      EXPECT_EQ(gap["cause"], "untraced");
      EXPECT_EQ(gap["lost"], 0);
    }
  }
}

}  // namespace tcpwitness::live
