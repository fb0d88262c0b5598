// SPDX-License-Identifier: Apache-2.0
// hostile_test.cpp: frames that lie about themselves.
//
// Whatever is in it, a frame passes untouched. A header that contradicts its frame is reported as
// BAD_HEADER and never enters a flow; what is no TCP is not reported at all.
#include <fmt/format.h>

#include <cerrno>
#include <functional>
#include <random>

#include "bpf/reference.hpp"
#include "bpf/suite.hpp"
#include "capture/tcp_frames.hpp"

namespace tcpwitness::wire_test {
namespace {

constexpr std::array ethernet_hooks{Hook::egress, Hook::ingress, Hook::xdp};

class Hostile : public WireSuite<Hostile> {
 public:
  static Settings settings() {
    Settings settings;
    settings.config.packets_all = 1;
    return settings;
  }

 protected:
  static std::vector<tw_segment> run(Hook hook, const Bytes& frame) {
    const Outcome outcome = wire->run(hook, frame);
    EXPECT_EQ(outcome.error, 0);
    EXPECT_EQ(outcome.verdict, passing_verdict(hook));
    EXPECT_EQ(outcome.after, frame);
    return outcome.records;
  }

  static void expect_nothing(const std::function<Bytes()>& make) {
    for (const Hook hook : ethernet_hooks) {
      SCOPED_TRACE(name_of(hook));
      EXPECT_EQ(run(hook, make()).size(), 0U);
    }
  }

  // Exactly one record, with or without BAD_HEADER; a bad one must leave no flow behind.
  static void expect_one(bool bad, const std::function<Bytes()>& make) {
    for (const Hook hook : ethernet_hooks) {
      SCOPED_TRACE(name_of(hook));
      const std::size_t flows = wire->flow_count();
      const auto records = run(hook, make());
      ASSERT_EQ(records.size(), 1U);
      EXPECT_EQ((records[0].event_flags & TW_EVENT_BAD_HEADER) != 0, bad);
      if (!bad) continue;
      EXPECT_EQ(records[0].len, 0U);
      EXPECT_EQ(records[0].options, 0);
      EXPECT_EQ(wire->flow_count(), flows);
    }
  }

  static Frame frame_of(const Stack& stack, const Segment& segment) {
    const auto [from, to] = fresh_ends(stack.family);
    return build(stack, from, to, segment);
  }
};

TEST_F(Hostile, ADataOffsetBelowFiveIsABadHeader) {
  for (std::uint8_t words = 0; words < 5; words++)
    expect_one(true, [&] { return frame_of({}, {.payload = Bytes(40, 0), .data_offset = words}).bytes; });
  expect_one(false, [&] { return frame_of({}, {.payload = Bytes(40, 0), .data_offset = std::uint8_t{5}}).bytes; });
}

TEST_F(Hostile, ADataOffsetBeyondThePacketIsABadHeader) {
  for (const Family family : {Family::ipv4, Family::ipv6}) {
    const Stack stack{.family = family};
    expect_one(true, [&] { return frame_of(stack, {.payload = Bytes(39, 0), .data_offset = std::uint8_t{15}}).bytes; });
    expect_one(false,
               [&] { return frame_of(stack, {.payload = Bytes(40, 0), .data_offset = std::uint8_t{15}}).bytes; });
  }
}

// Ethernet pads to 60 bytes: what lies behind the IP packet is not TCP's.
TEST_F(Hostile, ADataOffsetIntoThePaddingIsABadHeader) {
  expect_one(true, [&] { return frame_of({.trailer = 40}, {.data_offset = std::uint8_t{6}}).bytes; });
  expect_one(false, [&] { return frame_of({.trailer = 40}, {.data_offset = std::uint8_t{5}}).bytes; });
}

TEST_F(Hostile, AnIpv4HeaderLengthBelowFiveIsNotTcp) {
  for (std::uint8_t words = 0; words < 5; words++) {
    expect_nothing([&] {
      Frame frame = frame_of({}, {});
      frame.bytes[frame.ip] = static_cast<std::uint8_t>(0x40 | words);
      return frame.bytes;
    });
  }
}

TEST_F(Hostile, AnIpv4LengthShorterThanItsHeadersIsABadHeader) {
  for (const int total : {1, 19, 20, 21, 39}) {
    SCOPED_TRACE(total);
    expect_one(true, [&] {
      Frame frame = frame_of({}, {.payload = Bytes(10, 0)});
      put16(frame.bytes, frame.ip + 2, static_cast<std::uint16_t>(total));
      return frame.bytes;
    });
  }
  expect_one(false, [&] {
    Frame frame = frame_of({}, {.payload = Bytes(10, 0)});
    put16(frame.bytes, frame.ip + 2, 40);
    return frame.bytes;
  });
}

TEST_F(Hostile, AnIpv6LengthShorterThanItsHeadersIsABadHeader) {
  const Stack stack{.family = Family::ipv6, .chain = {hop_by_hop(), destination()}};
  for (const int content : {1, 15, 16, 35}) {
    SCOPED_TRACE(content);
    expect_one(true, [&] {
      Frame frame = frame_of(stack, {.payload = Bytes(10, 0)});
      put16(frame.bytes, frame.ip + 4, static_cast<std::uint16_t>(content));
      return frame.bytes;
    });
  }
  expect_one(false, [&] {
    Frame frame = frame_of(stack, {.payload = Bytes(10, 0)});
    put16(frame.bytes, frame.ip + 4, 36);
    return frame.bytes;
  });
}

// The receiver drops it; counted, it would move the flow's numbers by up to 64 KiB.
TEST_F(Hostile, AnIpLengthBeyondTheFrameIsABadHeader) {
  for (const int more : {1, 1000, 60000}) {
    SCOPED_TRACE(more);
    expect_one(true, [&] {
      Frame frame = frame_of({}, {.payload = Bytes(10, 0)});
      put16(frame.bytes, frame.ip + 2, static_cast<std::uint16_t>(get16(frame.bytes, frame.ip + 2) + more));
      return frame.bytes;
    });
    expect_one(true, [&] {
      Frame frame = frame_of({.family = Family::ipv6}, {.payload = Bytes(10, 0)});
      put16(frame.bytes, frame.ip + 4, static_cast<std::uint16_t>(get16(frame.bytes, frame.ip + 4) + more));
      return frame.bytes;
    });
  }
}

TEST_F(Hostile, OptionSizesThatLieEndTheList) {
  const Bytes tail = option_wscale(3);
  for (const Bytes& first : std::vector<Bytes>{{8, 0}, {8, 1}, {254, 0}, {8, 255}, {2, 40}, {5, 12}}) {
    SCOPED_TRACE(fmt::format("kind {}, size {}", first[0], first[1]));
    for (const Hook hook : ethernet_hooks) {
      const auto records = run(hook, frame_of({}, {.flags = syn, .options = joined({first, tail, {0, 0, 0}})}).bytes);
      ASSERT_EQ(records.size(), 1U);
      EXPECT_EQ(records[0].options, 0);
      EXPECT_EQ(records[0].mss, 0);
    }
  }
  // A known option of another size than its own is stepped over, not read.
  for (const Hook hook : ethernet_hooks) {
    const auto records =
        run(hook, frame_of({}, {.options = joined({{2, 3, 9}, {8, 4, 1, 2}, {3, 4, 1, 2}, {4, 3, 1}, tail})}).bytes);
    ASSERT_EQ(records.size(), 1U);
    EXPECT_EQ(records[0].options, TW_OPT_WSCALE);
    EXPECT_EQ(records[0].wscale, 3);
    EXPECT_EQ(records[0].mss, 0);
    EXPECT_EQ(records[0].ts_val, 0U);
  }
  // The kind stands in the last byte, its size would lie in the payload.
  for (const Hook hook : ethernet_hooks) {
    const auto records = run(hook, frame_of({}, {.options = {1, 1, 1, 8}, .payload = Bytes(20, 10)}).bytes);
    ASSERT_EQ(records.size(), 1U);
    EXPECT_EQ(records[0].options, 0);
  }
}

TEST_F(Hostile, SixExtensionHeadersAreFollowedSevenAreNot) {
  Stack stack{.family = Family::ipv6, .chain = std::vector<Extension>(6, destination())};
  expect_one(false, [&] { return frame_of(stack, {}).bytes; });
  stack.chain.push_back(destination());
  expect_nothing([&] { return frame_of(stack, {}).bytes; });
  stack.chain.resize(20, destination());
  expect_nothing([&] { return frame_of(stack, {}).bytes; });
}

// Two extension headers of 2048 bytes: were the offset taken modulo 4096, it would come round to the
// first one, where an attacker has put a TCP header.
TEST_F(Hostile, ExtensionHeadersThatGoTooFarAreNotFollowed) {
  const auto [from, to] = fresh_ends(Family::ipv6);
  Frame planted = build({.family = Family::ipv6}, from, to, {.seq = 0xbad});
  const Bytes tcp(planted.bytes.begin() + static_cast<std::ptrdiff_t>(planted.tcp), planted.bytes.end());
  expect_nothing([&] {
    Frame frame = frame_of({.family = Family::ipv6, .chain = {destination(255), destination(255)}}, {});
    // From byte 54 + 4096 - 4096 on; its first byte is the next header: a source port of 60.
    std::copy(tcp.begin() + 2, tcp.end(), frame.bytes.begin() + static_cast<std::ptrdiff_t>(frame.ip + 40 + 2));
    frame.bytes[frame.ip + 41] = 255;
    frame.bytes.resize(54 + 2048 + 8);
    return frame.bytes;
  });
}

TEST_F(Hostile, OnlyTheFirstFragmentIsTold) {
  for (const Hook hook : ethernet_hooks) {
    SCOPED_TRACE(name_of(hook));
    auto records = run(hook, frame_of({.ipv4_fragment = 0x2000}, {.payload = Bytes(16, 1)}).bytes);
    ASSERT_EQ(records.size(), 1U);
    EXPECT_TRUE(records[0].event_flags & TW_EVENT_FRAGMENT);
    records = run(hook, frame_of({.family = Family::ipv6, .chain = {fragment(0, true)}}, {}).bytes);
    ASSERT_EQ(records.size(), 1U);
    EXPECT_TRUE(records[0].event_flags & TW_EVENT_FRAGMENT);
    records = run(hook, frame_of({.family = Family::ipv6, .chain = {fragment(0, false)}}, {}).bytes);
    ASSERT_EQ(records.size(), 1U);
    EXPECT_FALSE(records[0].event_flags & TW_EVENT_FRAGMENT);
  }
  for (const int bits : {0x0001, 0x2001, 0x1fff, 0x3fff})
    expect_nothing([&] { return frame_of({.ipv4_fragment = static_cast<std::uint16_t>(bits)}, {}).bytes; });
  for (const bool more : {true, false})
    expect_nothing([&] { return frame_of({.family = Family::ipv6, .chain = {fragment(1, more)}}, {}).bytes; });
}

// A first fragment of 8 bytes: ports and sequence number only, then Ethernet padding.
TEST_F(Hostile, ATinyFirstFragmentIsABadHeader) {
  expect_one(true, [&] {
    Frame frame = frame_of({.ipv4_fragment = 0x2000, .trailer = 30}, {});
    put16(frame.bytes, frame.ip + 2, 28);
    return frame.bytes;
  });
}

TEST_F(Hostile, AnotherVersionThanTheEtherTypeIsNotTcp) {
  for (const Family family : {Family::ipv4, Family::ipv6}) {
    for (int version = 0; version < 16; version++) {
      if (version == (family == Family::ipv4 ? 4 : 6)) continue;
      expect_nothing([&] {
        Frame frame = frame_of({.family = family}, {});
        frame.bytes[frame.ip] = static_cast<std::uint8_t>(version << 4 | (frame.bytes[frame.ip] & 0xf));
        return frame.bytes;
      });
    }
  }
  for (const Hook hook : {Hook::egress_ip, Hook::ingress_ip, Hook::xdp_ip}) {
    Frame frame = frame_of({.raw_ip = true}, {.payload = Bytes(40, 0)});
    frame.bytes[0] = 0x55;
    EXPECT_EQ(run(hook, frame.bytes).size(), 0U);
  }
}

TEST_F(Hostile, OtherProtocolsAreNotTold) {
  for (const int protocol : {0, 1, 2, 17, 47, 51, 58, 132, 255}) {
    SCOPED_TRACE(protocol);
    expect_nothing([&] {
      Frame frame = frame_of({}, {});
      frame.bytes[frame.ip + 9] = static_cast<std::uint8_t>(protocol);
      return frame.bytes;
    });
  }
  for (const int next : {1, 4, 17, 41, 50, 58, 59, 132, 139, 253}) {
    SCOPED_TRACE(next);
    expect_nothing([&] {
      Frame frame = frame_of({.family = Family::ipv6}, {});
      frame.bytes[frame.ip + 6] = static_cast<std::uint8_t>(next);
      return frame.bytes;
    });
  }
  for (const int type : {0x0000, 0x0026, 0x0806, 0x8847, 0x8863, 0x88cc, 0x9100, 0xffff}) {
    SCOPED_TRACE(type);
    expect_nothing([&] {
      Frame frame = frame_of({}, {});
      put16(frame.bytes, 12, static_cast<std::uint16_t>(type));
      return frame.bytes;
    });
  }
}

TEST_F(Hostile, ThreeVlanTagsAreNotFollowed) {
  expect_one(false, [&] { return frame_of({.tags = {{.id = 1}, {.id = 2}}}, {}).bytes; });
  expect_nothing([&] { return frame_of({.tags = {{.id = 1}, {.id = 2}, {.id = 3}}}, {}).bytes; });
}

TEST_F(Hostile, GarbagePassesAndIsNotTold) {
  std::mt19937 random(20261122);
  for (int i = 0; i < 2000; i++) {
    Bytes frame(14 + random() % 200);
    for (auto& byte : frame) byte = static_cast<std::uint8_t>(random());
    const Hook hook = all_hooks[random() % all_hooks.size()];
    SCOPED_TRACE(fmt::format("frame {}, {}", i, name_of(hook)));
    const Outcome outcome = wire->run(hook, frame);
    if (outcome.error == -EINVAL && frame.size() < 54) continue;  // too short for the kernel's own taste
    ASSERT_EQ(outcome.error, 0);
    EXPECT_EQ(outcome.verdict, passing_verdict(hook));
    EXPECT_EQ(outcome.after, frame);
    const auto reading = read_frame(frame, is_raw_ip(hook), is_outgoing(hook));
    EXPECT_EQ(outcome.records.size(), reading ? 1U : 0U);
  }
}

// What the parser of captures makes of the same frame; "" where it is the same. It goes further (tunnels, fragments,
// any number of tags), so only what is in a record is compared.
std::string against_captures(const Bytes& frame, Hook hook, const tw_segment& record) {
  if ((record.event_flags & TW_EVENT_FRAGMENT) != 0) return "";
  CaptureBlock block;
  block.link_type = is_raw_ip(hook) ? 101 : 1;
  block.wire_len = static_cast<std::uint32_t>(frame.size());
  block.bytes = std::as_bytes(std::span(frame));
  TcpFrames frames;
  TcpFrame tcp;
  const bool bad = (record.event_flags & TW_EVENT_BAD_HEADER) != 0;
  if (!frames.parse(block, tcp)) return bad ? "" : "no segment";  // bad: IP leaves no room for a TCP header
  // An IP length beyond the frame is no fault of a capture: who wrote it may have kept less.
  if (tcp.bad_header && !bad) return "a bad header";
  const bool out = is_outgoing(hook);
  const tcpwitness::Endpoint& local = out ? tcp.source : tcp.destination;
  const tcpwitness::Endpoint& remote = out ? tcp.destination : tcp.source;
  if (!std::ranges::equal(local.address.bytes, record.tuple.local_addr) || local.port != record.tuple.local_port ||
      !std::ranges::equal(remote.address.bytes, record.tuple.remote_addr) || remote.port != record.tuple.remote_port)
    return "other ends";
  if (bad) return "";
  if (tcp.seq != record.seq || tcp.ack != record.ack || tcp.window != record.window || tcp.flags != record.flags)
    return "other numbers";
  if (tcp.len != record.len) return fmt::format("length {}, here {}", tcp.len, record.len);
  return tcp.ttl != record.ttl ? "another hop limit" : "";
}

// Where these are broken a host drops the packet, and the parser of captures does. BPF does not read them.
bool has_ipv4_options(const Frame& frame) {
  return frame.bytes.size() > frame.ip && (frame.bytes[frame.ip] >> 4U) == 4 && (frame.bytes[frame.ip] & 15U) > 5;
}

// A few bytes of a good frame changed at random, often cut as well: the record is there exactly when
// another parser finds a TCP header, and the same in it.
TEST_F(Hostile, MutatedFramesAreReadAsAnotherParserReadsThem) {
  std::mt19937 random(6142);
  const auto stacks = all_stacks();
  int reported = 0;
  int unseen = 0;
  constexpr int frames = 20000;
  for (int i = 0; i < frames; i++) {
    const Stack& stack = stacks[random() % stacks.size()];
    Hook hook = all_hooks[random() % all_hooks.size()];
    while (is_raw_ip(hook) != stack.raw_ip) hook = all_hooks[random() % all_hooks.size()];
    Frame frame = frame_of(
        stack,
        {.seq = static_cast<std::uint32_t>(random()),
         .flags = static_cast<std::uint8_t>(random()),
         .options = joined({option_mss(1460), option_timestamps(7, 8), option_wscale(7), option_sack_permitted()}),
         .payload = Bytes(random() % 50, 3)});
    for (std::uint32_t changes = random() % 4; changes > 0; changes--) {
      // Mostly in the headers below TCP and in the option sizes, where lengths and types are.
      const std::size_t at = random() % (random() % 4 == 0 ? frame.bytes.size() : frame.payload);
      frame.bytes[at] =
          static_cast<std::uint8_t>(random() % 3 == 0 ? frame.bytes[at] ^ (1U << random() % 8) : random());
    }
    if (random() % 4 == 0) frame.bytes.resize(14 + random() % (frame.bytes.size() - 13));
    SCOPED_TRACE(fmt::format("frame {}, {}, {}", i, stack.name, name_of(hook)));
    const Outcome outcome = wire->run(hook, frame.bytes);
    if (outcome.error == -EINVAL && frame.bytes.size() < 54) continue;
    ASSERT_EQ(outcome.error, 0);
    ASSERT_EQ(outcome.verdict, passing_verdict(hook));
    ASSERT_EQ(outcome.after, frame.bytes);
    const auto reading = read_frame(frame.bytes, is_raw_ip(hook), is_outgoing(hook));
    ASSERT_EQ(outcome.records.size(), reading ? 1U : 0U);
    if (!reading) continue;
    reported++;
    ASSERT_EQ(difference(outcome.records[0], *reading), "");
    const std::string other = against_captures(frame.bytes, hook, outcome.records[0]);
    unseen += other == "no segment" && !has_ipv4_options(frame) ? 1 : 0;
    ASSERT_TRUE(other.empty() || other == "no segment") << other;
  }
  EXPECT_LT(unseen, reported / 1000) << "authentication headers too short for RFC 4302, which only BPF follows";
  fmt::print("{} mutated frames, {} of them reported\n", frames, reported);
  EXPECT_GT(reported, frames / 4);
  EXPECT_LT(reported, frames);
}

}  // namespace
}  // namespace tcpwitness::wire_test
