// SPDX-License-Identifier: Apache-2.0
//
// What is asked for is reported, and nothing else. Also the ends of a run that are asked for: -c and -d.

#include "live/converse.hpp"
#include "live/courses.hpp"

namespace tcpwitness::live {

class Filters : public Live {
 protected:
  // One connection to port 9001 and one to 9002 over the cable, and one to 9003 over the client's loopback.
  std::optional<Printed> three_connections(const std::vector<std::string>& arguments) {
    const auto& client = lab().host(lab::Side::client);
    const auto& server = lab().host(lab::Side::server);
    auto watch = Watch::start(lab().client_ns(), arguments);
    if (!watch) return std::nullopt;
    if (auto ready = watch->run().wait_ready(); !ready) {
      ADD_FAILURE() << ready.error();
      return std::nullopt;
    }
    for (const auto& talked : {converse(client, server, {.ip = lab::server_ip, .port = 9001}),
                               converse(client, server, {.ip = lab::server_ip, .port = 9002}),
                               converse(client, client, {.ip = "127.0.0.1", .port = 9003})}) {
      EXPECT_TRUE(talked) << talked.error();
    }
    lab::pause_for(Millis(200));
    return keep("client", watch->stop());
  }

  // Of the lives: remote port where this side called, local port where it listened.
  static std::multiset<int> services(const Printed& printed) {
    std::multiset<int> ports;
    for (const Json& life : printed.of("life")) {
      ports.insert((life["role"] == "active" ? life["remote"] : life["local"])["port"].get<int>());
    }
    return ports;
  }
};

TEST_F(Filters, WithoutOneEverySocketsLifeIsTold) {
  const auto printed = three_connections({});
  if (printed) {
    EXPECT_EQ(services(*printed), (std::multiset<int>{9001, 9002, 9003, 9003}));
  }
}

TEST_F(Filters, PortsAtEitherEnd) {
  const auto printed = three_connections({"--port", "9002,9003"});
  if (!printed) return;
  EXPECT_EQ(services(*printed), (std::multiset<int>{9002, 9003, 9003}));
  for (const Json& segment : printed->of("segment")) {
    EXPECT_FALSE(segment["local"]["port"] == 9001 || segment["remote"]["port"] == 9001) << segment.dump();
  }
}

TEST_F(Filters, NetworksAtEitherEnd) {
  const auto printed = three_connections({"--host", "10.99.0.2/32", "--port", "9001", "--port", "9003"});
  if (printed) {
    EXPECT_EQ(services(*printed), (std::multiset<int>{9001}));
  }
}

TEST_F(Filters, ManyPortsAreComparedHere) {
  const auto printed = three_connections({"--port", "9002-9999"});
  if (!printed) return;
  EXPECT_EQ(services(*printed), (std::multiset<int>{9002, 9003, 9003}));
  for (const Json& segment : printed->of("segment")) {
    EXPECT_FALSE(segment["local"]["port"] == 9001 || segment["remote"]["port"] == 9001) << segment.dump();
  }
}

TEST_F(Filters, AnExpressionOfTheKernels) {
  const auto printed = three_connections({"tcp port 9001 and net 10.99.0.0/24"});
  if (printed) {
    EXPECT_EQ(services(*printed), (std::multiset<int>{9001}));
  }
}

TEST_F(Filters, AnExpressionThatIsEvaluatedHere) {
  const auto printed = three_connections({"not port 9001 and (host 10.99.0.2 or net 127.0.0.0/8)"});
  if (!printed) return;
  EXPECT_EQ(services(*printed), (std::multiset<int>{9002, 9003, 9003}));
  for (const Json& segment : printed->of("segment")) {
    EXPECT_FALSE(segment["local"]["port"] == 9001 || segment["remote"]["port"] == 9001) << segment.dump();
  }
  for (const Json& state : printed->of("state")) EXPECT_NE(state["remote"]["port"], 9001) << state.dump();
}

TEST_F(Filters, AnExpressionOfSinglePacketsIsRefused) {
  const Ended ended = run_to_end({"port 80 and tcp[tcpflags] & tcp-syn != 0"});
  EXPECT_EQ(ended.code, 2);
  EXPECT_NE(ended.err.find("'tcp[tcpflags]' is of single packets"), std::string::npos) << ended.err;
  const Ended recording = run_to_end({"record", "-w", "/nonexistent/x", "not port 80"});
  EXPECT_EQ(recording.code, 2);
  EXPECT_NE(recording.err.find("chosen in the kernel"), std::string::npos) << recording.err;
}

TEST_F(Filters, AnInterfaceLimitsTheWireAndNotTheKernel) {
  const auto printed = three_connections({"-i", lab::client_link});
  if (!printed) return;
  for (const Json& segment : printed->of("segment")) EXPECT_EQ(segment["ifname"], lab::client_link);
  for (const Json& hook : printed->hooks()) {
    if (hook["name"].get<std::string>().starts_with("wire")) {
      EXPECT_EQ(hook["target"], lab::client_link);
    }
  }
  for (const Json& life : printed->of("life")) {
    const bool loopback = life["local"]["ip"] == "127.0.0.1";
    EXPECT_EQ(life["witnesses"], loopback ? Json({"kernel"}) : Json({"kernel", "wire"}));
    EXPECT_EQ(life["outcome"], "completed");
  }
}

TEST_F(Filters, CountStopsAfterSoManyLives) {
  auto watch = Watch::start(lab().client_ns(), {"-c", "2"}, {}, "life");
  ASSERT_TRUE(watch);
  ASSERT_TRUE(watch->run().wait_ready());
  const auto talked =
      converse(lab().host(lab::Side::client), lab().host(lab::Side::server), {.ip = lab::server_ip, .connections = 5});
  ASSERT_TRUE(talked) << talked.error();
  const Ended ended = watch->run().wait(Millis(5000));
  EXPECT_EQ(ended.code, 0) << ended.err;
  const Printed& printed = keep("client", Printed(ended.out));
  EXPECT_EQ(printed.of("life").size(), 2u);
  EXPECT_EQ(printed.of("summary").size(), 1u);
}

TEST_F(Filters, DurationStopsTheRun) {
  auto watch = Watch::start(lab().client_ns(), {"-d", "1"}, {}, "life");
  ASSERT_TRUE(watch);
  ASSERT_TRUE(watch->run().wait_ready());
  const auto start = std::chrono::steady_clock::now();
  const Ended ended = watch->run().wait(Millis(5000));
  EXPECT_LT(std::chrono::steady_clock::now() - start, Millis(2500));
  expect_sound(ended, Printed(ended.out));
}

namespace {

// The handshake, with a tracer in the client's namespace that is reported of the players.
std::optional<Printed> heard_of_players(lab::Lab& lab,
                                        const std::function<std::vector<std::string>(const lab::Played&)>& arguments) {
  auto performance = lab::Performance::open(lab, *lab::find_case("handshake"));
  if (!performance) {
    ADD_FAILURE() << performance.error();
    return std::nullopt;
  }
  auto watch = Watch::start(lab.client_ns(), arguments((*performance)->so_far()));
  if (!watch || !watch->run().wait_ready()) {
    ADD_FAILURE() << "tcpwitness did not start";
    return std::nullopt;
  }
  const auto played = (*performance)->finish();
  EXPECT_TRUE(played) << played.error();
  return watch->stop();
}

}  // namespace

TEST_F(Filters, AProcessIdSelectsItsConnections) {
  const auto own = heard_of_players(lab(), [](const lab::Played& played) {
    return std::vector<std::string>{"-p", std::to_string(played.client.pid)};
  });
  ASSERT_TRUE(own);
  ASSERT_EQ(own->of("life").size(), 1u) << digest(*own);
  EXPECT_EQ(own->of("life")[0]["comm"], "lab-client");
  EXPECT_FALSE(own->of("state").empty());
  EXPECT_FALSE(own->of("segment").empty());
}

TEST_F(Filters, AnotherProcessIdSelectsNothing) {
  const auto others = heard_of_players(lab(), [](const lab::Played&) { return std::vector<std::string>{"-p", "1"}; });
  ASSERT_TRUE(others);
  EXPECT_TRUE(others->of("life").empty()) << digest(*others);
  EXPECT_TRUE(others->of("state").empty()) << digest(*others);
}

TEST_F(Filters, AProcessNameSelectsItsConnections) {
  const auto own =
      heard_of_players(lab(), [](const lab::Played&) { return std::vector<std::string>{"--comm", "lab-client"}; });
  ASSERT_TRUE(own);
  EXPECT_EQ(own->of("life").size(), 1u) << digest(*own);
  const auto others =
      heard_of_players(lab(), [](const lab::Played&) { return std::vector<std::string>{"--comm", "somebody-else"}; });
  ASSERT_TRUE(others);
  EXPECT_TRUE(others->of("life").empty()) << digest(*others);
}

}  // namespace tcpwitness::live
