// SPDX-License-Identifier: Apache-2.0
// forwarded_test.cpp: connections of two other machines, through a router: a life of two hops each.
#include <gtest/gtest.h>

#include "correlate/ended_hops.hpp"
#include "pipeline/live_correlator.hpp"
#include "unit/run.hpp"
#include "unit/says.hpp"

namespace tcpwitness::testing {
namespace {

constexpr std::uint32_t eth0 = 2, eth1 = 3, eth2 = 4;  // the client's side, the server's side, neither

const Names& router_names() {
  static const Names names = [] {
    Names made = kernel_names();
    made.interfaces = {{eth0, "eth0"}, {eth1, "eth1"}, {eth2, "eth2"}};
    return made;
  }();
  return names;
}

// A router as its hooks show it. Keys are those of bpf/hop.h: local is the destination of what comes in, the source of
// what leaves.
class Router {
 public:
  Router(Stream& stream, bool nat, std::uint16_t port = 40000) : stream_(&stream) {
    put_address(near_.local_addr, "10.9.0.2");
    put_address(near_.remote_addr, "10.8.0.1");
    near_.local_port = 80;
    near_.remote_port = port;
    put_address(far_.local_addr, nat ? "10.9.0.254" : "10.8.0.1");
    put_address(far_.remote_addr, "10.9.0.2");
    far_.local_port = nat ? 51000 : port;
    far_.remote_port = 80;
  }

  struct Sent {
    std::uint8_t flags = 0;
    std::uint32_t len = 0;
    std::uint16_t event_flags = 0;
    std::uint8_t ttl = 64;
  };
  // From the client, or from the server: comes in, and leaves.
  void client(const Sent& what) { pass(true, what, true, true); }
  void server(const Sent& what) { pass(false, what, true, true); }
  // It comes in and stays here.
  EventId client_lost(const Sent& what) { return pass(true, what, true, false); }
  EventId server_lost(const Sent& what) { return pass(false, what, true, false); }
  // It leaves and came in nowhere.
  EventId made(bool to_client, const Sent& what, SocketKind socket = SocketKind::none) {
    Segment g = base(to_client ? near_ : far_, HookPoint::egress, what);
    g.ifindex = to_client ? eth0 : eth1;
    g.seq = to_client ? server_nxt_ : client_nxt_;
    g.ack = to_client ? client_nxt_ : server_nxt_;
    g.socket.type = socket;
    return stream_->add(g);
  }
  // The join, shown by a segment of the client, or of the server.
  void tie(bool of_client, std::uint32_t ack = 0) {
    Translation event{};
    event.ack = ack;
    event.header.kind = TW_KIND_NAT;
    event.header.version = TW_ABI_VERSION;
    event.tuple = of_client ? near_ : far_;
    event.wire = of_client ? far_ : near_;
    stream_->add(event);
    tied_ = true;
  }
  void untie() { tied_ = true; }
  EventId drop(std::uint32_t reason, bool of_client, std::uint8_t flags, std::uint32_t seq) {
    Drop event{};
    event.header.kind = TW_KIND_DROP;
    event.header.netns = 1;
    event.header.version = TW_ABI_VERSION;
    event.tuple = of_client ? near_ : far_;
    event.reason = reason;
    event.flags = flags;
    event.seq = seq;
    event.ifindex = of_client ? eth0 : eth1;
    return stream_->add(event);
  }
  // An ICMP error leaves for the client, about its newest SYN; came_in 0: this machine made it.
  EventId icmp(std::uint8_t type, std::uint8_t code, std::string_view sender, std::uint32_t came_in = 0,
               std::int32_t off = 0) {
    IcmpSeen event{};
    event.header.kind = TW_KIND_ICMP;
    event.header.netns = 1;
    event.header.version = TW_ABI_VERSION;
    event.tuple = near_;
    event.seq = client_nxt_ - 1 + static_cast<std::uint32_t>(off);
    put_address(event.sender, sender);
    event.type = type;
    event.code = code;
    event.sent = IcmpWay::left;
    event.came_in = came_in;
    return stream_->add(event);
  }
  // A RST in the server's name, from behind another interface than the server's.
  void reset_from(std::uint32_t ifindex) {
    Segment g = base(far_, HookPoint::ingress, {R});
    g.ifindex = ifindex;
    g.seq = server_nxt_;
    stream_->add(g);
    g = base(near_, HookPoint::egress, {R});
    g.ifindex = eth0;
    g.came_in = ifindex;
    g.seq = server_nxt_;
    stream_->add(g);
  }
  // NAT has forgotten the connection, and gives it another port with the client's next segment.
  void mapped_anew() {
    far_.local_port = 52000;
    far_wire_ = {};
    far_loss_ = {};
    tied_ = false;
  }
  // What the flow map has of one hop now.
  [[nodiscard]] SocketFound counted(bool of_client) const {
    SocketFound found{};
    found.header.kind = TW_KIND_SOCKET;
    found.header.version = TW_ABI_VERSION;
    found.tuple = of_client ? near_ : far_;
    found.has_wire = 1;
    found.wire = of_client ? near_wire_ : far_wire_;
    found.loss = of_client ? near_loss_ : far_loss_;
    return found;
  }
  // It passes and is no event.
  void server_sends_unseen(std::uint32_t len) {
    far_wire_.segs_in++;
    far_wire_.bytes_in += len;
    server_nxt_ += len;
  }
  void leaves_with_numbers_of(const Router& other) {
    client_nxt_ = other.client_nxt_;
    server_nxt_ = other.server_nxt_;
  }
  void client_leaves(const Sent& what) { pass(true, what, false, true); }
  void client_sent_unseen(const Sent& what) { client_nxt_ += seq_length(what.len, what.flags); }
  void handshake() {
    client({S});
    server({SA});
    client({A, 0, TW_EVENT_HANDSHAKE_ACK});
  }
  void closes() {
    client({FA});
    server({FA, 0, TW_EVENT_FIN_ACK});
    client({A, 0, TW_EVENT_FIN_ACK});
  }
  [[nodiscard]] const AddressPair& near() const { return near_; }
  bool from_client_seen = true, from_server_seen = true;
  bool arrivals_seen = true;
  bool near_seen = true;  // the interface of the client's side is traced
  // The SYN of a port that NAT publishes seems to be for this machine: for nobody there, or for a listener.
  std::optional<SocketKind> first_seems_for;
  std::uint16_t mss_in = 1460, mss_out = 1460;

 private:
  EventId pass(bool of_client, const Sent& what, bool in, bool out) {
    std::uint32_t& nxt = of_client ? client_nxt_ : server_nxt_;
    const std::uint32_t ack = (what.flags & tcp_flag::ack) != 0 ? (of_client ? server_nxt_ : client_nxt_) : 0;
    const bool again = (what.event_flags & TW_EVENT_RETRANSMISSION) != 0;
    const std::uint32_t length = seq_length(what.len, what.flags);
    const std::uint32_t seq = again ? nxt - length : nxt;
    EventId id = 0;
    if (!(of_client ? from_client_seen : from_server_seen)) {
      nxt = seq + length;
      return 0;
    }
    WireCounters& arrived = of_client ? near_wire_ : far_wire_;
    LossCounters& arrived_loss = of_client ? near_loss_ : far_loss_;
    if (in) {
      arrived.segs_in++;
      arrived.bytes_in += what.len;
      if (again) arrived_loss.retrans_segs_in++;
      Segment g = base(of_client ? near_ : far_, HookPoint::ingress, what);
      g.ifindex = of_client ? eth0 : eth1;
      g.seq = seq;
      g.ack = ack;
      g.mss = (what.flags & syn) != 0 ? mss_in : 0;
      g.wire = arrived;
      g.loss = arrived_loss;
      if (of_client && (what.flags & syn) != 0 && first_seems_for) {
        g.forwarding = Forwarding::none;
        g.socket.type = *std::exchange(first_seems_for, std::nullopt);
        if (g.socket.type == SocketKind::none) g.event_flags |= TW_EVENT_NO_SOCKET;
      }
      if (arrivals_seen && (near_seen || !of_client)) id = stream_->add(g);
    }
    if (out) {
      if (!tied_) tie(of_client, ack);
      WireCounters& left = of_client ? far_wire_ : near_wire_;
      left.segs_out++;
      left.bytes_out += what.len;
      Segment g = base(of_client ? far_ : near_, HookPoint::egress, what);
      g.ifindex = of_client ? eth1 : eth0;
      g.came_in = of_client ? eth0 : eth1;
      g.ttl = static_cast<std::uint8_t>(what.ttl - 1);
      g.seq = seq;
      g.ack = ack;
      g.mss = (what.flags & syn) != 0 ? mss_out : 0;
      g.wire = left;
      g.loss = of_client ? far_loss_ : near_loss_;
      if (near_seen || of_client) id = stream_->add(g);
    }
    if ((what.flags & rst) == 0) nxt = seq + length;
    return id;
  }
  [[nodiscard]] Segment base(const AddressPair& tuple, HookPoint hook, const Sent& what) const {
    Segment g{};
    g.header.kind = TW_KIND_SEGMENT;
    g.header.netns = 1;
    g.header.version = TW_ABI_VERSION;
    g.tuple = tuple;
    g.seen_at(hook);
    g.flags = what.flags;
    g.len = what.len;
    g.window = 500;
    g.segments = 1;
    g.ttl = what.ttl;
    g.forwarding = Forwarding::hop;
    g.socket.type = SocketKind::unknown;
    g.event_flags = what.event_flags;
    if ((what.flags & rst) != 0) g.event_flags |= TW_EVENT_RST;
    if ((what.flags & syn) != 0) g.event_flags |= TW_EVENT_SYN;
    if ((what.flags & fin) != 0) g.event_flags |= TW_EVENT_FIN;
    return g;
  }

  Stream* stream_;
  bool tied_ = false;
  AddressPair near_{}, far_{};
  WireCounters near_wire_{}, far_wire_{};
  LossCounters near_loss_{}, far_loss_{};
  std::uint32_t client_nxt_ = 100, server_nxt_ = 300;
};

RunResult reported_of(const Stream& stream, std::int64_t after_ns = 200 * ms) {
  return run(stream.events, trace_settings(), after_ns, router_names());
}

TEST(Forwarded, AConnectionIsOneLifeOfTwoHopsWithoutAProcess) {
  Stream stream;
  Router r(stream, false);
  r.handshake();
  r.client({PA, 100, TW_EVENT_RETRANSMISSION & 0});
  r.server({PA, 1000});
  r.closes();
  const RunResult reported = reported_of(stream);
  ASSERT_EQ(reported.lives().size(), 1U);
  const Life life = reported.life();
  EXPECT_EQ(life.outcome, Outcome::completed);
  EXPECT_EQ(life.closed_by, ClosedBy::local);
  EXPECT_EQ(life.role, Role::active);
  EXPECT_EQ(life.process.pid, 0U);
  EXPECT_FALSE(life.has_kernel);
  EXPECT_TRUE(life.has_wire);
  EXPECT_EQ(to_string(life.flow.local), "10.8.0.1:40000");
  EXPECT_EQ(to_string(life.flow.remote), "10.9.0.2:80");
  EXPECT_FALSE(life.nat);
  EXPECT_EQ(life.tx_bytes, 100U);
  EXPECT_EQ(life.rx_bytes, 1000U);
  EXPECT_TRUE(life.findings.empty());
  ASSERT_TRUE(life.forwarded);
  const Forwarded& f = *life.forwarded;
  EXPECT_TRUE(f.joined);
  EXPECT_EQ(f.client.interface, "eth0");
  EXPECT_EQ(f.server.interface, "eth1");
  EXPECT_EQ(f.client.in.syn, 1U);
  EXPECT_EQ(f.server.out.syn, 1U);
  EXPECT_EQ(f.server.in.syn_ack, 1U);
  EXPECT_EQ(f.client.out.fin, 1U);
  EXPECT_EQ(f.client.in.bytes, 100U);
  EXPECT_EQ(f.server.in.bytes, 1000U);
  EXPECT_EQ(f.lost_to_server + f.lost_to_client, 0U);
  EXPECT_TRUE(f.client.rtt_ns && f.server.rtt_ns);
}

TEST(Forwarded, EachSegmentIsGivenOnceToTheTimeline) {
  Stream stream;
  Router r(stream, false);
  r.handshake();
  r.closes();
  const RunResult reported = reported_of(stream);
  EXPECT_EQ(reported.entries_of<SegmentEntry>().size(), 6U);
  for (const auto& [entry, body] : reported.entries_of<SegmentEntry>()) EXPECT_EQ(entry.conn, reported.life().conn);
}

TEST(Forwarded, ATranslatedOneHasBothForms) {
  Stream stream;
  Router r(stream, true);
  r.handshake();
  r.closes();
  const Life life = reported_of(stream).life();
  EXPECT_EQ(to_string(life.flow.local), "10.8.0.1:40000");
  ASSERT_TRUE(life.nat);
  EXPECT_EQ(to_string(life.nat->local), "10.9.0.254:51000");
  EXPECT_EQ(to_string(life.nat->remote), "10.9.0.2:80");
  EXPECT_EQ(life.outcome, Outcome::completed);
}

TEST(Forwarded, WhereTheFirstArrivalSeemedToBeForThisMachineTheJoinBeginsIt) {
  Stream stream;
  Router r(stream, true);
  r.arrivals_seen = false;
  r.client({S});
  r.arrivals_seen = true;
  r.server({SA});
  r.client({A, 0, TW_EVENT_HANDSHAKE_ACK});
  r.closes();
  const RunResult reported = reported_of(stream);
  ASSERT_EQ(reported.lives().size(), 1U);
  EXPECT_EQ(reported.life().outcome, Outcome::completed);
  EXPECT_TRUE(reported.life().forwarded->joined);
  EXPECT_EQ(to_string(reported.life().flow.local), "10.8.0.1:40000");
  EXPECT_TRUE(reported.life().findings.empty());
}

CorrelatorSettings router_settings() {
  CorrelatorSettings settings = trace_settings();
  settings.forwarded = true;
  return settings;
}

// DNAT of an address of the router itself: its first SYN seems to be for the router.
TEST(Forwarded, ASynToTheRoutersOwnAddressIsTheFirstOfItsConnection) {
  for (const SocketKind type : {SocketKind::none, SocketKind::listener}) {
    Stream stream;
    if (type == SocketKind::listener) listens(stream);
    Router r(stream, true);
    r.mss_in = 1400;
    r.first_seems_for = type;
    const EventId syn_id = stream.events.size() + 1;
    r.handshake();
    r.closes();
    stream.wait(100 * ms);
    const RunResult reported = run(stream.events, router_settings(), 200 * ms, router_names());
    ASSERT_EQ(reported.lives().size(), 1U) << static_cast<int>(type);
    const Life life = reported.life();
    EXPECT_EQ(life.outcome, Outcome::completed);
    EXPECT_EQ(life.forwarded->client.in.syn, 1U);
    EXPECT_EQ(life.forwarded->client.in.segments, 4U);
    EXPECT_EQ(life.forwarded->client.mss_in, 1400);
    EXPECT_TRUE(life.findings.empty());
    const auto segments = reported.entries_of<SegmentEntry>();
    ASSERT_EQ(segments.size(), 6U) << "each segment once";
    for (const auto& [entry, body] : segments) {
      EXPECT_EQ(entry.conn, life.conn) << entry.id;
      EXPECT_EQ(body.segment.forwarding, Forwarding::hop);
    }
    EXPECT_EQ(segments[0].first.id, syn_id);
    EXPECT_EQ(segments[0].second.segment.hook, HookPoint::egress) << "the client's, as every one of it";
  }
}

// What shows the join is a later segment: the SYN on these addresses was another one's, which the router refused.
TEST(Forwarded, AnEarlierSynToTheRouterThatWasRefusedStaysAStray) {
  Stream stream;
  Router refused(stream, true);
  refused.first_seems_for = SocketKind::none;
  refused.client_lost({S});
  Router r(stream, true);
  r.client_sent_unseen({S});
  r.server({SA});
  r.client({A, 0, TW_EVENT_HANDSHAKE_ACK});
  r.closes();
  const RunResult reported = run(stream.events, router_settings(), 200 * ms, router_names());
  ASSERT_EQ(reported.lives().size(), 1U);
  EXPECT_EQ(reported.life().forwarded->client.in.syn, 0U);
  EXPECT_EQ(reported.segment(1)->segment.forwarding, Forwarding::none);
}

// Without a join there is no telling: each hop for itself.
TEST(Forwarded, HopsThatNothingJoinsAreTwoLives) {
  Stream stream;
  Router r(stream, true);
  r.untie();
  r.handshake();
  r.closes();
  const RunResult reported = reported_of(stream);
  ASSERT_EQ(reported.lives().size(), 2U);
  for (const Life& life : reported.lives()) {
    ASSERT_TRUE(life.forwarded);
    EXPECT_FALSE(life.forwarded->joined);
    EXPECT_TRUE(life.findings.empty()) << sentence(life.findings[0]);
  }
}

TEST(ForwardDropped, ByTheKernelsWord) {
  Stream stream;
  Router r(stream, false);
  r.client_lost({S});
  const EventId dropped = r.drop(drop_netfilter, true, S, 100);
  stream.wait(1 * s);
  r.client_lost({S, 0, TW_EVENT_RETRANSMISSION});
  r.drop(drop_netfilter, true, S, 100);
  const RunResult reported = reported_of(stream);
  ASSERT_EQ(reported.lives().size(), 1U);
  const auto finding = reported.finding(Rule::forward_dropped);
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->confidence, Confidence::certain);
  EXPECT_NE(std::ranges::find(finding->evidence, dropped), finding->evidence.end());
  EXPECT_EQ(reported.life().forwarded->lost_to_server, 2U);
  EXPECT_FALSE(reported.life().has_kernel);
}

TEST(ForwardDropped, WithoutAReasonItIsNeverCertain) {
  Stream stream;
  Router r(stream, false);
  r.handshake();
  r.server_lost({FA});
  stream.wait(1 * s);
  const auto finding = reported_of(stream).finding(Rule::forward_dropped);
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->confidence, Confidence::likely);
}

// What the other end acknowledges has left, seen or not.
TEST(ForwardDropped, WhatIsAnsweredDidLeave) {
  Stream stream;
  Router r(stream, false);
  r.client_lost({S});
  r.server({SA});
  r.client({A, 0, TW_EVENT_HANDSHAKE_ACK});
  r.closes();
  const auto finding = reported_of(stream).finding(Rule::forward_dropped);
  EXPECT_FALSE(finding) << sentence(*finding);
  EXPECT_EQ(reported_of(stream).lives().size(), 1U) << "the hop of the SYN-ACK is the other one of it";
}

TEST(ForwardDropped, WhatJustCameInMayLeaveYet) {
  Stream stream;
  Router r(stream, false);
  r.handshake();
  r.client_lost({FA});
  EXPECT_FALSE(reported_of(stream, 1 * ms).finding(Rule::forward_dropped));
}

// A segment without a mark is an event on one hop and not on the other: only the counters say that it stayed.
TEST(ForwardDropped, DataByTheCountersOfBothHops) {
  Stream stream;
  Router r(stream, false);
  r.handshake();
  r.client_lost({PA, 100});
  r.client({PA, 100, TW_EVENT_RETRANSMISSION});
  r.closes();
  const RunResult reported = reported_of(stream);
  EXPECT_EQ(reported.life().forwarded->lost_to_server, 1U);
  EXPECT_EQ(reported.life().retransmits, 1U);
  EXPECT_TRUE(reported.finding(Rule::forward_dropped));
}

TEST(ForwardedReset, OneThatCameInNowhereWasMadeHere) {
  Stream stream;
  Router r(stream, false);
  r.client_lost({S});
  const EventId reset = r.made(true, {RA});
  const RunResult reported = reported_of(stream);
  EXPECT_EQ(reported.life().outcome, Outcome::refused);
  EXPECT_EQ(reported.life().closed_by, ClosedBy::none);
  const auto finding = reported.finding(Rule::reset_origin);
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->confidence, Confidence::certain);
  EXPECT_EQ(finding->evidence.at(0), reset);
  EXPECT_EQ(reported.life().forwarded->client.made_here, 1U);
}

TEST(ForwardedReset, InTheMiddleItIsNeitherEndsOwn) {
  Stream stream;
  Router r(stream, false);
  r.handshake();
  r.server({PA, 10});
  r.made(false, {R}, SocketKind::control);
  const RunResult reported = reported_of(stream);
  EXPECT_EQ(reported.life().outcome, Outcome::reset_by_outsider);
  EXPECT_EQ(reported.finding(Rule::reset_origin)->confidence, Confidence::certain);
}

TEST(ForwardedReset, AfterANewMappingItIsStillThatConnections) {
  Stream stream;
  Router r(stream, true);
  r.handshake();
  r.client({PA, 2});
  r.server({PA, 7});
  r.mapped_anew();
  r.client({PA, 3});
  r.server({R});
  const RunResult reported = reported_of(stream);
  ASSERT_EQ(reported.lives().size(), 1U);
  EXPECT_EQ(reported.life().outcome, Outcome::reset_by_peer);
  ASSERT_TRUE(reported.life().nat);
  EXPECT_EQ(reported.life().nat->local.port, 52000);
  EXPECT_EQ(reported.life().tx_bytes, 5U);
  EXPECT_EQ(reported.life().rx_bytes, 7U) << "as much left for the client";
  EXPECT_FALSE(reported.finding(Rule::forward_dropped));
  EXPECT_EQ(reported.finding(Rule::reset_origin)->confidence, Confidence::likely);
}

// Two hosts with one address: that of the client's neighbour entry has changed.
TEST(ForwardedReset, OneThatCameInElsewhereIsSaidToHaveComeInThere) {
  Stream stream;
  Router r(stream, false);
  r.handshake();
  r.reset_from(eth2);
  const auto finding = reported_of(stream).finding(Rule::reset_origin);
  ASSERT_TRUE(finding);
  EXPECT_NE(sentence(*finding).find("came in on eth2"), std::string::npos) << sentence(*finding);
}

// Its arrival was not seen, and with what TTL it came nobody knows: that it leaves with one less says nothing.
TEST(ForwardedReset, OneOfWhichOnlyTheDepartureWasSeenHasNoTtl) {
  Stream stream;
  Router r(stream, false);
  r.handshake();
  r.server({PA, 10});
  r.arrivals_seen = false;
  r.server({RA});
  const auto finding = reported_of(stream).finding(Rule::reset_origin);
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->confidence, Confidence::likely) << sentence(*finding);
}

TEST(ForwardedReset, OneThatCameInIsThatSidesAtMostLikely) {
  Stream stream;
  Router r(stream, false);
  r.handshake();
  r.server({RA});
  const RunResult reported = reported_of(stream);
  EXPECT_EQ(reported.life().outcome, Outcome::reset_by_peer);
  EXPECT_EQ(reported.life().closed_by, ClosedBy::peer);
  EXPECT_EQ(reported.finding(Rule::reset_origin)->confidence, Confidence::likely);
}

TEST(ForwardedReset, ByTheClientItIsTheLocalEnds) {
  Stream stream;
  Router r(stream, false);
  r.handshake();
  r.client({RA});
  EXPECT_EQ(reported_of(stream).life().outcome, Outcome::reset_by_local);
}

// The TTL of what leaves is one less: as it came in it is compared.
TEST(ForwardedReset, ItsTtlIsThatOfItsArrival) {
  Stream stream;
  Router same(stream, false);
  same.handshake();
  same.server({PA, 10});
  same.server({RA});
  EXPECT_EQ(reported_of(stream).finding(Rule::reset_origin)->confidence, Confidence::likely);
  Stream other;
  Router r(other, false);
  r.handshake();
  r.server({PA, 10});
  r.server({.flags = RA, .ttl = 60});
  EXPECT_EQ(reported_of(other, 4 * s).finding(Rule::reset_origin)->confidence, Confidence::inconclusive);
}

// A RST that stays here ends nothing: the other side goes on.
TEST(ForwardedReset, OneThatDoesNotLeaveEndsNothing) {
  Stream stream;
  Router r(stream, false);
  r.handshake();
  r.server_lost({R});
  stream.wait(100 * ms);
  r.client({PA, 10});
  r.closes();
  const RunResult reported = reported_of(stream);
  EXPECT_EQ(reported.life().outcome, Outcome::completed);
  EXPECT_FALSE(reported.finding(Rule::reset_origin));
  EXPECT_TRUE(reported.finding(Rule::forward_dropped));
}

TEST(AsymmetricRoute, OneSideAloneThatGoesOn) {
  Stream stream;
  Router r(stream, false);
  r.from_server_seen = false;
  r.handshake();
  r.client({PA, 100, TW_EVENT_RETRANSMISSION & 0});
  r.closes();
  stream.wait(1 * s);
  const auto finding = reported_of(stream).finding(Rule::asymmetric_route);
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->confidence, Confidence::likely);
}

TEST(AsymmetricRoute, TheServersSideAlone) {
  Stream stream;
  Router r(stream, false);
  r.from_client_seen = false;
  r.client({S});
  r.server({SA});
  r.client({A});
  r.server({PA, 1000, TW_EVENT_KEEPALIVE});
  r.server({FA});
  EXPECT_TRUE(reported_of(stream).finding(Rule::asymmetric_route));
}

// The client's ACK is lost before it comes here, or the SYN was forged.
TEST(AsymmetricRoute, NotForASynAckThatIsOnlyRepeated) {
  Stream stream;
  Router r(stream, false);
  r.from_client_seen = false;
  r.client({S});
  r.server({SA});
  for (int i = 0; i < 4; ++i) {
    stream.wait(1 * s);
    r.server({SA, 0, TW_EVENT_RETRANSMISSION});
  }
  EXPECT_FALSE(reported_of(stream).finding(Rule::asymmetric_route));
}

// SYNs without an answer are a server that is not there.
TEST(AsymmetricRoute, NotForSynsWithoutAnswer) {
  Stream stream;
  Router r(stream, false);
  r.client({S});
  for (int i = 0; i < 4; ++i) {
    stream.wait(1 * s);
    r.client({S, 0, TW_EVENT_RETRANSMISSION});
  }
  const RunResult reported = reported_of(stream, 200 * s);
  EXPECT_EQ(reported.life().outcome, Outcome::connect_timeout);
  EXPECT_FALSE(reported.finding(Rule::asymmetric_route));
  EXPECT_FALSE(reported.finding(Rule::forward_dropped));
}

TEST(Forwarded, RetransmissionsAreCountedBySide) {
  Stream stream;
  Router r(stream, false);
  r.handshake();
  r.client({PA, 100});
  r.client({PA, 100, TW_EVENT_RETRANSMISSION});
  r.server({PA, 100});
  r.server({PA, 100, TW_EVENT_RETRANSMISSION});
  r.server({PA, 100, TW_EVENT_RETRANSMISSION});
  r.closes();
  const RunResult reported = reported_of(stream);
  EXPECT_EQ(reported.life().retransmits, 1U);
  EXPECT_EQ(reported.life().retransmits_in, 2U);
  EXPECT_EQ(reported.finding(Rule::retransmission)->confidence, Confidence::likely);
  EXPECT_FALSE(reported.finding(Rule::forward_dropped)) << "they all left";
}

TEST(Forwarded, AChangedMssIsAFactOfBothHops) {
  Stream stream;
  Router r(stream, false);
  r.mss_out = 1412;
  r.handshake();
  r.closes();
  const Life life = reported_of(stream).life();
  EXPECT_EQ(life.forwarded->client.mss_in, 1460);
  EXPECT_EQ(life.forwarded->server.mss_out, 1412);
  EXPECT_NE(life.explanation.find("1460 to 1412"), std::string::npos) << life.explanation;
}

TEST(Forwarded, TheSamePortsAgainAreAnotherConnection) {
  Stream stream;
  Router r(stream, false);
  r.handshake();
  r.closes();
  stream.wait(300 * ms);
  Router again(stream, false);
  again.client({S});
  // The numbers of another connection.
  for (std::size_t i = stream.events.size() - 3; i < stream.events.size(); ++i) {
    if (auto* g = std::get_if<Segment>(&stream.events[i].body)) g->seq = 7000;
  }
  const RunResult reported = reported_of(stream);
  ASSERT_EQ(reported.lives().size(), 2U);
  EXPECT_EQ(reported.life(0).outcome, Outcome::completed);
  EXPECT_EQ(reported.life(1).outcome, Outcome::open);
}

// A proxy on the router takes what was for another machine (REDIRECT, TPROXY): its own connection, and no forwarded
// one.
TEST(Forwarded, WhatAProxyHereTakesIsTheProxys) {
  Stream stream;
  Router r(stream, false);
  listens(stream);
  const EventId asked = r.client_lost({S});
  Side c = {stream, 9, "10.9.0.2", 80, "10.8.0.1", 40000, 300, 100, false};
  c.peer_nxt = c.rcv_nxt = 101;
  c.view = SocketKind::request;
  c.state = State::new_syn_recv;
  c.out(SA);
  c.in(A, 0, TW_EVENT_HANDSHAKE_ACK);
  c.view = SocketKind::full;
  c.state = State::listen;
  c.to(State::syn_recv);
  c.to(State::established);
  closes_second(c, nginx);
  const RunResult reported = reported_of(stream);
  ASSERT_EQ(reported.lives().size(), 1U);
  EXPECT_FALSE(reported.life().forwarded);
  EXPECT_EQ(reported.life().outcome, Outcome::completed);
  EXPECT_EQ(reported.life().process.comm, "nginx");
  for (const auto& [entry, body] : reported.entries_of<SegmentEntry>()) {
    if (entry.id == asked) {
      EXPECT_EQ(entry.conn, reported.life().conn);
    }
  }
}

// conntrack has forgotten the connection: its RST leaves with the client's own address.
TEST(Forwarded, AResetThatNatDoesNotKnowLeftUntranslated) {
  Stream stream;
  Router r(stream, true);
  r.handshake();
  r.client_lost({R});
  Router plain(stream, false);
  plain.untie();
  plain.leaves_with_numbers_of(r);
  plain.client_leaves({R});
  stream.wait(100 * ms);
  const RunResult reported = reported_of(stream);
  ASSERT_EQ(reported.lives().size(), 1U);
  EXPECT_EQ(reported.life().forwarded->untranslated, 1U);
  EXPECT_EQ(reported.life().forwarded->lost_to_server, 0U);
  EXPECT_FALSE(reported.finding(Rule::forward_dropped));
}

// SYN and SYN-ACK a second apart: on the server's side of this machine; ACK: on the client's.
TEST(ForwardedSlowHandshake, NamesTheSide) {
  for (const bool at_server : {true, false}) {
    Stream stream;
    Router r(stream, false);
    r.client({S});
    if (at_server) {
      stream.wait(1 * s);
      r.client({S, 0, TW_EVENT_RETRANSMISSION});
    }
    r.server({SA});
    if (!at_server) {
      stream.wait(1 * s);
      r.server({SA, 0, TW_EVENT_RETRANSMISSION});
    }
    r.client({A, 0, TW_EVENT_HANDSHAKE_ACK});
    r.closes();
    const auto finding = reported_of(stream).finding(Rule::slow_handshake);
    ASSERT_TRUE(finding);
    EXPECT_EQ(finding->confidence, Confidence::likely);
    using Leg = arguments::ForwardedHandshake::Leg;
    EXPECT_EQ(found<arguments::ForwardedHandshake>(finding).leg, at_server ? Leg::answer : Leg::ack);
  }
}

TEST(ForwardedSlowHandshake, NotBelowTheLimit) {
  Stream stream;
  Router r(stream, false);
  r.client({S});
  stream.wait(900 * ms);
  r.server({SA});
  r.client({A, 0, TW_EVENT_HANDSHAKE_ACK});
  stream.wait(5 * s);
  r.closes();
  EXPECT_FALSE(reported_of(stream).finding(Rule::slow_handshake));
}

TEST(ForwardedKeepalive, SeveralInARowWithoutAnAnswer) {
  for (const int probes : {1, 2}) {
    for (const bool of_client : {true, false}) {
      Stream stream;
      Router r(stream, false);
      r.handshake();
      r.server({PA, 10});
      for (int i = 0; i < probes; ++i) {
        stream.wait(1 * s);
        if (of_client) {
          r.client({A, 0, TW_EVENT_KEEPALIVE});
        } else {
          r.server({A, 0, TW_EVENT_KEEPALIVE});
        }
      }
      const auto finding = reported_of(stream).finding(Rule::keepalive);
      ASSERT_EQ(finding.has_value(), probes == 2);
      if (!finding) continue;
      EXPECT_EQ(finding->confidence, Confidence::likely);
      const auto probes_of = found<arguments::ForwardedKeepalive>(finding);
      EXPECT_EQ(probes_of.from, of_client ? arguments::Side::client : arguments::Side::server);
      EXPECT_TRUE(probes_of.left);
    }
  }
}

TEST(ForwardedKeepalive, NotWhereTheyAreAnswered) {
  Stream stream;
  Router r(stream, false);
  r.handshake();
  for (int i = 0; i < 4; ++i) {
    stream.wait(1 * s);
    r.client({A, 0, TW_EVENT_KEEPALIVE});
    r.server({A, 0, TW_EVENT_KEEPALIVE_ACK});
  }
  EXPECT_FALSE(reported_of(stream).finding(Rule::keepalive));
}

// An asymmetric route: the answers go another way.
TEST(ForwardedKeepalive, NotWhereOneDirectionAlonePassesHere) {
  Stream stream;
  Router r(stream, false);
  r.client({S});
  r.client({A});
  for (int i = 0; i < 4; ++i) {
    stream.wait(1 * s);
    r.client({A, 0, TW_EVENT_KEEPALIVE});
  }
  EXPECT_FALSE(reported_of(stream).finding(Rule::keepalive));
}

// The server's first full-size segment goes unacknowledged, though small ones passed.
struct TooLarge {
  int tries = 3;
  std::uint32_t before = 100;
  std::uint32_t len = 1400;
  bool stays_here = false;
  bool acknowledged = false;
};
std::optional<Finding> too_large(const TooLarge& how) {
  Stream stream;
  Router r(stream, false);
  r.handshake();
  r.server({PA, how.before});
  r.server({PA, how.len});
  for (int i = 0; i < how.tries; ++i) {
    stream.wait((200 << i) * ms);
    if (how.stays_here) {
      r.server_lost({PA, how.len, TW_EVENT_RETRANSMISSION});
      r.drop(drop_netfilter, false, PA, 0);
    } else {
      r.server({PA, how.len, TW_EVENT_RETRANSMISSION});
    }
  }
  if (how.acknowledged) r.client({FA});
  return reported_of(stream).finding(Rule::path_mtu_black_hole);
}

TEST(ForwardedPathMtu, AFullSizeSegmentThatNeverArrives) {
  const auto finding = too_large({});
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->confidence, Confidence::likely);
  const auto large = found<arguments::ForwardedPathMtu>(finding);
  EXPECT_EQ(large.length, 1400U);
  EXPECT_EQ(large.times, 4U);
}

TEST(ForwardedPathMtu, AlmostOne) {
  EXPECT_FALSE(too_large({.tries = 2}));
  EXPECT_FALSE(too_large({.before = 3000})) << "as much was acknowledged before: the path is dead";
  EXPECT_FALSE(too_large({.len = 500})) << "every path takes this";
  EXPECT_FALSE(too_large({.stays_here = true})) << "this machine dropped it";
  EXPECT_FALSE(too_large({.acknowledged = true}));
}

// A SYN flood through a router, as a flood of a listener here: the first hundred of a second, and one finding.
RunResult flooded(std::uint32_t count, std::uint32_t completed_of_100, bool refused, CorrelatorSettings settings,
                  std::int64_t apart_ns = ms) {
  Stream stream;
  for (std::uint32_t i = 0; i < count; ++i) {
    Router r(stream, false, static_cast<std::uint16_t>(1024 + i));
    if (i % 100 < completed_of_100) {
      r.handshake();
    } else {
      r.client({S});
      if (refused) r.server({RA});
    }
    stream.wait(apart_ns);
  }
  return run(stream.events, std::move(settings), 3 * s, router_names());
}

CorrelatorSettings flood_settings() {
  CorrelatorSettings settings = life_settings();
  settings.forwarded = true;
  return settings;
}

TEST(ForwardedFlood, IsNamedAndCounted) {
  const RunResult reported = flooded(1000, 0, false, flood_settings());
  const auto finding = reported.finding(Rule::syn_flood);
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->confidence, Confidence::likely);
  EXPECT_NE(sentence(*finding).find("from 10.8.0.1 to 10.9.0.2:80"), std::string::npos) << sentence(*finding);
  EXPECT_LE(reported.lives().size(), 200U);
  EXPECT_EQ(reported.lives().size() + reported.summary.unlisted, 1000U);
}

TEST(ForwardedFlood, BusyClientsAreNone) {
  const RunResult reported = flooded(1000, 95, false, flood_settings());
  EXPECT_FALSE(reported.finding(Rule::syn_flood));
  EXPECT_EQ(reported.lives().size(), 1000U);
  EXPECT_EQ(reported.summary.unlisted, 0U);
}

TEST(ForwardedFlood, JustBelowIsNone) {
  EXPECT_TRUE(flooded(100, 0, false, flood_settings()).finding(Rule::syn_flood));
  EXPECT_FALSE(flooded(99, 0, false, flood_settings()).finding(Rule::syn_flood));
}

// A scan is answered: no flood, and yet not a thousand lines.
TEST(ForwardedFlood, AScanIsBoundedAndNoFlood) {
  const RunResult reported = flooded(1000, 0, true, flood_settings());
  EXPECT_FALSE(reported.finding(Rule::syn_flood));
  EXPECT_LE(reported.lives().size(), 200U);
  EXPECT_EQ(reported.lives().size() + reported.summary.unlisted, 1000U);
  std::size_t sums = 0;
  for (const auto& report : reported.all<FindingReport>()) {
    const auto* more = std::get_if<arguments::More>(&report.finding.arguments);
    if (more == nullptr || more->what != arguments::More::What::refused_through_here) continue;
    ++sums;
    EXPECT_EQ(report.conn, 0U);
    EXPECT_EQ(report.finding.rule, Rule::reset_origin);
    EXPECT_EQ(report.finding.confidence, Confidence::likely);
  }
  EXPECT_GE(sums, 1U);
  EXPECT_LE(sums, 2U);
}

// Of those that nobody has answered the oldest gives way; who gets through is followed.
TEST(ForwardedFlood, TheOldestThatNobodyAnsweredGivesWay) {
  CorrelatorSettings settings = flood_settings();
  settings.forwarded_attempt_limit = 50;
  const RunResult reported = flooded(500, 2, false, settings, 10 * ms);
  EXPECT_EQ(reported.summary.given_up, 490U - 50U);
  EXPECT_EQ(std::ranges::count(reported.lives(), true, [](const Life& life) { return life.handshake_ns.has_value(); }),
            10);
  EXPECT_EQ(reported.lives().size() + reported.summary.unlisted, 500U);
  for (const Life& life : reported.lives()) EXPECT_NE(life.outcome, Outcome::connect_timeout) << "given up early";
}

// Idle for days: as long as conntrack keeps an open connection. One that is closing: two minutes.
RunResult idle_for(std::int64_t time, bool closing, bool counted_on) {
  Stream stream;
  Router r(stream, false);
  r.handshake();
  if (closing) r.client({FA});
  RunResult reported;
  LiveCorrelator correlator(router_settings(), router_names());
  TimeNs now = 0;
  for (const Event& event : stream.events) {
    correlator.feed(event, reported.reports);
    now = event.ts_ns;
  }
  now += time;
  correlator.advance(now, reported.reports);
  if (correlator.wants_hops() && counted_on) {
    SocketFound found{};
    found.header.kind = TW_KIND_SOCKET;
    found.header.version = TW_ABI_VERSION;
    found.tuple = r.near();
    found.has_wire = 1;
    found.wire.segs_in = 1000;
    correlator.feed(Event{1000, now, found}, reported.reports);
  }
  correlator.advance(now + 25 * s, reported.reports);
  for (const FlowToDelete& hop : correlator.flows_to_delete())
    EXPECT_TRUE(hop.key.local.port == 80 || hop.key.remote.port == 80);
  reported.summary = correlator.summary();
  return reported;
}

TEST(ForwardedIdle, AnOpenOneIsFollowedForFiveDays) {
  constexpr std::int64_t day = 86'400 * s;
  EXPECT_TRUE(idle_for(5 * day - s, false, false).lives().empty());
  const RunResult reported = idle_for(5 * day, false, false);
  ASSERT_EQ(reported.lives().size(), 1U);
  EXPECT_EQ(reported.life().outcome, Outcome::unknown);
  EXPECT_EQ(reported.summary.given_up, 1U);
}

TEST(ForwardedIdle, AClosingOneForTwoMinutes) {
  EXPECT_TRUE(idle_for(119 * s, true, false).lives().empty());
  EXPECT_EQ(idle_for(120 * s, true, false).lives().size(), 1U);
}

// Segments that are no events have passed meanwhile.
TEST(ForwardedIdle, OneWhoseCountersGrewIsNotIdle) {
  const RunResult reported = idle_for(120 * s, true, true);
  EXPECT_TRUE(reported.lives().empty());
  EXPECT_EQ(reported.summary.given_up, 0U);
}

// nft forward: reject, or no route.
TEST(ForwardedRefusal, AnIcmpErrorOfThisMachineEndsTheAttempt) {
  Stream stream;
  Router r(stream, false);
  r.client_lost({S});
  const EventId message = r.icmp(3, 3, "10.8.0.254");
  const RunResult reported = reported_of(stream, 4 * s);
  EXPECT_EQ(reported.life().outcome, Outcome::refused);
  EXPECT_EQ(reported.life().closed_by, ClosedBy::none);
  EXPECT_NE(
      reported.life().explanation.find("port unreachable (ICMP type 3, code 3), sent by this machine (10.8.0.254)"),
      std::string::npos)
      << reported.life().explanation;
  const auto entries = reported.entries_of<IcmpEntry>();
  ASSERT_EQ(entries.size(), 1U);
  EXPECT_EQ(entries[0].first.id, message);
  EXPECT_TRUE(entries[0].second.sent);
  EXPECT_FALSE(entries[0].second.passed);
  EXPECT_EQ(entries[0].second.rel_seq, 0U);
  // At the message, not when the client's time is up.
  EXPECT_LT(reported.life().duration_ns, 1 * s);
}

TEST(ForwardedRefusal, OneThatPassesNamesItsSender) {
  for (const auto& [type, code, outcome] : {std::tuple{3, 0, Outcome::unreachable},
                                            {3, 1, Outcome::unreachable},
                                            {3, 13, Outcome::unreachable},
                                            {11, 0, Outcome::unreachable},
                                            {3, 3, Outcome::refused}}) {
    Stream stream;
    Router r(stream, false);
    r.client({S});
    r.icmp(static_cast<std::uint8_t>(type), static_cast<std::uint8_t>(code), "10.9.0.253", eth1);
    const RunResult reported = reported_of(stream, 0);
    EXPECT_EQ(reported.life().outcome, outcome) << type << ' ' << code;
    EXPECT_EQ(reported.life().closed_by, ClosedBy::none);
    EXPECT_NE(reported.life().explanation.find("sent by 10.9.0.253, on the way"), std::string::npos);
    EXPECT_TRUE(reported.entries_of<IcmpEntry>().at(0).second.passed);
  }
}

TEST(ForwardedRefusal, AlmostOne) {
  const auto outcome = [](std::uint8_t type, std::uint8_t code, std::int32_t off, bool answered) {
    Stream stream;
    Router r(stream, false);
    r.client({S});
    if (answered) r.server({SA});
    r.icmp(type, code, "10.9.0.253", eth1, off);
    return reported_of(stream, 0).life().outcome;
  };
  EXPECT_EQ(outcome(3, 1, 0, false), Outcome::unreachable);
  EXPECT_EQ(outcome(3, 4, 0, false), Outcome::open) << "fragmentation needed";
  EXPECT_EQ(outcome(3, 1, 1000, false), Outcome::open) << "it quotes no SYN of this connection";
  EXPECT_EQ(outcome(3, 1, 0, true), Outcome::open) << "the server has answered";
}

// RFC 1122, 4.2.3.9: a soft error for some, and one that Linux may put off; they ask again, and may be answered.
TEST(ForwardedRefusal, AClientThatAsksAgainIsNotRefused) {
  Stream stream;
  Router r(stream, false);
  r.client({S});
  for (int i = 0; i < 3; ++i) {
    r.icmp(3, 1, "10.9.0.253", eth1);
    stream.wait((1 << i) * s);
    r.client({S, 0, TW_EVENT_RETRANSMISSION});
  }
  EXPECT_EQ(reported_of(stream, 100 * ms).life().outcome, Outcome::open) << "it has asked again";
  EXPECT_EQ(reported_of(stream, 131 * s).life().outcome, Outcome::unreachable) << "the newest error, not a timeout";
  Stream refused = stream;
  Router again(refused, false);
  again.icmp(3, 3, "10.9.0.253", eth1, 1);
  ASSERT_EQ(reported_of(refused, 100 * s).lives().size(), 1U);
  EXPECT_EQ(reported_of(refused, 100 * s).life().outcome, Outcome::refused);
  r.server({SA});
  r.client({A, 0, TW_EVENT_HANDSHAKE_ACK});
  r.closes();
  const RunResult reported = reported_of(stream);
  ASSERT_EQ(reported.lives().size(), 1U);
  EXPECT_EQ(reported.life().outcome, Outcome::completed);
}

// A port that NAT publishes: the message comes before anything shows that the SYN was sent on.
TEST(ForwardedRefusal, OfAPublishedPort) {
  Stream stream;
  Router r(stream, false);
  r.first_seems_for = SocketKind::none;
  r.client_lost({S});
  r.icmp(3, 3, "10.8.0.254");
  Drop drop{};
  drop.header.kind = TW_KIND_DROP;
  drop.header.netns = 1;
  drop.header.version = TW_ABI_VERSION;
  drop.tuple = r.near();
  put_address(drop.tuple.local_addr, "10.7.0.1");
  drop.reason = drop_netfilter;
  drop.flags = S;
  drop.seq = 100;
  stream.add(drop);
  const RunResult reported = run(stream.events, router_settings(), 4 * s, router_names());
  ASSERT_EQ(reported.lives().size(), 1U);
  EXPECT_EQ(reported.life().outcome, Outcome::refused);
}

// No route: the routing table does not say either that it is to be sent on.
TEST(ForwardedRefusal, WhereThereIsNoRoute) {
  const auto lives = [](std::string_view sender) {
    Stream stream;
    Router r(stream, false);
    r.first_seems_for = SocketKind::none;
    r.client_lost({S});
    r.icmp(3, 0, sender);
    return run(stream.events, router_settings(), 4 * s, router_names()).lives();
  };
  ASSERT_EQ(lives("10.8.0.254").size(), 1U);
  EXPECT_EQ(lives("10.8.0.254")[0].outcome, Outcome::unreachable);
  EXPECT_TRUE(lives("10.9.0.2").empty()) << "in the destination's name: it was for this machine";
}

// Until the end is reported the last counters are asked for; answer() plays the flow map.
struct Ended {
  RunResult reported;
  std::vector<Flow> asked;
  std::vector<FlowToDelete> forgotten;
};
template <typename Answer>
Ended ended(const Stream& stream, Answer answer) {
  Ended result;
  LiveCorrelator correlator(trace_settings(), router_names());
  TimeNs now = 0;
  for (const Event& event : stream.events) {
    correlator.feed(event, result.reported.reports);
    now = event.ts_ns;
  }
  EventId id = 1000;
  for (int i = 0; i < 12; ++i) {
    now += 30 * ms;
    for (const Flow& hop : correlator.ended_hops()) {
      result.asked.push_back(hop);
      if (const auto found = answer(hop)) correlator.feed(Event{id++, now, *found}, result.reported.reports);
    }
    for (const FlowToDelete& hop : correlator.flows_to_delete()) result.forgotten.push_back(hop);
    correlator.advance(now, result.reported.reports);
  }
  return result;
}

TEST(ForwardedEnd, CountersThatHadNoEventAreAskedFor) {
  Stream stream;
  Router r(stream, false);
  r.handshake();
  r.server_sends_unseen(5000);
  r.made(true, {R});
  const auto all = [&](const Flow& hop) { return std::optional(r.counted(hop.local.port == 80)); };
  const Ended right = ended(stream, all);
  ASSERT_EQ(right.reported.lives().size(), 1U);
  EXPECT_EQ(right.asked.size(), 2U);
  EXPECT_EQ(right.reported.life().rx_bytes, 5000U);
  ASSERT_TRUE(right.reported.life().wire);
  EXPECT_TRUE(right.reported.life().wire->complete);
  ASSERT_EQ(right.forgotten.size(), 2U);
  // By these a SYN of the next connection on the same ports is known.
  const bool near_first = right.forgotten[0].key.local.port == 80;
  const FlowToDelete& near = right.forgotten[near_first ? 0 : 1];
  const FlowToDelete& far = right.forgotten[near_first ? 1 : 0];
  ASSERT_TRUE(near.isn_in && near.isn_out);
  EXPECT_NE(near.isn_in, near.isn_out);
  EXPECT_EQ(near.isn_in, far.isn_out);
  EXPECT_EQ(near.isn_out, far.isn_in);
  // Nobody answers: then they are not all.
  const Ended almost = ended(stream, [](const Flow&) { return std::optional<SocketFound>{}; });
  ASSERT_EQ(almost.reported.lives().size(), 1U);
  EXPECT_EQ(almost.reported.life().rx_bytes, 0U);
  EXPECT_FALSE(almost.reported.life().wire->complete);
}

TEST(ForwardedEnd, WhereEachHopShowedItNobodyAsks) {
  Stream stream;
  Router r(stream, false);
  r.handshake();
  r.server({PA, 10});
  r.closes();
  const Ended closed = ended(stream, [](const Flow&) { return std::optional<SocketFound>{}; });
  ASSERT_EQ(closed.reported.lives().size(), 1U);
  EXPECT_TRUE(closed.asked.empty());
  EXPECT_TRUE(closed.reported.life().wire->complete);
  EXPECT_EQ(closed.forgotten.size(), 2U);
}

// Its flow is out of the map, so what comes late looks like a connection that nobody knows.
TEST(ForwardedEnd, WhatComesLateBeginsNothing) {
  const auto lives = [](std::int64_t later, bool begun_again, bool late) {
    Stream stream;
    Router r(stream, false);
    r.handshake();
    r.closes();
    stream.wait(1 * s);
    Router(stream, false, 41000).client({S});  // time passes
    stream.wait(later);
    if (begun_again) Router(stream, false).client({S});
    if (late) r.server_lost({FA, 0, TW_EVENT_UNKNOWN_FLOW});
    return run(stream.events, flood_settings(), 200 * ms, router_names()).lives().size() - 1;
  };
  EXPECT_EQ(lives(1 * s, false, false), 1U);
  EXPECT_EQ(lives(1 * s, false, true), 1U);
  EXPECT_EQ(lives(1 * s, true, true), 2U) << "a SYN has begun another one";
  EXPECT_EQ(lives(121 * s, false, true), 2U) << "it was open before";
}

TEST(EndedHops, AreBounded) {
  EndedHops hops(3);
  const auto key = [](std::uint16_t port) { return Flow{{{}, port}, {{}, 80}, 0}; };
  for (std::uint16_t port = 1; port <= 5; ++port) hops.add(key(port), port);
  EXPECT_EQ(hops.size(), 3U);
  EXPECT_FALSE(hops.contains(key(2), 5));
  EXPECT_TRUE(hops.contains(key(3), 5));
  hops.begun_again(key(3));
  EXPECT_FALSE(hops.contains(key(3), 5));
  EXPECT_TRUE(hops.contains(key(5), EndedHops::lasts_ns + 5));
  EXPECT_FALSE(hops.contains(key(5), EndedHops::lasts_ns + 6));
}

// -i names one of two interfaces: what leaves on the other one nobody sees.
RunResult one_side(bool every_interface, bool dropped, bool passes_again = false) {
  Stream stream;
  Router r(stream, false);
  r.near_seen = false;
  r.untie();
  r.client({S});
  r.server({SA});
  r.client({A, 0, TW_EVENT_HANDSHAKE_ACK});
  stream.wait(10 * ms);
  if (dropped) r.drop(drop_netfilter, true, PA, 101);
  stream.wait(10 * ms);
  if (passes_again) r.client({PA, 10, TW_EVENT_RETRANSMISSION});
  CorrelatorSettings settings = router_settings();
  settings.every_interface = every_interface;
  return run(stream.events, settings, 200 * ms, router_names());
}

TEST(ForwardedOneSide, WhatAFirewallDroppedMayHaveBeenAnsweredUnseen) {
  EXPECT_EQ(one_side(false, true).life().outcome, Outcome::unknown);
  EXPECT_EQ(one_side(false, false).life().outcome, Outcome::open);
  EXPECT_EQ(one_side(false, true, true).life().outcome, Outcome::open) << "it goes on";
  EXPECT_EQ(one_side(true, true).life().outcome, Outcome::open);
}

TEST(ForwardedOneSide, WhatLeavesUnseenDidNotStayHere) {
  Stream stream;
  Router r(stream, false);
  r.client_lost({S});
  stream.wait(1 * s);
  r.client_lost({S, 0, TW_EVENT_RETRANSMISSION});
  CorrelatorSettings settings = router_settings();
  EXPECT_TRUE(run(stream.events, settings, 200 * ms, router_names()).finding(Rule::forward_dropped));
  settings.every_interface = false;
  EXPECT_FALSE(run(stream.events, settings, 200 * ms, router_names()).finding(Rule::forward_dropped));
}

TEST(Forwarded, AStrayResetBeginsNoLife) {
  Stream stream;
  Router r(stream, false);
  r.client({R});
  EXPECT_TRUE(reported_of(stream).lives().empty());
}

}  // namespace
}  // namespace tcpwitness::testing
