// SPDX-License-Identifier: Apache-2.0
// Addresses and prefixes as text.
#include "tcpwitness/address.hpp"

#include <gtest/gtest.h>

#include <unordered_set>

#include "tcpwitness/connection.hpp"
#include "tcpwitness/report.hpp"
#include "values/keyed_hash.hpp"

namespace tcpwitness::testing {
namespace {

TEST(Address, Ipv4IsPlainOutside) {
  const auto prefix = parse_prefix("192.0.2.1");
  ASSERT_TRUE(prefix.has_value());
  EXPECT_TRUE(prefix->address.is_ipv4());
  EXPECT_EQ(to_string(prefix->address), "192.0.2.1");
  EXPECT_EQ(to_string(Endpoint{prefix->address, 80}), "192.0.2.1:80");
}

TEST(Address, MappedFormEqualsItsIpv4) {
  EXPECT_EQ(parse_prefix("::ffff:192.0.2.1")->address, parse_prefix("192.0.2.1")->address);
}

TEST(Address, Ipv6IsBracketedWithAPort) {
  EXPECT_EQ(to_string(Endpoint{parse_prefix("2001:db8::1")->address, 443}), "[2001:db8::1]:443");
}

TEST(Address, UnspecifiedInBothFamilies) {
  EXPECT_TRUE(parse_prefix("0.0.0.0")->address.is_unspecified());
  EXPECT_TRUE(parse_prefix("::")->address.is_unspecified());
  EXPECT_FALSE(parse_prefix("0.0.0.1")->address.is_unspecified());
}

TEST(Prefix, ContainsByBits) {
  const auto net = parse_prefix("192.0.2.0/25");
  EXPECT_TRUE(net->contains(parse_prefix("192.0.2.127")->address));
  EXPECT_FALSE(net->contains(parse_prefix("192.0.2.128")->address));
  EXPECT_FALSE(net->contains(parse_prefix("2001:db8::1")->address));
}

TEST(Prefix, ClearsBitsOutside) { EXPECT_EQ(to_string(parse_prefix("10.1.2.3/8")->address), "10.0.0.0"); }

TEST(Prefix, ZeroBitsOfIpv4AreAllOfIpv4Only) {
  const auto all = parse_prefix("0.0.0.0/0");
  EXPECT_TRUE(all->contains(parse_prefix("203.0.113.9")->address));
  EXPECT_FALSE(all->contains(parse_prefix("2001:db8::1")->address));
}

TEST(Prefix, RefusesWhatIsNone) {
  for (const char* text : {"", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8x", "2001:db8::/129", "host"}) {
    EXPECT_FALSE(parse_prefix(text).has_value()) << text;
  }
}

TEST(FlowHash, DiffersForNeighbouringPorts) {
  std::unordered_set<std::size_t> seen;
  Flow flow;
  for (std::uint32_t port = 1; port <= 60000; ++port) {
    flow.local.port = static_cast<std::uint16_t>(port);
    seen.insert(std::hash<Flow>{}(flow));
  }
  EXPECT_GT(seen.size(), 59990U);  // of 32 bits: two may meet
}

// Who knows how flows are hashed, and not the key, cannot choose some that meet: neither by setting a word to what a
// multiplication turns to zero, nor by the sums that another key has.
TEST(FlowHash, HasNoAddressesThatMeetForEveryKey) {
  const HashKey one({1, 2, 3, 4, 5, 6, 7, 8});
  const HashKey other({11, 22, 33, 44, 55, 66, 77, 88});
  std::unordered_set<std::uint32_t> seen_by_one;
  std::unordered_set<std::uint32_t> seen_by_other;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    // NH's first product is zero for every one of these, with the first key.
    const HashWords words{i << 32, static_cast<std::uint64_t>(-2), 0, 0, 0, 0};
    seen_by_one.insert(one.hash(words));
    seen_by_other.insert(other.hash(words));
  }
  EXPECT_EQ(seen_by_one.size(), 1U);
  EXPECT_EQ(seen_by_other.size(), 1000U);
}

TEST(FlowHash, IsKeyedAtRandom) {
  const HashWords words{1, 2, 3, 4, 5, 6};
  EXPECT_NE(HashKey().hash(words), HashKey().hash(words));
}

TEST(Names, AreTheWordsOfTheDesign) {
  EXPECT_EQ(name(Outcome::connect_timeout), "connect-timeout");
  EXPECT_EQ(name(Outcome::open), "open");
  EXPECT_EQ(name(Rule::stray_segment), "stray-segment");
  EXPECT_EQ(name(TcpState::new_syn_recv), "NEW_SYN_RECV");
  EXPECT_EQ(name(static_cast<TcpState>(77)), "UNKNOWN");
  const Names names{{"", "SK_RST_REASON_NO_SOCKET"}, {}, {{3, "eth0"}}};
  EXPECT_EQ(names.reset_reason(1), "SK_RST_REASON_NO_SOCKET");
  EXPECT_EQ(names.reset_reason(0), "reason 0");
  EXPECT_EQ(names.reset_reason(17), "reason 17");
  EXPECT_EQ(names.interface(3), "eth0");
  EXPECT_EQ(names.interface(4), "if4");
}

}  // namespace
}  // namespace tcpwitness::testing
