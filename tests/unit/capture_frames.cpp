// SPDX-License-Identifier: Apache-2.0
// From frames to TCP segments: link layers, tunnels, fragments, lengths, options, checksums.
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "capture/tcp_frames.hpp"
#include "tcpwitness/event_abi.h"
#include "tcpwitness/tcp.hpp"
#include "unit/capture_bytes.hpp"

namespace tcpwitness::testing {
namespace {

class Parser {
 public:
  std::optional<TcpFrame> parse(const Bytes& frame, std::uint16_t link_type = 1, std::uint32_t wire = 0,
                                TimeNs ts_ns = 1) {
    CaptureBlock block;
    block.number = ++number_;
    block.ts_ns = ts_ns;
    block.link_type = link_type;
    block.bytes = frame.span();
    block.wire_len = wire != 0 ? wire : static_cast<std::uint32_t>(frame.size());
    TcpFrame tcp;
    if (!frames.parse(block, tcp)) return std::nullopt;
    return tcp;
  }
  TcpFrames frames;

 private:
  std::uint64_t number_ = 0;
};

std::optional<TcpFrame> parse(const Bytes& frame, std::uint16_t link_type = 1, std::uint32_t wire = 0) {
  return Parser().parse(frame, link_type, wire);
}

Bytes cut(Bytes frame, std::size_t size) {
  frame.raw().resize(size);
  return frame;
}

// Every way in which the same segment, with 9 bytes, can lie in a frame.
struct Place {
  const char* name;
  std::uint16_t link_type;
  Bytes frame;
};
void PrintTo(const Place& place, std::ostream* out) { *out << place.name; }

Bytes llc_snap(const Bytes& payload, unsigned type) {
  return Bytes().u8(0xaa).u8(0xaa).u8(3).zeros(3).u16(type).add(payload);
}

std::vector<Place> places() {
  const Bytes segment = tcp(9);
  const Bytes four = ipv4(segment);
  const Bytes six = ipv6(segment);
  const Bytes frame = ethernet(four);
  const auto udp4 = [](const Bytes& payload, unsigned port) {
    return ethernet(ipv4(udp(payload, port), {.protocol = 17}));
  };
  const auto gre4 = [](const Bytes& payload) { return ethernet(ipv4(payload, {.protocol = 47})); };
  const auto next = [](const Bytes& payload, unsigned protocol) {
    return ethernet(ipv4(payload, {.protocol = protocol}));
  };
  const Bytes length_802_3 = Bytes().zeros(12).u16(8 + four.size()).add(llc_snap(four, 0x0800));
  const Bytes wlan = Bytes().u8(0x08).u8(0x01).zeros(22).add(llc_snap(four, 0x0800));
  const Bytes wlan_qos = Bytes().u8(0x88).u8(0x01).zeros(24).add(llc_snap(four, 0x0800));
  return {
      {"ethernet", 1, frame},
      {"ethernet with IPv6", 1, ethernet(six, 0x86dd)},
      {"VLAN", 1, ethernet(Bytes().u16(5).u16(0x0800).add(four), 0x8100)},
      {"QinQ", 1, ethernet(Bytes().u16(5).u16(0x8100).u16(6).u16(0x86dd).add(six), 0x88a8)},
      {"three tags", 1, ethernet(Bytes().u16(5).u16(0x9100).u16(6).u16(0x8100).u16(7).u16(0x0800).add(four), 0x88a8)},
      {"802.3 with SNAP", 1, length_802_3},
      {"MPLS", 1, ethernet(Bytes().u32(0x00010040).u32(0x00020140).add(four), 0x8847)},
      {"MPLS pseudowire", 1, ethernet(Bytes().u32(0x00010140).u32(0).add(frame), 0x8847)},
      {"PPPoE", 1, ethernet(Bytes().u8(0x11).u8(0).u16(1).u16(2 + four.size()).u16(0x21).add(four), 0x8864)},
      {"provider backbone", 1, ethernet(Bytes().u32(7).add(frame), 0x88e7)},
      {"FabricPath", 1, ethernet(Bytes().u16(7).add(frame), 0x8903)},
      {"VN-Tag", 1, ethernet(Bytes().u32(7).u16(0x0800).add(four), 0x8926)},
      {"NSH", 1, ethernet(Bytes().u8(0).u8(2).u8(2).u8(1).u32(0).add(four), 0x894f)},
      {"raw 101", 101, four},
      {"raw 12", 12, six},
      {"raw 228", 228, four},
      {"raw 229", 229, six},
      {"cooked", 113, Bytes().zeros(14).u16(0x0800).add(four)},
      {"cooked with a VLAN", 113, Bytes().zeros(14).u16(0x8100).u16(5).u16(0x0800).add(four)},
      {"cooked 2", 276, Bytes().u16(0x86dd).zeros(18).add(six)},
      {"null, little-endian", 0, Bytes(false).u32(2).add(four)},
      {"null, big-endian", 0, Bytes().u32(30).add(six)},
      {"loop", 108, Bytes().u32(24).add(six)},
      {"PPP", 9, Bytes().u8(0xff).u8(3).u16(0x57).add(six)},
      {"PPP without its address, protocol in one byte", 9, Bytes().u8(0x21).add(four)},
      {"Cisco HDLC", 104, Bytes().u16(0x0f00).u16(0x0800).add(four)},
      {"FDDI", 10, Bytes().u8(0x57).zeros(12).add(llc_snap(four, 0x0800))},
      {"802.11", 105, wlan},
      {"802.11 with QoS", 105, wlan_qos},
      {"radiotap", 127, Bytes(false).u16(0).u16(10).zeros(6).add(wlan)},
      {"NFLOG", 239, Bytes(false).u8(2).zeros(3).u16(6).u16(1).zeros(4).u16(4 + four.size()).u16(9).add(four)},
      {"IPv4 options", 1, ethernet(ipv4(segment, {.options = 8}))},
      {"IPv6 extension headers", 1,
       ethernet(ipv6(Bytes().u8(43).u8(0).zeros(6).u8(60).u8(1).zeros(14).u8(6).u8(0).zeros(6).add(segment), 0),
                0x86dd)},
      {"IPv6 atomic fragment", 1, ethernet(ipv6(Bytes().u8(6).u8(0).u16(0).u32(9).add(segment), 44), 0x86dd)},
      {"authentication header", 1, next(Bytes().u8(6).u8(4).zeros(22).add(segment), 51)},
      {"IPv4 in IPv4", 1, next(four, 4)},
      {"IPv6 in IPv4", 1, next(six, 41)},
      {"IPv4 in IPv6", 1, ethernet(ipv6(four, 4), 0x86dd)},
      {"IPv4 in IPv4 in IPv6", 1, ethernet(ipv6(ipv4(four, {.protocol = 4}), 4), 0x86dd)},
      {"Ethernet in IP", 1, next(Bytes().u16(0x3000).add(frame), 97)},
      {"MPLS in IP", 1, next(Bytes().u32(0x00010140).add(four), 137)},
      {"GRE", 1, gre4(Bytes().u16(0).u16(0x0800).add(four))},
      {"GRE with everything", 1, gre4(Bytes().u16(0xb000).u16(0x86dd).zeros(12).add(six))},
      {"GRE with Ethernet", 1, gre4(Bytes().u16(0).u16(0x6558).add(frame))},
      {"ERSPAN II", 1, gre4(Bytes().u16(0x1000).u16(0x88be).zeros(4).zeros(8).add(frame))},
      {"ERSPAN III", 1, gre4(Bytes().u16(0x1000).u16(0x22eb).zeros(4).zeros(12).add(frame))},
      {"PPTP", 1,
       gre4(Bytes().u16(0x3081).u16(0x880b).u16(4 + four.size()).u16(1).zeros(8).u16(0xff03).u16(0x21).add(four))},
      {"VXLAN", 1, udp4(Bytes().u8(8).zeros(7).add(frame), 4789)},
      {"VXLAN-GPE", 1, udp4(Bytes().u8(0x0c).u8(0).u8(0).u8(1).zeros(4).add(four), 4790)},
      {"Geneve with options", 1, udp4(Bytes().u8(2).u8(0).u16(0x6558).zeros(4).zeros(8).add(frame), 6081)},
      {"GTP-U", 1, udp4(Bytes().u8(0x30).u8(255).u16(four.size()).u32(1).add(four), 2152)},
      {"GTP-U with an extension", 1,
       udp4(Bytes().u8(0x34).u8(255).u16(8 + four.size()).u32(1).u16(0).u8(0).u8(0x85).u8(1).u16(0).u8(0).add(four),
            2152)},
      {"Teredo", 1, udp4(Bytes().u16(0).zeros(6).add(six), 3544)},
      {"AYIYA", 1, udp4(Bytes().u8(0x41).u8(0x52).u8(0x11).u8(41).zeros(4).zeros(16).zeros(20).add(six), 5072)},
      {"L2TP", 1, udp4(Bytes().u16(0x4002).u16(12 + four.size()).zeros(4).u16(0xff03).u16(0x21).add(four), 1701)},
      {"GRE in UDP", 1, udp4(Bytes().u16(0).u16(0x0800).add(four), 4754)},
      {"MPLS in UDP", 1, udp4(Bytes().u32(0x00010140).add(four), 6635)},
  };
}

class FramePlace : public ::testing::TestWithParam<Place> {};

TEST_P(FramePlace, ShowsTheSameSegment) {
  const Place& place = GetParam();
  const auto found = parse(place.frame, place.link_type);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->source.port, 40000);
  EXPECT_EQ(found->destination.port, 80);
  EXPECT_EQ(found->seq, 1000U);
  EXPECT_EQ(found->ack, 2000U);
  EXPECT_EQ(found->len, 9U);
  EXPECT_EQ(found->flags, tcp_flag::psh | tcp_flag::ack);
  EXPECT_EQ(found->window, 500U);
  EXPECT_EQ(found->ttl, 64);
  EXPECT_EQ(found->frame_len, place.frame.size());
  EXPECT_FALSE(found->bad_header);
  const std::string source = to_string(found->source.address);
  EXPECT_TRUE(source == "10.0.0.1" || source == "2001:db8::1") << source;
}

// Behind the end of what the frame's headers span there is nothing to be read: each shorter frame shows the segment
// with its length on the wire, or none.
TEST_P(FramePlace, ShowsItAsFarAsItWasCaptured) {
  const Place& place = GetParam();
  bool shown = false;
  for (std::size_t size = 0; size < place.frame.size(); size++) {
    const Bytes shorter = cut(place.frame, size);
    const auto found = parse(shorter, place.link_type, static_cast<std::uint32_t>(place.frame.size()));
    EXPECT_TRUE(found || !shown) << "a longer piece shows less: " << size;
    if (!found) continue;
    shown = true;
    EXPECT_EQ(found->len, 9U);
    EXPECT_EQ(found->window, 500U);
  }
  EXPECT_TRUE(shown);
}

INSTANTIATE_TEST_SUITE_P(All, FramePlace, ::testing::ValuesIn(places()));

TEST(Frame, OfAnotherKindIsNoSegment) {
  EXPECT_FALSE(parse(ethernet(Bytes().zeros(60), 0x0806)));
  EXPECT_FALSE(parse(ethernet(ipv4(udp(Bytes().zeros(40), 53), {.protocol = 17}))));
  EXPECT_FALSE(parse(ethernet(ipv4(Bytes().u8(3).u8(3).zeros(6).add(ipv4(tcp(0))), {.protocol = 1})))) << "ICMP quotes";
  EXPECT_FALSE(parse(ethernet(ipv4(tcp(9))), 147)) << "an unknown link type";
  EXPECT_FALSE(parse(ethernet(ipv4(tcp(9), {.total = 19})))) << "shorter than its own header";
  EXPECT_FALSE(parse(ethernet(ipv4(udp(Bytes().u8(0).zeros(7).add(ethernet(ipv4(tcp(9)))), 4789), {.protocol = 17}))))
      << "VXLAN without its flag";
}

Bytes icmp_error(unsigned type, unsigned code, const Bytes& quoted, unsigned rest = 0) {
  return Bytes().u8(type).u8(code).u16(0).u32(rest).add(quoted);
}

std::optional<TcpFrame> quoted(const Bytes& packet) {
  CaptureBlock block;
  const Bytes frame = ethernet(packet, static_cast<unsigned>(packet.span()[0]) >> 4U == 6 ? 0x86dd : 0x0800);
  block.link_type = 1;
  block.bytes = frame.span();
  block.wire_len = static_cast<std::uint32_t>(frame.size());
  TcpFrame tcp;
  TcpFrames frames;
  EXPECT_FALSE(frames.parse(block, tcp));
  return tcp.icmp ? std::optional(tcp) : std::nullopt;
}

TEST(Frame, NamesTheSegmentThatAnIcmpErrorQuotes) {
  const Bytes eight = cut(ipv4(tcp(0, {.seq = 77})), 28);
  for (const unsigned type : {3U, 11U, 12U}) {
    const auto found = quoted(ipv4(icmp_error(type, 1, eight), {.protocol = 1}));
    ASSERT_TRUE(found.has_value()) << type;
    EXPECT_EQ(found->icmp.type, type);
    EXPECT_EQ(found->icmp.code, 1);
    EXPECT_FALSE(found->icmp.v6);
    EXPECT_EQ(to_string(found->icmp.sender), "10.0.0.1");
    EXPECT_EQ(to_string(found->destination.address), "10.0.0.2");
    EXPECT_EQ(found->source.port, TcpHeader{}.source);
    EXPECT_EQ(found->seq, 77U);
    EXPECT_EQ(found->icmp.mtu, 0U);
  }
  EXPECT_EQ(quoted(ipv4(icmp_error(3, 4, eight, 1400), {.protocol = 1}))->icmp.mtu, 1400U);
  const auto six = quoted(ipv6(icmp_error(2, 0, cut(ipv6(tcp(0, {.seq = 78})), 48), 1280), 58));
  ASSERT_TRUE(six.has_value());
  EXPECT_TRUE(six->icmp.v6);
  EXPECT_EQ(six->icmp.mtu, 1280U);
  EXPECT_EQ(six->seq, 78U);
}

TEST(Frame, NamesNoSegmentWhereNoneIsQuoted) {
  const Bytes whole = ipv4(tcp(0));
  EXPECT_FALSE(quoted(ipv4(icmp_error(8, 0, whole), {.protocol = 1}))) << "an echo request";
  EXPECT_FALSE(quoted(ipv4(icmp_error(5, 1, whole), {.protocol = 1}))) << "a redirect ends nothing";
  EXPECT_FALSE(quoted(ipv4(icmp_error(3, 1, cut(whole, 27)), {.protocol = 1}))) << "its number is cut";
  EXPECT_FALSE(quoted(ipv4(icmp_error(3, 1, ipv4(tcp(0), {.offset = 8})), {.protocol = 1}))) << "a later fragment";
  EXPECT_FALSE(quoted(ipv4(icmp_error(3, 1, ipv4(udp(Bytes(), 53), {.protocol = 17})), {.protocol = 1})));
  EXPECT_FALSE(quoted(ipv6(icmp_error(128, 0, ipv6(tcp(0))), 58))) << "an echo request";
  EXPECT_FALSE(quoted(ipv6(icmp_error(1, 0, cut(ipv6(tcp(0)), 47)), 58)));
}

// As a host reads them, and as it drops what it cannot read.
TEST(Frame, IsDroppedWhereItsIpOptionsAreBroken) {
  const auto with = [](std::initializer_list<unsigned> options) {
    Bytes packet = ipv4(tcp(9), {.options = 8});
    std::size_t at = 20;
    for (const unsigned byte : options) packet.raw()[at++] = static_cast<std::byte>(byte);
    return parse(ethernet(packet)).has_value();
  };
  EXPECT_TRUE(with({7, 7, 4, 0, 0, 0, 0, 0}));
  EXPECT_TRUE(with({1, 1, 148, 4, 0, 0, 0, 0}));
  EXPECT_TRUE(with({130, 2, 0, 9, 9, 9, 9, 9})) << "shorter than RFC 1108 has it; behind the end anything may stand";
  EXPECT_TRUE(with({148, 4, 0, 0, 148, 4, 0, 0}));
  EXPECT_FALSE(with({148, 4, 0, 0, 148, 5, 0, 0})) << "beyond the header";
  EXPECT_FALSE(with({7, 1, 1, 1, 1, 1, 1, 1}));
  EXPECT_FALSE(with({7, 0, 1, 1, 1, 1, 1, 1}));
  EXPECT_FALSE(with({1, 1, 1, 1, 1, 1, 1, 7})) << "without a length";
}

TEST(Frame, IsOfTheInnerTag) {
  const auto found = parse(ethernet(Bytes().u16(0xa005).u16(0x8100).u16(0xe006).u16(0x0800).add(ipv4(tcp(0))), 0x88a8));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->vlan_id, 6);
}

TEST(Frame, OfEndlessTunnelsEnds) {
  Bytes nested = ipv4(tcp(9));
  for (int i = 0; i < 30; i++) nested = ipv4(nested, {.protocol = 4});
  EXPECT_TRUE(parse(nested, 101));
  for (int i = 0; i < 2000; i++) nested = ipv4(nested, {.protocol = 4});
  EXPECT_FALSE(parse(nested, 101));
}

TEST(Length, IsOfTheIpHeaderAndNotOfTheFrame) {
  EXPECT_EQ(parse(ethernet(ipv4(tcp(2))).zeros(4))->len, 2U) << "a trailer";
  EXPECT_EQ(parse(cut(ethernet(ipv4(tcp(1000))), 60), 1, 1054)->len, 1000U) << "a snap length";
  EXPECT_EQ(parse(ethernet(ipv4(tcp(1000), {.total = 0})))->len, 1000U) << "segmentation offload";
  EXPECT_EQ(parse(ethernet(ipv4(tcp(10), {.total = 5000})))->len, 10U) << "more than the frame has";
}

TEST(Length, OfAJumbogramIsInItsOption) {
  const Bytes jumbo = Bytes().u8(6).u8(0).u8(0xc2).u8(4).u32(8 + 20 + 70'000).add(tcp(70'000));
  const auto found = parse(ethernet(ipv6(jumbo, 0, 0), 0x86dd));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->len, 70'000U);
}

TEST(Header, WithAnImpossibleLengthIsBad) {
  Bytes small = tcp(9);
  small.raw()[12] = std::byte{0x40};
  EXPECT_TRUE(parse(ethernet(ipv4(small)))->bad_header);
  Bytes large = tcp(9);
  large.raw()[12] = std::byte{0x80};
  EXPECT_TRUE(parse(ethernet(ipv4(large)))->bad_header);
  Bytes exact = tcp(12);
  exact.raw()[12] = std::byte{0x80};
  EXPECT_FALSE(parse(ethernet(ipv4(exact)))->bad_header);
  EXPECT_EQ(parse(ethernet(ipv4(exact)))->len, 0U);
}

TEST(Header, CutBehindItsWindowIsStillASegment) {
  const Bytes frame = ethernet(ipv4(tcp(9)));
  EXPECT_TRUE(parse(cut(frame, 14 + 20 + 16), 1, 63));
  EXPECT_FALSE(parse(cut(frame, 14 + 20 + 15), 1, 63));
}

TEST(Header, CutBeforeItsWindowIsCounted) {
  const Bytes frame = ethernet(ipv4(tcp(9)));
  Parser parser;
  parser.parse(cut(frame, 14 + 20 + 16), 1, 63);
  parser.parse(cut(frame, 14 + 19), 1, 63);               // nobody knows what it carries
  parser.parse(ethernet(ipv4(Bytes().zeros(15))), 1, 0);  // whole, and no header
  EXPECT_EQ(parser.frames.cut(), 0U);
  parser.parse(cut(frame, 14 + 20 + 15), 1, 63);
  EXPECT_EQ(parser.frames.cut(), 1U);
}

std::optional<TcpFrame> with_options(const Bytes& options) {
  return parse(ethernet(ipv4(tcp(0, {.options = options}))));
}

TEST(Options, AreRead) {
  Bytes options;
  options.u8(2).u8(4).u16(1460).u8(1).u8(3).u8(3).u8(7).u8(4).u8(2).u8(8).u8(10).u32(11).u32(12).u8(34).u8(2);
  const auto found = with_options(options);
  EXPECT_EQ(found->mss, 1460);
  EXPECT_EQ(found->wscale, 7);
  EXPECT_EQ(found->ts_val, 11U);
  EXPECT_EQ(found->ts_ecr, 12U);
  EXPECT_EQ(found->options, TW_OPT_WSCALE | TW_OPT_SACK_PERMITTED | TW_OPT_TIMESTAMP | TW_OPT_FASTOPEN);
}

TEST(Options, OfTheUsualLayoutAreRead) {
  const auto found = with_options(Bytes().u32(0x0101080a).u32(11).u32(12));
  EXPECT_EQ(found->ts_val, 11U);
  EXPECT_EQ(found->ts_ecr, 12U);
  EXPECT_EQ(found->options, TW_OPT_TIMESTAMP);
}

TEST(Options, HaveUpToFourSackBlocks) {
  const auto found = with_options(Bytes().u8(1).u8(1).u8(5).u8(18).u32(1).u32(2).u32(3).u32(4));
  ASSERT_EQ(found->sack_count, 2);
  EXPECT_EQ(found->sack[1][0], 3U);
  EXPECT_EQ(found->sack[1][1], 4U);
  EXPECT_EQ(found->options, TW_OPT_SACK);
  EXPECT_EQ(with_options(Bytes().u8(5).u8(34).zeros(32))->sack_count, 4);
  EXPECT_EQ(with_options(Bytes().u8(5).u8(2))->sack_count, 0);
}

TEST(Options, OfWrongLengthsAreNotBelieved) {
  EXPECT_EQ(with_options(Bytes().u8(2).u8(3).u8(9))->mss, 0);
  EXPECT_EQ(with_options(Bytes().u8(8).u8(40).u32(1).u32(2))->options, 0) << "longer than the header";
  EXPECT_EQ(with_options(Bytes().u8(99).u8(0).u8(4).u8(2))->options, 0) << "length 0 would never end";
  EXPECT_EQ(with_options(Bytes().u8(0).u8(4).u8(2))->options, 0) << "behind the end";
  EXPECT_EQ(with_options(Bytes().u8(99).u8(2).u8(4).u8(2))->options, TW_OPT_SACK_PERMITTED) << "an unknown one";
}

TEST(Options, ThatAreCutShowWhatWasCaptured) {
  const Bytes frame = ethernet(ipv4(tcp(50, {.options = Bytes().u8(2).u8(4).u16(1460).u8(8).u8(10).u32(1).u32(2)})));
  const auto found = parse(cut(frame, 14 + 20 + 20 + 8), 1, static_cast<std::uint32_t>(frame.size()));
  EXPECT_EQ(found->mss, 1460);
  EXPECT_EQ(found->options, bits(TcpOption::cut_off));
  EXPECT_EQ(found->len, 50U);
}

TEST(Options, AreCutOffWhereTheHeaderIsCutBeforeTheirEnd) {
  const auto cut_off = [](const Bytes& options, std::size_t captured) {
    const Bytes frame = ethernet(ipv4(tcp(50, {.options = options})));
    const auto found = parse(cut(frame, 14 + 20 + captured), 1, static_cast<std::uint32_t>(frame.size()));
    return has(found->options, TcpOption::cut_off);
  };
  const Bytes options = Bytes().u8(2).u8(4).u16(1460).u8(1).u8(3).u8(3).u8(7);
  EXPECT_FALSE(cut_off(options, 28)) << "the whole header, and no payload";
  EXPECT_TRUE(cut_off(options, 24)) << "between two options";
  EXPECT_TRUE(cut_off(options, 25)) << "behind the padding";
  EXPECT_TRUE(cut_off(options, 20)) << "no option at all";
  EXPECT_TRUE(cut_off(options, 18)) << "in the header before them";
  EXPECT_FALSE(cut_off(Bytes().u8(2).u8(4).u16(1460).u8(0).zeros(3), 26)) << "behind the end of the list";
  EXPECT_FALSE(cut_off(Bytes(), 20)) << "none to be cut";
}

TEST(Options, OfTheFrameBeforeAreForgotten) {
  Parser parser;
  parser.parse(ethernet(Bytes().u16(5).u16(0x0800).add(ipv4(tcp(0, {.options = Bytes().u8(2).u8(4).u16(9)}))), 0x8100));
  const auto found = parser.parse(ethernet(ipv4(tcp(0))));
  EXPECT_EQ(found->mss, 0);
  EXPECT_EQ(found->vlan_id, 0);
}

// Fragments.

Bytes part(const Bytes& whole, std::size_t begin, std::size_t count) {
  return Bytes().add(whole.span().subspan(begin, count));
}

struct Pieces {
  Bytes first, second, third;
};

Pieces pieces(unsigned id = 7) {
  const Bytes segment = tcp(2000);
  return {ethernet(ipv4(part(segment, 0, 800), {.id = id, .offset = 0, .more = true})),
          ethernet(ipv4(part(segment, 800, 800), {.id = id, .offset = 800, .more = true})),
          ethernet(ipv4(part(segment, 1600, 420), {.id = id, .offset = 1600}))};
}

TEST(Fragments, AreToldAtTheLastToArriveInWhateverOrder) {
  const Pieces all = pieces();
  Parser forward;
  EXPECT_FALSE(forward.parse(all.first));
  EXPECT_FALSE(forward.parse(all.second));
  const auto at_end = forward.parse(all.third);
  ASSERT_TRUE(at_end);
  EXPECT_EQ(at_end->len, 2000U);
  EXPECT_EQ(at_end->number, 3U);
  EXPECT_EQ(at_end->frame_len, all.third.size());
  Parser backward;
  EXPECT_FALSE(backward.parse(all.third));
  EXPECT_FALSE(backward.parse(all.third)) << "a duplicate completes nothing";
  EXPECT_FALSE(backward.parse(all.first));
  EXPECT_EQ(backward.parse(all.second)->len, 2000U);
  EXPECT_FALSE(backward.parse(all.second)) << "it is reported once";
}

TEST(Fragments, OfAnotherDatagramDoNotMix) {
  Parser parser;
  EXPECT_FALSE(parser.parse(pieces(1).first));
  EXPECT_FALSE(parser.parse(pieces(1).second));
  EXPECT_FALSE(parser.parse(pieces(2).third));
  EXPECT_TRUE(parser.parse(pieces(1).third));
}

TEST(Fragments, OfIPv6AreToldToo) {
  const Bytes segment = tcp(2000);
  const auto piece = [&](std::size_t begin, std::size_t count, bool more) {
    Bytes header;
    header.u8(6).u8(0).u16(begin | (more ? 1U : 0U)).u32(77);
    return ethernet(ipv6(header.add(part(segment, begin, count)), 44), 0x86dd);
  };
  Parser parser;
  EXPECT_FALSE(parser.parse(piece(0, 1000, true)));
  EXPECT_EQ(parser.parse(piece(1000, 1020, false))->len, 2000U);
}

TEST(Fragments, ThatWereCutByASnapLengthStillGiveTheLength) {
  const Pieces all = pieces();
  Parser parser;
  EXPECT_FALSE(parser.parse(cut(all.first, 96), 1, 834));
  EXPECT_FALSE(parser.parse(cut(all.second, 96), 1, 834));
  const auto found = parser.parse(cut(all.third, 96), 1, 454);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->len, 2000U);
  EXPECT_EQ(found->seq, 1000U);
}

TEST(Fragments, OfATunnelShowTheSegmentInside) {
  const Bytes inner = udp(Bytes().u8(8).zeros(7).add(ethernet(ipv4(tcp(1400)))), 4789);
  Parser parser;
  EXPECT_FALSE(parser.parse(ethernet(ipv4(part(inner, 0, 1000), {.protocol = 17, .more = true}))));
  const auto found =
      parser.parse(ethernet(ipv4(part(inner, 1000, inner.size() - 1000), {.protocol = 17, .offset = 1000})));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->len, 1400U);
}

TEST(Fragments, ExpireAfterAMinute) {
  constexpr TimeNs minute = 60'000'000'000;
  const Pieces all = pieces();
  for (const bool late : {false, true}) {
    Parser parser;
    parser.parse(all.first, 1, 0, 1);
    parser.parse(all.second, 1, 0, 1);
    EXPECT_EQ(parser.parse(all.third, 1, 0, 1 + minute + (late ? 1 : 0)).has_value(), !late);
  }
}

TEST(Fragments, OfTooManyDatagramsPushOutTheOldest) {
  Parser parser;
  parser.parse(pieces(1).first);
  parser.parse(pieces(1).second);
  for (unsigned id = 2; id <= 4097; id++) parser.parse(pieces(id).first);
  EXPECT_FALSE(parser.parse(pieces(1).third)) << "pushed out";
  parser.parse(pieces(4097).second);
  EXPECT_TRUE(parser.parse(pieces(4097).third)) << "the newest is still there";
}

TEST(Fragments, ThatEndBeyondTheLargestDatagramAreIgnored) {
  Parser parser;
  EXPECT_FALSE(parser.parse(ethernet(ipv4(tcp(100), {.offset = 65'528}))));
}

// Checksums.

Bytes with_checksum(unsigned checksum) { return ethernet(ipv4(tcp(2, {.checksum = checksum}))); }

unsigned right_checksum() {
  const Bytes segment = tcp(2);
  std::uint64_t sum = 0x0a00 + 0x0001 + 0x0a00 + 0x0002 + 6 + segment.size();
  for (std::size_t i = 0; i < segment.size(); i += 2)
    sum += std::to_integer<unsigned>(segment.span()[i]) * 256U + std::to_integer<unsigned>(segment.span()[i + 1]);
  while (sum > 0xffff) sum = (sum & 0xffffU) + (sum >> 16U);
  return static_cast<unsigned>(~sum & 0xffffU);
}

TEST(Checksum, IsLookedAtOnlyWhereAskedForAndAllIsThere) {
  const Bytes wrong = with_checksum(right_checksum() ^ 1U);
  Parser parser;
  EXPECT_FALSE(parser.parse(wrong)->bad_checksum);
  parser.frames.check_checksums(true);
  EXPECT_TRUE(parser.parse(wrong)->bad_checksum);
  EXPECT_FALSE(parser.parse(with_checksum(right_checksum()))->bad_checksum);
  EXPECT_FALSE(parser.parse(cut(wrong, wrong.size() - 1), 1, static_cast<std::uint32_t>(wrong.size()))->bad_checksum);
}

TEST(Checksum, IsNotLookedForBehindTheEndOfAShortSegment) {
  Bytes segment = tcp(0);
  segment.raw().resize(16);
  Parser parser;
  parser.frames.check_checksums(true);
  const auto found = parser.parse(ethernet(ipv4(segment)));
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->bad_header);
  EXPECT_FALSE(found->bad_checksum);
}

// Of the pseudo-header alone.
constexpr unsigned pseudo_header = 0x0a00 + 0x0001 + 0x0a00 + 0x0002 + 6 + 22;

TEST(Checksum, LeftToTheCardIsNotWrong) {
  Parser parser;
  parser.frames.check_checksums(true);
  EXPECT_FALSE(parser.parse(with_checksum(pseudo_header))->bad_checksum);
  EXPECT_TRUE(parser.parse(with_checksum(pseudo_header + 1))->bad_checksum);
}

Bytes with_header_checksum(unsigned checksum, unsigned tcp_checksum = right_checksum()) {
  constexpr std::size_t in_frame = 14 + 10;
  Bytes frame = with_checksum(tcp_checksum);
  frame.raw()[in_frame] = static_cast<std::byte>(checksum >> 8U);
  frame.raw()[in_frame + 1] = static_cast<std::byte>(checksum & 0xffU);
  return frame;
}

unsigned right_header_checksum() {
  const Bytes unset = with_header_checksum(0);
  std::uint64_t sum = 0;
  for (std::size_t i = 14; i < 34; i += 2)
    sum += std::to_integer<unsigned>(unset.span()[i]) * 256U + std::to_integer<unsigned>(unset.span()[i + 1]);
  while (sum > 0xffff) sum = (sum & 0xffffU) + (sum >> 16U);
  return static_cast<unsigned>(~sum & 0xffffU);
}

TEST(Checksum, OfTheIpHeaderIsLookedAtToo) {
  const unsigned right = right_header_checksum();
  Parser parser;
  EXPECT_FALSE(parser.parse(with_header_checksum(right ^ 1U))->bad_checksum);
  parser.frames.check_checksums(true);
  EXPECT_FALSE(parser.parse(with_header_checksum(right))->bad_checksum);
  EXPECT_TRUE(parser.parse(with_header_checksum(right ^ 1U))->bad_checksum);
  EXPECT_FALSE(parser.parse(with_header_checksum(0))->bad_checksum);
}

TEST(Checksum, LeftToTheCardIsWrongWhereThatIsAskedFor) {
  Parser parser;
  parser.frames.check_checksums(true, LeftToCard::wrong);
  EXPECT_FALSE(parser.parse(with_header_checksum(right_header_checksum()))->bad_checksum);
  EXPECT_TRUE(parser.parse(with_header_checksum(right_header_checksum(), pseudo_header))->bad_checksum);
  EXPECT_TRUE(parser.parse(with_header_checksum(0))->bad_checksum);
}

}  // namespace
}  // namespace tcpwitness::testing
