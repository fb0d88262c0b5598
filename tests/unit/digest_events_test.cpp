// SPDX-License-Identifier: Apache-2.0
// A whole life in one record: what is written of it at once, and when it is to be taken event by event.
#include "correlate/digest_events.hpp"

#include <gtest/gtest.h>

#include "unit/correlation_parts.hpp"
#include "unit/digests.hpp"
#include "unit/stories.hpp"

namespace tcpwitness::testing {
namespace {

struct Digested {
  explicit Digested(const Story& story, CorrelatorSettings settings = life_settings())
      : parts(std::move(settings)), event(digest_of(story.events)) {
    parts.in.now = event.ts_ns;
  }

  [[nodiscard]] const SocketDigest& digest() const { return std::get<SocketDigest>(event.body); }
  [[nodiscard]] Flow flow() const { return to_flow(digest().tuple); }
  [[nodiscard]] bool take() { return parts.digests.take_whole(event, digest()); }
  [[nodiscard]] const Connection& c() { return *parts.of(digest().header.cookie); }
  [[nodiscard]] Wait wait() const { return parts.wait_of(digest().header.cookie); }

  Parts parts;
  Event event;
};

TEST(DigestEvents, AWholeActiveLifeIsWrittenAtOnce) {
  Digested one(close_first_story());
  ASSERT_TRUE(one.take());
  EXPECT_EQ(one.c().role, Role::active);
  EXPECT_EQ(one.c().owner.pid, curl.pid);
  EXPECT_EQ(one.c().closed_by, ClosedBy::local);
  EXPECT_EQ(one.c().state, State::time_wait);
  EXPECT_TRUE(one.c().teardown->fin_in.sent);
  EXPECT_TRUE(one.c().teardown->fin_out.sent);
  EXPECT_TRUE(one.c().totals.at_destruction);
  EXPECT_GT(one.c().handshake_ns, 0);
  EXPECT_EQ(one.wait(), Wait::settle);
}

TEST(DigestEvents, AWholePassiveLifeIsAnAttemptThatCompleted) {
  Digested one(close_second_story());
  ASSERT_TRUE(one.take());
  EXPECT_EQ(one.c().role, Role::passive);
  EXPECT_EQ(one.c().owner.pid, nginx.pid);
  EXPECT_EQ(one.c().closed_by, ClosedBy::peer);
  EXPECT_EQ(one.c().state, State::close);
  const auto attempts = one.parts.in.attempts.due(0, true);
  ASSERT_TRUE(attempts);
  EXPECT_EQ(attempts->crowd.size(), 1U);
  EXPECT_EQ(attempts->answered, 1U);
  EXPECT_EQ(attempts->completed, 1U);
}

TEST(DigestEvents, FinsThatCrossAreOfBoth) {
  Digested one(simultaneous_close_story());
  ASSERT_TRUE(one.take());
  EXPECT_EQ(one.c().closed_by, ClosedBy::both);
}

TEST(DigestEvents, AnOrphanWaitsForThePeersFin) {
  Digested one(orphan_close_story());
  ASSERT_TRUE(one.take());
  EXPECT_TRUE(one.c().teardown->mini_fin_wait2);
  EXPECT_EQ(one.c().state, State::fin_wait2);
  EXPECT_EQ(one.wait(), Wait::fin_wait2);
}

TEST(DigestEvents, ItsEventsAreCounted) {
  Digested one(close_second_story());
  ASSERT_TRUE(one.take());
  EXPECT_EQ(one.parts.in.count_of(EventKind::state), 5U);
  EXPECT_EQ(one.parts.in.count_of(EventKind::segment), 4U);
  EXPECT_EQ(one.parts.in.count_of(EventKind::owner), 1U);
  EXPECT_EQ(one.parts.in.count_of(EventKind::destroy), 1U);
  EXPECT_EQ(one.parts.digests.events_of(one.event, one.digest()).size(), 11U);
}

// ---- Event by event ----

TEST(DigestEvents, WhatIsLessThanAWholeLifeIsLeft) {
  Digested one(peer_reset_story());
  EXPECT_FALSE(one.take());
  EXPECT_EQ(one.parts.in.table.size(), 0U);
  EXPECT_EQ(one.parts.in.count_of(EventKind::state), 0U);
}

TEST(DigestEvents, WhereSingleEventsAreReportedAllAreLeft) {
  EXPECT_FALSE(Digested(close_first_story(), trace_settings()).take());
}

TEST(DigestEvents, ASocketThatIsKnownIsLeft) {
  Digested one(close_first_story());
  one.parts.in.table.bind_cookie(one.parts.lives.create(0, true), one.digest().header.cookie);
  EXPECT_FALSE(one.take());
}

TEST(DigestEvents, TheAddressesOfAnOlderConnectionAreFreeOnceThatIsReported) {
  for (const bool reported : {false, true}) {
    Digested one(close_first_story());
    const Slot older = one.parts.lives.create(0, true);
    one.parts.in.table.bind_flow(older, one.flow());
    one.parts.in.table.at(older).reported = reported;
    EXPECT_EQ(one.take(), reported);
    EXPECT_EQ(one.parts.in.table.find_flow(one.flow()) == older, !reported);
  }
}

TEST(DigestEvents, ALossBeforeItsBeginningTakesNothingOfIt) {
  for (const std::int64_t later : {0, 1}) {
    Digested one(close_first_story());
    Gap gap{};
    gap.to_ts_ns = 1'000 * s - later;  // where the story begins
    one.parts.in.losses.add(gap);
    EXPECT_EQ(one.take(), later == 1) << later;
  }
}

// No SYN shows when it began.
TEST(DigestEvents, BehindAnyLossAPassiveLifeWithoutPacketsIsLeft) {
  for (const bool lost : {false, true}) {
    Story story = close_second_story();
    std::erase_if(story.events, [](const Event& e) { return std::holds_alternative<Segment>(e.body); });
    CorrelatorSettings settings = life_settings();
    settings.has_wire = false;
    Digested one(story, settings);
    if (lost) one.parts.in.losses.add(Gap{});
    EXPECT_EQ(one.take(), !lost);
  }
}

TEST(DigestEvents, WhereTooManyAreHalfOpenAChildIsLeft) {
  CorrelatorSettings settings = life_settings();
  settings.half_open_limit = 0;
  EXPECT_FALSE(Digested(close_second_story(), settings).take());
  EXPECT_TRUE(Digested(close_first_story(), settings).take()) << "it was asked for by nobody else";
}

// It may be about the connection, which has had no addresses so far.
TEST(DigestEvents, BehindAnIcmpErrorOfNoConnectionItIsLeft) {
  Digested one(close_first_story());
  Stream stream;
  Side c = client_of(stream, 8);
  c.icmp(3, 1, "10.0.0.9", 0);
  one.parts.feed(one.parts.icmp, stream);
  EXPECT_FALSE(one.take());
  one.parts.in.now += 2 * s;
  EXPECT_TRUE(one.take()) << "it was about an earlier connection";
}

}  // namespace
}  // namespace tcpwitness::testing
