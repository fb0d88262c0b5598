// SPDX-License-Identifier: Apache-2.0
// Forwarded connections without a Correlator: what is passed on as a segment of theirs, and when they are over.
#include <gtest/gtest.h>

#include "correlate/forwarded.hpp"
#include "unit/events.hpp"

namespace tcpwitness {
namespace {

using testing::s;
constexpr std::uint32_t eth0 = 2, eth1 = 3;  // the client's side, the server's side

struct Router : private ForwardedConnections::Host {
  struct Seen {
    Slot slot = no_slot;
    EventId id = 0;
    std::uint8_t flags = 0;
    bool out = false;
  };
  std::vector<Seen> seen;
  std::vector<Slot> over;

  CorrelatorSettings settings;
  Listeners listeners;
  Losses losses;
  Table table;
  Selection selection{settings, listeners};
  Timeline timeline{false};
  Emitter emitter{settings, selection, timeline};
  Strays strays;
  Summary summary;
  TimeNs now = 0;
  EventId next_id = 1;
  ForwardedConnections forwarded{*this, settings, losses, table, timeline, emitter, strays, summary, now};

  // A segment of the client 10.0.0.1:40000, or of the server's answer, as it comes in and as it leaves.
  Segment segment(bool of_client, HookPoint hook, std::uint8_t flags, std::uint16_t port) const {
    Segment g{};
    g.seen_at(hook);
    const bool leaves = hook == HookPoint::egress;
    const std::uint16_t sender = of_client ? port : 80;
    const std::uint16_t receiver = of_client ? 80 : port;
    // local is the destination of what comes in, the source of what leaves.
    g.tuple.local_port = leaves ? sender : receiver;
    g.tuple.remote_port = leaves ? receiver : sender;
    g.tuple.local_addr[0] = g.tuple.local_port == 80 ? 9 : 1;
    g.tuple.remote_addr[0] = g.tuple.remote_port == 80 ? 9 : 1;
    g.flags = flags;
    g.ifindex = of_client == leaves ? eth1 : eth0;
    g.forwarding = Forwarding::hop;
    return g;
  }
  void comes(bool of_client, std::uint8_t flags, std::uint16_t port = 40000) {
    forwarded.on_hop(Event{next_id++, now, {}}, segment(of_client, HookPoint::ingress, flags, port));
  }
  void leaves(bool of_client, std::uint8_t flags, std::uint16_t port = 40000) {
    Segment g = segment(of_client, HookPoint::egress, flags, port);
    g.came_in = of_client ? eth0 : eth1;
    forwarded.on_hop(Event{next_id++, now, {}}, g);
  }
  // The join of the two hops, which no NAT changes.
  void join(std::uint16_t port = 40000) {
    Translation t{};
    t.tuple = segment(true, HookPoint::ingress, 0, port).tuple;
    t.wire = segment(true, HookPoint::egress, 0, port).tuple;
    forwarded.join_hops(t);
  }

 private:
  void forwarded_segment(Slot slot, const Event& e, const Segment& g, bool out, bool) override {
    seen.push_back({slot, e.id, g.flags, out});
    Connection& c = table.at(slot);
    if (g.flags == tcp_flag::syn) c.state = TcpState::syn_sent;
    if (is_open(g.flags)) c.opening.answered = true;
  }
  static bool is_open(std::uint8_t flags) { return flags == (tcp_flag::syn | tcp_flag::ack); }
  void forwarded_over(Slot slot) override {
    over.push_back(slot);
    table.at(slot).reported = true;
  }
};

TEST(ForwardedConnections, ASegmentIsPassedOnOnceWhenItComesIn) {
  Router r;
  r.comes(true, tcp_flag::syn);
  r.join();
  r.leaves(true, tcp_flag::syn);
  ASSERT_EQ(r.seen.size(), 1U);
  EXPECT_EQ(r.seen[0].id, 1U);
  EXPECT_TRUE(r.seen[0].out) << "by the client, whose view it is";
  r.comes(false, tcp_flag::syn | tcp_flag::ack);
  r.leaves(false, tcp_flag::syn | tcp_flag::ack);
  ASSERT_EQ(r.seen.size(), 2U);
  EXPECT_EQ(r.seen[1].slot, r.seen[0].slot);
  EXPECT_FALSE(r.seen[1].out);
}

TEST(ForwardedConnections, ARstIsPassedOnWhenItLeaves) {
  Router r;
  r.comes(true, tcp_flag::syn);
  r.join();
  r.leaves(true, tcp_flag::syn);
  r.comes(false, tcp_flag::rst);
  EXPECT_EQ(r.seen.size(), 1U) << "one that is dropped here ends nothing";
  r.leaves(false, tcp_flag::rst);
  ASSERT_EQ(r.seen.size(), 2U);
  EXPECT_EQ(r.seen[1].flags, tcp_flag::rst);
}

TEST(ForwardedConnections, AnAttemptIsOverWhenItsTimeIs) {
  Router r;
  r.comes(true, tcp_flag::syn);
  const Slot slot = r.seen.at(0).slot;
  r.table.at(slot).syn = {1, 0};
  ASSERT_EQ(r.table.wait_of(slot), Wait::forwarded_attempt);
  r.now = 120 * s;
  r.forwarded.time_over(slot, Wait::forwarded_attempt);
  EXPECT_EQ(r.over, std::vector<Slot>{slot});
  EXPECT_EQ(r.summary.given_up, 1U);
  EXPECT_EQ(r.forwarded.flows_to_delete().size(), 1U) << "the hop that was seen";
}

TEST(ForwardedConnections, AnOpenOneIsCountedBeforeItIsGivenUp) {
  Router r;
  r.comes(true, tcp_flag::syn);
  const Slot slot = r.seen.at(0).slot;
  r.table.at(slot).opening.established = true;
  EXPECT_FALSE(r.forwarded.wants_hops());
  r.forwarded.time_over(slot, Wait::forwarded_open);
  EXPECT_TRUE(r.over.empty());
  EXPECT_EQ(r.table.wait_of(slot), Wait::forwarded_count);
  EXPECT_TRUE(r.forwarded.wants_hops());
  EXPECT_FALSE(r.forwarded.wants_hops()) << "asked once";
  // The counters show that something came: it is followed on.
  r.table.at(slot).forwarded()->hops[0].wire.segs_in = 7;
  r.forwarded.time_over(slot, Wait::forwarded_count);
  EXPECT_TRUE(r.over.empty());
  // Nothing came: it is given up.
  r.forwarded.time_over(slot, Wait::forwarded_open);
  r.forwarded.time_over(slot, Wait::forwarded_count);
  EXPECT_EQ(r.over, std::vector<Slot>{slot});
}

TEST(ForwardedConnections, OfTooManyTheOldestAttemptGivesWay) {
  Router r;
  r.settings.forwarded_limit = 2;
  r.comes(true, tcp_flag::syn, 40001);
  r.comes(true, tcp_flag::syn, 40002);
  const Slot first = r.seen.at(0).slot;
  r.comes(true, tcp_flag::syn, 40003);
  ASSERT_EQ(r.seen.size(), 3U);
  EXPECT_EQ(r.over, std::vector<Slot>{first});
  EXPECT_EQ(r.table.size(), 2U);
  EXPECT_EQ(r.summary.untracked, 0U);
}

TEST(ForwardedConnections, AnOpenOneGivesNoWay) {
  Router r;
  r.settings.forwarded_limit = 1;
  r.comes(true, tcp_flag::syn, 40001);
  r.table.wait(r.seen.at(0).slot, Wait::forwarded_open, 0);
  r.comes(true, tcp_flag::syn, 40002);
  EXPECT_EQ(r.seen.size(), 1U);
  EXPECT_EQ(r.summary.untracked, 1U);
}

TEST(ForwardedConnections, ASynForAListenerThatNatSendsOnIsForgotten) {
  Router r;
  Flow flow;
  flow.local.port = 80;
  const Slot slot = r.table.create(0);
  r.table.bind_flow(slot, flow);
  r.table.at(slot).role = Role::passive;
  r.table.at(slot).seen_by.kernel = true;
  r.forwarded.pass_on(flow);
  EXPECT_TRUE(r.table.at(slot).live) << "TCP took it";
  r.table.at(slot).seen_by.kernel = false;
  r.forwarded.pass_on(flow);
  EXPECT_FALSE(r.table.at(slot).live);
}

}  // namespace
}  // namespace tcpwitness
