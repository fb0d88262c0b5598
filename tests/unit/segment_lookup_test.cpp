// SPDX-License-Identifier: Apache-2.0
// Whose connection a segment is, and which ones begin one.
#include "correlate/segment_lookup.hpp"

#include <gtest/gtest.h>

#include "unit/correlation_parts.hpp"

namespace tcpwitness {
namespace {

using testing::Parts;

Segment syn(std::uint32_t number, SocketKind socket, std::uint16_t port = 40000) {
  Segment g{};
  g.seen_at(HookPoint::ingress);
  g.tuple = Parts::tuple(port);
  g.flags = tcp_flag::syn;
  g.seq = number;
  g.socket.type = socket;
  return g;
}

CorrelatorSettings packets_alone(bool capture) {
  CorrelatorSettings settings;
  settings.has_kernel = false;
  settings.capture = capture;
  return settings;
}

Slot find(Parts& parts, const Segment& g) {
  return parts.lookup.find(Event{1, 1'000, {}}, g, to_flow(g.tuple), g.outgoing());
}

TEST(SegmentLookup, ASynForAListenerBeginsAConnectionAndOneForNoSocketDoesNot) {
  Parts parts;
  EXPECT_EQ(find(parts, syn(7, SocketKind::none)), no_slot);
  const Slot slot = find(parts, syn(7, SocketKind::listener));
  ASSERT_NE(slot, no_slot);
  EXPECT_EQ(parts.in.table.at(slot).role, Role::passive);
  EXPECT_EQ(parts.in.table.wait_of(slot), Wait::unanswered_syn);
}

// A scanner's: tcp_rcv_state_process() drops it.
TEST(SegmentLookup, ASynWithAFinBeginsNothingAtAListener) {
  Parts parts;
  Segment g = syn(7, SocketKind::listener);
  g.flags |= tcp_flag::fin;
  EXPECT_EQ(find(parts, g), no_slot);
  Parts alone(packets_alone(false));
  EXPECT_NE(find(alone, g), no_slot) << "nobody says what its receiver makes of it";
}

TEST(SegmentLookup, ASynWithTheSameNumberIsOfTheSameConnection) {
  Parts parts;
  const Slot first = find(parts, syn(7, SocketKind::listener));
  parts.in.table.at(first).isn.remote = 7;
  parts.in.table.at(first).isn.has_remote = true;
  EXPECT_EQ(find(parts, syn(7, SocketKind::listener)), first);
  EXPECT_NE(find(parts, syn(8, SocketKind::listener)), first) << "another one, on the same ports";
}

TEST(SegmentLookup, ASocketsCookieIsBelievedOnlyWithItsPorts) {
  Parts parts;
  const Slot other = parts.lives.create(1'000, true);
  parts.in.table.bind_cookie(other, 5);
  parts.in.table.bind_flow(other, to_flow(Parts::tuple(40001)));
  Segment g = syn(7, SocketKind::request);
  g.flags = tcp_flag::ack;
  g.header.cookie = 5;
  EXPECT_EQ(find(parts, g), no_slot);
  g.tuple = Parts::tuple(40001);
  EXPECT_EQ(find(parts, g), other);
}

TEST(SegmentLookup, WithoutTheKernelAResetBeginsNothing) {
  Parts parts(packets_alone(false));
  Segment g = syn(7, SocketKind::unknown);
  g.flags = tcp_flag::rst;
  EXPECT_EQ(find(parts, g), no_slot);
  g.flags = tcp_flag::ack;
  const Slot slot = find(parts, g);
  ASSERT_NE(slot, no_slot);
  EXPECT_TRUE(parts.in.table.at(slot).opening.preexisting);
}

TEST(SegmentLookup, ACapturesConversationKeepsItsConnectionUntilItIsTaken) {
  Parts parts(packets_alone(true));
  Segment g = syn(7, SocketKind::unknown);
  g.analysis.conversation = 3;
  const Slot slot = find(parts, g);
  g.seq = 8;
  EXPECT_EQ(find(parts, g), slot);
  EXPECT_EQ(parts.lookup.find_captured(3), slot);
  EXPECT_EQ(parts.lookup.take_captured(3), slot);
  EXPECT_EQ(parts.lookup.find_captured(3), no_slot);
  EXPECT_EQ(parts.lookup.find_captured(99), no_slot);
}

}  // namespace
}  // namespace tcpwitness
