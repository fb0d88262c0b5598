// SPDX-License-Identifier: Apache-2.0
// half_connection_test.cpp: bpf/flow.h and HalfConnection hold the same of a connection whose segments both have seen.
//
// Each segment goes to the wire program and to take(). Then what the flow map has of both directions (struct tw_half)
// is compared with the two halves, and the events of both with each other. Where they differ on purpose a case names
// it.
#include "wire/half_connection.hpp"

#include <algorithm>
#include <random>

#include "bpf/conversation.hpp"
#include "wire/analysis.hpp"

namespace tcpwitness::wire_test {
namespace {

constexpr int shared_events =
    TW_EVENT_SYN | TW_EVENT_FIN | TW_EVENT_RST | TW_EVENT_FIN_ACK | TW_EVENT_ZERO_WINDOW | TW_EVENT_WINDOW_OPEN;

class Halves : public FlowSuite {
 protected:
  // To both; numbers are relative, side 0 opens.
  void say(int side, const Segment& segment) {
    const bool opens = (segment.flags & (syn | ack | rst)) == syn;
    const std::uint32_t seq = flow().first(side) + segment.seq;
    // Another initial number is another connection (see_syn() in flow.h, Conversations::Impl::locate()).
    if (opens && half_[side].sent() && half_[side].isn() != seq) half_[0] = half_[1] = {};
    SeenSegment g;
    g.seq = seq;
    g.ack = (segment.flags & ack) != 0 ? flow().first(1 - side) + segment.ack_number : 0;
    g.len = static_cast<std::uint32_t>(segment.payload.size());
    g.window = segment.window;
    g.flags = segment.flags;
    const HalfConnection& other = half_[1 - side];
    const HalfConnection& own = half_[side];
    beyond_[1 - side] |= g.has(tcp_flag::ack) && other.fin() && seq_before(other.fin_end(), g.ack);
    beyond_[side] |= g.has(tcp_flag::fin) && own.acked() && seq_before(g.seq + g.len, own.snd_una());
    const int event = side == 0 ? flow().opener(segment) : flow().accepter(segment);
    g.ts_ns = now_ += 10'000'000;
    event_ = event == silent ? 0 : event;
    found_ = analysis_.observe(g, static_cast<unsigned>(side)).flags;
    const int expected = take(g, half_[side], half_[1 - side]);
    const int compared = beyond_[1 - side] ? shared_events & ~bits(SegmentEvent::fin_ack) : shared_events;
    EXPECT_EQ(event == silent ? 0 : event & compared, expected & compared);
    compare();
  }
  void data(int side, std::uint32_t seq, std::uint32_t ack_number, std::size_t length, std::uint8_t flags = ack) {
    say(side, {.seq = seq, .ack_number = ack_number, .flags = flags, .payload = bytes(length)});
  }
  // And both say whether it is a probe into a closed window, and whether it was sent again.
  void compared_data(int side, std::uint32_t seq, std::uint32_t ack_number, std::size_t length, bool probe,
                     bool again) {
    data(side, seq, ack_number, length);
    EXPECT_EQ((event_ & TW_EVENT_WINDOW_PROBE) != 0, probe);
    EXPECT_EQ((event_ & TW_EVENT_RETRANSMISSION) != 0, again);
    EXPECT_EQ((found_ & analysis_flag::zero_window_probe) != 0, probe);
    EXPECT_EQ((found_ & analysis_flag::retransmission) != 0, again);
  }
  void shake() {
    say(0, {.seq = 0, .ack_number = 0, .flags = syn});
    say(1, {.seq = 0, .ack_number = 1, .flags = syn | ack});
    say(0, {.seq = 1, .ack_number = 1});
  }
  void compare() {
    for (const int side : {0, 1}) {
      SCOPED_TRACE(side == 0 ? "opener" : "accepter");
      const std::optional<Half> kernel = flow().half(side);
      const HalfConnection& own = half_[side];
      ASSERT_TRUE(kernel);
      EXPECT_EQ(kernel->seen != 0, own.sent());
      if (!overtaken_[side]) {
        EXPECT_EQ(kernel->nxt, own.sent() ? own.snd_nxt() : 0);
      }
      EXPECT_EQ(kernel->syn != 0, own.syn());
      EXPECT_EQ(kernel->syn == 2, own.syn_ack());
      if (own.syn()) {
        EXPECT_EQ(kernel->isn, own.isn());
      }
      EXPECT_EQ(kernel->fin != 0, own.fin());
      EXPECT_EQ(kernel->fin_end, own.fin_end());
      if (!beyond_[side]) {
        EXPECT_EQ(kernel->fin_acked != 0, own.fin_acked());
      }
      EXPECT_EQ(kernel->zero_window != 0, own.window_closed());
    }
  }
  // This machine's side: whose first segment is counted, even where no SYN was seen.
  [[nodiscard]] static int we() { return GetParam().we_open ? 0 : 1; }

  HalfConnection half_[2];
  WireAnalysis analysis_;
  TimeNs now_ = 1'000'000'000;
  int event_ = 0;            // of the newest segment, from the kernel
  std::uint32_t found_ = 0;  // likewise, by the analysis of captures
  bool overtaken_[2]{};      // numbers are known to be sent that were not seen
  bool beyond_[2]{};         // more than its FIN was acknowledged, which only a capture takes for its ACK
};
INSTANTIATE_TEST_SUITE_P(Wire, Halves, testing::ValuesIn(scenes()), scene_name);

TEST_P(Halves, HandshakeDataAndBothFins) {
  shake();
  data(0, 1, 1, 100);
  data(1, 1, 101, 1000);
  data(0, 101, 1001, 0, fin | ack);
  data(1, 1001, 101, 10);  // half closed; the FIN is not acknowledged yet
  data(1, 1011, 102, 0);
  data(1, 1011, 102, 7, fin | ack);
  data(0, 102, 1018, 0);
  data(0, 102, 1019, 0);
}

TEST_P(Halves, WhatIsSentAgainAndWhatComesOutOfOrder) {
  shake();
  say(1, {.seq = 0, .ack_number = 1, .flags = syn | ack});
  data(0, 101, 1, 100);
  data(0, 1, 1, 100);
  data(0, 1, 1, 50);
  data(0, 151, 1, 100);
  data(0, 351, 1, 10, fin | ack);  // behind a hole
  data(1, 1, 251, 0);
  data(0, 251, 1, 100);
  data(0, 0, 1, 0);  // a keep-alive of the SYN's number
  say(0, {.seq = 0, .ack_number = 0, .flags = syn});
  data(1, 1, 362, 0);
  data(0, 351, 1, 10, fin | ack);
  data(0, 361, 1, 0, fin | ack);
}

TEST_P(Halves, SimultaneousOpenAndClose) {
  say(we(), {.seq = 0, .ack_number = 0, .flags = syn});
  say(1 - we(), {.seq = 0, .ack_number = 0, .flags = syn});
  say(we(), {.seq = 0, .ack_number = 1, .flags = syn | ack});
  say(1 - we(), {.seq = 0, .ack_number = 1, .flags = syn | ack});
  data(0, 1, 1, 0, fin | ack);
  data(1, 1, 1, 0, fin | ack);
  data(0, 2, 2, 0);
  data(1, 2, 2, 0);
}

TEST_P(Halves, FastOpen) {
  say(0, {.seq = 0, .ack_number = 0, .flags = syn, .payload = bytes(100)});
  say(0, {.seq = 0, .ack_number = 0, .flags = syn});
  say(1, {.seq = 0, .ack_number = 101, .flags = syn | ack});
  data(0, 101, 1, 5, fin | ack);
  data(1, 1, 107, 0);
}

TEST_P(Halves, ZeroWindows) {
  say(0, {.seq = 0, .ack_number = 0, .flags = syn, .window = 0});
  say(1, {.seq = 0, .ack_number = 1, .flags = syn | ack, .window = 0});
  data(0, 1, 1, 0);
  data(1, 1, 1, 0);  // opens
  data(0, 1, 1, 1000);
  say(1, {.seq = 1, .ack_number = 1001, .window = 0});
  data(0, 1000, 1, 0);  // a probe
  data(0, 1001, 1, 1);  // one with a byte
  say(1, {.seq = 1, .ack_number = 1001, .window = 0});
  say(1, {.seq = 1, .ack_number = 1002, .flags = fin | ack, .window = 9});
  say(0, {.seq = 1002, .ack_number = 2, .window = 0});
}

// RFC 9293, 3.10.7.4. The kernel side knows the newest ACK alone, so of two in a row the second counts again there.
TEST_P(Halves, AnAckThatWasOvertakenClosesAndOpensNoWindow) {
  shake();
  data(0, 1, 1, 1000);
  data(1, 1, 1001, 0);
  say(1, {.seq = 1, .ack_number = 501, .window = 0});
  EXPECT_EQ(event_ & TW_EVENT_ZERO_WINDOW, 0);
  say(1, {.seq = 1, .ack_number = 1001, .window = 0});
  EXPECT_NE(event_ & TW_EVENT_ZERO_WINDOW, 0);
  say(1, {.seq = 1, .ack_number = 501, .window = 9});
  EXPECT_EQ(event_ & TW_EVENT_WINDOW_OPEN, 0);
  say(1, {.seq = 1, .ack_number = 1001, .window = 9});
  EXPECT_NE(event_ & TW_EVENT_WINDOW_OPEN, 0);
}

// It may be forged, and TCP have refused it.
TEST_P(Halves, AnAckOfWhatWasNeverSentOvertakesNothing) {
  shake();
  data(0, 1, 1, 1000);
  flow().accepter({.seq = 1, .ack_number = 90'000});
  EXPECT_NE(flow().accepter({.seq = 1, .ack_number = 1001, .window = 0}) & TW_EVENT_ZERO_WINDOW, 0);
}

// Windows and BSD probe with a new byte, which the receiver refuses: it is sent as data later.
TEST_P(Halves, TheByteThatAProbeTriesIsNotSentAgain) {
  shake();
  compared_data(0, 1, 1, 1000, false, false);
  say(1, {.seq = 1, .ack_number = 1001, .window = 0});
  for (int i = 0; i < 3; ++i) {
    compared_data(0, 1001, 1, 1, true, false);
    say(1, {.seq = 1, .ack_number = 1001, .window = 0});
  }
  say(1, {.seq = 1, .ack_number = 1001});
  compared_data(0, 1001, 1, 500, false, false);
  compared_data(0, 1001, 1, 500, false, true);
}

TEST_P(Halves, AProbesByteThatWasTakenIsSentAgain) {
  shake();
  compared_data(0, 1, 1, 1000, false, false);
  say(1, {.seq = 1, .ack_number = 1001, .window = 0});
  compared_data(0, 1001, 1, 1, true, false);
  say(1, {.seq = 1, .ack_number = 1002, .window = 0});
  say(1, {.seq = 1, .ack_number = 1002});
  compared_data(0, 1001, 1, 1, false, true);
}

TEST_P(Halves, ARstMovesNothing) {
  shake();
  data(0, 1, 1, 10, fin | ack);
  say(1, {.seq = 500, .ack_number = 12, .flags = rst | ack, .window = 0});
  say(1, {.seq = 1, .flags = rst, .window = 0});
  data(1, 1, 12, 10);
}

TEST_P(Halves, AFinIsAcknowledgedByItsNumber) {
  shake();
  data(0, 1, 1, 10, fin | ack);
  data(1, 1, 11, 0);
  data(1, 1, 12, 0, fin);  // without ACK
  data(1, 2, 12, 0);
}

TEST_P(Halves, BegunInMidStream) {
  data(we(), 5000, 300, 10);
  data(1 - we(), 300, 5010, 0);
  data(1 - we(), 300, 5010, 20, fin | ack);
  data(we(), 5010, 321, 0, fin | ack);
  data(1 - we(), 321, 5011, 0);
}

TEST_P(Halves, AnotherConnectionOnTheSameAddresses) {
  shake();
  data(0, 1, 1, 10, fin | ack);
  say(1, {.seq = 1, .ack_number = 12, .flags = fin | ack, .window = 0});
  for (const std::uint32_t further : {70000U, 0x80000001U}) {
    flow().open_anew(further);
    shake();
    data(0, 1, 1, 10);
  }
}

// Payload is still to come that an empty ACK has overtaken: it is no retransmission then (flow.h). SND.NXT is beyond
// it.
TEST_P(Halves, AnEmptyAckFromFurtherAheadIsSentAndNotSeen) {
  shake();
  overtaken_[0] = true;
  data(0, 101, 1, 0);
  EXPECT_EQ(flow().half(0)->nxt, flow().first(0) + 1);
  EXPECT_EQ(half_[0].snd_nxt(), flow().first(0) + 101);
  overtaken_[0] = false;
  data(0, 1, 1, 100);
}

// Only a capture has gaps of that size. In the kernel it can be nothing but a forged number, and is no news.
TEST_P(Halves, FurtherBackThanAnyWindowIsAnewInACaptureAlone) {
  shake();
  overtaken_[0] = true;
  data(0, 0xa0000000, 1, 10);
  EXPECT_EQ(flow().half(0)->nxt, flow().first(0) + 1);
  EXPECT_EQ(half_[0].snd_nxt(), flow().first(0) + 0xa000000a);
}

TEST_P(Halves, OfARandomStream) {
  constexpr int streams = 20, steps = 100;
  std::mt19937 random(9293);  // NOLINT(cert-msc51-cpp): the same streams each time
  const auto below = [&](std::uint32_t limit) { return static_cast<std::uint32_t>(random() % limit); };
  int fins = 0, fins_acked = 0, closed = 0;
  for (int stream = 0; stream < streams && !HasFailure(); ++stream) {
    SCOPED_TRACE(stream);
    if (stream != 0) flow().open_anew(1'000'003);
    shake();
    std::uint32_t next[2] = {1, 1};     // what comes next, its FIN apart
    bool finished[2] = {false, false};  // the FIN has the number next
    std::uint32_t most[2] = {0, 0};     // that it has acknowledged
    std::uint32_t top[2] = {0, 0};      // the highest number that a segment of it had
    bool behind[2] = {false, false};    // its newest ACK was overtaken: the kernel side forgets the one before
    for (int step = 0; step < steps && !HasFailure(); ++step) {
      SCOPED_TRACE(step);
      const int side = static_cast<int>(below(2));
      const std::uint32_t old = 1 + below(next[side]);
      const std::uint32_t everything = next[1 - side] + (finished[1 - side] ? 1 : 0);
      const bool newest = behind[side] || most[side] > everything || below(4) != 0;
      const std::uint32_t acked =
          newest ? std::max(everything, most[side]) : everything - below(std::min(everything, 3000U));
      const std::uint32_t now = next[side] + (finished[side] ? 1 : 0);
      const auto window = static_cast<std::uint16_t>(below(6) == 0 ? 0 : 1 + below(1000));
      const std::uint8_t flags = below(2) != 0 ? ack : ack | psh;
      Segment g{.seq = now, .ack_number = acked, .flags = flags, .window = window};
      switch (below(16)) {
        case 0:  // sent again, as it was or cut otherwise
          g.seq = old;
          g.payload = bytes(std::min(next[side] - old, 1 + below(2000)));
          break;
        case 1:  // a keep-alive, or a byte of before
          g.seq = now - 1;
          if (!finished[side] && next[side] > 1) g.payload = bytes(below(2));
          break;
        case 2:  // a hole, and what fills it, in any order
          if (finished[side]) break;
          g.payload = bytes(1 + below(500));
          next[side] += 700;
          top[side] = now + 500;
          most[side] = std::max(everything, most[side]);
          say(side, {.seq = now + 500, .ack_number = most[side], .flags = flags, .payload = bytes(200)});
          if (below(2) != 0) g.payload = bytes(500);
          break;
        case 3:
          g.seq = below(2) != 0 ? old : now;
          g.flags = below(2) != 0 ? rst : rst | ack;
          break;
        case 4:  // once more
          g.seq = 0;
          g.flags = side == 0 ? syn : syn | ack;
          g.ack_number = static_cast<std::uint32_t>(side);
          break;
        case 5:  // more than was ever sent
          g.ack_number = std::max(everything, most[side]) + 1 + below(1000);
          break;
        case 6:
          if (step < 20) break;
          g.seq = next[side];
          if (!finished[side] && below(2) != 0) {
            g.payload = bytes(1 + below(100));
            next[side] += static_cast<std::uint32_t>(g.payload.size());
          }
          finished[side] = true;
          g.flags |= fin;
          break;
        case 7:  // an ACK that was overtaken
          g.seq = old;
          break;
        case 8:
        case 9:
          break;
        default:
          if (finished[side]) break;
          g.payload = bytes(1 + below(1400));
          next[side] += static_cast<std::uint32_t>(g.payload.size());
          break;
      }
      // SND.WL1 is not known to the kernel side: there a window counts that a later segment has overtaken.
      const bool late = (g.flags & (rst | syn)) == 0 && g.seq < top[side];
      if (late && half_[side].window_closed()) continue;
      if (late && g.window == 0) g.window = 1;
      if ((g.flags & rst) == 0) {
        top[side] = std::max(top[side], g.seq);
        behind[side] = g.ack_number < most[side];
        most[side] = std::max(most[side], g.ack_number);
      }
      say(side, g);
    }
    for (const HalfConnection& half : half_) {
      fins += half.fin() ? 1 : 0;
      fins_acked += half.fin_acked() ? 1 : 0;
      closed += half.window_closed() ? 1 : 0;
    }
  }
  EXPECT_GT(fins, streams);
  EXPECT_GT(fins_acked, streams / 2);
  EXPECT_GT(closed, 0);
}

}  // namespace
}  // namespace tcpwitness::wire_test
