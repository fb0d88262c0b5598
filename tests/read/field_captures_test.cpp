// SPDX-License-Identifier: Apache-2.0
// field_captures_test.cpp: small captures of what happened elsewhere (tests/field/captures): the right answer to each.
//
// Addresses are made up and payload is zeroes. What each holds stands above its test.
#include <gtest/gtest.h>

#include "read/json_lines.hpp"
#include "read/program.hpp"

namespace tcpwitness::read_test {
namespace {

using nlohmann::json;

struct Field {
  std::vector<json> all;
  json life;

  explicit Field(const std::string& name, const Arguments& more = {}) {
    Arguments arguments{"read", "--trace", "--packets", "all", "-o", "json", field_capture(name)};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const ProgramOutput reported = tcpwitness(arguments);
    EXPECT_EQ(reported.status, 0) << reported.err;
    all = objects(reported.out);
    const auto lives = only(all, "life");
    EXPECT_EQ(lives.size(), 1U) << name;
    if (!lives.empty()) life = lives[0];
  }
  [[nodiscard]] bool found(std::string_view rule) const {
    return std::ranges::any_of(life["findings"], [&](const json& one) { return one == rule; });
  }
  [[nodiscard]] json finding(std::string_view rule) const {
    for (const json& one : only(all, "finding")) {
      if (one["rule"] == rule) return one;
    }
    return {};
  }
  [[nodiscard]] json segment(std::uint64_t frame) const {
    for (const json& one : only(all, "segment")) {
      if (one["id"] == frame) return one;
    }
    return {};
  }
  void completes(std::string_view by, std::uint64_t tx, std::uint64_t rx) const {
    EXPECT_EQ(life["outcome"], "completed");
    EXPECT_EQ(life["closed_by"], by);
    EXPECT_EQ(life["tx_bytes"], tx);
    EXPECT_EQ(life["rx_bytes"], rx);
    EXPECT_EQ(life["conversation"]["tx"]["missing_bytes"], 0);
    EXPECT_EQ(life["conversation"]["rx"]["missing_bytes"], 0);
    EXPECT_FALSE(found("reset-origin")) << life["findings"];
  }
  // Nothing that only a kernel can know.
  void speaks_of_no_kernel() const {
    for (const json& one : only(all, "finding")) {
      EXPECT_FALSE(one["text"].get<std::string>().contains("kernel")) << one["text"];
    }
  }
};

// Frame 2 is the challenge ACK of an old connection of the server (RFC 5961, 4), frame 3 the RST that its number asks
// for (RFC 9293, 3.10.7.3). Neither ends the attempt: the same SYN comes again (4), then a whole connection.
TEST(FieldCaptures, AChallengeAckEndsNoAttempt) {
  const Field field("challenge-ack-then-open");
  field.completes("local", 100, 200);
  EXPECT_EQ(field.life["retransmits"], 1);
  EXPECT_EQ(field.segment(5)["rel_seq"], 0);
  EXPECT_FALSE(field.segment(5)["analysis"].dump().contains("not captured"));
}

// Each of two SYNs (1, 3) is answered by ICMPv6 port unreachable (2, 4). An expression that takes TCP alone leaves that
// to its connection.
TEST(FieldCaptures, AnIcmpErrorAnswersTheSyn) {
  for (const Arguments& more : {Arguments{}, Arguments{"--port", "81"}, Arguments{"--filter", "tcp port 81"}}) {
    const Field field("refused-by-icmp", more);
    EXPECT_EQ(field.life["outcome"], "refused");
    EXPECT_EQ(field.life["closed_by"], "none");
    EXPECT_FALSE(field.life.contains("errno")) << field.life["errno"];
    EXPECT_EQ(only(field.all, "icmp").size(), 2U);
    EXPECT_EQ(field.life["conversation"]["tx"]["frames"], 2);
  }
}

// The RST (6) lies 300,000,000 beyond what its receiver expects, and both ends go on for 9 s.
TEST(FieldCaptures, ARstBeyondTheWindowDoesNothing) {
  const Field field("rst-beyond-window");
  field.completes("local", 150, 50);
  EXPECT_EQ(field.life["retransmits"], 0);
  EXPECT_FALSE(field.segment(8)["analysis"].dump().contains("retransmission"));
}

// The client's ACK (5) goes on with the number of the first SYN-ACK.
TEST(FieldCaptures, TheSecondSynAckIsNotTaken) {
  const Field field("two-synacks");
  field.completes("local", 10, 20);
  EXPECT_EQ(field.segment(7)["rel_seq"], 1);
  EXPECT_FALSE(field.segment(7)["analysis"].dump().contains("retransmission"));
}

// 86 bytes in the SYN, acknowledged by the SYN-ACK (RFC 7413): number 0 is the SYN's own.
TEST(FieldCaptures, FastOpenCountsFromTheSyn) {
  const Field field("tfo-accepted");
  field.completes("peer", 86, 1307);
  EXPECT_EQ(field.segment(2)["rel_ack"], 87);
  EXPECT_EQ(field.segment(3)["rel_seq"], 87);
  EXPECT_EQ(field.segment(7)["rel_seq"], 87);
}

// The client's next segment (4) begins behind a hole: when it sent its ACK is not known.
TEST(FieldCaptures, AHoleInTheCaptureIsNoSlowHandshake) {
  const Field field("handshake-ack-not-captured");
  EXPECT_FALSE(field.found("slow-handshake"));
  field.speaks_of_no_kernel();
}

// Frame 2 answers frame 1; frames 3 and 4 are both sent again.
TEST(FieldCaptures, TheFirstSynAckCounts) {
  const Field field("syn-again-after-synack");
  const json slow = field.finding("slow-handshake");
  ASSERT_FALSE(slow.is_null());
  EXPECT_NE(slow["confidence"], "certain");
  EXPECT_TRUE(slow["text"].get<std::string>().starts_with("the SYN-ACK came 10 ms after the first SYN")) << slow;
  field.speaks_of_no_kernel();
}

// All frames come from the server. That it goes on behind its SYN-ACK shows that the client's ACK has come.
TEST(FieldCaptures, OneDirectionShowsThatTheOtherWasOpen) {
  const Field field("one-direction-answers");
  EXPECT_EQ(field.life["states"], json({"SYN_SENT", "ESTABLISHED", "CLOSE_WAIT"}));
  EXPECT_EQ(field.life["rx_bytes"], 300);
  const ProgramOutput reported = tcpwitness({"read", "--explain", field_capture("one-direction-answers")});
  EXPECT_FALSE(reported.out.contains("server acknowledged")) << reported.out;
}

// ack=1202 covers a FIN of the client, which can have come before the server's.
TEST(FieldCaptures, OneDirectionDoesNotShowWhoClosedFirst) {
  const Field field("one-direction-answers");
  EXPECT_EQ(field.life["outcome"], "unknown");
  EXPECT_EQ(field.life["closed_by"], "none");
  const ProgramOutput reported = tcpwitness({"read", "--explain", field_capture("one-direction-answers")});
  EXPECT_FALSE(reported.out.contains("closes first")) << reported.out;
  EXPECT_TRUE(reported.out.contains("Only the server's direction")) << reported.out;
}

// The RST answers within 2 ms; the retransmission (3) comes 0.18 s behind it.
TEST(FieldCaptures, ARstAtOnceFollowsNoSilence) {
  const Field field("rst-at-once-then-again");
  EXPECT_EQ(field.life["outcome"], "reset-by-peer");
  EXPECT_FALSE(field.found("half-open"));
}

// Each frame comes again 3 us later with the same IP identification and TTL.
TEST(FieldCaptures, PacketsCapturedTwiceAreNotSentTwice) {
  const Field field("each-packet-twice");
  field.completes("local", 100, 1000);
  EXPECT_EQ(field.life["retransmits"], 0);
  EXPECT_FALSE(field.found("retransmission"));
  EXPECT_EQ(field.life["conversation"]["tx"]["duplicate_frames"], 6);
  EXPECT_EQ(field.life["conversation"]["rx"]["duplicate_frames"], 4);
}

}  // namespace
}  // namespace tcpwitness::read_test
