// SPDX-License-Identifier: Apache-2.0
// One outcome each: the story that makes it true, and the one that makes it almost true.
#include <gtest/gtest.h>

#include "judge/judge.hpp"
#include "unit/stories.hpp"

namespace tcpwitness::testing {
namespace {

Outcome outcome_of(const std::vector<Event>& events) { return run(events).life().outcome; }

TEST(Outcome, EveryStoryEndsAsItShould) {
  for (const Story& story : all_stories()) {
    const RunResult reported = run(story.events);
    ASSERT_EQ(reported.lives().size(), 1U) << story.name;
    EXPECT_EQ(reported.life().outcome, story.outcome) << story.name << ": " << name(reported.life().outcome);
    EXPECT_FALSE(reported.life().explanation.empty()) << story.name;
  }
}

TEST(Outcome, RefusedIsNotSaidOfATimeout) {
  EXPECT_EQ(outcome_of(refused_story().events), Outcome::refused);
  EXPECT_EQ(outcome_of(no_answer_story().events), Outcome::connect_timeout);
}

TEST(Outcome, UnreachableIsNeitherRefusedNorTimeout) {
  Stream stream;
  Side c = client_of(stream);
  c.to(State::syn_sent, curl);
  c.out(S);
  c.extra.sk_err = 113;
  c.to(State::close);
  const Life life = run(stream.events).life();
  EXPECT_EQ(life.outcome, Outcome::unreachable);
  EXPECT_EQ(life.error, 113);
  EXPECT_FALSE(life.explanation.contains("ICMP")) << "no message was seen: " << life.explanation;
}

// A challenge ACK answered it (RFC 5961, section 3.2), and much later the client closes, and data comes for the orphan.
TEST(Outcome, ARstThatWasChallengedDecidesNothingLater) {
  for (const std::uint32_t reason : {reason_abort_on_data, reset_reason_unknown}) {
    Stream stream;
    Side c = client_of(stream);
    connects(c);
    c.in(RA, 0, 0, [](Segment& g) { g.seq += 100; });
    c.out(A);
    stream.wait(400 * ms);
    c.to(State::fin_wait1, curl);
    c.out(FA);
    c.acked_by_peer = c.snd_nxt - 1;
    const Side before = c;
    c.in(PA, 10);
    c.refuses(before);
    c.extra.flags = TW_CB_DEAD;
    c.kernel_reset(ResetDirection::received, reset_reason_unknown);
    c.extra.sk_err = 104;
    c.to(State::close);
    c.kernel_reset(ResetDirection::sent, reason, nobody, true);
    c.view = SocketKind::control;
    c.out(R);
    EXPECT_EQ(outcome_of(stream.events), Outcome::reset_by_local);
  }
}

// With SACK one that stands behind what waits for a hole is taken, too: then the kernel's report is right behind it.
TEST(Outcome, ARstBehindAHoleIsThePeers) {
  for (const TimeNs later : {10 * us, 400 * ms}) {
    Stream stream;
    Side c = client_of(stream);
    connects(c);
    c.in(R, 0, 0, [](Segment& g) { g.seq += 100; });
    stream.wait(later);
    c.to(State::fin_wait1, curl);
    c.extra.flags = TW_CB_DEAD;
    c.kernel_reset(ResetDirection::received, reset_reason_unknown);
    c.extra.sk_err = 104;
    c.to(State::close);
    EXPECT_EQ(outcome_of(stream.events), later < 1 * ms ? Outcome::reset_by_peer : Outcome::unknown);
  }
}

TEST(Outcome, KilledWithUnreadDataIsAbortedAndNamesTheSignal) {
  const Life life = run(killed_unread_story().events).life();
  EXPECT_EQ(life.outcome, Outcome::aborted);
  EXPECT_NE(life.explanation.find("signal 9"), std::string::npos) << life.explanation;
  EXPECT_EQ(life.closed_by, ClosedBy::local);
}

// A process that breaks off with data unread, with and without the peer's FIN before: who closed first is another
// question.
TEST(Outcome, WhoseFinCameFirstHasClosedFirstAlsoWhereTheOtherBreaksOff) {
  for (const Caller& by : {curl, killed_curl}) {
    for (const bool after_fin : {true, false}) {
      Stream stream;
      Side c = client_of(stream);
      connects(c);
      c.in(PA, 20);
      if (after_fin) {
        c.in(FA);
        c.to(State::close_wait);
      }
      c.to(State::close, by);
      c.out(RA);
      c.kernel_reset(ResetDirection::sent, reason_abort_on_close, by, false);
      c.destroy();
      const Life life = run(stream.events).life();
      EXPECT_EQ(life.outcome, by.killed_by < 0 ? Outcome::reset_by_local : Outcome::aborted) << after_fin;
      EXPECT_EQ(life.closed_by, after_fin ? ClosedBy::peer : ClosedBy::local) << by.killed_by;
    }
  }
}

TEST(Outcome, KilledWithNothingUnreadIsCompleted) {
  const Life life = run(killed_read_story().events).life();
  EXPECT_EQ(life.outcome, Outcome::completed);
  EXPECT_NE(life.explanation.find("signal 9"), std::string::npos) << life.explanation;
}

TEST(Outcome, ALivingProcessThatLeavesDataUnreadResetsButDoesNotAbort) {
  EXPECT_EQ(outcome_of(closed_unread_story().events), Outcome::reset_by_local);
}

TEST(Outcome, AnUnreadFinIsNoUnreadData) {
  ControlBlock cb{};
  cb.rcv_nxt = 102;
  cb.copied_seq = 101;
  cb.flags = TW_CB_DONE;
  EXPECT_FALSE(unread_data(cb));
  cb.flags = 0;
  EXPECT_TRUE(unread_data(cb));
}

TEST(Outcome, DataForAnOrphanIsTheLocalKernelsReset) {
  EXPECT_EQ(outcome_of(abort_on_data_story().events), Outcome::reset_by_local);
}

TEST(Outcome, DataForAnOrphanWithARstOnTheWireIsThePeersReset) {
  Stream stream;
  Side c = client_of(stream);
  connects(c);
  c.to(State::fin_wait1, curl);
  c.out(FA);
  c.extra.flags = TW_CB_DEAD;
  c.in(RA);
  c.kernel_reset(ResetDirection::received, reset_reason_unknown);
  c.extra.sk_err = 104;
  c.to(State::close);
  EXPECT_EQ(outcome_of(stream.events), Outcome::reset_by_peer);
}

TEST(Outcome, TimeoutWithNothingOutstandingIsKeepaliveEvenWithoutAReason) {
  Story story = keepalive_death_story();
  for (Event& event : story.events) {
    if (auto* reset = std::get_if<Reset>(&event.body)) reset->reason = reset_reason_unknown;
  }
  EXPECT_EQ(outcome_of(story.events), Outcome::keepalive_timeout);
}

TEST(Outcome, TimeoutWithDataOutstandingIsRetransmission) {
  EXPECT_EQ(outcome_of(retransmit_death_story().events), Outcome::retransmit_timeout);
}

TEST(Outcome, TimeoutWithDataOutstandingAndUserTimeoutIsUserTimeout) {
  EXPECT_EQ(outcome_of(user_timeout_story().events), Outcome::user_timeout);
}

TEST(Outcome, ListenerClosedWithUnacceptedChildrenIsALocalReset) {
  Stream stream;
  listens(stream);
  Side c = server_of(stream);
  accepts(c);
  c.to(State::close);
  c.out(RA);
  c.kernel_reset(ResetDirection::sent, reason_tcp_state);
  c.error(104);  // on our own side
  c.destroy();
  EXPECT_EQ(outcome_of(stream.events), Outcome::reset_by_local);
}

TEST(Outcome, HalfOpenRequestThatExpiresIsUnknownAndSaysSo) {
  Stream stream;
  listens(stream);
  Side c = server_of(stream);
  is_asked(c);
  stream.wait(1 * s);
  c.out(SA, 0, TW_EVENT_RETRANSMISSION, [&](Segment& g) { g.seq = c.isn(); });
  const RunResult reported = run(stream.events, life_settings(), 80 * s);
  ASSERT_EQ(reported.lives().size(), 1U);
  EXPECT_EQ(reported.life().outcome, Outcome::unknown);
  EXPECT_EQ(reported.life().states, states({State::new_syn_recv}));
  EXPECT_NE(reported.life().explanation.find("no ACK of its SYN-ACK reached TCP"), std::string::npos);
}

TEST(Outcome, RstInNewSynRecvIsThePeers) {
  Stream stream;
  listens(stream);
  Side c = server_of(stream);
  is_asked(c);
  c.in(R);
  EXPECT_EQ(outcome_of(stream.events), Outcome::reset_by_peer);
}

TEST(Outcome, ARstOnTheMiniSocketIsThePeersReset) {
  const Life life = run(orphan_reset_story().events).life();
  EXPECT_EQ(life.outcome, Outcome::reset_by_peer);
  EXPECT_EQ(life.states.back(), TcpState::close);
}

TEST(Outcome, OrphanWhosePeerNeverClosesIsToldAfterAMinute) {
  Story story = orphan_close_story();
  story.events.resize(story.events.size() - 2);  // without the peer's FIN
  const RunResult early = run(story.events, life_settings(), 0);
  EXPECT_EQ(early.summary.connections, 1U);  // by finish()
  Correlator correlator(life_settings(), kernel_names());
  Reports reports;
  for (const Event& event : story.events) correlator.feed(event, reports);
  correlator.advance(story.events.back().ts_ns + 30 * s, reports);
  EXPECT_EQ(correlator.summary().connections, 0U);
  correlator.advance(story.events.back().ts_ns + 70 * s, reports);
  EXPECT_EQ(correlator.summary().connections, 1U);
}

// ---- What a loss leaves of a reset ----

// The events, with a gap where the last of them end: something of the connection was lost.
Outcome with_a_loss(const Stream& stream) {
  std::vector<Event> events = stream.events;
  const TimeNs last = events.back().ts_ns;
  events.push_back(Event{events.back().id + 1, last, Gap{1, 0, last, last}});
  return outcome_of(events);
}

TEST(ResetAndLoss, ARstThatFitsIsTakenWhereTheKernelsWordIsLost) {
  for (const std::uint32_t ahead : {0U, 999U}) {
    Stream stream;
    Side c = client_of(stream);
    connects(c);
    c.in(R, 0, 0, [&](Segment& g) { g.seq += ahead; });
    c.destroy();
    // RFC 5961: one that is only somewhere in the window is answered by a challenge ACK and ends nothing.
    EXPECT_EQ(with_a_loss(stream), ahead == 0 ? Outcome::reset_by_peer : Outcome::unknown);
  }
}

TEST(ResetAndLoss, AHandshakeIsRefusedByTheRstThatMetItsRequestOnly) {
  for (const bool blind : {false, true}) {
    Stream stream;
    listens(stream);
    Side c = server_of(stream);
    is_asked(c);
    if (blind) c.view = SocketKind::full;  // the child's states are lost
    c.in(R, 0, 0, [&](Segment& g) { g.seq += blind ? 999 : 0; });
    if (blind) c.destroy();
    EXPECT_EQ(with_a_loss(stream), blind ? Outcome::unknown : Outcome::reset_by_peer);
  }
}

TEST(ResetAndLoss, TheKernelsReasonNamesKeepaliveWithoutTheError) {
  for (const std::uint32_t reason : {reason_keepalive, reason_tcp_state}) {
    Stream stream;
    Side c = client_of(stream);
    connects(c);
    c.kernel_reset(ResetDirection::sent, reason);
    c.destroy();  // the process has taken the error already
    EXPECT_EQ(with_a_loss(stream), reason == reason_keepalive ? Outcome::keepalive_timeout : Outcome::reset_by_local);
  }
}

TEST(ResetAndLoss, ARstThatNoSocketSentEndedNothing) {
  for (const bool socket : {true, false}) {
    Stream stream;
    Side c = client_of(stream);
    connects(c);
    c.destroy();
    c.kernel_reset(ResetDirection::sent, socket ? reason_tcp_state : reason_no_socket);
    if (!socket) std::get<Reset>(stream.events.back().body).has_socket = 0;
    EXPECT_EQ(with_a_loss(stream), socket ? Outcome::reset_by_local : Outcome::unknown);
  }
}

TEST(ResetAndLoss, AConnectThatEndsWithoutAnErrorIsGivenUpOnlyIfNoIcmpCanBeLost) {
  const Story story = gives_up_connecting_story();
  EXPECT_EQ(outcome_of(story.events), Outcome::connect_cancelled);
  Stream stream;
  stream.events = story.events;
  EXPECT_EQ(with_a_loss(stream), Outcome::unknown);
}

TEST(ResetAndLoss, AResetWhoseRstMayBeLostIsNobodys) {
  Stream stream;
  Side c = client_of(stream);
  connects(c);
  c.kernel_reset(ResetDirection::received, reset_reason_unknown);
  c.extra.sk_err = 104;
  c.to(State::close);
  // On an interface that is not watched it can have come in; among the lost it can have been a firewall's.
  EXPECT_EQ(outcome_of(stream.events), Outcome::reset_by_peer);
  EXPECT_EQ(with_a_loss(stream), Outcome::unknown);
}

TEST(ResetAndLoss, ARstOnTheLoopbackInterfaceIsAPeersThatIsThere) {
  for (const bool peer_there : {true, false}) {
    Stream stream;
    Side c = client_of(stream);
    c.to(State::syn_sent, curl);
    c.out(S);
    if (peer_there) c.in(SA, 0, 0, [](Segment& g) { g.ifindex = 1; });
    c.rcv_nxt = c.copied_seq = c.peer_nxt = c.peer_isn() + 1;
    c.snd_una = c.snd_nxt;
    c.to(State::established);
    c.in(R, 0, 0, [](Segment& g) { g.ifindex = 1; });
    c.kernel_reset(ResetDirection::received, reset_reason_unknown);
    c.extra.sk_err = 104;
    c.to(State::close);
    EXPECT_EQ(with_a_loss(stream), peer_there ? Outcome::reset_by_peer : Outcome::unknown);
  }
}

TEST(WireAlone, HandshakeAndCloseAreCompleted) {
  Story story = close_first_story();
  std::erase_if(story.events, [](const Event& e) { return !std::holds_alternative<Segment>(e.body); });
  CorrelatorSettings settings = life_settings();
  settings.has_kernel = false;
  const Life life = run(story.events, settings).life();
  EXPECT_EQ(life.outcome, Outcome::completed);
  EXPECT_EQ(life.states,
            states({State::syn_sent, State::established, State::fin_wait1, State::fin_wait2, State::time_wait}));
  EXPECT_FALSE(life.has_kernel);
  EXPECT_EQ(life.tx_bytes, 50U);
  EXPECT_EQ(life.rx_bytes, 70U);
}

TEST(WireAlone, OneFinWithoutAnswerIsNotCompleted) {
  Story story = close_first_story();
  std::erase_if(story.events, [](const Event& e) { return !std::holds_alternative<Segment>(e.body); });
  story.events.resize(story.events.size() - 2);
  CorrelatorSettings settings = life_settings();
  settings.has_kernel = false;
  EXPECT_EQ(run(story.events, settings).life().outcome, Outcome::open);
}

TEST(WireAlone, RstInReplyToSynIsRefused) {
  Story story = refused_story();
  std::erase_if(story.events, [](const Event& e) { return !std::holds_alternative<Segment>(e.body); });
  CorrelatorSettings settings = life_settings();
  settings.has_kernel = false;
  EXPECT_EQ(run(story.events, settings).life().outcome, Outcome::refused);
}

TEST(WireAlone, SynsWithoutAnswerTimeOutOnlyAfterTheKernelWouldHaveGivenUp) {
  Story story = no_answer_story();
  std::erase_if(story.events, [](const Event& e) { return !std::holds_alternative<Segment>(e.body); });
  CorrelatorSettings settings = life_settings();
  settings.has_kernel = false;
  EXPECT_EQ(run(story.events, settings, 20 * s).life().outcome, Outcome::open);
  EXPECT_EQ(run(story.events, settings, 140 * s).life().outcome, Outcome::connect_timeout);
}

}  // namespace
}  // namespace tcpwitness::testing
