// SPDX-License-Identifier: Apache-2.0
// What comes in great numbers is added up: nothing is printed a hundred thousand times, and nothing is forgotten.
#include "facts/crowd.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>

#include "unit/says.hpp"
#include "unit/stories.hpp"
#include "values/keyed_hash.hpp"

namespace tcpwitness::testing {
namespace {

Side asker(Stream& stream, std::uint32_t number) {
  const std::string address = fmt::format("198.18.{}.{}", number / 250, 1 + number % 250);
  return {stream, 1000 + number, "10.0.0.1", 80, address, static_cast<std::uint16_t>(1024 + number % 60000), 1,
          2,      false};
}

// SYNs that find a listener, 1 ms apart, each answered by a SYN-ACK; of each hundred so many complete.
RunResult asked(std::uint32_t count, std::uint32_t completed_of_100, std::int64_t apart_ns = ms) {
  Stream stream;
  listens(stream);
  for (std::uint32_t i = 0; i < count; ++i) {
    Side c = asker(stream, i);
    is_asked(c);
    if (i % 100 < completed_of_100) {
      c.in(A, 0, TW_EVENT_HANDSHAKE_ACK);
      c.view = SocketKind::full;
      c.state = State::listen;
      c.to(State::syn_recv);
      c.to(State::established);
    }
    stream.wait(apart_ns);
  }
  stream.wait(2 * s);
  return run(stream.events, life_settings(), 2 * s);
}

TEST(SynFlood, IsOneFindingASecondWithItsNumbers) {
  const RunResult reported = asked(1000, 0);
  const auto finding = reported.finding(Rule::syn_flood);
  ASSERT_TRUE(finding.has_value());
  EXPECT_EQ(finding->confidence, Confidence::likely);
  EXPECT_TRUE(says(finding, "from about")) << sentence(*finding);
  EXPECT_TRUE(says(finding, "to 10.0.0.1:80")) << sentence(*finding);
  EXPECT_EQ(found<arguments::SynFlood>(finding).completed, 0U);
  EXPECT_FALSE(finding->evidence.empty());
  EXPECT_LE(reported.lives().size(), 200U);
  EXPECT_EQ(reported.lives().size() + reported.summary.unlisted, 1000U) << "what is not listed is counted";
}

// Their clients' addresses do not exist: of three answers one leaves and the neighbour of the others does not answer.
TEST(SynFlood, SaysWhereItsAnswersWereDropped) {
  for (const bool answer : {true, false}) {
    Stream stream;
    listens(stream);
    for (std::uint32_t i = 0; i < 300; ++i) {
      Side c = asker(stream, i);
      c.view = SocketKind::listener;
      c.state = State::listen;
      c.in(S);
      if (i % 3 != 0) c.drop(drop_neighbour, true, answer ? SA : S);
      stream.wait(ms);
    }
    stream.wait(2 * s);
    const auto finding = run(stream.events, life_settings(), 2 * s).finding(Rule::syn_flood);
    ASSERT_TRUE(finding.has_value());
    EXPECT_EQ(says(finding, "200 were dropped on this machine (200 NEIGH_FAILED)"), answer) << sentence(*finding);
  }
}

TEST(SynFlood, ABusyListenerIsNone) {
  const RunResult reported = asked(1000, 95);
  EXPECT_FALSE(reported.finding(Rule::syn_flood).has_value());
  EXPECT_EQ(reported.lives().size(), 1000U);
}

TEST(SynFlood, JustBelowIsNone) {
  EXPECT_TRUE(asked(100, 0).finding(Rule::syn_flood).has_value());
  EXPECT_FALSE(asked(99, 0).finding(Rule::syn_flood).has_value());
}

// A burst at the end of a second completes in the next one.
TEST(SynFlood, ABurstThatCompletesARoundTripLaterIsNone) {
  constexpr std::uint32_t count = 300;
  for (const bool completes : {true, false}) {
    Stream stream;
    listens(stream);
    std::vector<Side> clients;
    for (std::uint32_t i = 0; i < count; ++i) {
      if (i == 1) stream.wait(950 * ms);
      is_asked(clients.emplace_back(asker(stream, i)));
    }
    stream.wait(80 * ms);
    for (Side& c : clients) {
      if (!completes) continue;
      c.in(A, 0, TW_EVENT_HANDSHAKE_ACK);
      c.view = SocketKind::full;
      c.state = State::listen;
      c.to(State::syn_recv);
      c.to(State::established);
    }
    EXPECT_EQ(run(stream.events, life_settings(), 3 * s).finding(Rule::syn_flood).has_value(), !completes);
  }
}

TEST(SynFlood, SlowRequestsAreListedOneByOne) {
  const RunResult reported = asked(200, 0, 50 * ms);
  EXPECT_FALSE(reported.finding(Rule::syn_flood).has_value());
}

TEST(Strays, AreOneByOneUntilTheyAreTooMany) {
  for (const std::uint32_t count : {100U, 1000U}) {
    Stream stream;
    for (std::uint32_t i = 0; i < count; ++i) {
      Side c = asker(stream, i);
      c.view = SocketKind::none;
      c.in(S);
      c.out(RA, 0, 0, [](Segment& g) { g.seq = 0; });
    }
    const RunResult reported = run(stream.events, life_settings(), 100 * ms);
    std::size_t findings = 0;
    std::size_t sums = 0;
    std::size_t segments = 0;
    for (const auto& report : reported.all<FindingReport>()) {
      const auto* more = std::get_if<arguments::More>(&report.finding.arguments);
      ++findings;
      sums += more != nullptr ? 1 : 0;
      segments += more != nullptr ? more->crowd.count : 1;
    }
    EXPECT_EQ(segments, count) << "none is left out";
    EXPECT_EQ(sums, count > 100 ? 1U : 0U);
    EXPECT_EQ(findings, count > 100 ? 101U : count);
  }
}

TEST(Distinct, CountsWithinAFewPerCent) {
  for (const std::uint64_t many : {1U, 10U, 1000U, 100'000U}) {
    Distinct distinct;
    for (int again = 0; again < 2; ++again) {
      for (std::uint64_t i = 0; i < many; ++i) distinct.add(HashKey::process.hash({i, 1, 2, 3, 4, 5}));
    }
    const double error = std::abs(static_cast<double>(distinct.count()) / static_cast<double>(many) - 1);
    // The key is random. Of ten, two share a register in 4 runs of 100, and two pairs do in 1 of 1,000.
    EXPECT_LT(error, many < 100 ? 0.31 : 0.2) << many << " counted as " << distinct.count();
  }
}

}  // namespace
}  // namespace tcpwitness::testing
