// SPDX-License-Identifier: Apache-2.0
// flow_open_test.cpp: the rules of bpf/flow.h for how a flow begins and ends: SYN, handshake, FIN, RST,
// and a flow that was there before us. Each with one case that makes it true and one almost true.
#include <chrono>
#include <thread>

#include "bpf/conversation.hpp"

namespace tcpwitness::wire_test {
namespace {

using FlowOpen = FlowSuite;
INSTANTIATE_TEST_SUITE_P(Wire, FlowOpen, testing::ValuesIn(scenes()), scene_name);

TEST_P(FlowOpen, SynAndSynAckAreEvents) {
  EXPECT_EQ(flow().opener({.seq = 0, .flags = syn}), TW_EVENT_SYN);
  EXPECT_EQ(flow().last().flags, syn);
  EXPECT_EQ(flow().accepter({.seq = 0, .ack_number = 1, .flags = syn | ack}), TW_EVENT_SYN);
  EXPECT_EQ(flow().last().flags, syn | ack);
}

TEST_P(FlowOpen, TheSameSynAgainIsARetransmission) {
  EXPECT_EQ(flow().opener({.seq = 0, .flags = syn}), TW_EVENT_SYN);
  EXPECT_EQ(flow().opener({.seq = 0, .flags = syn}), TW_EVENT_SYN | TW_EVENT_RETRANSMISSION);
  EXPECT_EQ(flow().segments_of_opener(), 2U);
  EXPECT_EQ(flow().accepter({.seq = 0, .ack_number = 1, .flags = syn | ack}), TW_EVENT_SYN);
  EXPECT_EQ(flow().accepter({.seq = 0, .ack_number = 1, .flags = syn | ack}), TW_EVENT_SYN | TW_EVENT_RETRANSMISSION);
  EXPECT_EQ(flow().segments_of_accepter(), 2U);
}

TEST_P(FlowOpen, AnotherInitialNumberIsAnotherConnection) {
  flow().handshake();
  for (const std::uint32_t further : {70000U, 0x80000001U, 0xffff0000U}) {
    flow().open_anew(further);
    EXPECT_EQ(flow().opener({.seq = 0, .flags = syn}), TW_EVENT_SYN);
    EXPECT_EQ(flow().segments_of_opener(), 1U);
    EXPECT_EQ(flow().segments_of_accepter(), 0U);
    EXPECT_EQ(flow().accepter({.seq = 0, .ack_number = 1, .flags = syn | ack}), TW_EVENT_SYN);
    EXPECT_EQ(flow().opener({.seq = 1, .ack_number = 1}), TW_EVENT_HANDSHAKE_ACK);
  }
}

// Without an identification: no timer is as short as a millisecond, and an answer to another SYN has another timestamp.
TEST_P(FlowOpen, ASynAckThatComesTwiceAtOnceIsACopy) {
  if (!GetParam().we_open || GetParam().family != Family::ipv6) return;
  const Bytes stamp = joined({{1, 1}, option_timestamps(1000, 2)});
  const Bytes later = joined({{1, 1}, option_timestamps(1001, 2)});
  const Segment answer{.seq = 0, .ack_number = 1, .flags = syn | ack, .options = stamp};
  int known = 0;
  for (std::uint32_t i = 1; i <= 20; ++i) {  // not each time on a busy machine
    flow().open_anew(70000 * i);
    EXPECT_EQ(flow().opener({.seq = 0, .flags = syn}), TW_EVENT_SYN);
    EXPECT_EQ(flow().accepter(answer), TW_EVENT_SYN);
    flow().accepter(answer);
    known += flow().last().duplicate;
  }
  EXPECT_GT(known, 0);
  std::this_thread::sleep_for(std::chrono::milliseconds(2));
  EXPECT_EQ(flow().accepter(answer), TW_EVENT_SYN | TW_EVENT_RETRANSMISSION);  // late
  EXPECT_EQ(flow().accepter({.seq = 0, .ack_number = 1, .flags = syn | ack, .options = later}),
            TW_EVENT_SYN | TW_EVENT_RETRANSMISSION);  // made later
}

TEST_P(FlowOpen, ASynOnAFlowWhoseOwnSynWasNotSeenIsAnotherConnection) {
  EXPECT_EQ(flow().opener({.seq = 5000, .ack_number = 1, .payload = Bytes(10, 1)}), TW_EVENT_UNKNOWN_FLOW);
  EXPECT_EQ(flow().accepter({.seq = 1, .ack_number = 5010, .flags = fin | ack}) & TW_EVENT_FIN, TW_EVENT_FIN);
  EXPECT_EQ(flow().opener({.seq = 0, .flags = syn}), TW_EVENT_SYN);
  EXPECT_EQ(flow().bytes_of_opener(), 0U);
  EXPECT_EQ(flow().segments_of_opener(), 1U);
}

// RFC 7413: a SYN that gets no answer is sent again without its data. Whether TCP takes that of a SYN only the SYN-ACK
// has, so none of it counts as new.
TEST_P(FlowOpen, AFastOpenSynAgainIsARetransmissionWithOrWithoutItsData) {
  EXPECT_EQ(flow().opener({.seq = 0, .flags = syn, .payload = Bytes(100, 1)}), TW_EVENT_SYN);
  EXPECT_EQ(flow().opener({.seq = 0, .flags = syn, .payload = Bytes(100, 1)}), TW_EVENT_SYN | TW_EVENT_RETRANSMISSION);
  EXPECT_EQ(flow().again_of_opener(), 200U);
  EXPECT_EQ(flow().opener({.seq = 0, .flags = syn}), TW_EVENT_SYN | TW_EVENT_RETRANSMISSION);
  EXPECT_EQ(flow().segments_of_opener(), 3U);
  EXPECT_EQ(flow().bytes_of_opener(), 200U);
  EXPECT_EQ(flow().accepter({.seq = 0, .ack_number = 101, .flags = syn | ack}), TW_EVENT_SYN);
  EXPECT_EQ(flow().opener({.seq = 101, .ack_number = 1}), TW_EVENT_HANDSHAKE_ACK);
  EXPECT_EQ(flow().opener({.seq = 101, .ack_number = 1, .payload = Bytes(5, 1)}), silent);
}

TEST_P(FlowOpen, ASynThatArrivesLateMovesNothing) {
  flow().handshake();
  EXPECT_EQ(flow().opener({.seq = 1, .ack_number = 1, .payload = Bytes(100, 1)}), silent);
  EXPECT_EQ(flow().opener({.seq = 0, .flags = syn}), TW_EVENT_SYN | TW_EVENT_RETRANSMISSION);
  EXPECT_EQ(flow().bytes_of_opener(), 100U);
  EXPECT_EQ(flow().opener({.seq = 101, .ack_number = 1, .payload = Bytes(100, 1)}), silent);
}

TEST_P(FlowOpen, OnlyTheFirstAckAfterTheSynAckEndsTheHandshake) {
  EXPECT_EQ(flow().opener({.seq = 0, .flags = syn}), TW_EVENT_SYN);
  if (GetParam().we_open) {
    EXPECT_EQ(flow().opener({.seq = 1, .ack_number = 1}), silent);  // no SYN-ACK yet
  }
  EXPECT_EQ(flow().accepter({.seq = 0, .ack_number = 1, .flags = syn | ack}), TW_EVENT_SYN);
  EXPECT_EQ(flow().accepter({.seq = 1, .ack_number = 1}), silent);  // the other side's
  EXPECT_EQ(flow().opener({.seq = 1, .ack_number = 1}), TW_EVENT_HANDSHAKE_ACK);
  EXPECT_EQ(flow().opener({.seq = 1, .ack_number = 1}), silent);
}

// The listener whose SYN-ACK we have not seen did not make this connection: its SYN was sent on to another machine.
TEST_P(FlowOpen, AConnectionThatGoesOnWithoutOurSynAckPasses) {
  EXPECT_EQ(flow().opener({.seq = 0, .flags = syn}), TW_EVENT_SYN);
  const int event_flags = flow().opener({.seq = 1, .ack_number = 1});
  if (GetParam().we_open) {
    EXPECT_EQ(event_flags, silent);
    return;
  }
  EXPECT_EQ(event_flags, TW_EVENT_NO_SOCKET);
  EXPECT_EQ(flow().last().forwarding, 1);
  EXPECT_EQ(flow().opener({.seq = 1, .ack_number = 1, .payload = Bytes(5, 1)}), silent);
  EXPECT_EQ(flow().opener({.seq = 6, .ack_number = 1, .flags = fin | ack}), silent);
}

TEST_P(FlowOpen, DataCanEndTheHandshakeToo) {
  EXPECT_EQ(flow().opener({.seq = 0, .flags = syn}), TW_EVENT_SYN);
  EXPECT_EQ(flow().accepter({.seq = 0, .ack_number = 1, .flags = syn | ack}), TW_EVENT_SYN);
  EXPECT_EQ(flow().opener({.seq = 1, .ack_number = 1, .payload = Bytes(10, 1)}), TW_EVENT_HANDSHAKE_ACK);
}

TEST_P(FlowOpen, AFinIsAnEventAndSoIsItsAcknowledgement) {
  flow().handshake();
  EXPECT_EQ(flow().opener({.seq = 1, .ack_number = 1, .flags = fin | ack}), TW_EVENT_FIN);
  EXPECT_EQ(flow().accepter({.seq = 1, .ack_number = 1}), silent);  // acknowledges all but the FIN
  EXPECT_EQ(flow().accepter({.seq = 1, .ack_number = 2}), TW_EVENT_FIN_ACK);
  EXPECT_EQ(flow().accepter({.seq = 1, .ack_number = 2}), silent);
  EXPECT_EQ(flow().accepter({.seq = 1, .ack_number = 2, .flags = fin | ack}), TW_EVENT_FIN);
  EXPECT_EQ(flow().opener({.seq = 2, .ack_number = 2}), TW_EVENT_FIN_ACK);
}

TEST_P(FlowOpen, AFinThatAcknowledgesAFinIsBoth) {
  flow().handshake();
  EXPECT_EQ(flow().accepter({.seq = 1, .ack_number = 1, .flags = fin | ack, .payload = Bytes(7, 1)}), TW_EVENT_FIN);
  EXPECT_EQ(flow().opener({.seq = 1, .ack_number = 9, .flags = fin | ack}), TW_EVENT_FIN | TW_EVENT_FIN_ACK);
  EXPECT_EQ(flow().accepter({.seq = 9, .ack_number = 2}), TW_EVENT_FIN_ACK);
}

TEST_P(FlowOpen, TheSameFinAgainIsARetransmission) {
  flow().handshake();
  EXPECT_EQ(flow().opener({.seq = 1, .ack_number = 1, .flags = fin | ack, .payload = Bytes(10, 1)}), TW_EVENT_FIN);
  EXPECT_EQ(flow().opener({.seq = 1, .ack_number = 1, .flags = fin | ack, .payload = Bytes(10, 1)}),
            TW_EVENT_FIN | TW_EVENT_RETRANSMISSION);
  EXPECT_EQ(flow().opener({.seq = 11, .ack_number = 1, .flags = fin | ack}), TW_EVENT_FIN | TW_EVENT_RETRANSMISSION);
  EXPECT_EQ(flow().accepter({.seq = 1, .ack_number = 12}), TW_EVENT_FIN_ACK);
}

TEST_P(FlowOpen, ARstIsAnEventAndMovesNoNumbers) {
  flow().handshake();
  constexpr int beyond = TW_EVENT_RST | TW_EVENT_OUT_OF_ORDER;  // all that its sender was seen to send
  EXPECT_EQ(flow().accepter({.seq = 0x30000000, .ack_number = 1, .flags = rst | ack, .window = 0}), beyond);
  EXPECT_EQ(flow().accepter({.seq = 2, .flags = rst}), beyond);
  EXPECT_EQ(flow().accepter({.seq = 1, .flags = rst}), TW_EVENT_RST);
  EXPECT_EQ(flow().segments_of_accepter(), 4U);
  EXPECT_EQ(flow().accepter({.seq = 1, .ack_number = 1, .payload = Bytes(10, 1)}), silent);
}

// The newest TTL of its sender behind the SYN; the SYN is a record of its own.
TEST_P(FlowOpen, ARstCarriesTheTtlOfWhatCameBefore) {
  const int usual = Stack{}.ttl;
  flow().handshake();
  EXPECT_EQ(flow().accepter({.seq = 0, .flags = rst}), TW_EVENT_RST);
  EXPECT_EQ(flow().last().ttl_before, 0);
  EXPECT_EQ(flow().accepter({.seq = 1, .ack_number = 1, .payload = Bytes(10, 1)}), silent);
  EXPECT_EQ(flow().accepter({.seq = 0, .flags = rst}), TW_EVENT_RST);
  EXPECT_EQ(flow().last().ttl_before, usual);
  EXPECT_EQ(flow().opener({.seq = 0, .flags = rst}), TW_EVENT_RST);
  EXPECT_EQ(flow().last().ttl_before, usual);
  EXPECT_EQ(flow().opener({.seq = 1, .ack_number = 11, .flags = fin | ack}), TW_EVENT_FIN);
  EXPECT_EQ(flow().last().ttl_before, 0);
}

// A listener takes no segment of a connection that is under way: it is reported as one that finds no socket.
TEST_P(FlowOpen, AnUnknownFlowIsToldOnce) {
  if (!GetParam().we_open) {
    EXPECT_EQ(flow().opener({.seq = 77, .ack_number = 1, .payload = Bytes(10, 1)}), TW_EVENT_UNKNOWN_FLOW);
    EXPECT_EQ(flow().opener({.seq = 87, .ack_number = 1, .payload = Bytes(10, 1)}), TW_EVENT_UNKNOWN_FLOW);
    return;
  }
  EXPECT_EQ(flow().opener({.seq = 77, .ack_number = 1, .payload = Bytes(10, 1)}), TW_EVENT_UNKNOWN_FLOW);
  EXPECT_EQ(flow().opener({.seq = 87, .ack_number = 1, .payload = Bytes(10, 1)}), silent);
  EXPECT_EQ(flow().accepter({.seq = 1, .ack_number = 97}), silent);
}

}  // namespace
}  // namespace tcpwitness::wire_test
