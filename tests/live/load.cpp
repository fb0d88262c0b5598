// SPDX-License-Identifier: Apache-2.0
//
// Many connections: none is lost, none is told twice, none gets wrong bytes; while the tracer starts, and at full
// speed over loopback.

#include <atomic>
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
  const Heard heard = watch->stop();
  EXPECT_EQ(heard.summary().value("flows_full", -1), 0);
  size_t active = 0;
  size_t passive = 0;
  size_t wrong = 0;
  for (const Json& life : heard.all()) {
    if (life["type"] != "life") continue;
    const bool caller = life["role"] == "active";
    ++(caller ? active : passive);
    const bool right = life["outcome"] == "completed" && life["tx_bytes"] == (caller ? 100 : 1000) &&
                       life["rx_bytes"] == (caller ? 1000 : 100) && life["pid"] == ::getpid() &&
                       life["incomplete"] == false && life["wire"]["tx_bytes"] == life["tx_bytes"];
    if (!right && ++wrong <= 3) ADD_FAILURE() << life.dump();
  }
  EXPECT_EQ(active, static_cast<size_t>(connections));
  EXPECT_EQ(passive, static_cast<size_t>(connections));
  EXPECT_EQ(wrong, 0u);
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
    }
  });
  auto watch = Watch::start(lab().client_ns());
  const bool ready = watch && watch->run().wait_ready();
  lab::pause_for(Millis(500));
  over = true;
  load.join();
  ASSERT_TRUE(ready);
  ASSERT_EQ(error, "");
  lab::pause_for(Millis(200));
  const Heard heard = watch->stop();
  std::map<std::string, std::vector<Json>> by_ends;
  int whole = 0;
  int wrong = 0;
  for (const Json& life : heard.of("life")) {
    by_ends[life["local"].dump() + life["remote"].dump()].push_back(life);
    const bool saw_it_open = life["preexisting"] == false && life.contains("handshake_ns");
    if (!saw_it_open) {
      // Half seen: marked as such, or the hooks say what they saw; never a life without a single state.
      if (life["states"].empty() && ++wrong <= 3) ADD_FAILURE() << "a life without states: " << life.dump();
      continue;
    }
    ++whole;
    const bool caller = life["role"] == "active";
    const Words states = caller ? active_states : passive_states;
    const bool right = life["outcome"] == "completed" && life["states"].get<Words>() == states &&
                       life["tx_bytes"] == (caller ? 100 : 1000) && life["handshake_ns"] > 0;
    if (!right && ++wrong <= 3) ADD_FAILURE() << life.dump();
  }
  EXPECT_GT(whole, 0);
  EXPECT_EQ(wrong, 0);
  for (const auto& [ends, lives] : by_ends) {
    if (lives.size() < 2) continue;
    // A port comes again only after its first life.
    if (++wrong <= 6) ADD_FAILURE() << "told " << lives.size() << " times: " << lives[0].dump() << lives[1].dump();
  }
}

}  // namespace tcpwitness::live
