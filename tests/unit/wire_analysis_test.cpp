// SPDX-License-Identifier: Apache-2.0
// Each rule of the wire analysis: one segment that it is true of, and one that it is almost true of.
#include <gtest/gtest.h>

#include "unit/wire_talk.hpp"

namespace tcpwitness::testing {
namespace {

namespace is = analysis_flag;

TEST(Analysis, AnOrdinaryTalkHasNothingToSay) {
  Talk talk;
  EXPECT_EQ(talk.flags({0, 0, 0, 0, syn_flag}), 0U);
  EXPECT_EQ(talk.flags({1, 0, 1, 0, syn_flag | ack_flag}), 0U);
  EXPECT_EQ(talk.flags({0, 1, 1}), 0U);
  EXPECT_EQ(talk.flags({0, 1, 1, 100}), 0U);
  EXPECT_EQ(talk.flags({1, 1, 101, 50}), 0U);
  EXPECT_EQ(talk.flags({0, 101, 51, 0, fin_flag | ack_flag}), 0U);
  EXPECT_EQ(talk.flags({1, 51, 102, 0, fin_flag | ack_flag}), 0U);
  EXPECT_EQ(talk.flags({0, 102, 52}), 0U);
}

TEST(Analysis, DataSentAgainIsARetransmission) {
  Talk talk;
  talk.shake().said({0, 1, 1, 100}).said({0, 101, 1, 100});
  EXPECT_EQ(talk.flags({0, 1, 1, 100, ack_flag, 1000, 300}), is::retransmission);
  EXPECT_EQ(talk.flags({0, 201, 1, 100, ack_flag, 1000, 300}), 0U);
}

TEST(Analysis, ASynSentAgainIsARetransmission) {
  Talk talk;
  talk.said({0, 0, 0, 0, syn_flag});
  EXPECT_EQ(talk.flags({0, 0, 0, 0, syn_flag, 1000, 1000}), is::retransmission);
}

TEST(Analysis, WhatComesLateByLessThanARoundTripIsOutOfOrder) {
  const auto late = [](int ms) {
    Talk talk;
    talk.shake().said({0, 101, 1, 100}).said({0, 201, 1, 100});
    return talk.flags({0, 1, 1, 100, ack_flag, 1000, ms});
  };
  EXPECT_EQ(late(19), is::out_of_order);
  EXPECT_EQ(late(21), is::retransmission);
}

TEST(Analysis, WithoutAHandshakeLateMeansLessThanThreeMilliseconds) {
  const auto late = [](int ms) {
    Talk talk;
    talk.said({0, 101, 1, 100}).said({0, 201, 1, 100});
    return talk.flags({0, 1, 1, 100, ack_flag, 1000, ms});
  };
  EXPECT_EQ(late(2), is::out_of_order);
  EXPECT_EQ(late(3), is::retransmission);
}

TEST(Analysis, WhatEndsWhereTheNewestEndsIsNotOutOfOrder) {
  Talk talk;
  talk.shake().said({0, 1, 1, 100});
  EXPECT_EQ(talk.flags({0, 1, 1, 100, ack_flag, 1000, 1}), is::retransmission);
}

TEST(Analysis, TimeThatRunsBackwardsProvesNoReordering) {
  Talk talk;
  talk.shake().said({0, 101, 1, 100}).said({0, 201, 1, 100});
  EXPECT_EQ(talk.flags({0, 1, 1, 100, ack_flag, 1000, -5}), is::retransmission);
}

TEST(Analysis, TwoDuplicateAcksAskForAFastRetransmission) {
  const auto asked = [](int duplicates, int ms) {
    Talk talk;
    talk.shake().said({0, 1, 1, 100}).said({0, 101, 1, 100}).said({0, 201, 1, 100}).said({1, 1, 101});
    for (int i = 0; i < duplicates; ++i) talk.said({1, 1, 101});
    return talk.flags({0, 101, 1, 100, ack_flag, 1000, ms});
  };
  EXPECT_EQ(asked(2, 19), is::retransmission | is::fast_retransmission);
  EXPECT_EQ(asked(1, 19), is::retransmission);
  EXPECT_EQ(asked(2, 21), is::retransmission);
}

TEST(Analysis, WhatIsAcknowledgedAlreadyIsSpurious) {
  const auto again = [](std::uint32_t acked) {
    Talk talk;
    talk.shake().said({0, 1, 1, 100}).said({1, 1, acked});
    return talk.flags({0, 1, 1, 100, ack_flag, 1000, 300});
  };
  EXPECT_EQ(again(101), is::retransmission | is::spurious_retransmission);
  EXPECT_EQ(again(100), is::retransmission);
}

TEST(Analysis, DataThatComesBehindItsOwnAcknowledgementIsSpuriousToo) {
  Talk talk;
  talk.shake().said({1, 1, 101});
  EXPECT_EQ(talk.flags({0, 1, 1, 100}), is::retransmission | is::spurious_retransmission);
}

TEST(Analysis, DuplicateAcksAreNumbered) {
  Talk talk;
  talk.shake().said({0, 1, 1, 100}).said({1, 1, 101});
  for (std::uint32_t i = 1; i <= 3; ++i) {
    const Analysis analysis = talk.say({1, 1, 101});
    EXPECT_EQ(analysis.flags, is::duplicate_ack);
    EXPECT_EQ(analysis.duplicate_ack, i);
  }
  EXPECT_EQ(talk.flags({1, 1, 101, 10}), 0U);                                // it carries data
  EXPECT_EQ(talk.say({1, 11, 101}).duplicate_ack, 4U);                       // which does not end the row
  EXPECT_EQ(talk.flags({1, 11, 101, 0, ack_flag, 900}), is::window_update);  // another window
  EXPECT_EQ(talk.flags({0, 101, 11, 10}), 0U);
  EXPECT_EQ(talk.flags({1, 11, 111, 0, ack_flag, 900}), 0U);  // another acknowledgement
  EXPECT_EQ(talk.say({1, 11, 111, 0, ack_flag, 900}).duplicate_ack, 1U);
}

TEST(Analysis, AHoleBeforeASegmentIsAPreviousOneNotCaptured) {
  Talk talk;
  talk.shake().said({0, 1, 1, 100});
  EXPECT_EQ(talk.flags({0, 102, 1, 100}), is::lost_segment);
  EXPECT_EQ(talk.flags({0, 202, 1, 100}), 0U);
  EXPECT_EQ(talk.flags({0, 400, 1, 0, rst_flag}), 0U);  // a RST's number proves nothing
}

TEST(Analysis, AnAcknowledgementOfWhatWasNotSeenIsToldOnce) {
  Talk talk;
  talk.shake().said({0, 1, 1, 100});
  EXPECT_EQ(talk.flags({1, 1, 101}), 0U);
  EXPECT_EQ(talk.flags({1, 1, 102}), is::ack_lost_segment);
  EXPECT_EQ(talk.flags({1, 1, 200}), 0U);
}

TEST(Analysis, AnAcknowledgementIntoAHoleReachesToTheHighestSeen) {
  Talk talk;
  talk.shake().said({0, 1, 1, 100}).said({0, 201, 1, 100});
  EXPECT_EQ(talk.flags({1, 1, 150}), is::ack_lost_segment);
  EXPECT_EQ(talk.flags({1, 1, 301}), 0U);
  EXPECT_EQ(talk.flags({1, 1, 302}), is::ack_lost_segment);
}

TEST(Analysis, AHoleThatIsFilledMayBeAcknowledged) {
  Talk talk;
  talk.shake().said({0, 1, 1, 100}).said({0, 201, 1, 100}).said({0, 101, 1, 100});
  EXPECT_EQ(talk.flags({1, 1, 301}), 0U);
}

TEST(Analysis, AKeepAliveIsOneBehindAndHasAtMostOneByte) {
  Talk talk;
  talk.shake().said({0, 1, 1, 100}).said({1, 1, 101});
  EXPECT_EQ(talk.flags({0, 100, 1}), is::keep_alive);
  EXPECT_EQ(talk.flags({1, 1, 101}), is::keep_alive_ack);
  EXPECT_EQ(talk.flags({0, 100, 1, 1, ack_flag, 1000, 1000}), is::keep_alive);
  EXPECT_EQ(talk.flags({1, 1, 101}), is::keep_alive_ack);
  // A byte again sooner than any keep-alive timer is sent again.
  EXPECT_EQ(talk.flags({0, 100, 1, 1, ack_flag, 1000, 300}), is::retransmission | is::spurious_retransmission);
  EXPECT_EQ(talk.flags({1, 1, 101}), is::duplicate_ack);
  EXPECT_EQ(talk.flags({0, 99, 1}), 0U);
  EXPECT_EQ(talk.flags({1, 1, 101}), is::duplicate_ack);  // that was no probe
}

TEST(Analysis, AProbeIntoAClosedWindowIsNoKeepAlive) {
  Talk talk;
  talk.shake().said({0, 1, 1, 100});
  EXPECT_EQ(talk.flags({1, 1, 101, 0, ack_flag, 0}), is::zero_window);
  EXPECT_EQ(talk.flags({0, 100, 1}), is::zero_window_probe);
  EXPECT_EQ(talk.flags({1, 1, 101, 0, ack_flag, 0}), is::zero_window | is::zero_window_probe_ack);
  EXPECT_EQ(talk.flags({1, 1, 101, 0, ack_flag, 500}), is::window_update);
  EXPECT_EQ(talk.flags({0, 100, 1}), is::keep_alive);
}

TEST(Analysis, OneNewByteIntoAClosedWindowIsAProbeAndDoesNotAdvance) {
  Talk talk;
  talk.shake().said({0, 1, 1, 100}).said({1, 1, 101, 0, ack_flag, 0});
  EXPECT_EQ(talk.flags({0, 101, 1, 1}), is::zero_window_probe);
  EXPECT_EQ(talk.flags({1, 1, 101, 0, ack_flag, 0}), is::zero_window | is::zero_window_probe_ack);
  EXPECT_EQ(talk.flags({0, 101, 1, 1}), is::zero_window_probe);
  EXPECT_EQ(talk.flags({0, 101, 1, 2}), 0U);
}

TEST(Analysis, AZeroWindowInASynFinOrRstClosesNothing) {
  for (const std::uint8_t flags : {syn_flag, static_cast<std::uint8_t>(fin_flag | ack_flag), rst_flag}) {
    Talk talk;
    EXPECT_EQ(talk.flags({0, 0, 0, 0, flags, 0}) & is::zero_window, 0U) << int{flags};
  }
  EXPECT_EQ(Talk().flags({0, 0, 0, 0, ack_flag, 0}), is::zero_window);
}

TEST(Analysis, TheWholeWindowInFlightIsFull) {
  Talk talk;
  talk.shake().said({1, 1, 1, 0, ack_flag, 300});
  EXPECT_EQ(talk.flags({0, 1, 1, 299}), 0U);
  EXPECT_EQ(talk.flags({0, 300, 1, 1}), is::window_full);
}

TEST(Analysis, WithoutItsSynTheSizeOfAWindowIsNotKnown) {
  Talk talk;
  talk.said({1, 1, 1, 0, ack_flag, 300});
  EXPECT_EQ(talk.flags({0, 1, 1, 300}), 0U);
}

TEST(Analysis, AWindowIsScaledWhereBothAgreed) {
  const auto full = [](bool both, std::uint32_t bytes) {
    Talk talk;
    SeenSegment syn = talk.segment({0, 0, 0, 0, syn_flag});
    SeenSegment answer = talk.segment({1, 0, 1, 0, syn_flag | ack_flag});
    if (both) syn.options = TW_OPT_WSCALE;
    answer.options = TW_OPT_WSCALE;
    answer.wscale = 2;
    WireAnalysis analysis;
    (void)analysis.observe(syn, 0);
    (void)analysis.observe(answer, 1);
    (void)analysis.observe(talk.segment({1, 1, 1, 0, ack_flag, 100}), 1);
    return analysis.observe(talk.segment({0, 1, 1, bytes}), 0).flags;
  };
  EXPECT_EQ(full(true, 400), is::window_full);
  EXPECT_EQ(full(true, 100), 0U);
  EXPECT_EQ(full(false, 100), is::window_full);
}

// Both must offer it, whichever of the two SYNs comes again.
TEST(Analysis, ASynBehindItsAnswerAgreesOnNoWindowScale) {
  const auto shift = [](std::uint8_t of_answer, bool again) {
    SeenSegment syn = Talk().segment({0, 0, 0, 0, syn_flag});
    SeenSegment answer = Talk().segment({1, 0, 1, 0, syn_flag | ack_flag});
    syn.options = bits(TcpOption::window_scale);
    syn.wscale = 7;
    answer.options = of_answer;
    WindowScale client, server;
    WindowScale::note(syn, client, server);
    WindowScale::note(answer, server, client);
    if (again) WindowScale::note(syn, client, server);
    return client.shift;
  };
  for (const bool again : {false, true}) {
    EXPECT_EQ(shift(bits(TcpOption::window_scale), again), 7);
    EXPECT_EQ(shift(0, again), 0);
    EXPECT_EQ(shift(bits(TcpOption::cut_off), again), WindowScale::unknown);
  }
}

// A snap length cut the options of one SYN: what it offers is not known, and no window's size is.
TEST(Analysis, AWindowWhoseScaleWasCutOffHasNoSize) {
  const auto full = [](std::uint8_t of_syn, std::uint8_t of_answer) {
    Talk talk;
    SeenSegment syn = talk.segment({0, 0, 0, 0, syn_flag});
    SeenSegment answer = talk.segment({1, 0, 1, 0, syn_flag | ack_flag});
    syn.options = of_syn;
    answer.options = of_answer;
    WireAnalysis analysis;
    (void)analysis.observe(syn, 0);
    (void)analysis.observe(answer, 1);
    (void)analysis.observe(talk.segment({1, 1, 1, 0, ack_flag, 100}), 1);
    return analysis.observe(talk.segment({0, 1, 1, 100}), 0).flags == is::window_full;
  };
  constexpr std::uint8_t cut = bits(TcpOption::cut_off);
  constexpr std::uint8_t scale = bits(TcpOption::window_scale);  // by 0
  EXPECT_FALSE(full(cut, cut));
  EXPECT_FALSE(full(scale, cut));
  EXPECT_TRUE(full(cut, scale)) << "who answers so was asked so";
  EXPECT_TRUE(full(cut, 0)) << "both must offer it";
  EXPECT_TRUE(full(0, cut)) << "both must offer it";
  EXPECT_TRUE(full(scale | cut, scale | cut)) << "cut behind it";
}

TEST(Analysis, ARefusalHasNoNumberThatTheNextAnswerCouldDisagreeWith) {
  Talk talk(1000, 500'000);
  talk.said({0, 0, 0, 0, syn_flag});
  SeenSegment refusal = talk.segment({1, 0, 1, 0, rst_flag | ack_flag});
  refusal.seq = 0;
  WireAnalysis analysis;
  (void)analysis.observe(talk.segment({0, 0, 0, 0, syn_flag}), 0);
  EXPECT_EQ(analysis.observe(refusal, 1).flags, 0U);
  EXPECT_EQ(analysis.observe(talk.segment({1, 0, 1, 0, syn_flag | ack_flag}), 1).flags, 0U);
}

// Every rule over the end of the sequence space.
TEST(Analysis, SequenceNumbersWrap) {
  Talk talk(0xffffffffU - 100, 0xffffffffU - 50);
  talk.shake().said({0, 1, 1, 90}).said({0, 91, 1, 90});
  EXPECT_EQ(talk.flags({1, 1, 181}), 0U);
  EXPECT_EQ(talk.flags({1, 1, 181}), is::duplicate_ack);
  EXPECT_EQ(talk.flags({0, 91, 1, 90, ack_flag, 1000, 300}), is::retransmission | is::spurious_retransmission);
  EXPECT_EQ(talk.flags({0, 180, 1}), is::keep_alive);
  EXPECT_EQ(talk.flags({0, 200, 1, 10}), is::lost_segment);
  EXPECT_EQ(talk.flags({1, 1, 211}), is::ack_lost_segment);
}

// The acknowledgement of a single byte got lost between here and its sender.
TEST(KeepAlive, IsNoSingleByteOnceMore) {
  constexpr std::uint8_t push = ack_flag | tcp_flag::psh;
  Talk talk;
  talk.shake().said({0, 1, 1, 1, push}).said({1, 1, 2});
  EXPECT_EQ(talk.flags({0, 1, 1, 1, push, 1000, 1500}) & analysis_flag::keep_alive, 0U);
  EXPECT_NE(talk.flags({0, 1, 1, 1, ack_flag, 1000, 1500}) & analysis_flag::keep_alive, 0U);  // any byte, without PSH
  Talk more;
  more.shake().said({0, 1, 1, 5, push}).said({1, 1, 6});
  EXPECT_NE(more.flags({0, 5, 1, 1, push, 1000, 1500}) & analysis_flag::keep_alive, 0U);  // that was no segment
}

}  // namespace
}  // namespace tcpwitness::testing
