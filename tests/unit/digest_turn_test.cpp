// SPDX-License-Identifier: Apache-2.0
// A few ordinary connections are taken before what is over by then is judged: when at the latest, and what finds it
// judged.
#include <gtest/gtest.h>

#include "pipeline/live_correlator.hpp"
#include "unit/digests.hpp"
#include "unit/run.hpp"
#include "unit/stories.hpp"

namespace tcpwitness::testing {
namespace {

constexpr std::int64_t settles_ns = 25 * ms;
constexpr std::int64_t waits_ns = 2 * ms;  // at most, while others are taken first

// Ordinary connections, one behind the other, each of them one event.
class JudgedInTurn : public ::testing::Test {
 protected:
  void take(std::int64_t later_ns, std::uint16_t port) {
    Event event = first_;
    auto& digest = std::get<SocketDigest>(event.body);
    digest.header.cookie += taken_;
    digest.tuple.local_port = port;
    event.id += 100 * taken_++;
    event.ts_ns += later_ns;
    correlator_.feed(event, run_.reports);
  }
  void take_others(std::int64_t from_ns, std::int64_t to_ns) {
    for (std::int64_t at = from_ns; at <= to_ns; at += 100 * us) take(at, port_++);
  }
  [[nodiscard]] std::size_t lives() const { return run_.lives().size(); }
  // Of connections that came each 100 us, from 0 on.
  static std::size_t over_by(std::int64_t ns) {
    return ns < settles_ns ? 0 : static_cast<std::size_t>((ns - settles_ns) / (100 * us)) + 1;
  }

  Event first_ = digest_of(close_first_story().events);
  LiveCorrelator correlator_{life_settings(), kernel_names()};
  RunResult run_;
  std::uint64_t taken_ = 0;
  std::uint16_t port_ = 20'000;
};

TEST_F(JudgedInTurn, WhatIsOverIsJudgedSoonAndNeverBefore) {
  for (std::int64_t at = 0; at <= 60 * ms; at += 100 * us) {
    take(at, port_++);
    EXPECT_LE(lives(), over_by(at)) << at;
    EXPECT_GE(lives(), over_by(at - waits_ns)) << at;
  }
}

TEST_F(JudgedInTurn, WhenTimePassesAllThatIsOverIsJudged) {
  for (const std::int64_t end : {25'000 * us, 25'700 * us, 26'300 * us}) {
    run_ = {};
    correlator_ = LiveCorrelator(life_settings(), kernel_names());
    take_others(0, end);
    correlator_.advance(first_.ts_ns + end, run_.reports);
    EXPECT_EQ(lives(), over_by(end));
  }
}

TEST_F(JudgedInTurn, AnyOtherEventFindsAllThatIsOverJudged) {
  take_others(0, 25'700 * us);
  EXPECT_LT(lives(), over_by(25'700 * us));
  Event other{first_.id + 100'000, first_.ts_ns + 25'700 * us, StateChange{}};
  auto& change = std::get<StateChange>(other.body);
  change.header = std::get<SocketDigest>(first_.body).header;
  change.header.cookie = 7;
  change.old_state = State::close;
  change.new_state = State::listen;
  correlator_.feed(other, run_.reports);
  EXPECT_EQ(lives(), over_by(25'700 * us));
}

// The addresses of one that is over, and not judged yet: it is judged first, and both are whole.
TEST_F(JudgedInTurn, WhoUsesTheSameAddressesAgainFindsItJudged) {
  take(0, 40'000);
  take_others(100 * us, 24'900 * us);
  EXPECT_EQ(lives(), 0U);
  take(25'050 * us, 40'000);
  EXPECT_EQ(lives(), 1U);
  correlator_.finish(first_.ts_ns + 1 * s, run_.reports);
  std::size_t same = 0;
  for (const Life& life : run_.lives()) {
    same += life.flow.local.port == 40'000 ? 1 : 0;
    EXPECT_EQ(life.outcome, Outcome::completed);
    EXPECT_EQ(life.states.back(), State::time_wait);
  }
  EXPECT_EQ(same, 2U);
}

}  // namespace
}  // namespace tcpwitness::testing
