// SPDX-License-Identifier: Apache-2.0
// Filter expressions: libpcap's own language, for each link type that is met.
#include <gtest/gtest.h>

#include "capture/filter.hpp"
#include "unit/capture_bytes.hpp"

namespace tcpwitness::testing {
namespace {

bool matches(PacketFilter& filter, const Bytes& frame, std::uint16_t link_type) {
  CaptureBlock block;
  block.bytes = frame.span();
  block.wire_len = static_cast<std::uint32_t>(frame.size());
  block.link_type = link_type;
  return filter.matches(block);
}

TEST(Filter, SelectsOnEveryLinkType) {
  auto filter = PacketFilter::compile("tcp port 80 and src host 10.0.0.1");
  ASSERT_TRUE(filter) << filter.error().message();
  const Bytes wanted = ipv4(tcp(1));
  const Bytes other = ipv4(tcp(1, {.destination = 81}));
  for (int i = 0; i < 2; i++) {
    EXPECT_TRUE(matches(**filter, ethernet(wanted), 1));
    EXPECT_FALSE(matches(**filter, ethernet(other), 1));
    EXPECT_TRUE(matches(**filter, wanted, 101));
    EXPECT_FALSE(matches(**filter, other, 101));
    EXPECT_TRUE(matches(**filter, Bytes().zeros(14).u16(0x0800).add(wanted), 113));
  }
  EXPECT_FALSE((*filter)->refused());
}

TEST(Filter, ThatIsNoneIsRefusedInTheWordsOfLibpcap) {
  const auto filter = PacketFilter::compile("tcp port and");
  ASSERT_FALSE(filter);
  EXPECT_NE(filter.error().message().find("tcp port and"), std::string::npos);
  EXPECT_NE(filter.error().message().find("syntax error"), std::string::npos) << filter.error().message();
}

TEST(Filter, ThatTakesLibpcapMinutesIsRefused) {
  std::string ports = "port 9000";
  for (int i = 1; i < 1000; ++i) ports += " or port " + std::to_string(9000 + i);
  const auto filter = PacketFilter::compile(ports);
  ASSERT_FALSE(filter);
  EXPECT_NE(filter.error().message().find("at most 2048"), std::string::npos);
}

TEST(Filter, ForEthernetOnlyMatchesNothingElseAndSaysSo) {
  auto filter = PacketFilter::compile("ether src 00:00:00:00:00:00");
  ASSERT_TRUE(filter) << filter.error().message();
  EXPECT_TRUE(matches(**filter, ethernet(ipv4(tcp(1))), 1));
  EXPECT_FALSE((*filter)->refused());
  EXPECT_FALSE(matches(**filter, ipv4(tcp(1)), 101));
  ASSERT_TRUE((*filter)->refused());
  EXPECT_NE((*filter)->refused()->message().find("link type"), std::string::npos);
}

TEST(Filter, OfACutFrameLooksOnlyAtWhatWasCaptured) {
  auto filter = PacketFilter::compile("tcp port 80");
  ASSERT_TRUE(filter);
  Bytes cut = ethernet(ipv4(tcp(1)));
  cut.raw().resize(30);
  EXPECT_FALSE(matches(**filter, cut, 1));
}

}  // namespace
}  // namespace tcpwitness::testing
