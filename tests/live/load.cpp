// SPDX-License-Identifier: Apache-2.0
//
// Many connections: none is lost, none is reported twice, none gets wrong bytes; while the tracer starts, and at full
// speed over loopback.

#include <atomic>
#include <map>
#include <thread>

#include "live/converse.hpp"
#include "live/courses.hpp"

namespace tcpwitness::live {

using Load = Live;

TEST_F(Load, FiftyThousandConnectionsAreHundredThousandLives) {
  constexpr int connections = 50'000;
  auto watch = Watch::start(lab().client_ns(), {}, {}, "life");
  ASSERT_TRUE(watch);
  ASSERT_TRUE(watch->run().wait_ready());
  const auto& here = lab().host(lab::Side::client);
  const auto ports = converse(here, here, {.ip = "127.0.0.1", .connections = connections, .addresses = 32});
  ASSERT_TRUE(ports) << ports.error();
  lab::pause_for(Millis(200));
  // The kernel skips a program that interrupts itself, rarely. What the run calls whole is right all the same.
  const Printed printed = watch->stop({.losses_allowed = true});
  EXPECT_EQ(printed.summary().value("flows_full", -1), 0);
  const auto lost = printed.summary()["lost"].get<size_t>();
  size_t active = 0;
  size_t passive = 0;
  size_t wrong = 0;
  size_t incomplete = 0;
  for (const Json& life : printed.all()) {
    if (life["type"] != "life") continue;
    const bool caller = life["role"] == "active";
    ++(caller ? active : passive);
    if (life["incomplete"] == true) {
      ++incomplete;
      continue;
    }
    const bool right = life["outcome"] == "completed" && life["tx_bytes"] == (caller ? 100 : 1000) &&
                       life["rx_bytes"] == (caller ? 1000 : 100) && life["pid"] == ::getpid() &&
                       life["wire"]["tx_bytes"] == life["tx_bytes"];
    if (!right && ++wrong <= 3) ADD_FAILURE() << life.dump();
  }
  fmt::print("{} events lost, {} lives incomplete\n", lost, incomplete);
  EXPECT_EQ(wrong, 0u);
  // Of each connection the hooks see some 20 events: at most one in 100,000 of them may be lost.
  EXPECT_LE(lost, connections * 20u / 100'000u) << printed.summary().dump();
  EXPECT_GE(active + passive + lost, 2u * connections) << "more lives are missing than events";
  if (lost != 0) return;
  EXPECT_EQ(incomplete, 0u);
  EXPECT_EQ(active, static_cast<size_t>(connections));
  EXPECT_EQ(passive, static_cast<size_t>(connections));
}

TEST_F(Load, AConnectionOpenedWhileTheTracerStartsIsToldOnceOrNotAtAll) {
  const auto& here = lab().host(lab::Side::client);
  std::atomic<bool> over = false;
  std::vector<uint16_t> ports;
  std::string error;
  std::jthread load([&] {
    while (!over) {
      const auto talked = converse(here, here, {.ip = "127.0.0.1", .connections = 20, .addresses = 4});
      if (!talked) {
        error = talked.error();
        return;
      }
      lab::pause_for(Millis(2));  // a fast machine would run out of ports, and use some again
    }
  });
  auto watch = Watch::start(lab().client_ns(), {"--ring-size", "64M"});
  const bool ready = watch && watch->run().wait_ready();
  lab::pause_for(Millis(500));
  over = true;
  load.join();
  ASSERT_TRUE(ready);
  ASSERT_EQ(error, "");
  lab::pause_for(Millis(200));
  // The kernel skips a program that interrupts itself, rarely. What the run calls whole is right all the same.
  const Printed printed = watch->stop({.losses_allowed = true});
  std::map<std::string, std::vector<Json>> by_ends;
  const auto ready_ts = printed.ready()["ts_ns"].get<int64_t>();
  int whole = 0;
  int wrong = 0;
  int found_open = 0;
  const auto expect = [&](bool good, const char* what, const Json& life) {
    if (!good && ++wrong <= 5) ADD_FAILURE() << what << ": " << life.dump();
  };
  const bool lossy = printed.summary().value("lost", 0) != 0;
  for (const Json& life : printed.of("life")) {
    if (lossy && life["incomplete"] == true) continue;
    by_ends[life["local"].dump() + life["remote"].dump()].push_back(life);
    const bool caller = life["role"] == "active";
    if (life["incomplete"] == true) continue;
    // What was open already begins for the tracer when it is found, which can be a little after `ready`'s own time.
    found_open += life["preexisting"] == true ? 1 : 0;
    if (life["start_ts_ns"].get<int64_t>() < ready_ts || life["preexisting"] == true) {
      // Half of it may have been missed, but then it must not report otherwise.
      expect(!life["states"].empty(), "a life without states", life);
      const bool complete = life.contains("wire") && life["wire"]["complete"] == true && life["outcome"] == "completed";
      expect(!complete || life["wire"]["tx_bytes"] == life["tx_bytes"], "it calls half of the segments all", life);
      continue;
    }
    ++whole;
    expect(life["outcome"] == "completed", "it completed", life);
    expect(life["states"].get<Words>() == (caller ? active_states : passive_states), "its states", life);
    expect(life["tx_bytes"] == (caller ? 100 : 1000), "its bytes", life);
    expect(life.value("handshake_ns", int64_t{0}) > 0, "its handshake", life);
  }
  EXPECT_GT(whole, 0);
  EXPECT_LE(found_open, 4) << "one connection at a time: both ends of it, and of the next one";
  int repeated = 0;
  for (const auto& [ends, lives] : by_ends) {
    // A port comes again only long after its first life.
    if (lives.size() > 1 && ++repeated <= 3) {
      ADD_FAILURE() << "reported " << lives.size() << " times: " << lives[0].dump() << lives[1].dump();
    }
  }
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(repeated, 0);
}

}  // namespace tcpwitness::live
