// SPDX-License-Identifier: Apache-2.0
// What did not end a connection: an error that was only reported, a timeout that was not over, a RST for a socket that
// had gone, an answer that arrived and was dropped.
#include <cerrno>

#include "unit/says.hpp"

namespace tcpwitness::testing {
namespace {

// A router refuses a segment of an open connection; IP_RECVERR reports that at once, and what was refused passes later.
Side refused_once(Stream& stream, int error, bool read) {
  Side c = client_of(stream);
  connects(c);
  c.out(PA, 20);
  c.icmp(3, error == ECONNREFUSED ? 3 : 1, "10.0.0.254", c.snd_una);
  c.extra.sk_err = static_cast<std::uint16_t>(error);
  c.error(error);
  if (read) c.extra.sk_err = 0;
  return c;
}

TEST(ReportedError, OfThePathEndsNoOpenConnection) {
  for (const int error : {ECONNREFUSED, EHOSTUNREACH}) {
    for (const bool read : {true, false}) {
      for (const bool first : {true, false}) {
        Stream stream;
        Side c = refused_once(stream, error, read);
        c.in(A);
        first ? closes_first(c, curl) : closes_second(c, curl);
        const Life life = run(stream.events).life();
        EXPECT_EQ(life.outcome, Outcome::completed) << error << read << first;
        EXPECT_EQ(life.closed_by, first ? ClosedBy::local : ClosedBy::peer);
        EXPECT_EQ(life.error, error) << "its process got it";
        EXPECT_EQ(life.states.back() == State::time_wait, first);
      }
    }
  }
}

TEST(ReportedError, BeforeAProcessBreaksOffIsNotThatTheKernelGaveUp) {
  Stream stream;
  Side c = refused_once(stream, EHOSTUNREACH, true);
  c.to(State::close, curl);
  c.out(RA);
  c.kernel_reset(ResetDirection::sent, reason_tcp_state, curl);
  c.destroy();
  EXPECT_EQ(run(stream.events).life().outcome, Outcome::reset_by_local);
}

TEST(ReportedError, AlmostNone) {
  Stream stream;
  Side c = refused_once(stream, ECONNREFUSED, false);
  c.to(State::close);  // the timer gives up what waits, and reports the newest error of the path
  EXPECT_EQ(run(stream.events).life().outcome, Outcome::retransmit_timeout);
  Stream connecting;
  Side d = client_of(connecting);
  d.to(State::syn_sent, curl);
  d.out(S);
  d.icmp(3, 3, "10.0.0.254", d.isn());
  d.extra.sk_err = ECONNREFUSED;
  d.to(State::close);
  d.error(ECONNREFUSED);
  EXPECT_EQ(run(connecting.events).life().outcome, Outcome::refused);
}

// A window that is closed, and probes into it without an answer: tcp_retries2 ends that, too.
Life probes_die(std::uint32_t user_timeout_ms, std::uint8_t unanswered) {
  Stream stream;
  Side c = client_of(stream);
  c.extra.user_timeout_ms = user_timeout_ms;
  connects(c);
  c.out(PA, 500);
  c.in(A, 0, TW_EVENT_ZERO_WINDOW, [](Segment& g) { g.window = 0; });
  c.write_seq += 300;
  for (std::uint8_t i = 0; i < 4; ++i) {
    stream.wait(1 * s);
    sends_probe(c);
  }
  stream.wait(1 * s);
  c.extra.icsk_probes_out = unanswered;
  c.extra.sk_err = ETIMEDOUT;
  c.to(State::close);
  c.error(ETIMEDOUT);
  return run(stream.events).life();
}

TEST(UserTimeout, IsNotOverBeforeItsTime) {
  EXPECT_EQ(probes_die(60'000, 4).outcome, Outcome::retransmit_timeout);
  EXPECT_EQ(probes_die(5'000, 4).outcome, Outcome::user_timeout);
  EXPECT_EQ(probes_die(60'000, 0).outcome, Outcome::user_timeout) << "answered probes end nothing else";
  EXPECT_EQ(probes_die(0, 4).outcome, Outcome::retransmit_timeout);
}

// A peer that keeps its window closed answers each probe: the kernel's count begins anew.
TEST(ClosedWindow, ProbesIntoItWereNotAnsweredOnlyWhereTheKernelStillCountsThem) {
  EXPECT_TRUE(probes_die(5'000, 4).explanation.contains("the probes into it were not answered"));
  for (const std::uint8_t due : {std::uint8_t{0}, std::uint8_t{1}}) {
    const std::string text = probes_die(5'000, due).explanation;
    EXPECT_TRUE(text.contains("could not be sent: the peer's window stayed closed.")) << text;
    EXPECT_FALSE(text.contains("answered")) << text;
  }
}

// Keep-alive ends it. counted: the probes that the kernel counts then.
void gives_up(Side& c, std::uint8_t counted) {
  c.extra.icsk_probes_out = counted;
  c.out(RA);
  c.kernel_reset(ResetDirection::sent, reason_keepalive);
  c.extra.sk_err = ETIMEDOUT;
  c.to(State::close);
  c.error(ETIMEDOUT);
}

// Answers arrive, and a firewall drops them before TCP.
RunResult lost_answers(bool dropped) {
  Stream stream;
  Side c = client_of(stream);
  keepalive_on(c);
  connects(c);
  stream.wait(2 * s);
  for (std::uint8_t i = 0; i < 3; ++i) {
    c.extra.icsk_probes_out = dropped || i == 1 ? i : std::uint8_t{0};
    sends_probe(c);
    c.in(A, 0, TW_EVENT_KEEPALIVE_ACK);
    if (dropped || i == 0) c.drop(drop_netfilter, false, A);
    stream.wait(1 * s);
  }
  gives_up(c, dropped ? 3 : 0);
  return run(stream.events);
}

TEST(Keepalive, AnAnswerThatWasDroppedIsNone) {
  const RunResult reported = lost_answers(true);
  const auto finding = reported.finding(Rule::keepalive);
  const auto probes = found<arguments::Keepalive>(finding);
  EXPECT_EQ(probes.answered, 0U);
  EXPECT_EQ(probes.unanswered, 3U);
  ASSERT_TRUE(probes.death.has_value()) << finding_text(finding);
  EXPECT_EQ(probes.death->answers_dropped, 3U);
  EXPECT_TRUE(says(finding, "no answer reached TCP (3 arrived and were dropped)")) << finding_text(finding);
  EXPECT_TRUE(reported.life().explanation.contains("got no answer that reached TCP")) << reported.life().explanation;
  EXPECT_EQ(found<arguments::Keepalive>(lost_answers(false).finding(Rule::keepalive)).answered, 2U);
}

// Three probes, the first so many of which are answered, twice each: by what TCP refuses (why), or takes no more of
// than its next probe shows. counted: the kernel's own count at the end.
RunResult refused_answers(Refusal why, int answered, std::int64_t pause = 1 * s, std::uint8_t counted = 3) {
  Stream stream;
  Side c = client_of(stream);
  keepalive_on(c);
  connects(c);
  stream.wait(2 * s);
  for (std::uint8_t i = 0; i < 3; ++i) {
    c.extra.icsk_probes_out = i;
    sends_probe(c);
    for (int copy = 0; copy < 2 && i < answered; ++copy) {
      const Side before = c;
      c.in(A, 0, why == Refusal::none && copy == 0 ? TW_EVENT_KEEPALIVE_ACK : 0, [&](Segment& g) { g.refused = why; });
      c.refuses(before);
    }
    stream.wait(pause);
  }
  gives_up(c, counted);
  return run(stream.events);
}

TEST(Keepalive, AnAnswerThatTcpRefusedHasArrived) {
  for (const Refusal why : {Refusal::beyond_window, Refusal::unsent_ack, Refusal::old, Refusal::none}) {
    const RunResult reported = refused_answers(why, 3);
    const auto finding = reported.finding(Rule::keepalive);
    const auto probes = found<arguments::Keepalive>(finding);
    EXPECT_EQ(reported.life().outcome, Outcome::keepalive_timeout);
    EXPECT_EQ(probes.answered, 0U);
    EXPECT_EQ(probes.unanswered, 3U);
    ASSERT_TRUE(probes.death.has_value()) << finding_text(finding);
    EXPECT_EQ(probes.death->answers_refused, 3U);
    EXPECT_EQ(probes.death->answers_dropped, 0U);
    EXPECT_TRUE(says(finding, "TCP took no answer (3 ACKs arrived and were refused)")) << finding_text(finding);
    EXPECT_TRUE(reported.life().explanation.contains("got no answer that TCP took")) << reported.life().explanation;
  }
  EXPECT_TRUE(
      says(refused_answers(Refusal::beyond_window, 1).finding(Rule::keepalive), "1 ACK arrived and was refused"));
  EXPECT_TRUE(says(refused_answers(Refusal::beyond_window, 0).finding(Rule::keepalive), "no answer arrived"));
  const auto refused_of = [](const RunResult& reported) {
    const auto probes = found<arguments::Keepalive>(reported.finding(Rule::keepalive));
    return probes.death ? std::pair{probes.answered, probes.death->answers_refused} : std::pair{probes.answered, 0U};
  };
  // An interval as long as the first silence (2 s), and one that is longer.
  EXPECT_EQ(refused_of(refused_answers(Refusal::none, 3, 2 * s)), (std::pair{0U, 3U}));
  EXPECT_EQ(refused_of(refused_answers(Refusal::none, 3, 2500 * ms)), (std::pair{0U, 3U}));
  // TCP_USER_TIMEOUT ends it before all probes have left.
  EXPECT_EQ(refused_of(refused_answers(Refusal::none, 3, 1 * s, 2)), (std::pair{0U, 3U}));
  // Almost: behind an answer that it took, a first probe whose record was lost, and the second one.
  EXPECT_EQ(refused_of(refused_answers(Refusal::none, 1, 3 * s)).first, 1U);
  // Almost: the kernel counts none behind the last answer.
  EXPECT_EQ(refused_of(refused_answers(Refusal::none, 3, 1 * s, 0)).first, 1U);
}

// The window update gets lost, so the sender still probes.
RunResult probed_behind(std::int64_t pause) {
  Stream stream;
  listens(stream);
  Side c = server_of(stream);
  accepts(c);
  c.in(PA, 500);
  c.out(A, 0, TW_EVENT_ZERO_WINDOW, [](Segment& g) { g.window = 0; });
  stream.wait(1 * s);
  c.out(A, 0, TW_EVENT_WINDOW_OPEN);
  stream.wait(pause);
  c.in(A, 0, TW_EVENT_KEEPALIVE, [&](Segment& g) { g.seq = c.peer_nxt - 1; });
  c.out(A, 0, TW_EVENT_KEEPALIVE_ACK);
  closes_second(c, nginx);
  return run(stream.events);
}

TEST(ZeroWindow, AProbeIntoAWindowWhoseUpdateWasLostIsNoKeepalive) {
  const RunResult reported = probed_behind(500 * ms);
  EXPECT_FALSE(reported.finding(Rule::keepalive).has_value()) << finding_text(reported.finding(Rule::keepalive));
  EXPECT_EQ(found<arguments::ZeroWindow>(reported.finding(Rule::zero_window)).local->probes, 1U);
  EXPECT_TRUE(probed_behind(5 * s).finding(Rule::keepalive).has_value()) << "its sender would have probed before";
}

// Of the wire alone: the RST comes for a socket that is there, or for none any more.
Outcome reset_finds(SocketKind then) {
  Stream stream;
  Side c = client_of(stream);
  connects(c);
  c.out(PA, 20);
  c.in(A);
  stream.wait(9 * s);
  c.in(RA);
  std::vector<Event> events = wire_alone(stream.events);
  for (Event& event : events) {
    auto& segment = std::get<Segment>(event.body);
    if (!segment.outgoing()) segment.socket.type = (segment.flags & R) != 0 ? then : SocketKind::full;
  }
  return run(events, wire_settings()).life().outcome;
}

TEST(WireAlone, ARstThatFindsNoSocketAnyMoreEndedNothing) {
  EXPECT_EQ(reset_finds(SocketKind::none), Outcome::unknown);
  EXPECT_EQ(reset_finds(SocketKind::listener), Outcome::unknown);
  EXPECT_EQ(reset_finds(SocketKind::full), Outcome::reset_by_peer);
}

}  // namespace
}  // namespace tcpwitness::testing
