// SPDX-License-Identifier: Apache-2.0
// What a receiver takes and what it must refuse (RFC 9293, 3.10.7), by the segments before: each rule, and its near
// miss.
#include <gtest/gtest.h>

#include "unit/wire_talk.hpp"
#include "wire/acceptance.hpp"

namespace tcpwitness::testing {
namespace {

constexpr std::uint8_t syn_ack = syn_flag | ack_flag;

class Judged {
 public:
  explicit Judged(bool every = true) : acceptance_(every) {}
  Acceptance::Answer ask(const Say& say) { return acceptance_.observe(talk_.segment(say), say.side); }
  bool refuses(const Say& say) { return ask(say).refused; }
  Judged& said(const Say& say) {
    EXPECT_FALSE(refuses(say));
    return *this;
  }
  Judged& shake() { return said({0, 0, 0, 0, syn_flag}).said({1, 0, 1, 0, syn_ack}).said({0, 1, 1}); }

 private:
  Talk talk_;
  Acceptance acceptance_;
};

TEST(Acceptance, ARstForASynMustAcknowledgeIt) {
  Judged j;
  j.said({0, 0, 0, 0, syn_flag});
  EXPECT_TRUE(j.refuses({1, 0, 0, 0, rst_ack}));
  EXPECT_TRUE(j.refuses({1, 0, 2, 0, rst_ack}));
  EXPECT_TRUE(j.refuses({1, 0, 0, 0, rst_flag}));
  EXPECT_FALSE(j.refuses({1, 0, 1, 0, rst_ack}));
}

TEST(Acceptance, AnAckThatALaterOneHasOvertakenClosesAndOpensNoWindow) {
  const auto window = [](std::uint32_t ack, std::uint16_t size, std::uint16_t before) {
    Judged j;
    j.shake().said({0, 1, 1, 100}).said({1, 1, 101, 0, ack_flag, before});
    return j.ask({1, 1, ack, 0, ack_flag, size}).event_flags;
  };
  EXPECT_EQ(window(51, 0, 1000), 0U);
  EXPECT_EQ(window(101, 0, 1000), bits(SegmentEvent::zero_window));
  EXPECT_EQ(window(51, 1000, 0), 0U);
  EXPECT_EQ(window(101, 1000, 0), bits(SegmentEvent::window_open));
}

TEST(Acceptance, ARstForASynWithPayloadMayAcknowledgeThat) {
  Judged j;
  j.said({0, 0, 0, 20, syn_flag});
  EXPECT_TRUE(j.refuses({1, 0, 22, 0, rst_ack}));
  EXPECT_FALSE(j.refuses({1, 0, 21, 0, rst_ack}));
}

TEST(Acceptance, ARstBeforeWhatWasAcknowledgedIsRefused) {
  Judged j;
  j.shake().said({1, 1, 1, 100}).said({0, 1, 101});
  EXPECT_TRUE(j.refuses({1, 100, 1, 0, rst_flag}));
  EXPECT_FALSE(j.refuses({1, 101, 1, 0, rst_flag}));
}

TEST(Acceptance, ARstThatDoesNotCountTheFinBeforeItIsTaken) {
  Judged j;
  j.shake().said({1, 1, 1, 0, fin_flag | ack_flag}).said({0, 1, 2});
  EXPECT_FALSE(j.refuses({1, 1, 1, 0, rst_flag}));
}

TEST(Acceptance, ARstBeyondTheWindowIsRefused) {
  Judged j;
  j.shake().said({0, 1, 1, 0, ack_flag, 1000});  // no scale: the window is 1000 bytes
  EXPECT_TRUE(j.refuses({1, 1002, 1, 0, rst_flag}));
  EXPECT_FALSE(j.refuses({1, 1001, 1, 0, rst_flag}));
}

TEST(Acceptance, WhereNotEverySegmentIsSeenTheWindowMayBeOlder) {
  Judged j(false);
  j.shake();
  EXPECT_TRUE(j.refuses({1, 1'500'000'000, 1, 0, rst_flag}));
  EXPECT_FALSE(j.refuses({1, 5'000'000, 1, 0, rst_flag}));
}

TEST(Acceptance, AChallengeAckAndTheRstItAsksForAreNotOfTheAttempt) {
  Judged j;
  j.said({0, 0, 0, 0, syn_flag});
  EXPECT_TRUE(j.refuses({1, 70'000, 4'000'000'000}));  // RFC 5961, 4: the old connection's numbers
  EXPECT_TRUE(j.refuses({0, 4'000'000'000, 0, 0, rst_flag}));
  j.said({0, 0, 0, 0, syn_flag});
  EXPECT_FALSE(j.refuses({1, 0, 1, 0, syn_ack}));
}

TEST(Acceptance, AnAttemptMayBeWithdrawnByARst) {
  Judged j;
  j.said({0, 0, 0, 0, syn_flag}).said({1, 0, 1, 0, syn_ack});
  EXPECT_FALSE(j.refuses({0, 1, 0, 0, rst_flag}));
}

TEST(Acceptance, BehindASynAckAnythingMayBeMissingBeforeARst) {
  Judged j;
  j.said({0, 0, 0, 0, syn_flag});
  EXPECT_TRUE(j.refuses({0, 50'001, 0, 0, rst_flag})) << "it has sent nothing but a SYN";
  j.said({1, 0, 1, 0, syn_ack, 500});
  EXPECT_FALSE(Judged(j).refuses({0, 50'001, 0, 0, rst_flag}));
  EXPECT_FALSE(Judged(j).refuses({0, 101, 5001, 0, rst_ack}));
  EXPECT_FALSE(Judged(j).refuses({1, 5001, 50'001, 0, rst_ack}));
  j.said({0, 1, 1});
  EXPECT_TRUE(j.refuses({0, 50'001, 0, 0, rst_flag})) << "nothing is missing";
}

TEST(Acceptance, WhatComesBeforeItsSendersSynIsRefused) {
  constexpr std::uint32_t before = 0U - 5'000'000U;
  Judged j;
  j.shake();
  EXPECT_TRUE(j.refuses({1, before, 1, 0, fin_ack}));
  EXPECT_TRUE(j.refuses({0, 0U - 1U, 1, 10}));
  EXPECT_FALSE(j.refuses({1, 0, 1})) << "a keep-alive";
  Judged holes;
  holes.said({0, 0, 0, 0, syn_flag}).said({1, 0, 1, 0, syn_ack});
  EXPECT_FALSE(holes.refuses({1, before, 101, 0, fin_ack})) << "gigabytes may be missing";
}

TEST(Acceptance, WhatBeginsBeyondTheWindowIsDoubtedUntilItsSenderGoesOnThere) {
  Judged j;
  j.shake();
  EXPECT_FALSE(Judged(j).ask({1, 1001, 1, 100}).doubted);
  EXPECT_TRUE(j.ask({1, 1002, 1, 100}).doubted);
  EXPECT_TRUE(Judged(j).ask({1, 1102, 1, 100}).believed);
  EXPECT_TRUE(Judged(j).ask({0, 1, 1102}).believed);
  EXPECT_FALSE(Judged(j).ask({0, 1, 1}).believed);
  EXPECT_TRUE(j.ask({1, 1, 1, 100}).withdrawn);
  EXPECT_FALSE(j.ask({0, 1, 1102}).believed);
}

TEST(Acceptance, AnAckOfFarMoreThanWasSeenIsDoubtedOnce) {
  Judged j;
  j.shake();
  EXPECT_FALSE(Judged(j).ask({0, 1, 1'000'000}).doubted);
  EXPECT_TRUE(j.ask({0, 1, 2'000'000}).doubted);
  EXPECT_FALSE(Judged(j).ask({0, 1, 2'000'000}).doubted);
  EXPECT_FALSE(j.ask({0, 1, 1}).doubted);
  EXPECT_TRUE(j.ask({0, 1, 2'000'000}).doubted);
}

TEST(Acceptance, ASynThatComesLateShowsNothingOfWhatIsDoubted) {
  Judged j;
  j.shake().said({1, 1, 1, 10});
  EXPECT_TRUE(j.ask({1, 5000, 1, 100}).doubted);
  const Acceptance::Answer copy = j.ask({1, 0, 1, 0, syn_ack});
  EXPECT_FALSE(copy.believed);
  EXPECT_FALSE(copy.withdrawn);
  EXPECT_TRUE(j.ask({1, 5100, 1, 100}).believed);
}

TEST(Acceptance, AnEmptySegmentBeyondTheWindowIsDoubtedToo) {
  Judged j;
  j.shake();
  EXPECT_FALSE(Judged(j).ask({1, 1001, 1}).doubted);
  EXPECT_TRUE(j.ask({1, 1002, 1}).doubted);
  EXPECT_TRUE(Judged(j).ask({1, 1002, 1}).believed);
  EXPECT_TRUE(j.ask({1, 1, 1, 100}).withdrawn);
}

TEST(Acceptance, BeforeItsReceiversFirstAckTheWindowIsThatOfTheSynAck) {
  Judged j;
  j.shake();
  EXPECT_FALSE(Judged(j).ask({0, 1001, 1, 100}).doubted);
  EXPECT_TRUE(j.ask({0, 1002, 1, 100}).doubted);
}

TEST(Acceptance, TheHandshakesAckIsDoubtedBeyondWhatASynOffers) {
  Judged j;
  j.said({0, 0, 0, 0, syn_flag}).said({1, 0, 1, 0, syn_ack});
  EXPECT_FALSE(Judged(j).ask({0, 1, 65'536}).doubted);
  EXPECT_TRUE(j.ask({0, 1, 65'537}).doubted);
  EXPECT_FALSE(Judged(j).ask({0, 1, 65'537}).doubted) << "it is repeated";
  EXPECT_FALSE(j.ask({0, 1, 1}).doubted);
}

TEST(Acceptance, WhatComesBeforeTheSynAckIsDoubtedUntilThat) {
  Judged j;
  j.said({0, 0, 0, 0, syn_flag});
  Judged forged(j);
  EXPECT_TRUE(forged.ask({1, 0U - 26'175U, 1, 0, fin_ack}).doubted);
  EXPECT_TRUE(forged.ask({1, 0, 1, 0, syn_ack}).withdrawn);
  EXPECT_TRUE(j.ask({1, 1, 1, 100}).doubted);
  EXPECT_TRUE(Judged(j).ask({1, 0, 1, 0, syn_ack}).believed) << "that comes late";
  EXPECT_TRUE(Judged(j).ask({0, 1, 101}).believed) << "that is missing";
  EXPECT_TRUE(j.ask({1, 101, 1, 100}).believed);
}

TEST(Acceptance, WhatLacksTheAckFlagIsDoubtedUntilItIsAcknowledged) {
  Judged j;
  j.shake();
  EXPECT_FALSE(Judged(j).ask({0, 1, 1, 0, fin_ack}).doubted);
  EXPECT_TRUE(j.ask({0, 1, 0, 0, fin_flag}).doubted);
  EXPECT_TRUE(Judged(j).ask({1, 1, 2}).believed);
  EXPECT_FALSE(Judged(j).ask({1, 1, 1}).believed);
  EXPECT_TRUE(j.ask({0, 1, 1, 100}).withdrawn);
  Judged scan;
  EXPECT_FALSE(scan.ask({0, 1, 0, 0, fin_flag}).doubted) << "there is nothing that it belongs to";
}

TEST(Acceptance, PayloadShowsAnOpenWindowUnlessItWasNotTaken) {
  Judged j;
  j.shake().said({0, 1, 1, 100}).said({1, 1, 101, 0, ack_flag, 0});
  EXPECT_TRUE(j.ask({0, 101, 1, 100}).shows_window);
  EXPECT_TRUE(Judged(j).ask({1, 1, 101, 0, ack_flag, 0}).denies_window);
  EXPECT_FALSE(Judged(j).ask({1, 1, 201, 0, ack_flag, 0}).denies_window) << "it was";
  EXPECT_FALSE(j.ask({1, 1, 101}).denies_window) << "it is open";
  EXPECT_FALSE(j.ask({1, 1, 101, 0, ack_flag, 0}).denies_window) << "nothing was sent meanwhile";
}

TEST(Acceptance, TheSecondOfTwoSynAcksIsRefused) {
  Judged j;
  j.shake();
  EXPECT_TRUE(j.refuses({1, 770'000, 1, 0, syn_ack}));
  EXPECT_FALSE(j.refuses({1, 0, 1, 0, syn_ack}));  // the same again
}

TEST(Acceptance, UnlessTheAckSaysThatItCameFirst) {
  Judged j;
  j.said({0, 0, 0, 0, syn_flag}).said({1, 0, 1, 0, syn_ack});
  EXPECT_TRUE(j.refuses({1, 770'000, 1, 0, syn_ack}));
  const Acceptance::Answer answer = j.ask({0, 1, 770'001});
  EXPECT_FALSE(answer.refused);
  EXPECT_TRUE(answer.restarted);
  Judged first;
  first.said({0, 0, 0, 0, syn_flag}).said({1, 0, 1, 0, syn_ack});
  EXPECT_TRUE(first.refuses({1, 770'000, 1, 0, syn_ack}));
  EXPECT_FALSE(first.ask({0, 1, 1}).restarted);
}

TEST(Acceptance, ARstBehindWhichItsReceiverTakesNewDataWasNotTaken) {
  Judged j;
  j.shake().said({1, 500, 1, 0, rst_flag});  // inside the window: RFC 5961, 3.2 has it challenged
  EXPECT_FALSE(j.ask({1, 1, 1, 100}).resumed);
  EXPECT_TRUE(j.ask({0, 1, 101}).resumed);
}

TEST(Acceptance, WhatWasUnderWayBehindARstProvesNothing) {
  Judged j;
  j.shake().said({0, 1, 1, 100}).said({1, 1, 1, 0, rst_flag});
  EXPECT_FALSE(j.ask({0, 101, 1, 100}).resumed);
  EXPECT_FALSE(j.ask({0, 201, 1, 100}).resumed);
  EXPECT_FALSE(j.ask({1, 1, 301, 0, ack_flag}).resumed);
}

TEST(Acceptance, ARstBehindWhichBothGoOnForAWhileWasNotTaken) {
  Judged j;
  j.shake().said({1, 1, 1, 0, rst_flag}).said({0, 1, 1, 100}).said({1, 1, 101});
  EXPECT_FALSE(j.ask({0, 101, 1, 100}).resumed);
  EXPECT_TRUE(j.ask({0, 201, 1, 100, ack_flag, 1000, 1500}).resumed);
}

}  // namespace
}  // namespace tcpwitness::testing
