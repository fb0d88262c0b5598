// SPDX-License-Identifier: Apache-2.0
// flow_data_test.cpp: the rules of bpf/flow.h for what happens inside a flow: ordinary segments are
// silent; retransmissions, holes, probes and closed windows are events. True and almost true.
#include <algorithm>
#include <chrono>
#include <thread>

#include "bpf/conversation.hpp"

namespace tcpwitness::wire_test {
namespace {

class FlowData : public FlowSuite {
 protected:
  // Both sides have sent 100 bytes and stand at 101.
  void SetUp() override {
    FlowSuite::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    flow().handshake();
    EXPECT_EQ(flow().opener({.seq = 1, .ack_number = 1, .flags = ack | psh, .payload = bytes(100)}), silent);
    EXPECT_EQ(flow().accepter({.seq = 1, .ack_number = 101, .payload = bytes(100)}), silent);
    EXPECT_EQ(flow().opener({.seq = 101, .ack_number = 101}), silent);
  }
};
INSTANTIATE_TEST_SUITE_P(Wire, FlowData, testing::ValuesIn(scenes()), scene_name);

TEST_P(FlowData, OrdinaryDataAndAcknowledgementsAreSilent) {
  for (std::uint32_t at = 101; at < 5000; at += 700) {
    EXPECT_EQ(flow().opener({.seq = at, .ack_number = at, .payload = bytes(700)}), silent);
    EXPECT_EQ(flow().accepter({.seq = at, .ack_number = at + 700}), silent);
    EXPECT_EQ(flow().accepter({.seq = at, .ack_number = at + 700, .flags = ack | psh | urg, .payload = bytes(700)}),
              silent);
    EXPECT_EQ(flow().opener({.seq = at + 700, .ack_number = at + 700, .flags = ack | ece}), silent);
    EXPECT_EQ(flow().opener({.seq = at + 700, .ack_number = at + 700}), silent);  // a duplicate ACK
  }
}

TEST_P(FlowData, PayloadBelowTheHighestNumberIsARetransmission) {
  EXPECT_EQ(flow().opener({.seq = 1, .ack_number = 101, .payload = bytes(100)}), TW_EVENT_RETRANSMISSION);
  EXPECT_EQ(flow().opener({.seq = 99, .ack_number = 101, .payload = bytes(2)}), TW_EVENT_RETRANSMISSION);
  EXPECT_EQ(flow().opener({.seq = 101, .ack_number = 101, .payload = bytes(1)}), silent);  // the next byte
  EXPECT_EQ(flow().opener({.seq = 50, .ack_number = 101}), silent);                        // no payload
}

TEST_P(FlowData, PayloadBehindAHoleIsOutOfOrder) {
  EXPECT_EQ(flow().accepter({.seq = 102, .ack_number = 101, .payload = bytes(10)}), TW_EVENT_OUT_OF_ORDER);
  EXPECT_EQ(flow().accepter({.seq = 112, .ack_number = 101, .payload = bytes(10)}), silent);  // right behind it
  EXPECT_EQ(flow().accepter({.seq = 200, .ack_number = 101}), silent);                        // no payload
}

using Clock = std::chrono::steady_clock;

// A stacked copy comes within 10 ms, jiffies counted; another program may have had the processor for that long.
bool too_late_for_a_copy(Clock::time_point begun) { return Clock::now() - begun > std::chrono::milliseconds(5); }

// A hole is filled: sooner than a round trip it is the late original, later it was sent again. How long things take
// here is measured, as another program may have the processor meanwhile.
TEST_P(FlowData, WhatFillsAHoleIsReorderedOrSentAgainByTheTimeItTook) {
  using namespace std::chrono_literals;
  flow().open_anew(70000);
  const auto begun = Clock::now();
  EXPECT_EQ(flow().opener({.seq = 0, .ack_number = 0, .flags = syn}), TW_EVENT_SYN);
  std::this_thread::sleep_for(50ms);
  EXPECT_EQ(flow().accepter({.seq = 0, .ack_number = 1, .flags = syn | ack}) & TW_EVENT_SYN, TW_EVENT_SYN);
  std::this_thread::sleep_for(50ms);
  EXPECT_EQ(flow().opener({.seq = 1, .ack_number = 1}), TW_EVENT_HANDSHAKE_ACK);
  const auto round_trip_at_most = Clock::now() - begun;
  EXPECT_EQ(flow().accepter({.seq = 1, .ack_number = 1, .payload = bytes(10)}), silent);
  const auto before_hole = Clock::now();
  EXPECT_EQ(flow().accepter({.seq = 21, .ack_number = 1, .payload = bytes(10)}), TW_EVENT_OUT_OF_ORDER);
  EXPECT_EQ(flow().last().reordered, 0);
  const int filled = flow().accepter({.seq = 11, .ack_number = 1, .payload = bytes(10)});
  if (Clock::now() - before_hole > 45ms) GTEST_SKIP() << "this machine took a round trip for two segments";
  EXPECT_EQ(filled, TW_EVENT_OUT_OF_ORDER);
  EXPECT_EQ(flow().last().reordered, 1);
  EXPECT_EQ(flow().opener({.seq = 1, .ack_number = 31}), silent);
  EXPECT_EQ(flow().accepter({.seq = 41, .ack_number = 1, .payload = bytes(10)}), TW_EVENT_OUT_OF_ORDER);
  std::this_thread::sleep_for(round_trip_at_most + 10ms);
  EXPECT_EQ(flow().accepter({.seq = 31, .ack_number = 1, .payload = bytes(10)}), TW_EVENT_RETRANSMISSION);
  EXPECT_EQ(flow().again_segments_of_accepter(), 1U);
  EXPECT_EQ(flow().late_segments_of_accepter(), 1U);
}

// The SYN-ACK was lost, so the SYN comes again: that answers nothing, and the round trip is not the second that it
// took.
TEST_P(FlowData, ASynThatComesAgainIsNoRoundTrip) {
  using namespace std::chrono_literals;
  flow().open_anew(70000);
  EXPECT_EQ(flow().opener({.seq = 0, .ack_number = 0, .flags = syn}), TW_EVENT_SYN);
  EXPECT_EQ(flow().accepter({.seq = 0, .ack_number = 1, .flags = syn | ack}) & TW_EVENT_SYN, TW_EVENT_SYN);
  std::this_thread::sleep_for(300ms);
  EXPECT_EQ(flow().opener({.seq = 0, .ack_number = 0, .flags = syn}), TW_EVENT_SYN | TW_EVENT_RETRANSMISSION);
  const auto begun = Clock::now();
  EXPECT_EQ(flow().accepter({.seq = 0, .ack_number = 1, .flags = syn | ack}) & TW_EVENT_SYN, TW_EVENT_SYN);
  EXPECT_EQ(flow().opener({.seq = 1, .ack_number = 1}), TW_EVENT_HANDSHAKE_ACK);
  if (Clock::now() - begun > 50ms) GTEST_SKIP() << "this machine took a long round trip for two segments";
  EXPECT_EQ(flow().opener({.seq = 11, .ack_number = 1, .payload = bytes(10)}), TW_EVENT_OUT_OF_ORDER);
  std::this_thread::sleep_for(100ms);
  EXPECT_EQ(flow().opener({.seq = 1, .ack_number = 1, .payload = bytes(10)}), TW_EVENT_RETRANSMISSION);
}

// A GSO or GRO packet is as many segments as it holds; of an overlap only those with old bytes in them.
TEST_P(FlowData, WhatIsSentAgainCountsInSegments) {
  EXPECT_EQ(flow().opener({.seq = 101, .ack_number = 101, .payload = bytes(1000)}), silent);
  EXPECT_EQ(flow().opener({.seq = 601, .ack_number = 101, .payload = bytes(500)}), TW_EVENT_RETRANSMISSION);
  EXPECT_EQ(flow().again_segments_of_opener(), 1U);
  EXPECT_EQ(flow().opener({.seq = 100, .ack_number = 101, .payload = bytes(1)}) & TW_EVENT_RETRANSMISSION,
            TW_EVENT_RETRANSMISSION);
}

// Over another path the same numbers are another frame: its IPv4 identification differs, or it is late.
TEST_P(FlowData, ARetransmissionOverAnotherPathIsNoStackedCopy) {
  const Arrival other{.ifindex = wire->second_interface()};
  const auto begun = Clock::now();
  EXPECT_EQ(flow().opener({.seq = 101, .ack_number = 101, .payload = bytes(10)}), silent);
  const int copy = flow().opener({.seq = 101, .ack_number = 101, .payload = bytes(10), .copy = true}, other);
  if (too_late_for_a_copy(begun)) GTEST_SKIP() << "this machine took too long for two segments";
  EXPECT_EQ(copy, silent);
  std::this_thread::sleep_for(std::chrono::milliseconds(30));
  EXPECT_EQ(flow().opener({.seq = 101, .ack_number = 101, .payload = bytes(10)}, other), TW_EVENT_RETRANSMISSION);
}

TEST_P(FlowData, AFinBehindAHoleIsOutOfOrder) {
  EXPECT_EQ(flow().opener({.seq = 201, .ack_number = 101, .flags = fin | ack}), TW_EVENT_FIN | TW_EVENT_OUT_OF_ORDER);
}

TEST_P(FlowData, AProbeOneBelowTheNextByteIsAKeepAlive) {
  EXPECT_EQ(flow().opener({.seq = 100, .ack_number = 101}), TW_EVENT_KEEPALIVE);
  EXPECT_EQ(flow().accepter({.seq = 101, .ack_number = 101}), TW_EVENT_KEEPALIVE_ACK);
  EXPECT_EQ(flow().accepter({.seq = 101, .ack_number = 101}), silent);
  EXPECT_EQ(flow().opener({.seq = 99, .ack_number = 101}), silent);  // two below
  EXPECT_EQ(flow().accepter({.seq = 101, .ack_number = 101}), silent);
}

// Of another stack. This machine's TCP sends empty ones: its old byte is a retransmission.
TEST_P(FlowData, AKeepAliveThatComesInMayCarryOneOldByteNotTwo) {
  const bool comes_in = GetParam().we_open;
  EXPECT_EQ(flow().accepter({.seq = 100, .ack_number = 101, .payload = bytes(1)}),
            comes_in ? TW_EVENT_KEEPALIVE | TW_EVENT_RETRANSMISSION : TW_EVENT_RETRANSMISSION);
  EXPECT_EQ(flow().opener({.seq = 101, .ack_number = 101}), comes_in ? TW_EVENT_KEEPALIVE_ACK : silent);
  EXPECT_EQ(flow().accepter({.seq = 100, .ack_number = 101, .payload = bytes(2)}), TW_EVENT_RETRANSMISSION);
  EXPECT_EQ(flow().opener({.seq = 101, .ack_number = 102}), silent);
}

// The acknowledgement of a single byte got lost: it is sent again as it was. A keep-alive's byte has no PSH.
TEST_P(FlowData, ASingleByteAgainIsNoKeepAlive) {
  const bool comes_in = GetParam().we_open;
  EXPECT_EQ(flow().accepter({.seq = 101, .ack_number = 101, .flags = ack | psh, .payload = bytes(1)}), silent);
  EXPECT_EQ(flow().opener({.seq = 101, .ack_number = 102}), silent);
  EXPECT_EQ(flow().accepter({.seq = 101, .ack_number = 101, .flags = ack | psh, .payload = bytes(1)}),
            TW_EVENT_RETRANSMISSION);
  EXPECT_EQ(flow().accepter({.seq = 101, .ack_number = 101, .flags = ack, .payload = bytes(1)}),
            comes_in ? TW_EVENT_KEEPALIVE | TW_EVENT_RETRANSMISSION : TW_EVENT_RETRANSMISSION);
}

// SND.UNA - 1 is acknowledged. An ACK that a byte has overtaken repeats the same number.
TEST_P(FlowData, AnAckOfWhatWasNotAcknowledgedIsNoKeepAlive) {
  EXPECT_EQ(flow().accepter({.seq = 101, .ack_number = 101, .payload = bytes(1)}), silent);
  EXPECT_EQ(flow().accepter({.seq = 101, .ack_number = 101}), silent);
  EXPECT_EQ(flow().opener({.seq = 101, .ack_number = 102}), silent);
  EXPECT_EQ(flow().accepter({.seq = 101, .ack_number = 101}), TW_EVENT_KEEPALIVE);
}

// Where no payload has passed SND.UNA - 1 is the number of the SYN.
TEST_P(FlowData, AnIdleConnectionWithoutPayloadHasKeepAlivesToo) {
  flow().open_anew(80000);
  EXPECT_EQ(flow().opener({.seq = 0, .ack_number = 0, .flags = syn}), TW_EVENT_SYN);
  EXPECT_EQ(flow().accepter({.seq = 0, .ack_number = 1, .flags = syn | ack}) & TW_EVENT_SYN, TW_EVENT_SYN);
  EXPECT_EQ(flow().opener({.seq = 1, .ack_number = 1}), TW_EVENT_HANDSHAKE_ACK);
  EXPECT_EQ(flow().opener({.seq = 0, .ack_number = 1}), TW_EVENT_KEEPALIVE);
  EXPECT_EQ(flow().accepter({.seq = 1, .ack_number = 1}), TW_EVENT_KEEPALIVE_ACK);
  EXPECT_EQ(flow().accepter({.seq = 0, .ack_number = 1}), TW_EVENT_KEEPALIVE);
  EXPECT_EQ(flow().opener({.seq = 1, .ack_number = 1}), TW_EVENT_KEEPALIVE_ACK);
}

TEST_P(FlowData, BeforeTheHandshakeIsDoneTheNumberOfASynIsNoKeepAlive) {
  flow().open_anew(90000);
  EXPECT_EQ(flow().opener({.seq = 0, .ack_number = 0, .flags = syn}), TW_EVENT_SYN);
  EXPECT_EQ(flow().accepter({.seq = 0, .ack_number = 1, .flags = syn | ack}) & TW_EVENT_SYN, TW_EVENT_SYN);
  EXPECT_EQ(flow().accepter({.seq = 0, .ack_number = 1}), silent);
}

TEST_P(FlowData, ASynAckCanCloseTheWindow) {
  flow().open_anew(95000);
  EXPECT_EQ(flow().opener({.seq = 0, .ack_number = 0, .flags = syn}), TW_EVENT_SYN);
  const int answer = flow().accepter({.seq = 0, .ack_number = 1, .flags = syn | ack, .window = 0});
  EXPECT_EQ(answer & TW_EVENT_ZERO_WINDOW, 0) << "by itself it is no fault";
  EXPECT_EQ(flow().opener({.seq = 1, .ack_number = 1}), TW_EVENT_HANDSHAKE_ACK);
  EXPECT_EQ(flow().opener({.seq = 0, .ack_number = 1}), TW_EVENT_KEEPALIVE);  // the correlator decides which it is
  EXPECT_EQ(flow().accepter({.seq = 1, .ack_number = 1}), TW_EVENT_KEEPALIVE_ACK | TW_EVENT_WINDOW_OPEN);
}

TEST_P(FlowData, AnAckWithTheNumberOfAFinIsNoKeepAlive) {
  EXPECT_EQ(flow().opener({.seq = 101, .ack_number = 101, .flags = fin | ack}), TW_EVENT_FIN);
  EXPECT_EQ(flow().opener({.seq = 101, .ack_number = 101}), silent);
}

TEST_P(FlowData, ABareAckThatOvertookPayloadMakesItNoRetransmission) {
  EXPECT_EQ(flow().opener({.seq = 151, .ack_number = 101}), silent);
  EXPECT_EQ(flow().opener({.seq = 101, .ack_number = 101, .payload = bytes(50)}), silent);
  EXPECT_EQ(flow().opener({.seq = 151, .ack_number = 101, .payload = bytes(50)}), silent);
}

TEST_P(FlowData, UnansweredKeepAlivesAreAllTold) {
  for (int i = 0; i < 3; i++) EXPECT_EQ(flow().opener({.seq = 100, .ack_number = 101}), TW_EVENT_KEEPALIVE);
  EXPECT_EQ(flow().accepter({.seq = 101, .ack_number = 101}), TW_EVENT_KEEPALIVE_ACK);
}

TEST_P(FlowData, AKeepAliveIsNoAnswerToAKeepAlive) {
  EXPECT_EQ(flow().opener({.seq = 100, .ack_number = 101}), TW_EVENT_KEEPALIVE);
  EXPECT_EQ(flow().accepter({.seq = 100, .ack_number = 101}), TW_EVENT_KEEPALIVE);
  EXPECT_EQ(flow().opener({.seq = 101, .ack_number = 101}), TW_EVENT_KEEPALIVE_ACK);
  EXPECT_EQ(flow().accepter({.seq = 101, .ack_number = 101}), TW_EVENT_KEEPALIVE_ACK);
}

TEST_P(FlowData, AWindowOfZeroIsToldUntilItOpens) {
  EXPECT_EQ(flow().accepter({.seq = 101, .ack_number = 101, .window = 1}), silent);
  EXPECT_EQ(flow().accepter({.seq = 101, .ack_number = 101, .window = 0}), TW_EVENT_ZERO_WINDOW);
  EXPECT_EQ(flow().accepter({.seq = 101, .ack_number = 101, .window = 0}), TW_EVENT_ZERO_WINDOW);
  EXPECT_EQ(flow().opener({.seq = 101, .ack_number = 101, .window = 1}), silent);  // the other direction's
  EXPECT_EQ(flow().accepter({.seq = 101, .ack_number = 101, .window = 1}), TW_EVENT_WINDOW_OPEN);
  EXPECT_EQ(flow().accepter({.seq = 101, .ack_number = 101, .window = 2}), silent);
}

// The wire shows it before IP looks at its options and extension headers.
TEST_P(FlowData, WhatIpCanDiscardClosesNoWindow) {
  const bool leaves = !GetParam().we_open;
  flow().extra_headers(true);
  EXPECT_EQ(flow().accepter({.seq = 101, .ack_number = 101, .window = 0}), leaves ? TW_EVENT_ZERO_WINDOW : silent);
  flow().extra_headers(false);
  EXPECT_EQ(flow().accepter({.seq = 101, .ack_number = 101, .window = 1}), leaves ? TW_EVENT_WINDOW_OPEN : silent);
  EXPECT_EQ(flow().accepter({.seq = 101, .ack_number = 101, .window = 0}), TW_EVENT_ZERO_WINDOW);
}

TEST_P(FlowData, PayloadIntoAClosedWindowIsAProbe) {
  EXPECT_EQ(flow().opener({.seq = 101, .ack_number = 101, .payload = bytes(1)}), silent);
  EXPECT_EQ(flow().accepter({.seq = 101, .ack_number = 102, .window = 0}), TW_EVENT_ZERO_WINDOW);
  EXPECT_EQ(flow().opener({.seq = 102, .ack_number = 101}), silent);  // no payload
  EXPECT_EQ(flow().opener({.seq = 102, .ack_number = 101, .payload = bytes(1)}), TW_EVENT_WINDOW_PROBE);
  EXPECT_EQ(flow().opener({.seq = 102, .ack_number = 101, .payload = bytes(1)}), TW_EVENT_WINDOW_PROBE);
  EXPECT_EQ(flow().accepter({.seq = 101, .ack_number = 103, .window = 9}), TW_EVENT_WINDOW_OPEN);
  EXPECT_EQ(flow().opener({.seq = 103, .ack_number = 101, .payload = bytes(1)}), silent);
}

// Windows and BSD probe with the byte at SND.NXT. The receiver refuses it, and the sender goes on from there.
TEST_P(FlowData, TheByteThatAProbeTriesIsNotSentAgain) {
  EXPECT_EQ(flow().accepter({.seq = 101, .ack_number = 101, .window = 0}), TW_EVENT_ZERO_WINDOW);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(flow().opener({.seq = 101, .ack_number = 101, .payload = bytes(1)}), TW_EVENT_WINDOW_PROBE);
    EXPECT_EQ(flow().opener({.seq = 101, .ack_number = 101}), silent);  // between the probes SND.NXT is what it was
    EXPECT_EQ(flow().accepter({.seq = 101, .ack_number = 101, .window = 0}), TW_EVENT_ZERO_WINDOW);
  }
  EXPECT_EQ(flow().accepter({.seq = 101, .ack_number = 101}), TW_EVENT_WINDOW_OPEN);
  EXPECT_EQ(flow().opener({.seq = 101, .ack_number = 101, .payload = bytes(1000)}), silent);
  EXPECT_EQ(flow().half(0)->nxt, flow().first(0) + 1101);
  EXPECT_EQ(flow().opener({.seq = 101, .ack_number = 101, .payload = bytes(1000)}), TW_EVENT_RETRANSMISSION);
  EXPECT_EQ(flow().bytes_of_opener(), 2100U);
  EXPECT_EQ(flow().again_of_opener(), 1000U);
  EXPECT_EQ(flow().again_segments_of_opener(), 1U);
}

TEST_P(FlowData, ASingleByteBehindAProbeIsNewOnce) {
  EXPECT_EQ(flow().accepter({.seq = 101, .ack_number = 101, .window = 0}), TW_EVENT_ZERO_WINDOW);
  EXPECT_EQ(flow().opener({.seq = 101, .ack_number = 101, .payload = bytes(1)}), TW_EVENT_WINDOW_PROBE);
  EXPECT_EQ(flow().accepter({.seq = 101, .ack_number = 101}), TW_EVENT_WINDOW_OPEN);
  const Segment data{.seq = 101, .ack_number = 101, .flags = ack | psh, .payload = bytes(1)};
  EXPECT_EQ(flow().opener(data), silent);
  EXPECT_EQ(flow().opener(data), TW_EVENT_RETRANSMISSION);
  EXPECT_EQ(flow().bytes_of_opener(), 102U);
  EXPECT_EQ(flow().again_of_opener(), 1U);
}

// Some receivers take the byte although their window is closed.
TEST_P(FlowData, AProbesByteThatWasTakenIsSentAgain) {
  const bool leaves = GetParam().we_open;
  EXPECT_EQ(flow().accepter({.seq = 101, .ack_number = 101, .window = 0}), TW_EVENT_ZERO_WINDOW);
  EXPECT_EQ(flow().opener({.seq = 101, .ack_number = 101, .payload = bytes(1)}), TW_EVENT_WINDOW_PROBE);
  EXPECT_EQ(flow().accepter({.seq = 101, .ack_number = 102, .window = 0}), TW_EVENT_ZERO_WINDOW);
  EXPECT_EQ(flow().opener({.seq = 101, .ack_number = 101, .payload = bytes(1)}),
            TW_EVENT_WINDOW_PROBE | TW_EVENT_RETRANSMISSION | (leaves ? 0 : TW_EVENT_KEEPALIVE));
  EXPECT_EQ(flow().accepter({.seq = 101, .ack_number = 102}),
            TW_EVENT_WINDOW_OPEN | (leaves ? 0 : TW_EVENT_KEEPALIVE_ACK));
  EXPECT_EQ(flow().opener({.seq = 101, .ack_number = 101, .payload = bytes(10)}), TW_EVENT_RETRANSMISSION);
  EXPECT_EQ(flow().again_of_opener(), 2U);
  EXPECT_EQ(flow().bytes_of_opener(), 112U);
}

// The window had been opened, so nothing of it is closed when the acknowledgement comes.
TEST_P(FlowData, AProbesByteThatWasTakenLaterIsSentAgain) {
  EXPECT_EQ(flow().accepter({.seq = 101, .ack_number = 101, .window = 0}), TW_EVENT_ZERO_WINDOW);
  EXPECT_EQ(flow().opener({.seq = 101, .ack_number = 101, .payload = bytes(1)}), TW_EVENT_WINDOW_PROBE);
  EXPECT_EQ(flow().accepter({.seq = 101, .ack_number = 101}), TW_EVENT_WINDOW_OPEN);
  EXPECT_EQ(flow().accepter({.seq = 101, .ack_number = 102}), silent);
  EXPECT_EQ(flow().opener({.seq = 101, .ack_number = 101, .payload = bytes(10)}), TW_EVENT_RETRANSMISSION);
}

// It was on its way when the window closed.
TEST_P(FlowData, MorePayloadThanAByteIntoAClosedWindowIsNoProbe) {
  EXPECT_EQ(flow().accepter({.seq = 101, .ack_number = 101, .window = 0}), TW_EVENT_ZERO_WINDOW);
  EXPECT_EQ(flow().opener({.seq = 101, .ack_number = 101, .payload = bytes(1000)}), silent);
}

TEST_P(FlowData, TheCountersAreExact) {
  EXPECT_EQ(flow().opener({.seq = 101, .ack_number = 101, .payload = bytes(1000)}, {.gso_segs = 1}), silent);
  EXPECT_EQ(flow().opener({.seq = 101, .ack_number = 101, .payload = bytes(300)}), TW_EVENT_RETRANSMISSION);
  EXPECT_EQ(flow().bytes_of_opener(), 1400U);
  EXPECT_EQ(flow().again_of_opener(), 300U);
  EXPECT_EQ(flow().segments_of_opener(), 6U);
  EXPECT_EQ(flow().bytes_of_accepter(), 100U);
  EXPECT_EQ(flow().segments_of_accepter(), 2U);
  EXPECT_EQ(flow().accepter({.seq = 1, .ack_number = 101, .payload = bytes(100)}), TW_EVENT_RETRANSMISSION);
  EXPECT_EQ(flow().bytes_of_accepter(), 200U);
  EXPECT_EQ(flow().again_of_accepter(), 100U);
  EXPECT_EQ(flow().segments_of_accepter(), 3U);
  EXPECT_EQ(flow().again_of_opener(), 300U);
}

// GRO glues a retransmission to the new data behind it: only the old part was sent again.
TEST_P(FlowData, OnlyTheOldPartOfAnOverlapCountsAsSentAgain) {
  EXPECT_EQ(flow().opener({.seq = 51, .ack_number = 101, .payload = bytes(1000)}), TW_EVENT_RETRANSMISSION);
  EXPECT_EQ(flow().bytes_of_opener(), 1100U);
  EXPECT_EQ(flow().again_of_opener(), 50U);
  EXPECT_EQ(flow().opener({.seq = 1051, .ack_number = 101, .payload = bytes(1)}), silent);
}

// The network delivers a packet twice: IPv4 shows it by its identification, and every other segment of TCP has another.
TEST_P(FlowData, APacketThatComesInTwiceIsNoRetransmission) {
  const bool comes_in = GetParam().we_open;
  const bool known = comes_in && GetParam().family == Family::ipv4;
  const Segment data{.seq = 101, .ack_number = 101, .payload = bytes(10)};
  Segment copy = data;
  copy.copy = true;
  EXPECT_EQ(flow().accepter(data), silent);
  EXPECT_EQ(flow().accepter(copy), known ? 0 : TW_EVENT_RETRANSMISSION);
  EXPECT_EQ(flow().last().duplicate, known ? 1 : 0);
  EXPECT_EQ(flow().last().loss.duplicate_segs_in, known ? 1U : 0U);
  EXPECT_EQ(flow().accepter(data), TW_EVENT_RETRANSMISSION);  // the same numbers in another packet
  EXPECT_EQ(flow().last().duplicate, 0);
  EXPECT_EQ(flow().again_segments_of_accepter(), known ? 1U : 2U);
  EXPECT_EQ(flow().bytes_of_accepter(), 130U);
  EXPECT_EQ(flow().again_of_accepter(), 20U);
  const Segment last{.seq = 111, .ack_number = 101, .flags = fin | ack};
  EXPECT_EQ(flow().accepter(last), TW_EVENT_FIN);
  std::this_thread::sleep_for(std::chrono::milliseconds(130));
  copy = last;
  copy.copy = true;
  EXPECT_EQ(flow().accepter(copy), TW_EVENT_FIN | TW_EVENT_RETRANSMISSION);  // too late for one
}

// Loopback is no network, and a copy is not looked for.
TEST_P(FlowData, APacketThatComesTwiceOverLoopbackWasSentAgain) {
  const Arrival loopback{.ifindex = 1};
  const Segment data{.seq = 101, .ack_number = 101, .payload = bytes(10)};
  Segment copy = data;
  copy.copy = true;
  EXPECT_EQ(flow().accepter(data, loopback), silent);
  EXPECT_EQ(flow().accepter(copy, loopback), TW_EVENT_RETRANSMISSION);
  EXPECT_EQ(flow().last().duplicate, 0);
}

// Where a host counts its identifications up, what it sends again is younger than all before it, whenever it comes.
TEST_P(FlowData, APacketsAgeSaysWhetherItWasSentAgain) {
  if (!GetParam().we_open || GetParam().family != Family::ipv4) return;
  std::uint32_t at = 101;
  for (; at < 161; at += 10) {
    EXPECT_EQ(flow().accepter({.seq = at, .ack_number = 101, .payload = bytes(10)}), silent);
  }
  const std::uint16_t newest = flow().ip_id(1);
  std::this_thread::sleep_for(std::chrono::milliseconds(130));
  EXPECT_EQ(flow().accepter({.seq = 151, .ack_number = 101, .payload = bytes(10), .copy = true}), 0);
  EXPECT_EQ(flow().last().duplicate, 1);
  flow().set_ip_id(1, static_cast<std::uint16_t>(newest + 1));  // 161 is under way
  EXPECT_EQ(flow().accepter({.seq = 171, .ack_number = 101, .payload = bytes(10)}), TW_EVENT_OUT_OF_ORDER);
  EXPECT_EQ(flow().last().reordered, 0);
  flow().set_ip_id(1, newest);
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_EQ(flow().accepter({.seq = 161, .ack_number = 101, .payload = bytes(10)}), TW_EVENT_OUT_OF_ORDER);
  EXPECT_EQ(flow().last().reordered, 1);  // late, and made before 171
  flow().set_ip_id(1, static_cast<std::uint16_t>(newest + 3));
  EXPECT_EQ(flow().accepter({.seq = 191, .ack_number = 101, .payload = bytes(10)}), TW_EVENT_OUT_OF_ORDER);
  EXPECT_EQ(flow().accepter({.seq = 181, .ack_number = 101, .payload = bytes(10)}),
            TW_EVENT_RETRANSMISSION);                                 // at once, and younger
  EXPECT_EQ(flow().opener({.seq = 101, .ack_number = 201}), silent);  // the hole is closed
  flow().set_ip_id(1, static_cast<std::uint16_t>(newest + 2));
  EXPECT_EQ(flow().accepter({.seq = 181, .ack_number = 101, .payload = bytes(10)}), TW_EVENT_OUT_OF_ORDER);
  EXPECT_EQ(flow().last().reordered, 1);  // its original, later still
  flow().set_ip_id(1, static_cast<std::uint16_t>(newest + 5));
  EXPECT_EQ(flow().accepter({.seq = 181, .ack_number = 101, .payload = bytes(10)}), TW_EVENT_RETRANSMISSION);
}

// Of full segments one does not come, the next three do: what was made behind them and comes now is a retransmission,
// also where the newest of the three was made even later and overtook it.
TEST_P(FlowData, ARetransmissionThatIsOvertakenIsStillOne) {
  if (!GetParam().we_open || GetParam().family != Family::ipv4) return;
  constexpr std::uint32_t full = 1448;
  std::uint32_t at = 101;
  const auto data = [&](std::uint32_t seq, int id) {
    flow().set_ip_id(1, static_cast<std::uint16_t>(id - 1));
    return flow().accepter({.seq = seq, .ack_number = 101, .payload = bytes(full)});
  };
  int id = flow().ip_id(1) + 1;
  for (int i = 0; i < 6; ++i, at += full, ++id) EXPECT_EQ(data(at, id), silent);
  EXPECT_EQ(data(at + full, id + 1), TW_EVENT_OUT_OF_ORDER);
  EXPECT_EQ(data(at + 2 * full, id + 2), silent);
  EXPECT_EQ(data(at + 3 * full, id + 4), silent);
  EXPECT_EQ(data(at, id + 3), TW_EVENT_RETRANSMISSION);
  EXPECT_EQ(data(at, id), TW_EVENT_OUT_OF_ORDER);  // the original, at last
  EXPECT_EQ(flow().last().reordered, 1);
}

// Of jumbo frames no more were made than fit, although the segments on both sides of the hole are short.
TEST_P(FlowData, TheLargestSegmentShowsHowManyWereMade) {
  if (!GetParam().we_open || GetParam().family != Family::ipv4) return;
  constexpr std::uint32_t jumbo = 2900, small = 10;
  std::uint32_t at = 101;
  const auto data = [&](std::uint32_t seq, int id, std::uint32_t length) {
    flow().set_ip_id(1, static_cast<std::uint16_t>(id - 1));
    return flow().accepter({.seq = seq, .ack_number = 101, .payload = bytes(length)});
  };
  int id = flow().ip_id(1) + 1;
  for (int i = 0; i < 6; ++i, at += jumbo, ++id) EXPECT_EQ(data(at, id, jumbo), silent);
  std::uint32_t next = at + 2 * small;  // two short ones do not come
  EXPECT_EQ(data(next, id + 2, jumbo), TW_EVENT_OUT_OF_ORDER);
  for (int i = 3; i < 8; ++i) EXPECT_EQ(data(next += jumbo, id + i, jumbo), silent);
  next += jumbo;
  EXPECT_EQ(data(next, id + 9, small), silent);
  EXPECT_EQ(data(at + small, id + 8, small), TW_EVENT_RETRANSMISSION);  // made behind them, and overtaken by the last
  EXPECT_EQ(data(at, id, small), TW_EVENT_OUT_OF_ORDER);                // the original, late
  EXPECT_EQ(flow().last().reordered, 1);
}

// Between the two lie more segments than half of all identifications.
TEST_P(FlowData, ManySegmentsMakeNoRetransmissionOlder) {
  if (!GetParam().we_open || GetParam().family != Family::ipv4) return;
  constexpr std::uint32_t full = 1460, merged = 200;
  std::uint32_t at = 101;
  const auto data = [&](std::uint32_t seq, int id, const Arrival& arrival = {}) {
    flow().set_ip_id(1, static_cast<std::uint16_t>(id - 1));
    return flow().accepter({.seq = seq, .ack_number = 101, .payload = bytes(10)}, arrival);
  };
  int id = flow().ip_id(1) + 1;
  for (int i = 0; i < 6; ++i, at += 10, ++id) EXPECT_EQ(data(at, id), silent);
  std::uint32_t seq = at + full;
  int newest = id + 1;
  for (int i = 0; i < 200; ++i, seq += merged * full, newest += merged)
    EXPECT_EQ(data(seq, newest, {.gso_segs = merged}), TW_EVENT_OUT_OF_ORDER);
  EXPECT_EQ(data(at, newest), TW_EVENT_RETRANSMISSION);
  EXPECT_EQ(data(at, id), TW_EVENT_OUT_OF_ORDER);  // the original
  EXPECT_EQ(flow().last().reordered, 1);
}

// GRO merges ordinary segments, also where a virtual machine's interface has not counted them.
TEST_P(FlowData, MergedSegmentsAreNoLargerOnes) {
  if (!GetParam().we_open || GetParam().family != Family::ipv4) return;
  constexpr std::uint32_t size = 800;
  std::vector<std::uint32_t> segments;
  for (const std::uint32_t counted : {4U, 0U}) {
    SCOPED_TRACE(counted);
    if (counted == 0) {
      flow().open_anew(70000);
      flow().handshake();
    }
    std::uint32_t at = counted != 0 ? 101 : 1;
    const std::uint32_t acked = at;
    int id = flow().ip_id(1) + 1;
    const auto data = [&](std::uint32_t seq, int ip_id, std::uint32_t length, const Arrival& arrival = {}) {
      flow().set_ip_id(1, static_cast<std::uint16_t>(ip_id - 1));
      return flow().accepter({.seq = seq, .ack_number = acked, .payload = bytes(length)}, arrival);
    };
    for (int i = 0; i < 6; ++i, at += size, ++id) EXPECT_EQ(data(at, id, size), silent);
    EXPECT_EQ(data(at, id, 4 * size, {.gso_segs = counted, .gso_size = size}), silent);
    at += 4 * size;
    id += 4;
    EXPECT_EQ(data(at + size, id + 1, size), TW_EVENT_OUT_OF_ORDER);
    EXPECT_EQ(data(at + 2 * size, id + 2, size), silent);
    EXPECT_EQ(data(at + 3 * size, id + 4, size), silent);
    EXPECT_EQ(data(at, id + 3, size), TW_EVENT_RETRANSMISSION);
    segments.push_back(flow().segments_of_accepter() - (counted != 0 ? 1 : 0));  // what the fixture has sent
  }
  EXPECT_EQ(segments[0], segments[1]) << "of what nobody counted as many as there are";
}

// Without an identification TCP's timestamp shows it, if the copy comes at once. Only where no timer can have sent it.
TEST_P(FlowData, ACopyWithoutAnIdentificationIsKnownByItsTimestamp) {
  if (!GetParam().we_open || GetParam().family != Family::ipv6) return;
  const Bytes stamp = joined({{1, 1}, option_timestamps(1000, 2)});
  const Bytes later = joined({{1, 1}, option_timestamps(1001, 2)});
  int known = 0;
  auto quickest = Clock::duration::max();
  for (std::uint32_t at = 101; at < 101 + 50; at++) {  // "at once" is 20 us: not each time on a busy machine
    const Segment data{.seq = at, .ack_number = 101, .options = stamp, .payload = bytes(1)};
    const auto begun = Clock::now();
    EXPECT_EQ(flow().accepter(data), silent);
    quickest = std::min(quickest, Clock::now() - begun);
    const int event_flags = flow().accepter(data);
    EXPECT_TRUE(event_flags == 0 || event_flags == TW_EVENT_RETRANSMISSION) << event_flags;
    known += flow().last().duplicate;
  }
  // One of the two may take longer than that here, as in an emulated machine.
  if (quickest < std::chrono::microseconds(15)) {
    EXPECT_GT(known, 0);
  }
  const Segment data{.seq = 151, .ack_number = 101, .options = stamp, .payload = bytes(2)};
  EXPECT_EQ(flow().accepter(data), silent);
  std::this_thread::sleep_for(std::chrono::milliseconds(2));
  EXPECT_EQ(flow().accepter(data), TW_EVENT_RETRANSMISSION);  // late
  EXPECT_EQ(flow().accepter({.seq = 151, .ack_number = 101, .options = later, .payload = bytes(2)}),
            TW_EVENT_RETRANSMISSION);  // made later
  EXPECT_EQ(flow().accepter({.seq = 153, .ack_number = 101, .options = stamp}), silent);
  EXPECT_EQ(flow().accepter({.seq = 153, .ack_number = 101, .options = stamp}), silent);  // an ACK again is an ACK
  EXPECT_EQ(flow().last().duplicate, 0);
}

// GRO merges a copy with the new segment behind it.
TEST_P(FlowData, WhatIsMergedBehindACopyIsNew) {
  if (!GetParam().we_open || GetParam().family != Family::ipv4) return;
  EXPECT_EQ(flow().accepter({.seq = 101, .ack_number = 101, .payload = bytes(100)}), silent);
  const Arrival merged{.gso_segs = GetParam().arriving == Hook::ingress ? 2U : 0U};
  EXPECT_EQ(flow().accepter({.seq = 101, .ack_number = 101, .payload = bytes(200), .copy = true}, merged), 0);
  EXPECT_EQ(flow().last().loss.duplicate_segs_in, 1U);
  EXPECT_EQ(flow().again_of_accepter(), 100U);
  EXPECT_EQ(flow().again_segments_of_accepter(), 0U);
  EXPECT_EQ(flow().accepter({.seq = 301, .ack_number = 101, .payload = bytes(1)}), silent);
}

// A stacked device (VLAN, bond, bridge) shows the same segment again.
TEST_P(FlowData, TheSameSegmentOnAnotherInterfaceIsNotToldAgain) {
  const Arrival other{.ifindex = wire->second_interface()};
  const auto begun = Clock::now();
  EXPECT_EQ(flow().opener({.seq = 101, .ack_number = 101, .flags = fin | ack, .payload = bytes(10)}), TW_EVENT_FIN);
  const Segment again{.seq = 101, .ack_number = 101, .flags = fin | ack, .payload = bytes(10), .copy = true};
  const int copy = flow().opener(again, other);
  if (too_late_for_a_copy(begun)) GTEST_SKIP() << "this machine took too long for two segments";
  EXPECT_EQ(copy, silent);
  EXPECT_EQ(flow().opener({.seq = 101, .ack_number = 101, .flags = fin | ack, .payload = bytes(10)}),
            TW_EVENT_FIN | TW_EVENT_RETRANSMISSION);
  EXPECT_EQ(flow().segments_of_opener(), 6U);  // handshake 2, set-up 2, FIN 2: the copy is not one
  EXPECT_EQ(flow().again_of_opener(), 10U);
}

// A qdisc of the upper device holds it back, and newer ones pass above meanwhile.
TEST_P(FlowData, WhatWaitedBetweenTwoInterfacesOfAStackWasNotSentAgain) {
  if (!GetParam().we_open || GetParam().family != Family::ipv4) return;
  const Arrival lower{.ifindex = wire->second_interface()};
  const std::uint16_t first = flow().ip_id(0) + 1;
  for (std::uint32_t at = 101; at < 161; at += 10)
    EXPECT_EQ(flow().opener({.seq = at, .ack_number = 101, .payload = bytes(10)}), silent);
  const std::uint16_t newest = flow().ip_id(0);
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  flow().set_ip_id(0, static_cast<std::uint16_t>(first + 1));
  EXPECT_EQ(flow().opener({.seq = 121, .ack_number = 101, .payload = bytes(10)}, lower), silent);
  flow().set_ip_id(0, newest);
  EXPECT_EQ(flow().opener({.seq = 121, .ack_number = 101, .payload = bytes(10)}, lower), TW_EVENT_RETRANSMISSION);
  EXPECT_EQ(flow().bytes_of_opener(), 170U) << "the first of these is not one of them";
  EXPECT_EQ(flow().again_of_opener(), 10U);
}

TEST_P(FlowData, NewDataOnAnotherInterfaceIsHeard) {
  const Arrival other{.ifindex = wire->second_interface()};
  EXPECT_EQ(flow().opener({.seq = 101, .ack_number = 101, .payload = bytes(10)}, other), silent);
  const auto begun = Clock::now();
  EXPECT_EQ(flow().opener({.seq = 111, .ack_number = 101, .flags = fin | ack}, other), TW_EVENT_FIN);
  EXPECT_EQ(flow().last().ifindex, wire->second_interface());
  EXPECT_EQ(flow().bytes_of_opener(), 110U);
  // The direction is seen there now: its old interface shows nothing new.
  const int copy = flow().opener({.seq = 111, .ack_number = 101, .flags = fin | ack, .copy = true});
  if (too_late_for_a_copy(begun)) GTEST_SKIP() << "this machine took too long for two segments";
  EXPECT_EQ(copy, silent);
}

TEST_P(FlowData, ARstIsToldOnEveryInterface) {
  const Arrival other{.ifindex = wire->second_interface()};
  EXPECT_EQ(flow().accepter({.seq = 101, .flags = rst}), TW_EVENT_RST);
  EXPECT_EQ(flow().accepter({.seq = 101, .flags = rst}, other), TW_EVENT_RST);
}

TEST_P(FlowData, ASynOnAnotherInterfaceIsAStackedCopyOnlyOfItself) {
  const Arrival first{.ifindex = wire->first_interface()};
  const Arrival other{.ifindex = wire->second_interface()};
  flow().open_anew(70000);
  const auto begun = Clock::now();
  EXPECT_EQ(flow().opener({.seq = 0, .flags = syn}, other), TW_EVENT_SYN);
  const int copy = flow().opener({.seq = 0, .flags = syn, .copy = true}, first);
  flow().open_anew(0xffff0000);  // a lower number is no older one
  EXPECT_EQ(flow().opener({.seq = 0, .flags = syn}, first), TW_EVENT_SYN);
  const int other_copy = flow().opener({.seq = 0, .flags = syn, .copy = true}, other);
  if (too_late_for_a_copy(begun)) GTEST_SKIP() << "this machine took too long for two segments";
  EXPECT_EQ(copy, silent);
  EXPECT_EQ(other_copy, silent);
}

}  // namespace
}  // namespace tcpwitness::wire_test
