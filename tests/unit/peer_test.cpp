// SPDX-License-Identifier: Apache-2.0
// Both ends of a connection in one run: a finding that blames the peer names its process and its own finding.
#include "unit/both_ends.hpp"
#include "unit/says.hpp"

namespace tcpwitness::testing {
namespace {

std::optional<Finding> of(const std::vector<Life>& lives, std::uint16_t port, Rule rule) {
  const Life* life = life_at(lives, port);
  if (life == nullptr) return std::nullopt;
  const auto found = std::ranges::find(life->findings, rule, &Finding::rule);
  return found == life->findings.end() ? std::nullopt : std::optional(*found);
}

TEST(Peer, ASlowHandshakeNamesTheListenerWhoseQueueWasFull) {
  for (const std::uint32_t queued : {2U, 0U}) {
    Ends ends;
    ends.client.to(State::syn_sent, curl);
    ends.client.out(S);
    syns_meet(ends.server, {.accept = queued, .syns = 0, .limit = 1}, 1);
    ends.client.out(S, 0, TW_EVENT_RETRANSMISSION, [&](Segment& g) { g.seq = ends.client.isn(); });
    ends.client.retransmit(4, 0, 1);
    ends.finish_handshake();
    const auto lives = run(ends.stream.events).lives();
    const auto finding = of(lives, 40000, Rule::slow_handshake);
    ASSERT_TRUE(finding.has_value());
    ASSERT_TRUE(finding->peer.has_value());
    EXPECT_EQ(finding->peer->pid, nginx.pid);
    EXPECT_EQ(says(finding, "at the other end: nginx[80] does not accept fast enough"), queued != 0)
        << sentence(*finding);
    EXPECT_EQ(says(finding, "the other end is nginx[80]"), queued == 0) << sentence(*finding);
  }
}

TEST(Peer, WhoDoesNotCloseIsNamedWithItsDescriptor) {
  for (const std::uint32_t isn : {300U, 301U}) {
    Ends ends(isn);
    ends.connect();
    ends.client.to(State::fin_wait1, curl);
    ends.client.out(FA);
    ends.server.in(FA);
    ends.server.to(State::close_wait);
    ends.server.out(A, 0, TW_EVENT_FIN_ACK);
    ends.client.in(A, 0, TW_EVENT_FIN_ACK);
    ends.client.extra.flags |= TW_CB_DEAD;
    ends.client.to(State::fin_wait2);
    ends.stream.wait(11 * s);
    ends.server.used(nginx, OwnerSource::snapshot, 11000, 7);
    ends.client.found(SocketKind::full, State::fin_wait2);
    const auto finding = run(ends.stream.events, life_settings(), 3 * s).finding(Rule::peer_not_closing);
    ASSERT_TRUE(finding.has_value());
    EXPECT_EQ(finding->peer.has_value(), isn == 300) << "another number is another connection";
    EXPECT_EQ(says(finding, "at the other end: ") && says(finding, "closed fd 7"), isn == 300) << sentence(*finding);
  }
}

// What was dropped there is why it was sent again here, if it was dropped before, and not long before.
TEST(Peer, ADropNamesTheCauseOfARetransmissionOfItsTime) {
  for (const std::int64_t later : {200 * ms, 20 * s}) {
    Ends ends;
    ends.connect();
    ends.client.out(PA, 10);
    ends.server.drop(drop_netfilter, false, PA, 10);
    ends.stream.wait(later);
    ends.client.out(PA, 10, TW_EVENT_RETRANSMISSION);
    ends.client.retransmit(4, 0, 1);
    const auto finding = of(run(ends.stream.events).lives(), 40000, Rule::retransmission);
    ASSERT_TRUE(finding.has_value());
    EXPECT_TRUE(finding->peer.has_value());
    EXPECT_EQ(says(finding, "at the other end: 1 segment"), later < s) << sentence(*finding);
  }
  Ends ends;
  ends.connect();
  ends.client.out(PA, 10);
  ends.stream.wait(200 * ms);
  ends.client.out(PA, 10, TW_EVENT_RETRANSMISSION);
  ends.client.retransmit(4, 0, 1);
  ends.stream.wait(5 * s);
  ends.server.drop(drop_netfilter, false, PA, 10);
  const auto finding = of(run(ends.stream.events).lives(), 40000, Rule::retransmission);
  EXPECT_FALSE(says(finding, "at the other end: 1 segment")) << "it came later: " << sentence(*finding);
}

// The server's firewall answers what the client sends by a RST: with its drop, or without.
TEST(Peer, AFirewallBetweenTheEndsIsNamedAndNotTheServer) {
  for (const bool dropped : {true, false}) {
    Ends ends;
    ends.connect();
    ends.client.out(PA, 10);
    ends.server.view = SocketKind::full;
    const Side before = ends.server;
    ends.server.in(PA, 10);
    if (dropped) ends.server.drop(drop_netfilter, false, PA, 10);
    ends.server.refuses(before);
    ends.server.view = SocketKind::none;
    ends.server.out(R);
    ends.client.in(R);
    ends.client.kernel_reset(ResetDirection::received, reset_reason_unknown);
    ends.client.extra.sk_err = 104;
    ends.client.to(State::close);
    ends.client.error(104);
    ends.client.destroy();
    const auto lives = run(ends.stream.events).lives();
    const auto finding = of(lives, 40000, Rule::reset_origin);
    ASSERT_TRUE(finding.has_value());
    EXPECT_EQ(finding->confidence, dropped ? Confidence::certain : Confidence::likely) << sentence(*finding);
    EXPECT_EQ(says(finding, "a local firewall sent the RST, not nginx[80]"), dropped) << sentence(*finding);
    EXPECT_EQ(life_at(lives, 40000)->outcome, dropped ? Outcome::reset_by_local : Outcome::reset_by_peer);
    EXPECT_EQ(life_at(lives, 80)->outcome, Outcome::open);
  }
}

// Nothing listens: this machine's own TCP reports that it answers the SYN.
TEST(Peer, ThisMachinesOwnRefusalIsCertain) {
  for (const std::uint32_t off : {0U, 1U << 25U}) {
    Ends ends;
    ends.client.to(State::syn_sent, curl);
    ends.client.out(S);
    ends.server.kernel_reset_without_socket(reason_no_socket, [&](Reset& r) {
      r.skb_seq = ends.client.isn() + off;
      r.skb_flags = S;
    });
    ends.client.in(RA, 0, 0, [](Segment& g) { g.seq = 0; });
    ends.client.kernel_reset(ResetDirection::received, reset_reason_unknown);
    ends.client.extra.sk_err = 111;
    ends.client.to(State::close);
    ends.client.error(111);
    ends.client.destroy();
    const auto lives = run(ends.stream.events).lives();
    const auto finding = of(lives, 40000, Rule::reset_origin);
    ASSERT_TRUE(finding.has_value());
    EXPECT_EQ(finding->confidence, off == 0 ? Confidence::certain : Confidence::likely) << sentence(*finding);
    EXPECT_EQ(says(finding, "nothing listens on 10.0.0.2:80"), off == 0) << sentence(*finding);
    EXPECT_EQ(life_at(lives, 40000)->explanation.contains("or a firewall refused it"), off != 0);
  }
}

}  // namespace
}  // namespace tcpwitness::testing
