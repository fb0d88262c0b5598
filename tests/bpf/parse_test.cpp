// SPDX-License-Identifier: Apache-2.0
// parse_test.cpp: for every header stack and every program, each field of the record is what was put
// into the frame. The expected values are the builder's arguments, not another parser's.
#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "bpf/suite.hpp"

namespace tcpwitness::wire_test {
namespace {

class Parsing : public WireSuite<Parsing> {
 public:
  static Settings settings() {
    Settings settings;
    settings.own_netns = true;
    settings.config.packets_all = 1;
    return settings;
  }
};

// No namespace has that number: what leaves is a socket's of another one than is traced.
class OfOtherNamespaces : public WireSuite<OfOtherNamespaces> {
 public:
  static Settings settings() {
    Settings settings;
    settings.config.netns = 1;
    return settings;
  }
};

bool same(const std::uint8_t (&have)[16], const std::array<std::uint8_t, 16>& want) {
  return std::equal(want.begin(), want.end(), have);
}

std::uint16_t visible_tag(const Stack& stack) { return stack.tags.empty() ? std::uint16_t{0} : stack.tags.back().id; }

void expect_tuple(const tw_segment& record, Hook hook, const Endpoint& from, const Endpoint& to) {
  const Endpoint& local = is_outgoing(hook) ? from : to;
  const Endpoint& remote = is_outgoing(hook) ? to : from;
  EXPECT_TRUE(same(record.tuple.local_addr, local.address));
  EXPECT_TRUE(same(record.tuple.remote_addr, remote.address));
  EXPECT_EQ(record.tuple.local_port, local.port);
  EXPECT_EQ(record.tuple.remote_port, remote.port);
}

void expect_segment(const tw_segment& record, const Segment& segment) {
  EXPECT_EQ(record.seq, segment.seq);
  EXPECT_EQ(record.ack, segment.ack_number);
  EXPECT_EQ(record.len, segment.payload.size());
  EXPECT_EQ(record.flags, segment.flags);
  EXPECT_EQ(record.window, segment.window);
}

TEST_F(Parsing, EveryFieldIsExactForEveryStackAndProgram) {
  const std::vector<Segment> segments{
      {.flags = syn,
       .options = joined(
           {option_mss(1460), option_sack_permitted(), option_timestamps(0xa1a2a3a4, 0), {1}, option_wscale(7)})},
      {.seq = 0xfffffff0,
       .ack_number = 0,
       .flags = ack | psh,
       .window = 0xffff,
       .options = joined({{1, 1}, option_timestamps(0x01020304, 0xf1f2f3f4)}),
       .payload = Bytes(100, 0xab)},
      {.seq = 0, .ack_number = 0xffffffff, .flags = 0xff & ~rst, .window = 1},
  };
  for (const auto& stack : all_stacks()) {
    for (const Hook hook : all_hooks) {
      if (is_raw_ip(hook) != stack.raw_ip) continue;
      for (std::size_t i = 0; i < segments.size(); i++) {
        SCOPED_TRACE(fmt::format("{}, {}, segment {}", stack.name, name_of(hook), i));
        const auto [from, to] = fresh_ends(stack.family);
        const Segment& segment = segments[i];
        const Frame frame = build(stack, from, to, segment);
        const Outcome outcome = wire->run(hook, frame.bytes);
        ASSERT_EQ(outcome.error, 0);
        EXPECT_EQ(outcome.verdict, passing_verdict(hook));
        EXPECT_EQ(outcome.after, frame.bytes);
        ASSERT_EQ(outcome.records.size(), 1U);
        const tw_segment& record = outcome.records[0];
        expect_tuple(record, hook, from, to);
        expect_segment(record, segment);
        EXPECT_EQ(record.vlan_id, visible_tag(stack));
        EXPECT_EQ(record.ttl, 61);
        EXPECT_EQ(record.hook, reported_as(hook));
        EXPECT_EQ(record.ifindex, wire->first_interface());
        EXPECT_EQ(record.mss, i == 0 ? 1460 : 0);
        EXPECT_EQ(record.wscale, i == 0 ? 7 : 0);
        EXPECT_EQ(record.ts_val, i == 0 ? 0xa1a2a3a4 : i == 1 ? 0x01020304U : 0U);
        EXPECT_EQ(record.ts_ecr, i == 1 ? 0xf1f2f3f4 : 0);
        EXPECT_EQ(record.options, i == 0   ? TW_OPT_WSCALE | TW_OPT_SACK_PERMITTED | TW_OPT_TIMESTAMP
                                  : i == 1 ? TW_OPT_TIMESTAMP
                                           : 0);
        EXPECT_FALSE(record.event_flags & TW_EVENT_BAD_HEADER);
      }
    }
  }
}

TEST_F(OfOtherNamespaces, WhatPassesByIsNoEventNorIsItsAnswer) {
  const auto [from, to] = fresh_ends(Family::ipv4);
  for (int again = 0; again < 3; ++again) {
    EXPECT_TRUE(wire->run(Hook::egress, build({}, from, to, {.seq = 1, .flags = syn}).bytes).records.empty());
    EXPECT_TRUE(wire->run(Hook::egress, build({}, from, to, {.seq = 2, .flags = ack}).bytes).records.empty());
    const Segment answer{.seq = 9, .ack_number = 2, .flags = syn | ack};
    EXPECT_TRUE(wire->run(Hook::ingress, build({}, to, from, answer).bytes).records.empty());
  }
}

TEST_F(Parsing, TheHeaderOfARecordIsWhole) {
  const auto [from, to] = fresh_ends(Family::ipv4);
  const Frame frame = build({}, from, to, {.flags = syn});
  const auto first = wire->run(Hook::egress, frame.bytes);
  ASSERT_EQ(first.records.size(), 1U);
  const tw_header& header = first.records[0].header;
  EXPECT_EQ(header.kind, TW_KIND_SEGMENT);
  EXPECT_EQ(header.version, TW_ABI_VERSION);
  EXPECT_EQ(header.netns, current_netns());
  EXPECT_EQ(header.lost, 0U);
  EXPECT_GT(header.ts_ns, 0U);
  EXPECT_EQ(header.cookie, 0U);
  EXPECT_LT(header.cpu, wire->cpu_states().size());
  EXPECT_EQ(header.seq, static_cast<std::uint32_t>(wire->cpu_states().at(header.cpu).tried));
  EXPECT_EQ(first.records[0].reordered, 0);
  EXPECT_EQ(first.records[0].segments, 1);
}

struct OptionCase {
  const char* name;
  Bytes options;
  int bits;
};

TEST_F(Parsing, EveryOptionIsFoundWhereverItStands) {
  const std::vector<OptionCase> cases{
      {"none", {}, 0},
      {"all no-operation", Bytes(40, 1), 0},
      {"sack", joined({option_sack(1, 2)}), TW_OPT_SACK},
      {"mptcp", joined({option_mptcp_capable()}), TW_OPT_MPTCP},
      {"fast open request", joined({option_fast_open(0)}), TW_OPT_FASTOPEN},
      {"fast open cookie", joined({option_fast_open(8)}), TW_OPT_FASTOPEN},
      {"last two bytes", joined({Bytes(38, 1), option_sack_permitted()}), TW_OPT_SACK_PERMITTED},
      {"unknown before known", joined({{254, 6, 1, 2, 3, 4}, option_wscale(14)}), TW_OPT_WSCALE},
      {"after end of list", joined({{0}, option_wscale(14)}), 0},
      {"all at once",
       joined({option_mss(1), option_wscale(1), option_sack_permitted(), option_timestamps(1, 2),
               option_mptcp_capable(), option_fast_open(4), option_sack(3, 4)}),
       0x3f},
  };
  for (const Hook hook : {Hook::egress, Hook::ingress, Hook::xdp}) {
    for (const auto& one : cases) {
      SCOPED_TRACE(fmt::format("{}, {}", one.name, name_of(hook)));
      const auto [from, to] = fresh_ends(Family::ipv4);
      const auto outcome = wire->run(hook, build({}, from, to, {.flags = syn, .options = one.options}).bytes);
      ASSERT_EQ(outcome.records.size(), 1U);
      EXPECT_EQ(outcome.records[0].options, one.bits);
    }
  }
}

// An oversized GSO packet (BIG TCP) has no length in its IP header: the frame's counts.
TEST_F(Parsing, AZeroIpLengthMeansTheFrame) {
  for (const Hook hook : {Hook::egress, Hook::ingress, Hook::xdp}) {
    SCOPED_TRACE(name_of(hook));
    auto [from, to] = fresh_ends(Family::ipv4);
    Frame frame = build({}, from, to, {.payload = Bytes(500, 1)});
    put16(frame.bytes, frame.ip + 2, 0);
    auto outcome = wire->run(hook, frame.bytes);
    ASSERT_EQ(outcome.records.size(), 1U);
    EXPECT_EQ(outcome.records[0].len, 500U);
    EXPECT_FALSE(outcome.records[0].event_flags & TW_EVENT_BAD_HEADER);

    std::tie(from, to) = fresh_ends(Family::ipv6);
    frame = build({.family = Family::ipv6, .chain = {hop_by_hop()}}, from, to, {.payload = Bytes(500, 1)});
    put16(frame.bytes, frame.ip + 4, 0);
    outcome = wire->run(hook, frame.bytes);
    ASSERT_EQ(outcome.records.size(), 1U);
    EXPECT_EQ(outcome.records[0].len, 500U);
  }
}

}  // namespace
}  // namespace tcpwitness::wire_test
