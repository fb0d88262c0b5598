// SPDX-License-Identifier: Apache-2.0
// forwarded_path_test.cpp: what a router sees of the path on either side: routes, handshakes, keep-alive, the MTU.
#include <gtest/gtest.h>

#include "unit/router.hpp"
#include "unit/says.hpp"

namespace tcpwitness::testing {
namespace {

TEST(AsymmetricRoute, OneSideAloneThatGoesOn) {
  Stream stream;
  Router r(stream, false);
  r.from_server_seen = false;
  r.handshake();
  r.client({PA, 100, TW_EVENT_RETRANSMISSION & 0});
  r.closes();
  stream.wait(1 * s);
  const auto finding = reported_of(stream).finding(Rule::asymmetric_route);
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->confidence, Confidence::likely);
}

TEST(AsymmetricRoute, TheServersSideAlone) {
  Stream stream;
  Router r(stream, false);
  r.from_client_seen = false;
  r.client({S});
  r.server({SA});
  r.client({A});
  r.server({PA, 1000, TW_EVENT_KEEPALIVE});
  r.server({FA});
  EXPECT_TRUE(reported_of(stream).finding(Rule::asymmetric_route));
}

// The client's ACK is lost before it comes here, or the SYN was forged.
TEST(AsymmetricRoute, NotForASynAckThatIsOnlyRepeated) {
  Stream stream;
  Router r(stream, false);
  r.from_client_seen = false;
  r.client({S});
  r.server({SA});
  for (int i = 0; i < 4; ++i) {
    stream.wait(1 * s);
    r.server({SA, 0, TW_EVENT_RETRANSMISSION});
  }
  EXPECT_FALSE(reported_of(stream).finding(Rule::asymmetric_route));
}

// SYNs without an answer are a server that is not there.
TEST(AsymmetricRoute, NotForSynsWithoutAnswer) {
  Stream stream;
  Router r(stream, false);
  r.client({S});
  for (int i = 0; i < 4; ++i) {
    stream.wait(1 * s);
    r.client({S, 0, TW_EVENT_RETRANSMISSION});
  }
  const RunResult reported = reported_of(stream, 200 * s);
  EXPECT_EQ(reported.life().outcome, Outcome::connect_timeout);
  EXPECT_FALSE(reported.finding(Rule::asymmetric_route));
  EXPECT_FALSE(reported.finding(Rule::forward_dropped));
}

// SYN and SYN-ACK a second apart: on the server's side of this machine; ACK: on the client's.
TEST(ForwardedSlowHandshake, NamesTheSide) {
  for (const bool at_server : {true, false}) {
    Stream stream;
    Router r(stream, false);
    r.client({S});
    if (at_server) {
      stream.wait(1 * s);
      r.client({S, 0, TW_EVENT_RETRANSMISSION});
    }
    r.server({SA});
    if (!at_server) {
      stream.wait(1 * s);
      r.server({SA, 0, TW_EVENT_RETRANSMISSION});
    }
    r.client({A, 0, TW_EVENT_HANDSHAKE_ACK});
    r.closes();
    const auto finding = reported_of(stream).finding(Rule::slow_handshake);
    ASSERT_TRUE(finding);
    EXPECT_EQ(finding->confidence, Confidence::likely);
    using Leg = arguments::ForwardedHandshake::Leg;
    EXPECT_EQ(found<arguments::ForwardedHandshake>(finding).leg, at_server ? Leg::answer : Leg::ack);
  }
}

TEST(ForwardedSlowHandshake, NotBelowTheLimit) {
  Stream stream;
  Router r(stream, false);
  r.client({S});
  stream.wait(900 * ms);
  r.server({SA});
  r.client({A, 0, TW_EVENT_HANDSHAKE_ACK});
  stream.wait(5 * s);
  r.closes();
  EXPECT_FALSE(reported_of(stream).finding(Rule::slow_handshake));
}

TEST(ForwardedKeepalive, SeveralInARowWithoutAnAnswer) {
  for (const int probes : {1, 2}) {
    for (const bool of_client : {true, false}) {
      Stream stream;
      Router r(stream, false);
      r.handshake();
      r.server({PA, 10});
      for (int i = 0; i < probes; ++i) {
        stream.wait(1 * s);
        if (of_client) {
          r.client({A, 0, TW_EVENT_KEEPALIVE});
        } else {
          r.server({A, 0, TW_EVENT_KEEPALIVE});
        }
      }
      const auto finding = reported_of(stream).finding(Rule::keepalive);
      ASSERT_EQ(finding.has_value(), probes == 2);
      if (!finding) continue;
      EXPECT_EQ(finding->confidence, Confidence::likely);
      const auto probes_of = found<arguments::ForwardedKeepalive>(finding);
      EXPECT_EQ(probes_of.from, of_client ? arguments::Side::client : arguments::Side::server);
      EXPECT_TRUE(probes_of.left);
    }
  }
}

TEST(ForwardedKeepalive, NotWhereTheyAreAnswered) {
  Stream stream;
  Router r(stream, false);
  r.handshake();
  for (int i = 0; i < 4; ++i) {
    stream.wait(1 * s);
    r.client({A, 0, TW_EVENT_KEEPALIVE});
    r.server({A, 0, TW_EVENT_KEEPALIVE_ACK});
  }
  EXPECT_FALSE(reported_of(stream).finding(Rule::keepalive));
}

// An asymmetric route: the answers go another way.
TEST(ForwardedKeepalive, NotWhereOneDirectionAlonePassesHere) {
  Stream stream;
  Router r(stream, false);
  r.client({S});
  r.client({A});
  for (int i = 0; i < 4; ++i) {
    stream.wait(1 * s);
    r.client({A, 0, TW_EVENT_KEEPALIVE});
  }
  EXPECT_FALSE(reported_of(stream).finding(Rule::keepalive));
}

// The server's first full-size segment goes unacknowledged, though small ones passed.
struct TooLarge {
  int tries = 3;
  std::uint32_t before = 100;
  std::uint32_t len = 1400;
  bool stays_here = false;
  bool acknowledged = false;
};
std::optional<Finding> too_large(const TooLarge& how) {
  Stream stream;
  Router r(stream, false);
  r.handshake();
  r.server({PA, how.before});
  r.server({PA, how.len});
  for (int i = 0; i < how.tries; ++i) {
    stream.wait((200 << i) * ms);
    if (how.stays_here) {
      r.server_lost({PA, how.len, TW_EVENT_RETRANSMISSION});
      r.drop(drop_netfilter, false, PA, 0);
    } else {
      r.server({PA, how.len, TW_EVENT_RETRANSMISSION});
    }
  }
  if (how.acknowledged) r.client({FA});
  return reported_of(stream).finding(Rule::path_mtu_black_hole);
}

TEST(ForwardedPathMtu, AFullSizeSegmentThatNeverArrives) {
  const auto finding = too_large({});
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->confidence, Confidence::likely);
  const auto large = found<arguments::ForwardedPathMtu>(finding);
  EXPECT_EQ(large.length, 1400U);
  EXPECT_EQ(large.times, 4U);
}

TEST(ForwardedPathMtu, AlmostOne) {
  EXPECT_FALSE(too_large({.tries = 2}));
  EXPECT_FALSE(too_large({.before = 3000})) << "as much was acknowledged before: the path is dead";
  EXPECT_FALSE(too_large({.len = 500})) << "every path takes this";
  EXPECT_FALSE(too_large({.stays_here = true})) << "this machine dropped it";
  EXPECT_FALSE(too_large({.acknowledged = true}));
}

}  // namespace
}  // namespace tcpwitness::testing
