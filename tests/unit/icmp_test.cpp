// SPDX-License-Identifier: Apache-2.0
// ICMP errors that came in: what they end without an event of the kernel's, and whose they were.
#include <cerrno>

#include "unit/says.hpp"

namespace tcpwitness::testing {
namespace {

constexpr std::string_view router = "10.0.0.254";

struct Message {
  std::uint8_t type = 3;
  std::uint8_t code = 1;
  std::uint32_t off = 0;  // the quoted number is not the SYN-ACK's
  bool asked_again = false;
};

// A half-open request whose SYN-ACK is quoted.
RunResult request_and(const Message& message) {
  Stream stream;
  listens(stream);
  Side c = server_of(stream);
  is_asked(c);
  stream.wait(1 * ms);
  c.icmp(message.type, message.code, router, c.isn() + message.off);
  if (message.asked_again) {
    stream.wait(1 * s);
    c.view = SocketKind::listener;
    c.in(S, 0, TW_EVENT_RETRANSMISSION, [&](Segment& g) { g.seq = c.peer_isn(); });
    c.view = SocketKind::request;
    c.out(SA, 0, 0, [&](Segment& g) { g.seq = c.isn(); });
  }
  return run(stream.events);
}

TEST(Icmp, EndsAHalfOpenRequestAndIsNamed) {
  for (const Message& message : {Message{}, Message{.code = 0}, Message{.type = 11, .code = 0}}) {
    const Life life = request_and(message).life();
    EXPECT_EQ(life.outcome, Outcome::unreachable);
    EXPECT_EQ(life.closed_by, ClosedBy::none);
    EXPECT_FALSE(life.error.has_value()) << "no process had it";
    EXPECT_TRUE(life.explanation.contains("sent by 10.0.0.254")) << life.explanation;
  }
}

TEST(Icmp, AlmostEndsARequest) {
  EXPECT_EQ(request_and({.code = 13}).life().outcome, Outcome::open) << "tcp_v4_err() takes no notice of that code";
  EXPECT_EQ(request_and({.off = 5}).life().outcome, Outcome::open) << "it quotes what was never sent";
  EXPECT_EQ(request_and({.asked_again = true}).life().outcome, Outcome::open) << "the peer asked again";
}

TEST(Icmp, IPv6EndsARequestByAnotherTable) {
  for (const std::uint8_t code : {std::uint8_t{1}, std::uint8_t{3}}) {
    Stream stream;
    listens(stream);
    Side c(stream, 9, "fd00::2", 80, "fd00::1", 40000, 300, 100, false);
    is_asked(c);
    c.icmp(1, code, "fd00::254", c.isn(), true);
    EXPECT_EQ(run(stream.events).life().outcome, code == 1 ? Outcome::unreachable : Outcome::open) << int{code};
  }
}

// Data is sent again and again, with an ICMP message for each, until the kernel gives up.
Life gives_up(int error, std::uint8_t code, bool quotes_old = false) {
  Stream stream;
  Side c = client_of(stream);
  connects(c);
  c.out(PA, 10);
  for (std::uint8_t i = 1; i < 4; ++i) {
    c.icmp(3, code, router, quotes_old ? c.isn() - 1000 : c.snd_una);
    stream.wait(i * s);
    c.out(PA, 10, TW_EVENT_RETRANSMISSION, [&](Segment& g) { g.seq = c.snd_una; });
    c.retransmit(4, 0, i);
  }
  stream.wait(8 * s);
  c.extra.sk_err = static_cast<std::uint16_t>(error);
  c.to(State::close);
  c.error(error);
  c.destroy();
  return run(stream.events).life();
}

TEST(Icmp, NamesWhoseErrorAnOpenConnectionEndsWith) {
  const Life life = gives_up(EHOSTUNREACH, 13);
  EXPECT_EQ(life.outcome, Outcome::retransmit_timeout);
  EXPECT_EQ(life.error, EHOSTUNREACH);
  EXPECT_TRUE(life.explanation.contains("administratively prohibited (ICMP type 3, code 13), sent by 10.0.0.254"))
      << life.explanation;
}

TEST(Icmp, AlmostNamesIt) {
  EXPECT_FALSE(gives_up(EHOSTUNREACH, 0).explanation.contains("10.0.0.254")) << "it stands for another error";
  EXPECT_FALSE(gives_up(EHOSTUNREACH, 13, true).explanation.contains("10.0.0.254")) << "it quotes another connection";
  EXPECT_FALSE(gives_up(ETIMEDOUT, 13).explanation.contains("10.0.0.254")) << "the error is the timer's own";
}

TEST(Icmp, IsAnEntryOfTheTimeline) {
  Stream stream;
  Side c = client_of(stream);
  connects(c);
  c.out(PA, 10);
  c.icmp(3, 13, router, c.snd_una);
  const auto entries = run(stream.events, trace_settings()).entries_of<IcmpEntry>();
  ASSERT_EQ(entries.size(), 1U);
  EXPECT_EQ(entries[0].second.rel_seq, 1U);
  EXPECT_EQ(entries[0].second.icmp.error, EHOSTUNREACH);
  EXPECT_NE(entries[0].first.conn, 0U);
}

// The last SYN-ACK of a request was sent, and its timer ran out: the kernel has no event for that.
TEST(Request, IsOverWhereALookAtTheSocketsDoesNotShowIt) {
  for (const bool there : {false, true}) {
    Stream stream;
    listens(stream);
    Side c = server_of(stream);
    is_asked(c);
    stream.wait(30 * s);
    Side look = c;
    if (there) {
      stream.wait(1 * ms);
      c.found(SocketKind::request, State::new_syn_recv);
      stream.now -= 1 * ms;
    }
    look.looked();
    const Life life = run(stream.events).life();
    EXPECT_EQ(life.outcome, there ? Outcome::open : Outcome::unknown);
  }
}

// A firewall of this machine refuses the SYN by a message: its drop and its message are of one moment.
struct Refusal {
  bool dropped = true;
  bool sent = true;
  std::uint8_t code = 3;
  std::int64_t apart_ns = 0;
};
Life refused_by(const Refusal& how) {
  Stream stream;
  listens(stream);
  Side c = server_of(stream);
  c.view = SocketKind::listener;
  c.in(S);
  if (how.sent) c.icmp_sent(how.code, c.peer_isn());
  stream.wait(how.apart_ns);
  if (how.dropped) c.drop(drop_netfilter, false, S);
  return run(stream.events, life_settings(), 6 * s).life();
}

// A late RST of an earlier connection on these addresses: tcp_check_req() drops it.
TEST(Request, AResetFromBeforeItsWindowEndsNothing) {
  Stream stream;
  listens(stream);
  Side c = server_of(stream);
  is_asked(c);
  c.in(R, 0, 0, [&](Segment& g) {
    g.seq = c.peer_isn() - 1000;
    g.refused = tcpwitness::Refusal::old;
  });
  stream.wait(60 * ms);
  c.in(A, 0, TW_EVENT_HANDSHAKE_ACK);
  c.view = SocketKind::full;
  c.state = State::listen;
  c.to(State::syn_recv);
  c.to(State::established);
  closes_second(c, nginx);
  const RunResult reported = run(stream.events);
  ASSERT_EQ(reported.lives().size(), 1U);
  EXPECT_EQ(reported.life().outcome, Outcome::completed);
  EXPECT_FALSE(reported.life().preexisting);
}

TEST(Request, IsRefusedByAMessageOfThisMachinesFirewall) {
  const Life life = refused_by({});
  EXPECT_EQ(life.outcome, Outcome::refused);
  EXPECT_EQ(life.closed_by, ClosedBy::local);
  EXPECT_TRUE(life.explanation.contains("dropped the SYN and refused it")) << life.explanation;
  EXPECT_EQ(refused_by({.code = 13}).outcome, Outcome::unreachable);
  EXPECT_EQ(refused_by({.code = 13}).closed_by, ClosedBy::local);
}

TEST(Request, ThatIsOnlyDroppedIsNotRefused) {
  EXPECT_EQ(refused_by({.sent = false}).outcome, Outcome::syn_dropped);
  EXPECT_EQ(refused_by({.apart_ns = 1 * s}).outcome, Outcome::syn_dropped) << "the message was about an earlier one";
  EXPECT_NE(refused_by({.dropped = false}).outcome, Outcome::refused);
}

// In OUTPUT the SYN-ACK never leaves, and the message comes to this machine itself.
TEST(Request, WhoseSynAckItsOwnFirewallRefuses) {
  for (const std::string_view sender : {"10.0.0.2", "10.0.0.254"}) {
    Stream stream;
    listens(stream);
    Side c = server_of(stream);
    c.view = SocketKind::listener;
    c.in(S);
    c.icmp(3, 3, sender, c.isn());
    c.drop(drop_netfilter, true, SA);
    const Life life = run(stream.events, life_settings(), 6 * s).life();
    EXPECT_EQ(life.outcome, sender == "10.0.0.2" ? Outcome::refused : Outcome::unknown) << life.explanation;
  }
}

// The message comes in over loopback when a processor has the time.
TEST(Request, WhoseSynAckWasRefusedLearnsItLateOnABusyMachine) {
  for (const std::int64_t later : {30 * ms, 700 * ms}) {
    Stream stream;
    listens(stream);
    Side c = server_of(stream);
    c.view = SocketKind::listener;
    c.in(S);
    c.drop(drop_netfilter, true, SA);
    stream.wait(later);
    c.icmp(3, 3, "10.0.0.2", c.isn());
    const Life life = run(stream.events, life_settings(), 6 * s).life();
    EXPECT_EQ(life.outcome, later == 30 * ms ? Outcome::refused : Outcome::unknown) << life.explanation;
  }
}

// A rule refuses the handshake's last ACK (ct state invalid): the SYN was taken, and answered.
TEST(Request, WhoseLastAckAFirewallRefusesWasNotRefused) {
  Stream stream;
  listens(stream);
  Side c = server_of(stream);
  is_asked(c);
  c.in(A, 0, TW_EVENT_HANDSHAKE_ACK);
  c.icmp_sent(3, c.peer_isn() + 1);
  c.drop(drop_netfilter, false, A);
  stream.wait(80 * s);
  EXPECT_NE(run(stream.events, life_settings(), 80 * s).life().outcome, Outcome::refused);
}

TEST(Request, IsGivenUpWithAReset) {
  for (const std::uint32_t reason : {reason_invalid_syn, reason_no_socket}) {
    Stream stream;
    listens(stream);
    Side c = server_of(stream);
    is_asked(c);
    c.in(A, 0, TW_EVENT_HANDSHAKE_ACK);
    c.state = State::listen;
    c.kernel_reset(ResetDirection::sent, reason, nobody, true);
    const Life life = run(stream.events).life();
    EXPECT_EQ(life.outcome, reason == reason_invalid_syn ? Outcome::reset_by_local : Outcome::open);
  }
}

}  // namespace
}  // namespace tcpwitness::testing
