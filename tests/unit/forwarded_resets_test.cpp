// SPDX-License-Identifier: Apache-2.0
// forwarded_resets_test.cpp: resets that pass through a router, or are made there.
#include <gtest/gtest.h>

#include "unit/router.hpp"
#include "unit/says.hpp"

namespace tcpwitness::testing {
namespace {

TEST(ForwardedReset, OneThatCameInNowhereWasMadeHere) {
  Stream stream;
  Router r(stream, false);
  r.client_lost({S});
  const EventId reset = r.made(true, {RA});
  const RunResult reported = reported_of(stream);
  EXPECT_EQ(reported.life().outcome, Outcome::refused);
  EXPECT_EQ(reported.life().closed_by, ClosedBy::none);
  const auto finding = reported.finding(Rule::reset_origin);
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->confidence, Confidence::certain);
  EXPECT_EQ(finding->evidence.at(0), reset);
  EXPECT_EQ(reported.life().forwarded->client.made_here, 1U);
}

TEST(ForwardedReset, InTheMiddleItIsNeitherEndsOwn) {
  Stream stream;
  Router r(stream, false);
  r.handshake();
  r.server({PA, 10});
  r.made(false, {R}, SocketKind::control);
  const RunResult reported = reported_of(stream);
  EXPECT_EQ(reported.life().outcome, Outcome::reset_by_outsider);
  EXPECT_EQ(reported.finding(Rule::reset_origin)->confidence, Confidence::certain);
}

TEST(ForwardedReset, AfterANewMappingItIsStillThatConnections) {
  Stream stream;
  Router r(stream, true);
  r.handshake();
  r.client({PA, 2});
  r.server({PA, 7});
  r.mapped_anew();
  r.client({PA, 3});
  r.server({R});
  const RunResult reported = reported_of(stream);
  ASSERT_EQ(reported.lives().size(), 1U);
  EXPECT_EQ(reported.life().outcome, Outcome::reset_by_peer);
  ASSERT_TRUE(reported.life().nat);
  EXPECT_EQ(reported.life().nat->local.port, 52000);
  EXPECT_EQ(reported.life().tx_bytes, 5U);
  EXPECT_EQ(reported.life().rx_bytes, 7U) << "as much left for the client";
  EXPECT_FALSE(reported.finding(Rule::forward_dropped));
  EXPECT_EQ(reported.finding(Rule::reset_origin)->confidence, Confidence::likely);
}

// Two hosts with one address: that of the client's neighbour entry has changed.
TEST(ForwardedReset, OneThatCameInElsewhereIsSaidToHaveComeInThere) {
  Stream stream;
  Router r(stream, false);
  r.handshake();
  r.reset_from(eth2);
  const auto finding = reported_of(stream).finding(Rule::reset_origin);
  ASSERT_TRUE(finding);
  EXPECT_NE(sentence(*finding).find("came in on eth2"), std::string::npos) << sentence(*finding);
}

// Its arrival was not seen, and with what TTL it came is not known: that it leaves with one less means nothing.
TEST(ForwardedReset, OneOfWhichOnlyTheDepartureWasSeenHasNoTtl) {
  Stream stream;
  Router r(stream, false);
  r.handshake();
  r.server({PA, 10});
  r.arrivals_seen = false;
  r.server({RA});
  const auto finding = reported_of(stream).finding(Rule::reset_origin);
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->confidence, Confidence::likely) << sentence(*finding);
}

TEST(ForwardedReset, OneThatCameInIsThatSidesAtMostLikely) {
  Stream stream;
  Router r(stream, false);
  r.handshake();
  r.server({RA});
  const RunResult reported = reported_of(stream);
  EXPECT_EQ(reported.life().outcome, Outcome::reset_by_peer);
  EXPECT_EQ(reported.life().closed_by, ClosedBy::peer);
  EXPECT_EQ(reported.finding(Rule::reset_origin)->confidence, Confidence::likely);
}

TEST(ForwardedReset, ByTheClientItIsTheLocalEnds) {
  Stream stream;
  Router r(stream, false);
  r.handshake();
  r.client({RA});
  EXPECT_EQ(reported_of(stream).life().outcome, Outcome::reset_by_local);
}

// The TTL of what leaves is one less: as it came in it is compared.
TEST(ForwardedReset, ItsTtlIsThatOfItsArrival) {
  Stream stream;
  Router same(stream, false);
  same.handshake();
  same.server({PA, 10});
  same.server({RA});
  EXPECT_EQ(reported_of(stream).finding(Rule::reset_origin)->confidence, Confidence::likely);
  Stream other;
  Router r(other, false);
  r.handshake();
  r.server({PA, 10});
  r.server({.flags = RA, .ttl = 60});
  EXPECT_EQ(reported_of(other, 4 * s).finding(Rule::reset_origin)->confidence, Confidence::inconclusive);
}

// A RST that stays here ends nothing: the other side goes on.
TEST(ForwardedReset, OneThatDoesNotLeaveEndsNothing) {
  Stream stream;
  Router r(stream, false);
  r.handshake();
  r.server_lost({R});
  stream.wait(100 * ms);
  r.client({PA, 10});
  r.closes();
  const RunResult reported = reported_of(stream);
  EXPECT_EQ(reported.life().outcome, Outcome::completed);
  EXPECT_FALSE(reported.finding(Rule::reset_origin));
  EXPECT_TRUE(reported.finding(Rule::forward_dropped));
}

}  // namespace
}  // namespace tcpwitness::testing
