// SPDX-License-Identifier: Apache-2.0
// again_test.cpp: which connection it is, where a socket connects again, both ends connect at once, or a drop shows
// neither its namespace nor its socket.
#include <gtest/gtest.h>

#include "unit/run.hpp"

namespace tcpwitness::testing {
namespace {

TEST(ConnectAgain, EachRefusedTryOfOneSocketIsALifeWithItsOwnPort) {
  Stream stream;
  for (std::uint16_t i = 0; i < 4; ++i) {
    Side c(stream, 7, "10.0.0.1", static_cast<std::uint16_t>(40000 + i), "10.0.0.2", 80, 100U + i, 0, true);
    c.to(State::syn_sent, curl);
    c.out(S);
    c.in(RA, 0, 0, [](tw_segment& g) { g.seq = 0; });
    c.kernel_reset(TW_RESET_RECEIVED, TW_REASON_UNKNOWN);
    c.extra.sk_err = 111;
    c.to(State::close);
    c.error(111);
  }
  const Told told = run(stream.events);
  ASSERT_EQ(told.lives().size(), 4U);
  for (std::uint16_t i = 0; i < 4; ++i) {
    EXPECT_EQ(told.life(i).outcome, Outcome::refused);
    EXPECT_EQ(told.life(i).flow.local.port, 40000 + i);
    EXPECT_TRUE(told.life(i).wire_heard);
  }
}

// Both SYNs cross; each is answered by a SYN-ACK.
struct Simultaneous {
  Told told;
  EventId syn_in = 0;
  EventId syn_ack_in = 0;
};
Simultaneous simultaneous_open() {
  Stream stream;
  Side c = client_of(stream);
  Simultaneous s;
  c.to(State::syn_sent, curl);
  c.out(S);
  s.syn_in = c.in(S);
  const std::uint32_t taken = c.rcv_nxt;
  c.rcv_nxt = 0;  // set behind the state
  c.to(State::syn_recv);
  c.rcv_nxt = taken;
  c.out(SA, 0, 0, [&](tw_segment& g) { g.seq = c.isn(); });
  s.syn_ack_in = c.in(SA, 0, 0, [&](tw_segment& g) { g.seq = c.peer_isn(); });
  c.rcv_nxt = c.peer_nxt = taken;
  c.to(State::established);
  closes_first(c, curl);
  s.told = run(stream.events, trace_settings());
  return s;
}

TEST(SimultaneousOpen, IsNoRetransmissionAndItsCausesAreSeen) {
  const Simultaneous s = simultaneous_open();
  ASSERT_EQ(s.told.lives().size(), 1U);
  EXPECT_EQ(s.told.life().outcome, Outcome::completed);
  EXPECT_EQ(s.told.life().role, Role::active);
  EXPECT_FALSE(s.told.finding(Rule::retransmission));
  EXPECT_FALSE(s.told.finding(Rule::slow_accept));
  const auto received = s.told.transition(State::syn_sent, State::syn_recv);
  ASSERT_TRUE(received);
  EXPECT_EQ(received->cause.id, s.syn_in);
  EXPECT_EQ(received->cause.what, "SYN");
  const auto open = s.told.transition(State::syn_recv, State::established);
  ASSERT_TRUE(open);
  EXPECT_EQ(open->cause.id, s.syn_ack_in);
  EXPECT_EQ(open->cause.what, "SYN-ACK");
}

// A drop of neither namespace nor socket, so far behind what this connection has received.
std::size_t drops_told(std::int64_t off, bool known) {
  Stream stream;
  Side c = client_of(stream);
  connects(c);
  c.in(PA, 10);
  c.drop(drop_old_data, false, PA, 10);
  Drop& drop = std::get<Drop>(stream.events.back().body);
  drop.seq += static_cast<std::uint32_t>(off);
  if (!known) drop.header.netns = 0;
  closes_first(c, curl);
  const Told told = run(stream.events, trace_settings());
  return told.entries_of<DropEntry>().size();
}

TEST(DropOfNobody, WithNumbersThatCannotBeItsOwnIsAnotherConnections) {
  EXPECT_EQ(drops_told(0, false), 1U);
  EXPECT_EQ(drops_told(2'000'000'000, false), 0U);
  EXPECT_EQ(drops_told(-1'000'000'000, false), 0U);
  // The namespace is known: it is this address pair's, out of its window as it may be.
  EXPECT_EQ(drops_told(2'000'000'000, true), 1U);
}

// The socket that was to take it says whose it is, whatever its numbers.
TEST(DropOfNobody, WithItsSocketsCookieIsThatConnections) {
  Stream stream;
  Side c = client_of(stream);
  connects(c);
  c.drop(drop_sequence, false, PA, 10);
  Drop& drop = std::get<Drop>(stream.events.back().body);
  drop.header.netns = 0;
  drop.header.cookie = 7;
  drop.seq += 2'000'000'000;
  closes_first(c, curl);
  const Told told = run(stream.events, trace_settings());
  ASSERT_EQ(told.entries_of<DropEntry>().size(), 1U);
  EXPECT_EQ(told.entries_of<DropEntry>()[0].first.conn, told.life().conn);
}

}  // namespace
}  // namespace tcpwitness::testing
