// SPDX-License-Identifier: Apache-2.0
// forwarded_attempts_test.cpp: attempts through a router: floods, scans, refusals by an ICMP message.
#include <gtest/gtest.h>

#include "unit/router.hpp"
#include "unit/says.hpp"

namespace tcpwitness::testing {
namespace {

// A SYN flood through a router, as a flood of a listener here: the first hundred of a second, and one finding.
RunResult flooded(std::uint32_t count, std::uint32_t completed_of_100, bool refused, CorrelatorSettings settings,
                  std::int64_t apart_ns = ms) {
  Stream stream;
  for (std::uint32_t i = 0; i < count; ++i) {
    Router r(stream, false, static_cast<std::uint16_t>(1024 + i));
    if (i % 100 < completed_of_100) {
      r.handshake();
    } else {
      r.client({S});
      if (refused) r.server({RA});
    }
    stream.wait(apart_ns);
  }
  return run(stream.events, std::move(settings), 3 * s, router_names());
}

TEST(ForwardedFlood, IsNamedAndCounted) {
  const RunResult reported = flooded(1000, 0, false, flood_settings());
  const auto finding = reported.finding(Rule::syn_flood);
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->confidence, Confidence::likely);
  EXPECT_NE(sentence(*finding).find("from 10.8.0.1 to 10.9.0.2:80"), std::string::npos) << sentence(*finding);
  EXPECT_LE(reported.lives().size(), 200U);
  EXPECT_EQ(reported.lives().size() + reported.summary.unlisted, 1000U);
}

TEST(ForwardedFlood, BusyClientsAreNone) {
  const RunResult reported = flooded(1000, 95, false, flood_settings());
  EXPECT_FALSE(reported.finding(Rule::syn_flood));
  EXPECT_EQ(reported.lives().size(), 1000U);
  EXPECT_EQ(reported.summary.unlisted, 0U);
}

TEST(ForwardedFlood, JustBelowIsNone) {
  EXPECT_TRUE(flooded(100, 0, false, flood_settings()).finding(Rule::syn_flood));
  EXPECT_FALSE(flooded(99, 0, false, flood_settings()).finding(Rule::syn_flood));
}

// A scan is answered: no flood, and yet not a thousand lines.
TEST(ForwardedFlood, AScanIsBoundedAndNoFlood) {
  const RunResult reported = flooded(1000, 0, true, flood_settings());
  EXPECT_FALSE(reported.finding(Rule::syn_flood));
  EXPECT_LE(reported.lives().size(), 200U);
  EXPECT_EQ(reported.lives().size() + reported.summary.unlisted, 1000U);
  std::size_t sums = 0;
  for (const auto& report : reported.all<FindingReport>()) {
    const auto* more = std::get_if<arguments::More>(&report.finding.arguments);
    if (more == nullptr || more->what != arguments::More::What::refused_through_here) continue;
    ++sums;
    EXPECT_EQ(report.conn, 0U);
    EXPECT_EQ(report.finding.rule, Rule::reset_origin);
    EXPECT_EQ(report.finding.confidence, Confidence::likely);
  }
  EXPECT_GE(sums, 1U);
  EXPECT_LE(sums, 2U);
}

// Of those that nobody has answered the oldest gives way; who gets through is followed.
TEST(ForwardedFlood, TheOldestThatNobodyAnsweredGivesWay) {
  CorrelatorSettings settings = flood_settings();
  settings.forwarded_attempt_limit = 50;
  const RunResult reported = flooded(500, 2, false, settings, 10 * ms);
  EXPECT_EQ(reported.summary.given_up, 490U - 50U);
  EXPECT_EQ(std::ranges::count(reported.lives(), true, [](const Life& life) { return life.handshake_ns.has_value(); }),
            10);
  EXPECT_EQ(reported.lives().size() + reported.summary.unlisted, 500U);
  for (const Life& life : reported.lives()) EXPECT_NE(life.outcome, Outcome::connect_timeout) << "given up early";
}

// nft forward: reject, or no route.
TEST(ForwardedRefusal, AnIcmpErrorOfThisMachineEndsTheAttempt) {
  Stream stream;
  Router r(stream, false);
  r.client_lost({S});
  const EventId message = r.icmp(3, 3, "10.8.0.254");
  const RunResult reported = reported_of(stream, 4 * s);
  EXPECT_EQ(reported.life().outcome, Outcome::refused);
  EXPECT_EQ(reported.life().closed_by, ClosedBy::none);
  EXPECT_NE(
      reported.life().explanation.find("port unreachable (ICMP type 3, code 3), sent by this machine (10.8.0.254)"),
      std::string::npos)
      << reported.life().explanation;
  const auto entries = reported.entries_of<IcmpEntry>();
  ASSERT_EQ(entries.size(), 1U);
  EXPECT_EQ(entries[0].first.id, message);
  EXPECT_TRUE(entries[0].second.sent);
  EXPECT_FALSE(entries[0].second.passed);
  EXPECT_EQ(entries[0].second.rel_seq, 0U);
  // At the message, not when the client's time is up.
  EXPECT_LT(reported.life().duration_ns, 1 * s);
}

TEST(ForwardedRefusal, OneThatPassesNamesItsSender) {
  for (const auto& [type, code, outcome] : {std::tuple{3, 0, Outcome::unreachable},
                                            {3, 1, Outcome::unreachable},
                                            {3, 13, Outcome::unreachable},
                                            {11, 0, Outcome::unreachable},
                                            {3, 3, Outcome::refused}}) {
    Stream stream;
    Router r(stream, false);
    r.client({S});
    r.icmp(static_cast<std::uint8_t>(type), static_cast<std::uint8_t>(code), "10.9.0.253", eth1);
    const RunResult reported = reported_of(stream, 0);
    EXPECT_EQ(reported.life().outcome, outcome) << type << ' ' << code;
    EXPECT_EQ(reported.life().closed_by, ClosedBy::none);
    EXPECT_NE(reported.life().explanation.find("sent by 10.9.0.253, on the way"), std::string::npos);
    EXPECT_TRUE(reported.entries_of<IcmpEntry>().at(0).second.passed);
  }
}

TEST(ForwardedRefusal, AlmostOne) {
  const auto outcome = [](std::uint8_t type, std::uint8_t code, std::int32_t off, bool answered) {
    Stream stream;
    Router r(stream, false);
    r.client({S});
    if (answered) r.server({SA});
    r.icmp(type, code, "10.9.0.253", eth1, off);
    return reported_of(stream, 0).life().outcome;
  };
  EXPECT_EQ(outcome(3, 1, 0, false), Outcome::unreachable);
  EXPECT_EQ(outcome(3, 4, 0, false), Outcome::open) << "fragmentation needed";
  EXPECT_EQ(outcome(3, 1, 1000, false), Outcome::open) << "it quotes no SYN of this connection";
  EXPECT_EQ(outcome(3, 1, 0, true), Outcome::open) << "the server has answered";
}

// A SYN that is sent again at that moment has not seen the message.
TEST(ForwardedRefusal, ASynThatCrossesTheMessageAsksNothing) {
  for (const std::int64_t later : {99 * ms, 100 * ms}) {
    Stream stream;
    Router r(stream, false);
    r.client({S});
    r.icmp(3, 1, "10.9.0.253", eth1);
    stream.wait(later);
    r.client({S, 0, TW_EVENT_RETRANSMISSION});
    const bool crosses = later < 100 * ms;
    EXPECT_EQ(reported_of(stream, 10 * s).life().outcome, crosses ? Outcome::unreachable : Outcome::open) << later;
    if (!crosses) continue;
    stream.wait(2 * s);
    r.client({S, 0, TW_EVENT_RETRANSMISSION});
    EXPECT_EQ(reported_of(stream, 10 * s).life().outcome, Outcome::open) << "it asks again all the same";
  }
}

// RFC 1122, 4.2.3.9: a soft error for some, and one that Linux may put off; they ask again, and may be answered.
TEST(ForwardedRefusal, AClientThatAsksAgainIsNotRefused) {
  Stream stream;
  Router r(stream, false);
  r.client({S});
  for (int i = 0; i < 3; ++i) {
    r.icmp(3, 1, "10.9.0.253", eth1);
    stream.wait((1 << i) * s);
    r.client({S, 0, TW_EVENT_RETRANSMISSION});
  }
  EXPECT_EQ(reported_of(stream, 100 * ms).life().outcome, Outcome::open) << "it has asked again";
  EXPECT_EQ(reported_of(stream, 131 * s).life().outcome, Outcome::unreachable) << "the newest error, not a timeout";
  Stream refused = stream;
  Router again(refused, false);
  again.icmp(3, 3, "10.9.0.253", eth1, 1);
  ASSERT_EQ(reported_of(refused, 100 * s).lives().size(), 1U);
  EXPECT_EQ(reported_of(refused, 100 * s).life().outcome, Outcome::refused);
  r.server({SA});
  r.client({A, 0, TW_EVENT_HANDSHAKE_ACK});
  r.closes();
  const RunResult reported = reported_of(stream);
  ASSERT_EQ(reported.lives().size(), 1U);
  EXPECT_EQ(reported.life().outcome, Outcome::completed);
}

// A port that NAT publishes: the message comes before anything shows that the SYN was sent on.
TEST(ForwardedRefusal, OfAPublishedPort) {
  Stream stream;
  Router r(stream, false);
  r.first_seems_for = SocketKind::none;
  r.client_lost({S});
  r.icmp(3, 3, "10.8.0.254");
  Drop drop{};
  drop.header.kind = TW_KIND_DROP;
  drop.header.netns = 1;
  drop.header.version = TW_ABI_VERSION;
  drop.tuple = r.near();
  put_address(drop.tuple.local_addr, "10.7.0.1");
  drop.reason = drop_netfilter;
  drop.flags = S;
  drop.seq = 100;
  stream.add(drop);
  const RunResult reported = run(stream.events, router_settings(), 4 * s, router_names());
  ASSERT_EQ(reported.lives().size(), 1U);
  EXPECT_EQ(reported.life().outcome, Outcome::refused);
}

// No route: the routing table does not show either that it is to be sent on.
TEST(ForwardedRefusal, WhereThereIsNoRoute) {
  const auto lives = [](std::string_view sender) {
    Stream stream;
    Router r(stream, false);
    r.first_seems_for = SocketKind::none;
    r.client_lost({S});
    r.icmp(3, 0, sender);
    return run(stream.events, router_settings(), 4 * s, router_names()).lives();
  };
  ASSERT_EQ(lives("10.8.0.254").size(), 1U);
  EXPECT_EQ(lives("10.8.0.254")[0].outcome, Outcome::unreachable);
  EXPECT_TRUE(lives("10.9.0.2").empty()) << "in the destination's name: it was for this machine";
}

}  // namespace
}  // namespace tcpwitness::testing
