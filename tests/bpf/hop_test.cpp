// SPDX-License-Identifier: Apache-2.0
// hop_test.cpp: --forwarded in the wire programs: what comes in to be forwarded is a hop's, and nothing else is.
//
// BPF_PROG_TEST_RUN lends each frame a socket, so what leaves is never forwarded here: tests/field plays that, and the
// join of two hops, with real routers.
#include <gtest/gtest.h>

#include <cstdlib>

#include "bpf/suite.hpp"

namespace tcpwitness::wire_test {
namespace {

class Hops : public BpfTest {
 protected:
  void load(bool forwarded, bool routed, std::uint16_t port = 0, bool all = false) {
    wire_.reset();  // its namespace is left before another is entered
    tw_config config{};
    config.forwarded = forwarded ? 1 : 0;
    config.packets_all = all ? 1 : 0;
    if (port != 0) add_port(config, port);
    auto loaded = WireProgram::load({.config = config});
    ASSERT_TRUE(loaded) << loaded.error().message();
    wire_ = std::move(*loaded);
    ASSERT_EQ(
        std::system(routed ? "echo 1 > /proc/sys/net/ipv4/ip_forward; echo 1 > /proc/sys/net/ipv4/conf/tw0/forwarding;"
                             "ip route add 10.9.0.0/24 via 10.0.0.200; ip neigh add 10.0.0.200 dev tw0 lladdr "
                             "02:00:00:00:00:01"
                           : "true"),
        0);
  }
  // For the device's own link address: what is for another host is not forwarded.
  Outcome comes_in(const Segment& segment, Hook hook = Hook::xdp) {
    return wire_->run(hook, build({}, from_, to_, segment).bytes);
  }
  Endpoint from_ = ipv4_endpoint(10, 0, 0, 7, 40000);
  Endpoint to_ = ipv4_endpoint(10, 9, 0, 2, 80);
  std::unique_ptr<WireProgram> wire_;
};

TEST_F(Hops, ASynThatIsRoutedOnIsAHops) {
  ASSERT_NO_FATAL_FAILURE(load(true, true));
  const auto outcome = comes_in({.flags = syn});
  ASSERT_EQ(outcome.records.size(), 1U);
  EXPECT_EQ(outcome.verdict, passing_verdict(Hook::xdp));
  const tw_segment& record = outcome.records[0];
  EXPECT_EQ(record.forwarding, TW_FORWARDING_HOP);
  EXPECT_EQ(record.came_in, 0U);
  EXPECT_EQ(record.header.cookie, 0U);
  EXPECT_EQ(record.event_flags & TW_EVENT_SYN, TW_EVENT_SYN);
  EXPECT_EQ(record.tuple.local_port, 80);
  EXPECT_EQ(record.wire.segs_in, 1U);
  EXPECT_EQ(wire_->flow_count(), 1U);
}

TEST_F(Hops, ItsFlowCountsWhatFollows) {
  ASSERT_NO_FATAL_FAILURE(load(true, true));
  comes_in({.seq = 100, .flags = syn});
  EXPECT_EQ(comes_in({.seq = 101, .flags = ack, .payload = Bytes(50)}).records.size(), 1U) << "the handshake is over";
  EXPECT_EQ(comes_in({.seq = 151, .flags = ack, .payload = Bytes(50)}).records.size(), 0U) << "an ordinary segment";
  const auto again = comes_in({.seq = 151, .flags = ack, .payload = Bytes(50)});
  ASSERT_EQ(again.records.size(), 1U);
  EXPECT_EQ(again.records[0].event_flags & TW_EVENT_RETRANSMISSION, TW_EVENT_RETRANSMISSION);
  EXPECT_EQ(again.records[0].wire.bytes_in, 150U);
  EXPECT_EQ(again.records[0].loss.retrans_segs_in, 1U);
}

// --packets all: an ordinary segment is a record too, of which no flag says why.
TEST_F(Hops, EachSegmentIsARecordWhereAllAreWanted) {
  ASSERT_NO_FATAL_FAILURE(load(true, true, 0, true));
  comes_in({.seq = 100, .flags = syn});
  comes_in({.seq = 101, .flags = ack, .payload = Bytes(50)});
  const auto ordinary = comes_in({.seq = 151, .flags = ack, .payload = Bytes(50)});
  ASSERT_EQ(ordinary.records.size(), 1U);
  EXPECT_EQ(ordinary.records[0].event_flags, 0U);
  EXPECT_EQ(ordinary.records[0].wire.segs_in, 3U);
}

// The way back is another one: what follows the SYN shows that it was answered.
TEST_F(Hops, OneDirectionAloneShowsThatTheHandshakeIsOver) {
  ASSERT_NO_FATAL_FAILURE(load(true, true));
  comes_in({.seq = 100, .flags = syn});
  const auto first = comes_in({.seq = 101, .flags = ack});
  ASSERT_EQ(first.records.size(), 1U);
  EXPECT_EQ(first.records[0].event_flags, TW_EVENT_HANDSHAKE_ACK);
  EXPECT_TRUE(comes_in({.seq = 101, .flags = ack}).records.empty());
}

TEST_F(Hops, WithoutTheOptionItIsNothing) {
  ASSERT_NO_FATAL_FAILURE(load(false, true));
  EXPECT_TRUE(comes_in({.flags = syn}).records.empty());
  EXPECT_EQ(wire_->flow_count(), 0U);
}

TEST_F(Hops, WhatThisMachineDoesNotForwardIsAStray) {
  ASSERT_NO_FATAL_FAILURE(load(true, false));
  const auto outcome = comes_in({.flags = syn});
  ASSERT_EQ(outcome.records.size(), 1U);
  EXPECT_EQ(outcome.records[0].forwarding, TW_FORWARDING_NONE);
  EXPECT_EQ(outcome.records[0].event_flags & TW_EVENT_NO_SOCKET, TW_EVENT_NO_SOCKET);
}

TEST_F(Hops, WhatIsForThisMachineIsAStray) {
  ASSERT_NO_FATAL_FAILURE(load(true, true));
  to_ = ipv4_endpoint(10, 0, 0, 1, 80);
  const auto outcome = comes_in({.flags = syn});
  ASSERT_EQ(outcome.records.size(), 1U);
  EXPECT_EQ(outcome.records[0].forwarding, TW_FORWARDING_NONE);
}

TEST_F(Hops, ARstAloneBeginsNone) {
  ASSERT_NO_FATAL_FAILURE(load(true, true));
  EXPECT_TRUE(comes_in({.flags = rst}).records.empty());
  EXPECT_EQ(wire_->flow_count(), 0U);
}

TEST_F(Hops, APortThatIsNotWantedIsNoHop) {
  ASSERT_NO_FATAL_FAILURE(load(true, true, 443));
  EXPECT_TRUE(comes_in({.flags = syn}).records.empty());
  EXPECT_EQ(wire_->flow_count(), 0U);
}

}  // namespace
}  // namespace tcpwitness::wire_test
