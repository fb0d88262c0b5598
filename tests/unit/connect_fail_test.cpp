// SPDX-License-Identifier: Apache-2.0
// connect_fail_test.cpp: connect() without a port, ended by an ICMP message, given up; what is on the error queue.
#include <cerrno>

#include "pipeline/live_correlator.hpp"
#include "unit/says.hpp"

namespace tcpwitness::testing {
namespace {

TEST(NoLocalPort, IsToldWithTheRangeAndWhoHasThePorts) {
  const RunResult reported = run(no_port_story().events);
  const Life life = reported.life();
  EXPECT_EQ(life.outcome, Outcome::no_local_port);
  EXPECT_EQ(life.error, EADDRNOTAVAIL);
  EXPECT_EQ(life.closed_by, ClosedBy::none);
  const auto finding = reported.finding(Rule::port_exhaustion);
  EXPECT_TRUE(says(finding, "2 ports in 40000-40001")) << finding_text(finding);
  EXPECT_TRUE(says(finding, "1 in TIME_WAIT, 1 open (1 by curl[42])")) << finding_text(finding);
  EXPECT_EQ(finding->confidence, Confidence::certain);
  EXPECT_EQ(finding->evidence.size(), 2U);
}

TEST(NoLocalPort, IsNotCertainWherePortsWereFreeOrNotCounted) {
  for (const bool counted : {true, false}) {
    Stream stream;
    Side c = client_of(stream);
    connect_fails_for_want_of_a_port(c);
    if (counted) ports_are_counted(stream, 1, 0);
    const RunResult reported = run(stream.events, life_settings(), 1 * s);
    EXPECT_EQ(reported.life().outcome, Outcome::no_local_port);
    const auto finding = reported.finding(Rule::port_exhaustion);
    ASSERT_TRUE(finding.has_value());
    EXPECT_EQ(finding->confidence, Confidence::likely);
    EXPECT_EQ(says(finding, "1 was free a moment later"), counted) << finding_text(finding);
  }
}

// ip_route_newports(): a policy rule for the port refuses the way that was found before.
TEST(NoLocalPort, IsNotTheCauseWhereAPortWasChosen) {
  Stream stream;
  Side c = client_of(stream);
  c.to(State::syn_sent, curl);
  c.to(State::close, curl);
  const RunResult reported = run(stream.events, life_settings(), 1 * s);
  EXPECT_EQ(reported.life().outcome, Outcome::connect_unsent);
  EXPECT_FALSE(reported.life().error.has_value());
  EXPECT_TRUE(reported.life().explanation.contains("failed before it made a SYN")) << reported.life().explanation;
  EXPECT_FALSE(reported.finding(Rule::port_exhaustion).has_value());
}

TEST(NoLocalPort, ABoundPortThatIsInUseIsNamed) {
  Stream stream;
  Side c = client_of(stream);
  c.to(State::syn_sent, curl, [](StateChange& e) { e.tuple.local_port = 40000; });
  c.to(State::close, curl, [](StateChange& e) { e.port = TW_PORT_BOUND; });
  const RunResult reported = run(stream.events, life_settings(), 1 * s);
  EXPECT_EQ(reported.life().outcome, Outcome::no_local_port);
  EXPECT_TRUE(says(reported.finding(Rule::port_exhaustion), "had bound port 40000, which is in use to 10.0.0.2:80"));
}

// One SYN leaves; the kernel reports that those that repeat it never left, and the event of one drop is missing.
TEST(UnsentSyns, AreCountedByTheKernelsRetransmissionsToo) {
  const auto text = [](int refused) {
    Stream stream;
    Side c = client_of(stream);
    c.to(State::syn_sent, curl);
    c.out(S);
    for (int i = 0; i < 2; ++i) {
      stream.wait(1 * s);
      if (i == 0) c.drop(drop_netfilter, true, S);
      c.retransmit(4, 1, 1, [&](Retransmit& r) { r.err = i < refused ? -EPERM : 0; });
    }
    connect_times_out(c, ETIMEDOUT);
    return run(stream.events).life().explanation;
  };
  EXPECT_TRUE(text(2).contains("2 of the SYNs did not leave")) << text(2);
  EXPECT_TRUE(text(1).contains("1 of the SYNs did not leave")) << text(1);
}

// Each SYN that TCP wants to send again is put off, and then the kernel reports that the address does not answer.
struct Neighbour {
  std::string_view sender = "fd00::1";  // this machine
  std::uint8_t code = 3;
  bool seen = false;      // the SYN, on the wire
  bool firewall = false;  // a rule that answers so
};
RunResult nobody_at(const Neighbour& how) {
  Stream stream;
  Side c(stream, 7, "fd00::1", 40000, "fd00::77", 80, 100, 300, true);
  c.to(State::syn_sent, curl);
  if (how.seen) c.out(S);
  if (how.firewall) c.drop(drop_netfilter, true, S);
  stream.wait(3 * s);
  c.icmp(1, how.code, how.sender, c.isn(), true);
  connect_times_out(c, EHOSTUNREACH);
  return run(stream.events);
}

TEST(NoNeighbour, ThatIPv6DoesNotFindKeepsTheSynHere) {
  const RunResult reported = nobody_at({});
  EXPECT_EQ(reported.life().outcome, Outcome::connect_unsent);
  EXPECT_EQ(reported.life().error, EHOSTUNREACH);
  const auto finding = reported.finding(Rule::tx_not_sent);
  EXPECT_TRUE(says(finding, "the SYN never left this machine: the next hop did not answer")) << finding_text(finding);
  EXPECT_EQ(finding->confidence, Confidence::certain);
}

TEST(NoNeighbour, AlmostIs) {
  const RunResult router = nobody_at({.sender = "fd00::254"});
  EXPECT_EQ(router.life().outcome, Outcome::unreachable);
  EXPECT_FALSE(router.finding(Rule::tx_not_sent).has_value()) << "somebody else's neighbour";
  EXPECT_FALSE(nobody_at({.code = 0}).finding(Rule::tx_not_sent).has_value()) << "no route";
  const RunResult tunnel = nobody_at({.seen = true});
  EXPECT_EQ(tunnel.life().outcome, Outcome::unreachable);
  EXPECT_EQ(tunnel.finding(Rule::tx_not_sent)->confidence, Confidence::likely);
  const auto refused = nobody_at({.firewall = true}).finding(Rule::tx_not_sent);
  EXPECT_TRUE(says(refused, "NETFILTER_DROP")) << finding_text(refused);
  EXPECT_FALSE(says(refused, "next hop"));
}

// close() of a Fast Open that has not sent yet, and of one whose SYN left: neither wanted for a port.
TEST(NoLocalPort, IsNotToldWhereTheProcessGaveUp) {
  for (const bool syn_left : {false, true}) {
    Stream stream;
    Side c = client_of(stream);
    c.to(State::syn_sent, curl);
    if (syn_left) {
      c.extra.segs_out = 1;
      c.extra.packets_out = 1;
    }
    c.to(State::close, curl, [](StateChange& e) { e.cb.sk_shutdown = 3; });
    const RunResult reported = run(stream.events, life_settings(), 1 * s);
    EXPECT_EQ(reported.life().outcome, Outcome::connect_cancelled);
    EXPECT_FALSE(reported.finding(Rule::port_exhaustion).has_value());
  }
}

TEST(NoLocalPort, TheSecondTryOfASocketDoesNotHideTheFirst) {
  Stream stream;
  Side c = client_of(stream);
  connect_fails_for_want_of_a_port(c);
  c.state = State::close;
  connect_fails_for_want_of_a_port(c);
  stream.wait(40 * ms);
  ports_are_counted(stream, 2, 0);
  const RunResult reported = run(stream.events);
  ASSERT_EQ(reported.lives().size(), 2U);
  for (const FindingReport& report : reported.all<FindingReport>()) {
    EXPECT_EQ(report.finding.rule, Rule::port_exhaustion);
    EXPECT_EQ(report.finding.confidence, Confidence::certain);
  }
  EXPECT_EQ(reported.all<FindingReport>().size(), 2U);
}

TEST(NoLocalPort, OneDestinationIsAskedAboutOnceASecond) {
  LiveCorrelator correlator(life_settings(), kernel_names());
  Reports reports;
  Stream stream;
  for (std::uint64_t i = 0; i < 100; ++i) {
    Side c = client_of(stream, 100 + i);
    connect_fails_for_want_of_a_port(c);
  }
  std::size_t questions = 0;
  for (const Event& event : stream.events) {
    correlator.feed(event, reports);
    while (const auto question = correlator.wants_ports()) {
      EXPECT_EQ(question->first, 40000);
      EXPECT_EQ(to_string(question->remote), "10.0.0.2:80");
      ++questions;
    }
  }
  EXPECT_EQ(questions, 1U);
}

TEST(Unreachable, NamesTheMessageAndWhoSentIt) {
  const Life life = run(prohibited_story().events).life();
  EXPECT_EQ(life.outcome, Outcome::unreachable);
  EXPECT_EQ(life.error, EHOSTUNREACH);
  EXPECT_EQ(life.closed_by, ClosedBy::none);
  EXPECT_TRUE(
      life.explanation.contains("administratively prohibited (ICMP type 3, code 13), sent by 10.0.0.254, on the way"))
      << life.explanation;
}

TEST(Unreachable, KnowsTheDestinationAndThisMachineAsSenders) {
  for (const auto& [sender, words] :
       {std::pair{"10.0.0.2", "the destination itself"}, {"10.0.0.1", "This machine itself says host unreachable"}}) {
    Stream stream;
    Side c = client_of(stream);
    c.to(State::syn_sent, curl);
    c.out(S);
    c.queued(2, 113, 1, sender);
    connect_times_out(c, 113);
    EXPECT_TRUE(run(stream.events).life().explanation.contains(words)) << sender;
  }
}

// The message came while connect() held the socket; the process asked SO_ERROR and closed.
TEST(Unreachable, AMessageThatOnlySoErrorSaysCountsWhenTheProcessGivesUp) {
  Stream stream;
  Side c = client_of(stream);
  c.to(State::syn_sent, curl);
  c.out(S);
  c.queued(2, 101, 0, "10.0.0.254");
  c.to(State::close, curl);
  EXPECT_EQ(run(stream.events).life().outcome, Outcome::unreachable);
}

// poll() wakes at the message, and SO_ERROR is asked before the kernel has closed the socket.
TEST(Unreachable, AnErrorThatTheProcessWasQuickToReadIsTheMessages) {
  for (const bool message : {true, false}) {
    Stream stream;
    Side c = client_of(stream);
    c.to(State::syn_sent, curl);
    c.out(S);
    if (message) c.queued(2, 113, 1, "10.0.0.254");
    c.to(State::close);
    if (message) c.queued(2, 113, 1, "10.0.0.254");
    c.destroy();
    const Life life = run(stream.events).life();
    EXPECT_EQ(life.outcome, message ? Outcome::unreachable : Outcome::unknown);
    EXPECT_EQ(life.error.value_or(0), message ? EHOSTUNREACH : 0);
  }
}

TEST(Unreachable, APortThatIsUnreachableIsARefusal) {
  Stream stream;
  Side c = client_of(stream);
  c.to(State::syn_sent, curl);
  c.out(S);
  c.queued(2, 111, 3, "10.0.0.2");
  connect_times_out(c, 111);
  const Life life = run(stream.events).life();
  EXPECT_EQ(life.outcome, Outcome::refused);
  EXPECT_TRUE(life.explanation.contains("port unreachable (ICMP type 3, code 3), sent by the destination itself"))
      << life.explanation;
}

// The connection was made all the same.
TEST(Unreachable, AMessageThatEndedNothingIsNoOutcome) {
  Stream stream;
  Side c = client_of(stream);
  c.to(State::syn_sent, curl);
  c.out(S);
  c.queued(2, 113, 1, "10.0.0.254");
  c.in(SA);
  c.to(State::established);
  c.out(A, 0, TW_EVENT_HANDSHAKE_ACK);
  closes_first(c, curl);
  EXPECT_EQ(run(stream.events).life().outcome, Outcome::completed);
}

TEST(ErrorQueue, OnlyAnEntryOfOriginIcmpIsAnIcmpMessage) {
  for (const std::uint8_t origin : {std::uint8_t{0}, std::uint8_t{4}, std::uint8_t{5}}) {
    Stream stream;
    Side c = client_of(stream);
    connects(c);
    c.queued(origin);
    closes_first(c, curl);
    const auto errors = run(stream.events, trace_settings()).entries_of<ErrorEntry>();
    ASSERT_EQ(errors.size(), 1U);
    EXPECT_FALSE(errors[0].second.icmp);
    EXPECT_EQ(errors[0].second.queue_origin, origin);
  }
}

TEST(ConnectCancelled, IsTheProcessesOwnDoing) {
  Stream stream;
  Side c = client_of(stream);
  c.to(State::syn_sent, curl);
  c.out(S);
  stream.wait(2 * s);
  c.to(State::close, curl);
  const Life life = run(stream.events).life();
  EXPECT_EQ(life.outcome, Outcome::connect_cancelled);
  EXPECT_EQ(life.closed_by, ClosedBy::local);
  EXPECT_EQ(life.explanation, "curl[42] gave up before the connection was made: no answer had come to the SYN.");
}

// The process waits less long than the kernel would.
TEST(ConnectCancelled, SaysWhereNoSynLeft) {
  const auto life = [](bool first_left) {
    Stream stream;
    Side c = client_of(stream);
    c.to(State::syn_sent, curl);
    if (first_left) c.out(S);
    if (!first_left) c.drop(drop_netfilter, true, S);
    c.snd_nxt = c.write_seq = c.isn() + 1;
    c.extra.packets_out = 1;
    for (const std::int64_t pause : {1, 1}) sends_syn_again(c, pause * s, -1, drop_netfilter, false);
    c.to(State::close, curl);
    return run(stream.events).life();
  };
  EXPECT_EQ(life(false).outcome, Outcome::connect_cancelled);
  EXPECT_TRUE(life(false).explanation.ends_with(
      ": none of its 3 SYNs left this machine: dropped by netfilter, the kernel's firewall (NETFILTER_DROP)."))
      << life(false).explanation;
  EXPECT_TRUE(life(true).explanation.ends_with(": no answer had come to the SYN.")) << life(true).explanation;
}

// The own firewall drops the RST that answers the SYN.
TEST(ConnectIgnored, IsARstThatTcpNeverGot) {
  const auto life = [](std::uint32_t reason, bool gives_up) {
    Stream stream;
    Side c = client_of(stream);
    c.to(State::syn_sent, curl);
    c.out(S);
    const Side before = c;
    c.in(RA, 0, 0, [](Segment& g) { g.seq = 0; });
    c.drop(reason, false, RA);
    c.refuses(before);
    stream.wait(3 * s);
    if (gives_up) c.to(State::close, curl);
    if (!gives_up) connect_times_out(c);
    return run(stream.events).life();
  };
  EXPECT_EQ(life(drop_netfilter, false).outcome, Outcome::connect_ignored);
  EXPECT_TRUE(
      life(drop_netfilter, false)
          .explanation.starts_with("The SYN was answered by a RST, but TCP never took it: dropped by netfilter, "
                                   "the kernel's firewall (NETFILTER_DROP); connect() failed with ETIMEDOUT"))
      << life(drop_netfilter, false).explanation;
  EXPECT_EQ(life(drop_netfilter, true).explanation,
            "curl[42] gave up before the connection was made: a RST had come in, but the kernel dropped it.");
  EXPECT_EQ(life(drop_sequence, false).outcome, Outcome::connect_timeout) << "TCP refused it: forged";
}

// A rule with a limit lets the first one pass.
TEST(ConnectUnsent, IsNotSaidWhereTheFirstSynLeft) {
  Stream stream;
  Side c = client_of(stream);
  c.to(State::syn_sent, curl);
  c.out(S);
  for (const std::int64_t pause : {1, 2}) sends_syn_again(c, pause * s, -1, drop_netfilter, false);
  stream.wait(4 * s);
  connect_times_out(c);
  EXPECT_EQ(run(stream.events).life().outcome, Outcome::connect_timeout);
  EXPECT_EQ(run(without_wire(stream.events), kernel_settings()).life().outcome, Outcome::connect_timeout);
}

TEST(GaveUp, TheNewestErrorOfThePathStandsInPlaceOfTheTimeout) {
  Stream stream;
  Side c = client_of(stream);
  connects(c);
  c.out(PA, 20);
  for (int i = 0; i < 3; ++i) {
    stream.wait(1 * s);
    c.out(PA, 20, TW_EVENT_RETRANSMISSION, [&](Segment& g) { g.seq = c.snd_una; });
    c.retransmit(4, 0, 1);
  }
  c.extra.sk_err = 113;
  c.to(State::close);
  c.error(113);
  c.destroy();
  const Life life = run(stream.events).life();
  EXPECT_EQ(life.outcome, Outcome::retransmit_timeout);
  EXPECT_EQ(life.error, EHOSTUNREACH);
}

// The SYN waits for the address of the next hop when the process gives up; the kernel reports it seconds later.
TEST(ConnectCancelled, WaitsForTheReasonOfASynThatWasNotSeen) {
  for (const bool reported_drop : {true, false}) {
    Stream stream;
    Side c = client_of(stream);
    c.to(State::syn_sent, curl);
    c.snd_nxt = c.write_seq = c.isn() + 1;
    c.extra.segs_out = 1;
    stream.wait(500 * ms);
    c.to(State::close, curl, [](StateChange& e) { e.cb.sk_shutdown = 3; });
    c.destroy();
    stream.wait(2'500 * ms);
    if (reported_drop) c.drop(drop_neighbour, true, S);
    const RunResult reported = run(stream.events, life_settings(), 2 * s);
    const Life life = reported.life();
    EXPECT_EQ(life.outcome, Outcome::connect_cancelled);
    EXPECT_EQ(life.duration_ns / ms, 500);
    EXPECT_EQ(reported.finding(Rule::tx_not_sent).has_value(), reported_drop);
    EXPECT_TRUE(
        life.explanation.contains(reported_drop ? "its SYN never" : "no interface that is traced has shown its SYN"))
        << life.explanation;
    EXPECT_EQ(reported.lives().size(), 1U);
  }
}

}  // namespace
}  // namespace tcpwitness::testing
