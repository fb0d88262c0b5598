// SPDX-License-Identifier: Apache-2.0
// Segments of no connection: which are reported, and which were somebody's after all.
#include "correlate/strays.hpp"

#include <gtest/gtest.h>

namespace tcpwitness {
namespace {

constexpr std::int64_t hold = 40;

Flow of_port(std::uint16_t remote) {
  Flow flow;
  flow.local.port = 80;
  flow.remote.port = remote;
  return flow;
}

Event at(EventId id, TimeNs ts) { return {id, ts, {}}; }

Segment opening(std::uint32_t seq) {
  Segment g{};
  g.seq = seq;
  g.flags = tcp_flag::syn;
  return g;
}

Reset reset_of(std::uint32_t seq) {
  Reset r{};
  r.skb_seq = seq;
  return r;
}

TEST(Strays, AreReportedWithTheirRstAndNotWithoutOne) {
  Strays strays;
  EXPECT_FALSE(strays.add(at(1, 10), opening(5), of_port(1000)));
  EXPECT_FALSE(strays.add(at(2, 20), opening(6), of_port(1001)));
  EXPECT_EQ(strays.reset_reported(at(3, 21), reset_of(6), of_port(1001)), 2U);
  EXPECT_EQ(strays.reset_reported(at(4, 22), reset_of(7), of_port(1001)), 0U);
  EXPECT_FALSE(strays.due(60, hold)) << "the one without a RST is over, the other one is not";
  const auto reported = strays.due(61, hold);
  ASSERT_TRUE(reported);
  EXPECT_EQ(reported->seq, 6U);
  EXPECT_TRUE(strays.empty());
}

// RFC 9293, 3.10.7.1
TEST(Strays, ARstOnTheWireAnswersByNumber) {
  Strays strays;
  Segment data = opening(5);
  data.flags = tcp_flag::ack;
  data.ack = 77;
  EXPECT_FALSE(strays.add(at(1, 10), data, of_port(1000)));
  Segment rst{};
  rst.seq = 78;
  strays.reset_seen(at(2, 11), rst, of_port(1000));
  EXPECT_FALSE(strays.due(100, hold));
  EXPECT_FALSE(strays.add(at(3, 110), data, of_port(1000)));
  rst.seq = 77;
  strays.reset_seen(at(4, 111), rst, of_port(1000));
  EXPECT_TRUE(strays.due(200, hold));
}

TEST(Strays, WhatAConnectionOfThisMachineSentIsThatOnes) {
  Strays strays;
  EXPECT_FALSE(strays.add(at(1, 10), opening(5), of_port(1000)));
  strays.reset_reported(at(2, 11), reset_of(5), of_port(1000));
  strays.sent_here(of_port(1000), 5);
  EXPECT_FALSE(strays.due(100, hold));
}

TEST(Strays, GiveWayToNewerOnesAndAreReportedThen) {
  Strays strays;
  for (std::uint32_t i = 0; i < Strays::limit; ++i) EXPECT_FALSE(strays.add(at(1 + i, 10), opening(i), of_port(1000)));
  strays.reset_reported(at(900, 11), reset_of(0), of_port(1000));
  const auto oldest = strays.add(at(901, 12), opening(900), of_port(1000));
  ASSERT_TRUE(oldest);
  EXPECT_EQ(oldest->seq, 0U);
  EXPECT_FALSE(strays.add(at(902, 13), opening(901), of_port(1000))) << "no RST";
}

TEST(Strays, AreTakenByTheConnectionThatTheyBelongTo) {
  Strays strays;
  EXPECT_FALSE(strays.add(at(1, 10), opening(5), of_port(1000)));
  EXPECT_FALSE(strays.take_syn(of_port(1000), 6));
  EXPECT_FALSE(strays.take_syn(of_port(1001), 5));
  const auto taken = strays.take_syn(of_port(1000), 5);
  ASSERT_TRUE(taken);
  EXPECT_EQ(taken->evidence.ids[0], 1U);
  EXPECT_TRUE(strays.empty());
}

// NAT can have given it another destination before it was dropped.
TEST(Strays, ADroppedOneIsFoundByItsSender) {
  Strays strays;
  EXPECT_FALSE(strays.add(at(1, 10), opening(5), of_port(1000)));
  Drop drop{};
  drop.seq = 5;
  drop.flags = tcp_flag::syn | tcp_flag::ack;
  EXPECT_FALSE(strays.take_dropped(of_port(1000).remote, drop));
  drop.flags = tcp_flag::syn;
  EXPECT_TRUE(strays.take_dropped(of_port(1000).remote, drop));
}

}  // namespace
}  // namespace tcpwitness
