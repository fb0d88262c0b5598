// SPDX-License-Identifier: Apache-2.0
// filter_test.cpp: ports, hosts and packets_all, fixed when the programs are loaded. A filtered segment
// is neither reported nor counted: it leaves no flow.
#include <gtest/gtest.h>

#include <algorithm>

#include "bpf/suite.hpp"

namespace tcpwitness::wire_test {
namespace {

struct Pair {
  Endpoint from;
  Endpoint to;
};

class Filters : public BpfTest {
 protected:
  void load(const tw_config& config, const std::vector<tw_host>& hosts = {}) {
    wire_.reset();  // its namespace is left before another is entered
    auto loaded = WireProgram::load({.config = config, .hosts = hosts});
    ASSERT_TRUE(loaded) << loaded.error().message();
    wire_ = std::move(*loaded);
  }

  void expect(bool reported, const Endpoint& from, const Endpoint& to, Family family = Family::ipv4) {
    for (const Hook hook : {Hook::egress, Hook::ingress, Hook::xdp}) {
      SCOPED_TRACE(name_of(hook));
      const std::size_t flows = wire_->flow_count();
      const auto outcome = wire_->run(hook, build({.family = family}, from, to, {.flags = syn}).bytes);
      EXPECT_EQ(outcome.error, 0);
      EXPECT_EQ(outcome.verdict, passing_verdict(hook));
      EXPECT_EQ(outcome.records.size(), reported ? 1U : 0U);
      if (!reported) {
        EXPECT_EQ(wire_->flow_count(), flows);
      }
    }
  }

  std::unique_ptr<WireProgram> wire_;
};

tw_host host(const Endpoint& end, std::uint32_t bits) {
  tw_host key{.prefix_bits = bits, .addr = {}};
  std::ranges::copy(end.address, key.addr);
  return key;
}

TEST_F(Filters, APortMatchesOnEitherEnd) {
  tw_config config{};
  add_port(config, 80);
  add_port(config, 443);
  ASSERT_NO_FATAL_FAILURE(load(config));
  expect(true, ipv4_endpoint(10, 0, 0, 1, 5000), ipv4_endpoint(10, 0, 0, 2, 443));
  expect(true, ipv4_endpoint(10, 0, 0, 1, 80), ipv4_endpoint(10, 0, 0, 2, 5000));
  expect(true, ipv6_endpoint(1, 1, 5000), ipv6_endpoint(1, 2, 80), Family::ipv6);
  expect(false, ipv4_endpoint(10, 0, 0, 1, 5000), ipv4_endpoint(10, 0, 0, 2, 444));
  expect(false, ipv4_endpoint(10, 0, 0, 1, 9999), ipv4_endpoint(10, 0, 0, 2, 5000));
  expect(false, ipv4_endpoint(10, 0, 0, 1, 0), ipv4_endpoint(10, 0, 0, 2, 0x5000));  // 80 in the other byte order
}

TEST_F(Filters, TheFirstAndTheLastPortOfARangeCount) {
  tw_config config{};
  for (std::uint16_t port = 7000; port < 7016; ++port) add_port(config, port);
  add_port(config, 65535);
  ASSERT_NO_FATAL_FAILURE(load(config));
  expect(true, ipv4_endpoint(10, 0, 0, 1, 7000), ipv4_endpoint(10, 0, 0, 2, 1));
  expect(true, ipv4_endpoint(10, 0, 0, 1, 7015), ipv4_endpoint(10, 0, 0, 2, 1));
  expect(true, ipv4_endpoint(10, 0, 0, 1, 1), ipv4_endpoint(10, 0, 0, 2, 65535));
  expect(false, ipv4_endpoint(10, 0, 0, 1, 6999), ipv4_endpoint(10, 0, 0, 2, 1));
  expect(false, ipv4_endpoint(10, 0, 0, 1, 7016), ipv4_endpoint(10, 0, 0, 2, 1));
}

TEST_F(Filters, AnIpv4PrefixMatchesOnEitherEnd) {
  tw_config config{};
  ASSERT_NO_FATAL_FAILURE(load(config, {host(ipv4_endpoint(192, 0, 2, 128, 0), 96 + 25)}));
  expect(true, ipv4_endpoint(192, 0, 2, 128, 1), ipv4_endpoint(10, 0, 0, 1, 2));
  expect(true, ipv4_endpoint(10, 0, 0, 1, 2), ipv4_endpoint(192, 0, 2, 255, 1));
  expect(false, ipv4_endpoint(192, 0, 2, 127, 1), ipv4_endpoint(10, 0, 0, 1, 2));
  expect(false, ipv4_endpoint(192, 0, 3, 128, 1), ipv4_endpoint(10, 0, 0, 1, 2));
  // The same four bytes at the end of an IPv6 address are not an IPv4 address.
  expect(false, {.address = {0x20, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 192, 0, 2, 200}, .port = 1}, ipv6_endpoint(1, 1, 1),
         Family::ipv6);
}

TEST_F(Filters, AnIpv6PrefixMatchesAtEveryLength) {
  for (const std::uint32_t bits : {1U, 31U, 32U, 33U, 47U, 64U, 96U, 127U, 128U}) {
    SCOPED_TRACE(bits);
    Endpoint inside = ipv6_endpoint(0xaaaa, 0x5555, 1);
    inside.address[8] = 0xc3;
    Endpoint wanted = inside;
    for (std::uint32_t i = bits; i < 128; i++) wanted.address[i / 8] &= static_cast<std::uint8_t>(~(0x80U >> i % 8));
    tw_config config{};
    ASSERT_NO_FATAL_FAILURE(load(config, {host(wanted, bits)}));
    const Endpoint other{.address = {0xff, 0xff}, .port = 2};
    expect(true, inside, other, Family::ipv6);
    expect(true, other, inside, Family::ipv6);
    // The last bit that counts is another one.
    Endpoint outside = inside;
    outside.address[(bits - 1) / 8] ^= static_cast<std::uint8_t>(0x80U >> (bits - 1) % 8);
    expect(false, outside, other, Family::ipv6);
  }
}

TEST_F(Filters, APrefixOfNothingMatchesAll) {
  tw_config config{};
  ASSERT_NO_FATAL_FAILURE(load(config, {host(ipv4_endpoint(0, 0, 0, 0, 0), 96)}));  // every IPv4 address
  expect(true, ipv4_endpoint(1, 2, 3, 4, 1), ipv4_endpoint(5, 6, 7, 8, 2));
  expect(false, ipv6_endpoint(1, 1, 1), ipv6_endpoint(1, 2, 2), Family::ipv6);
}

TEST_F(Filters, EachOfManyHostsCountsAndPortsMustMatchToo) {
  tw_config config{};
  std::vector<tw_host> hosts;
  for (std::uint8_t i = 1; i <= 200; ++i) hosts.push_back(host(ipv4_endpoint(172, 16, 0, i, 0), 128));
  hosts.push_back(host(ipv4_endpoint(172, 17, 0, 0, 0), 96 + 16));  // and one within another
  hosts.push_back(host(ipv4_endpoint(172, 17, 3, 0, 0), 96 + 24));
  add_port(config, 443);
  ASSERT_NO_FATAL_FAILURE(load(config, hosts));
  expect(true, ipv4_endpoint(172, 16, 0, 8, 1000), ipv4_endpoint(10, 0, 0, 1, 443));
  expect(true, ipv4_endpoint(10, 0, 0, 1, 443), ipv4_endpoint(172, 16, 0, 200, 1000));
  expect(true, ipv4_endpoint(172, 17, 3, 1, 1000), ipv4_endpoint(10, 0, 0, 1, 443));
  expect(true, ipv4_endpoint(172, 17, 4, 1, 1000), ipv4_endpoint(10, 0, 0, 1, 443));
  expect(false, ipv4_endpoint(172, 16, 0, 201, 1000), ipv4_endpoint(10, 0, 0, 1, 443));
  expect(false, ipv4_endpoint(172, 18, 0, 1, 1000), ipv4_endpoint(10, 0, 0, 1, 443));
  expect(false, ipv4_endpoint(172, 16, 0, 8, 1000), ipv4_endpoint(10, 0, 0, 1, 444));
}

TEST_F(Filters, PacketsAllTellsEverySegment) {
  for (const bool all : {false, true}) {
    tw_config config{};
    config.packets_all = all ? 1 : 0;
    ASSERT_NO_FATAL_FAILURE(load(config));
    const auto [us, them] = fresh_ends();
    const auto reported = [&](const Segment& segment) {
      return wire_->run(Hook::egress, build({}, us, them, segment).bytes).records;
    };
    EXPECT_EQ(reported({.seq = 100, .flags = syn}).size(), 1U);
    const auto data = reported({.seq = 101, .payload = Bytes(10, 1)});
    ASSERT_EQ(data.size(), all ? 1U : 0U);
    if (all) {
      EXPECT_EQ(data[0].event_flags, 0);
    }
    EXPECT_EQ(reported({.seq = 111}).size(), all ? 1U : 0U);
  }
}

}  // namespace
}  // namespace tcpwitness::wire_test
