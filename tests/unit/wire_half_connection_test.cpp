// SPDX-License-Identifier: Apache-2.0
// What one end has sent and the other has acknowledged (half_connection.hpp), each rule and its near miss, on both
// sides of sequence number 2^32. tests/bpf/half_connection_test.cpp holds bpf/flow.h against it.
#include <gtest/gtest.h>

#include "unit/wire_talk.hpp"
#include "wire/half_connection.hpp"

namespace tcpwitness::testing {
namespace {

constexpr std::uint16_t nothing = 0;

// Numbers are relative to the initial ones; side 0 opens.
class Halves : public ::testing::TestWithParam<std::uint32_t> {
 protected:
  static constexpr std::uint32_t apart = 0x12345678;
  std::uint16_t say(const Say& one) { return take(talk_.segment(one), half_[one.side], half_[one.side ^ 1U]); }
  void shake() {
    EXPECT_EQ(say({0, 0, 0, 0, syn_flag}), bits(SegmentEvent::syn));
    EXPECT_EQ(say({1, 0, 1, 0, syn_flag | ack_flag}), bits(SegmentEvent::syn));
    EXPECT_EQ(say({0, 1, 1}), nothing);
  }
  [[nodiscard]] const HalfConnection& of(unsigned side) const { return half_[side]; }
  [[nodiscard]] std::uint32_t first(unsigned side) const { return side == 0 ? GetParam() : GetParam() + apart; }
  [[nodiscard]] std::uint32_t snd_nxt(unsigned side) const { return of(side).snd_nxt() - first(side); }
  [[nodiscard]] std::uint32_t snd_una(unsigned side) const { return of(side).snd_una() - first(side); }

 private:
  Talk talk_{GetParam(), GetParam() + apart};
  HalfConnection half_[2];
};
INSTANTIATE_TEST_SUITE_P(Wire, Halves,
                         ::testing::Values(1000U, 0xffffffffU, 0xfffffff8U, 0x7ffffff8U, 0xffffffffU - 0x12345678U));

TEST_P(Halves, NothingIsKnownAtFirst) {
  for (const unsigned side : {0U, 1U}) {
    EXPECT_FALSE(of(side).has_isn() || of(side).syn() || of(side).sent() || of(side).acked() || of(side).fin() ||
                 of(side).fin_acked() || of(side).window_closed());
  }
}

TEST_P(Halves, AHandshakeBeginsBothAtTheNumberBehindTheSyn) {
  shake();
  for (const unsigned side : {0U, 1U}) {
    EXPECT_TRUE(of(side).syn());
    EXPECT_EQ(of(side).isn(), first(side));
    EXPECT_EQ(snd_nxt(side), 1U);
    EXPECT_TRUE(of(side).acked());
    EXPECT_EQ(snd_una(side), 1U);
  }
  EXPECT_FALSE(of(0).syn_ack());
  EXPECT_TRUE(of(1).syn_ack());
}

TEST_P(Halves, WithoutASynTheFirstSegmentImpliesBothNumbers) {
  EXPECT_EQ(say({0, 101, 501, 10}), nothing);
  EXPECT_TRUE(of(0).has_isn() && of(1).has_isn());
  EXPECT_FALSE(of(0).syn() || of(1).syn());
  EXPECT_EQ(of(0).isn(), first(0) + 100);
  EXPECT_EQ(of(1).isn(), first(1) + 500);
  EXPECT_TRUE(of(0).sent());
  EXPECT_FALSE(of(1).sent());
  EXPECT_EQ(snd_nxt(0), 111U);
  EXPECT_EQ(snd_una(1), 501U);
  say({0, 50, 400, 10});  // an older one
  EXPECT_EQ(of(0).isn(), first(0) + 100);
  EXPECT_EQ(snd_nxt(0), 111U);
  EXPECT_EQ(snd_una(1), 501U);
}

TEST_P(Halves, TheHighestNumberCountsNotTheNewest) {
  shake();
  say({0, 101, 1, 100});  // behind a hole
  EXPECT_EQ(snd_nxt(0), 201U);
  say({0, 1, 1, 100});  // fills it
  say({0, 1, 1, 50});   // once more
  EXPECT_EQ(snd_nxt(0), 201U);
  say({0, 151, 1, 100});  // overlaps
  EXPECT_EQ(snd_nxt(0), 251U);
  say({1, 1, 251});
  say({1, 1, 201});  // an older acknowledgement
  EXPECT_EQ(snd_una(0), 251U);
}

TEST_P(Halves, AnEmptyAckFromFurtherAheadProvesWhatWasSent) {
  shake();
  EXPECT_EQ(say({0, 101, 1}), nothing);
  EXPECT_EQ(snd_nxt(0), 101U);
}

TEST_P(Halves, FurtherThanAnyWindowTheNumbersBeginAnew) {
  shake();
  say({0, (1U << 30U) + 1, 1, 10});
  EXPECT_EQ(snd_nxt(0), (1U << 30U) + 11);
  say({0, 1, 1, 10});  // as far back as a window is large
  EXPECT_EQ(snd_nxt(0), (1U << 30U) + 11);
  say({0, 0xa0000000, 1, 10});
  EXPECT_EQ(snd_nxt(0), 0xa000000aU);
}

TEST_P(Halves, AFastOpenSynAgainWithoutItsDataTakesNothingBack) {
  say({0, 0, 0, 100, syn_flag});
  EXPECT_EQ(snd_nxt(0), 101U);
  EXPECT_EQ(say({0, 0, 0, 0, syn_flag}), bits(SegmentEvent::syn));
  EXPECT_EQ(snd_nxt(0), 101U);
}

TEST_P(Halves, WhereBothConnectTheSynAckHasTheNumberOfTheSyn) {
  say({0, 0, 0, 0, syn_flag});
  say({1, 0, 0, 0, syn_flag});
  EXPECT_FALSE(of(0).syn_ack() || of(1).syn_ack());
  say({0, 0, 1, 0, syn_flag | ack_flag});
  say({1, 0, 1, 0, syn_flag | ack_flag});
  EXPECT_TRUE(of(0).syn_ack() && of(1).syn_ack());
  EXPECT_EQ(snd_nxt(0), 1U);
  EXPECT_EQ(snd_una(0), 1U);
}

TEST_P(Halves, AFinIsAcknowledgedByTheNumberBehindIt) {
  shake();
  EXPECT_EQ(say({0, 1, 1, 10, fin_flag | ack_flag}), bits(SegmentEvent::fin));
  EXPECT_EQ(of(0).fin_end(), first(0) + 12);
  EXPECT_EQ(snd_nxt(0), 12U);
  EXPECT_EQ(say({1, 1, 11}), nothing);  // all but the FIN
  EXPECT_FALSE(of(0).fin_acked());
  EXPECT_EQ(say({1, 1, 12}), bits(SegmentEvent::fin_ack));
  EXPECT_EQ(say({1, 1, 12}), nothing);
  EXPECT_TRUE(of(0).fin_acked());
  EXPECT_FALSE(of(1).fin());
}

// A capture of 1998 has 62 as the length of each segment; its FIN carried 906 bytes.
TEST_P(Halves, AFinOfWrongLengthIsAcknowledgedByWhatIsFurtherOn) {
  shake();
  EXPECT_EQ(say({0, 1, 1, 62, fin_flag | ack_flag}), bits(SegmentEvent::fin));
  EXPECT_EQ(say({1, 1, 63}), nothing);
  EXPECT_EQ(say({1, 1, 908}), bits(SegmentEvent::fin_ack));
}

TEST_P(Halves, AFinThatAcknowledgesAFinIsBoth) {
  shake();
  say({1, 1, 1, 0, fin_flag | ack_flag});
  EXPECT_EQ(say({0, 1, 2, 0, fin_flag | ack_flag}), bits(SegmentEvent::fin, SegmentEvent::fin_ack));
  EXPECT_EQ(say({1, 2, 2}), bits(SegmentEvent::fin_ack));
  EXPECT_TRUE(of(0).fin_acked() && of(1).fin_acked());
}

TEST_P(Halves, AFinWithoutAckAcknowledgesNothing) {
  shake();
  say({1, 1, 1, 0, fin_flag | ack_flag});
  EXPECT_EQ(say({0, 1, 2, 0, fin_flag}), bits(SegmentEvent::fin));
  EXPECT_FALSE(of(1).fin_acked());
}

TEST_P(Halves, AClosedWindowOpensOnce) {
  shake();
  EXPECT_EQ(say({1, 1, 1, 0, ack_flag, 0}), bits(SegmentEvent::zero_window));
  EXPECT_EQ(say({1, 1, 1, 0, ack_flag, 0}), bits(SegmentEvent::zero_window));
  EXPECT_TRUE(of(1).window_closed());
  EXPECT_FALSE(of(0).window_closed());
  EXPECT_EQ(say({1, 1, 1, 0, ack_flag, 1}), bits(SegmentEvent::window_open));
  EXPECT_EQ(say({1, 1, 1, 0, ack_flag, 1}), nothing);
}

// RFC 9293, 3.10.7.4: SND.WL1.
TEST_P(Halves, ASegmentThatALaterOneHasOvertakenClosesNoWindow) {
  shake();
  EXPECT_EQ(say({1, 101, 1, 100}), nothing);
  EXPECT_EQ(say({1, 1, 1, 100, ack_flag, 0}), nothing);
  EXPECT_FALSE(of(1).window_closed());
  EXPECT_EQ(say({1, 101, 1, 0, ack_flag, 0}), bits(SegmentEvent::zero_window));
  EXPECT_EQ(say({1, 1, 1, 100, ack_flag, 9}), nothing);
  say({0, 1, 201, 10});
  EXPECT_EQ(say({1, 1, 11, 100, ack_flag, 9}), bits(SegmentEvent::window_open)) << "it acknowledges more";
}

TEST_P(Halves, NothingIsBeforeTheSynWhereTheNumbersCanHaveComeRound) {
  shake();
  EXPECT_TRUE(of(0).before_syn(first(0) - 1));
  EXPECT_FALSE(of(0).before_syn(first(0)));
  say({0, (1U << 30U) + 1, 1, 10});
  EXPECT_FALSE(of(0).before_syn(first(0) - 1));
}

TEST_P(Halves, ASynAckCanCloseTheWindowASynCannot) {
  say({0, 0, 0, 0, syn_flag, 0});
  EXPECT_FALSE(of(0).window_closed());
  EXPECT_EQ(say({1, 0, 1, 0, syn_flag | ack_flag, 0}), bits(SegmentEvent::syn));
  EXPECT_TRUE(of(1).window_closed());
  EXPECT_EQ(say({1, 1, 1}), bits(SegmentEvent::window_open));
}

TEST_P(Halves, ARstMovesNothing) {
  shake();
  say({0, 1, 1, 0, fin_flag | ack_flag});
  EXPECT_EQ(say({1, 70000, 2, 0, rst_flag | ack_flag, 0}), bits(SegmentEvent::rst));
  EXPECT_EQ(snd_nxt(1), 1U);
  EXPECT_EQ(snd_una(0), 1U);
  EXPECT_FALSE(of(0).fin_acked() || of(1).window_closed());
}

TEST_P(Halves, AFinInASynIsNotLookedAt) {
  EXPECT_EQ(say({0, 0, 0, 0, syn_flag | fin_flag}), bits(SegmentEvent::syn));
  EXPECT_FALSE(of(0).fin());
}

}  // namespace
}  // namespace tcpwitness::testing
