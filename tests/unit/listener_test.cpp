// SPDX-License-Identifier: Apache-2.0
// A listener's queues: accept-queue-full, syn-backlog-full, syncookie; and the slow legs of a handshake.
#include "unit/says.hpp"

namespace tcpwitness::testing {
namespace {

// The process that called listen() has ended, and a child of it has the socket.
TEST(ListenerLeftBehind, ItsChildrenAreOfWhoHasItOpenNow) {
  for (const bool lives : {false, true}) {
    Stream stream;
    listens(stream);
    Side c = server_of(stream);
    accepts(c);
    stream.wait(2 * s);
    Side listener(stream, 3, "0.0.0.0", 80, "0.0.0.0", 0, 0, 0, false);
    listener.used(worker, OwnerSource::snapshot);
    if (lives) listener.used(nginx, OwnerSource::snapshot);
    const Life life = run(stream.events).life();
    EXPECT_EQ(life.process.pid, lives ? nginx.pid : worker.pid);
    EXPECT_EQ(life.process.source, PidSource::listen);
  }
}

TEST(AcceptQueueFull, NamesTheProcessThatDoesNotAccept) {
  const auto finding = run(accept_queue_full_story().events).finding(Rule::accept_queue_full);
  EXPECT_TRUE(says(finding,
                   "nginx[80] does not accept fast enough: its accept queue is full (2 wait, the limit is 1): 2 "
                   "SYNs found it full and got no answer"))
      << finding_text(finding);
  expect_downgraded_by_a_gap(accept_queue_full_story(), Rule::accept_queue_full, Confidence::certain);
}

TEST(AcceptQueueFull, AQueueAtItsLimitTakesOneMore) {
  Stream stream;
  listens(stream);
  Side c = server_of(stream);
  syns_meet(c, {.accept = 1, .syns = 0, .limit = 1}, 2);
  EXPECT_FALSE(run(stream.events).finding(Rule::accept_queue_full).has_value());
}

TEST(AcceptQueueFull, ASynThatIsAnsweredAllTheSameMetItOnlyForAMoment) {
  Stream stream;
  listens(stream);
  Side c = server_of(stream);
  c.view = SocketKind::listener;
  c.in(S, 0, 0, with({.accept = 2, .syns = 0, .limit = 1}));
  c.view = SocketKind::request;
  c.state = State::new_syn_recv;
  c.out(SA);
  c.in(A, 0, TW_EVENT_HANDSHAKE_ACK);
  EXPECT_FALSE(run(stream.events).finding(Rule::accept_queue_full).has_value());
}

TEST(AcceptQueueFull, OneSynWithoutAnAnswerIsOnlyLikely) {
  Stream stream;
  listens(stream);
  Side c = server_of(stream);
  syns_meet(c, {.accept = 2, .syns = 0, .limit = 1}, 1);
  EXPECT_EQ(run(stream.events).finding(Rule::accept_queue_full)->confidence, Confidence::likely);
}

TEST(AcceptQueueFull, AllSynsOfOneClientAreOneStory) {
  Stream stream;
  listens(stream);
  Side c = server_of(stream);
  syns_meet(c, {.accept = 2, .syns = 0, .limit = 1}, 6);  // pauses of 1, 2, 4, 8, 16, 32 s
  const RunResult reported = run(stream.events);
  EXPECT_EQ(reported.lives().size(), 1U);
  EXPECT_TRUE(says(reported.finding(Rule::accept_queue_full), "6 SYNs found it full"));
}

TEST(AcceptQueueFull, TheKernelSaysSoOfTheLastAck) {
  const auto finding = run(accept_overflow_story().events).finding(Rule::accept_queue_full);
  EXPECT_TRUE(says(finding, "the handshake's last ACK was dropped for it")) << finding_text(finding);
  expect_downgraded_by_a_gap(accept_overflow_story(), Rule::accept_queue_full, Confidence::certain);
  EXPECT_FALSE(run(without<Drop>(accept_overflow_story().events)).finding(Rule::accept_queue_full).has_value());
}

// tcp_check_req() calls it so as well where the child that was made could not be kept.
TEST(AcceptQueueFull, AChildThatWasGivenUpIsNone) {
  for (const bool made : {true, false}) {
    Stream stream;
    listens(stream);
    Side c = server_of(stream);
    is_asked(c);
    c.in(A, 0, TW_EVENT_HANDSHAKE_ACK);
    c.view = SocketKind::full;
    c.state = State::listen;
    if (made) {
      c.to(State::syn_recv);
      c.to(State::close);
    }
    c.drop(drop_listen_overflow, false, A);
    EXPECT_EQ(run(stream.events).finding(Rule::accept_queue_full).has_value(), !made);
  }
}

TEST(AcceptQueueFull, OfTheSynNeedsTheWire) {
  const RunResult reported = run(without_wire(accept_queue_full_story().events), kernel_settings());
  EXPECT_FALSE(reported.finding(Rule::accept_queue_full).has_value());
}

TEST(SynBacklogFull, IsToldOfSynsThatCameAgain) {
  const auto finding = run(syn_backlog_full_story().events).finding(Rule::syn_backlog_full);
  EXPECT_TRUE(says(finding,
                   "the SYN queue of nginx[80] is full (9 half-open, the limit is 8) and SYN cookies are "
                   "off (net.ipv4.tcp_syncookies is 0): 3 SYNs got no answer"))
      << finding_text(finding);
  expect_downgraded_by_a_gap(syn_backlog_full_story(), Rule::syn_backlog_full, Confidence::certain);
}

TEST(SynBacklogFull, AtTheLimitIsOnlyLikelyBelowItIsNot) {
  for (const std::uint32_t half_open : {8U, 7U}) {
    Stream stream;
    listens(stream);
    Side c = server_of(stream);
    syns_meet(c, {.accept = 0, .syns = half_open, .limit = 8}, 2);
    const auto finding = run(stream.events).finding(Rule::syn_backlog_full);
    ASSERT_EQ(finding.has_value(), half_open == 8);
    EXPECT_TRUE(!finding || finding->confidence == Confidence::likely);
  }
}

TEST(SynBacklogFull, ACookieIsNoRefusal) {
  EXPECT_FALSE(run(syncookie_story().events).finding(Rule::syn_backlog_full).has_value());
}

// tcp_conn_request() drops a SYN without a report where it finds no route back.
TEST(UnansweredSyn, IsALifeWhereAListenerHadRoomAndItCameAgain) {
  const auto asked = [](int syns, const std::function<void(CorrelatorSettings&)>& set = {}) {
    Stream stream;
    listens(stream);
    Side c = server_of(stream);
    syns_meet(c, {.accept = 0, .syns = 0, .limit = 8}, syns);
    CorrelatorSettings settings = life_settings();
    if (set) set(settings);
    return run(stream.events, settings, 30 * s);
  };
  const RunResult reported = asked(3);
  ASSERT_EQ(reported.lives().size(), 1U);
  EXPECT_EQ(reported.life().outcome, Outcome::unknown);
  EXPECT_EQ(reported.life().process.comm, "nginx");
  EXPECT_TRUE(reported.life().explanation.starts_with("3 SYNs came for a listener with room"))
      << reported.life().explanation;
  EXPECT_TRUE(asked(1).lives().empty()) << "NAT can have sent it on";
  const auto not_all = [](CorrelatorSettings& settings) { settings.every_interface = false; };
  EXPECT_TRUE(asked(3, not_all).lives().empty()) << "it can have left, or been answered, by another interface";
}

TEST(UnansweredSyn, IsNoneThatNatSendsOn) {
  Stream stream;
  listens(stream);
  Side c = server_of(stream);
  syns_meet(c, {.accept = 0, .syns = 0, .limit = 8}, 2);
  c.in(S, 0, TW_EVENT_RETRANSMISSION, [](Segment& g) { g.forwarding = Forwarding::sent_on; });
  EXPECT_TRUE(run(stream.events, life_settings(), 30 * s).lives().empty());
}

TEST(Syncookie, IsToldWhenNoRequestSocketAnswered) {
  const auto finding = run(syncookie_story().events).finding(Rule::syncookie);
  EXPECT_TRUE(says(finding,
                   "answered with a SYN cookie for nginx[80], whose SYN queue was full (9 half-open, the "
                   "limit is 8)"))
      << finding_text(finding);
  expect_downgraded_by_a_gap(syncookie_story(), Rule::syncookie, Confidence::certain);
}

TEST(Syncookie, WithoutTheLastAckIsAHandshakeThatWasNotFinished) {
  Stream stream;
  listens(stream);
  Side c = server_of(stream);
  c.view = SocketKind::listener;
  c.in(S, 0, 0, with({.accept = 0, .syns = 9, .limit = 8}));
  c.view = SocketKind::none;
  c.out(SA);
  const RunResult reported = run(stream.events, life_settings(), 90 * s);
  ASSERT_EQ(reported.lives().size(), 1U);
  EXPECT_EQ(reported.life().explanation, "The handshake was not finished: no ACK of its SYN-ACK reached TCP.");
}

// The ACK of a cookie comes three times while the queue is full; what comes behind the listener's end met no queue.
TEST(Syncookie, AnAckThatFoundTheAcceptQueueFullDidReachTcp) {
  constexpr Queues full{.accept = 2, .syns = 9, .limit = 1};
  Stream stream;
  listens(stream);
  Side c = server_of(stream);
  c.view = SocketKind::listener;
  c.in(S, 0, 0, with({.accept = 0, .syns = 9, .limit = 8}));
  c.view = SocketKind::none;
  c.out(SA);
  for (const SocketKind found : {SocketKind::listener, SocketKind::listener, SocketKind::none}) {
    const Side before = c;
    c.view = found;
    c.in(A, 0, 0, with(full));
    c.drop(drop_no_socket, false, A);
    c.refuses(before);
    stream.wait(300 * ms);
  }
  const RunResult reported = run(stream.events, life_settings(), 90 * s);
  ASSERT_EQ(reported.lives().size(), 1U);
  EXPECT_EQ(reported.life().explanation,
            "The handshake was not finished: its last ACK found the accept queue full, and was dropped.");
  const auto finding = reported.finding(Rule::accept_queue_full);
  EXPECT_TRUE(says(finding, "the handshake's last ACK was dropped for it 2 times")) << finding_text(finding);
}

TEST(Syncookie, ARequestSocketsSynAckIsNone) {
  EXPECT_FALSE(run(close_second_story().events).finding(Rule::syncookie).has_value());
}

// synproxy_send_client_synack() offers no window; TCP always does.
TEST(Syncookie, ASynAckThatOffersNoWindowIsAProxys) {
  std::vector<Event> events = syncookie_story().events;
  for (Event& e : events) {
    auto* g = std::get_if<Segment>(&e.body);
    if (g != nullptr && g->flags == SA) g->window = 0;
  }
  EXPECT_FALSE(run(events).finding(Rule::syncookie).has_value());
}

TEST(Syncookie, WithoutTheListenersViewIsOnlyLikely) {
  std::vector<Event> events = syncookie_story().events;
  std::erase_if(events, [](const Event& e) {
    const auto* g = std::get_if<Segment>(&e.body);
    return g != nullptr && g->flags == A && g->socket.type == SocketKind::listener;
  });
  for (Event& event : events) {
    if (auto* g = std::get_if<Segment>(&event.body)) g->socket.syn_qlen = 0;
  }
  EXPECT_EQ(run(events).finding(Rule::syncookie)->confidence, Confidence::likely);
}

TEST(SlowHandshake, SaysWhichLegAndByWhat) {
  const auto finding = run(slow_handshake_story().events).finding(Rule::slow_handshake);
  EXPECT_TRUE(says(finding, "the peer's SYN-ACK came 3.00 s after our first SYN; the SYN was sent 3 times"))
      << finding_text(finding);
  expect_downgraded_by_a_gap(slow_handshake_story(), Rule::slow_handshake, Confidence::certain);
  EXPECT_TRUE(says(run(accept_queue_full_story().events).finding(Rule::slow_handshake),
                   "this machine answered the peer's SYN only 3.00 s after the first one"));
}

// repeated: the SYN-ACK was sent again; where it was not, the listener may have waited for data (TCP_DEFER_ACCEPT).
std::optional<Finding> established_late(bool repeated) {
  Stream stream;
  listens(stream);
  Side c = server_of(stream);
  is_asked(c);
  stream.wait(1000 * ms);
  if (repeated) {
    c.out(SA, 0, TW_EVENT_RETRANSMISSION);
    c.retransmit(4, 0, 0, [](Retransmit& r) { r.synack = 1; });
  }
  stream.wait(500 * ms);
  c.in(A, 0, TW_EVENT_HANDSHAKE_ACK);
  c.view = SocketKind::full;
  c.state = State::listen;
  c.to(State::syn_recv);
  c.to(State::established);
  return run(stream.events).finding(Rule::slow_handshake);
}

TEST(SlowHandshake, ThePassiveSidesSecondLegIsThePeers) {
  const auto finding = established_late(true);
  EXPECT_TRUE(says(finding, "the peer's ACK came 1.50 s after our first SYN-ACK; the SYN-ACK was sent 2 times"))
      << finding_text(finding);
}

TEST(SlowHandshake, AListenerThatWaitsForDataIsNotThePeersDelay) { EXPECT_FALSE(established_late(false).has_value()); }

TEST(SlowHandshake, JustBelowASecondIsNone) {
  Stream stream;
  Side c = client_of(stream);
  c.to(State::syn_sent, curl);
  c.out(S);
  stream.wait(990 * ms);
  c.in(SA);
  c.to(State::established);
  EXPECT_FALSE(run(stream.events).finding(Rule::slow_handshake).has_value());
}

// The next hop's address is asked for: one second, or almost.
std::optional<Finding> left_after(std::int64_t wait_ns) {
  Stream stream;
  Side c = client_of(stream);
  c.to(State::syn_sent, curl);
  stream.wait(wait_ns);
  c.out(S);
  c.in(SA);
  c.to(State::established);
  return run(stream.events).finding(Rule::slow_handshake);
}

TEST(SlowHandshake, ASynThatWaitedOnThisMachineIsNotThePeersDelay) {
  const auto finding = left_after(1010 * ms);
  EXPECT_TRUE(says(finding, "the first SYN to leave this machine left 1.01 s after connect()"))
      << finding_text(finding);
  EXPECT_EQ(finding->confidence, Confidence::certain);
  EXPECT_FALSE(left_after(990 * ms).has_value());
}

TEST(SlowHandshake, TheKernelAloneDoesNotKnowTheLegs) {
  const auto finding =
      run(without_wire(slow_handshake_story().events), kernel_settings()).finding(Rule::slow_handshake);
  EXPECT_TRUE(says(finding, "the handshake took 3.00 s")) << finding_text(finding);
  EXPECT_EQ(finding->confidence, Confidence::likely);
}

TEST(SlowAccept, IsCertainWhereTheSocketWasSeenWithoutAProcess) {
  const auto finding = run(slow_accept_story().events).finding(Rule::slow_accept);
  EXPECT_TRUE(says(finding,
                   "3.00 s after the handshake nginx[80] had not accepted the connection; the first call on "
                   "it came after 4.00 s"))
      << finding_text(finding);
  expect_downgraded_by_a_gap(slow_accept_story(), Rule::slow_accept, Confidence::certain);
}

std::optional<Finding> first_read(std::uint32_t waited_ms, OwnerSource source = OwnerSource::receive) {
  Stream stream;
  listens(stream);
  Side c = server_of(stream);
  accepts(c);
  stream.wait(5 * s);
  c.in(PA, 50);
  c.used(nginx, source, waited_ms);
  closes_second(c, nginx);
  return run(stream.events).finding(Rule::slow_accept);
}

TEST(SlowAccept, TheFirstReadIsAnUpperBoundAndOnlyLikely) {
  const auto finding = first_read(1200);
  EXPECT_TRUE(says(finding, "the peer's data waited 1.20 s until the first call of nginx[80]"))
      << finding_text(finding);
  EXPECT_EQ(finding->confidence, Confidence::likely);
}

TEST(SlowAccept, APeerThatSendsLateIsNoSlowProcess) {
  EXPECT_FALSE(first_read(0).has_value());
  EXPECT_FALSE(first_read(990).has_value());
  EXPECT_FALSE(first_read(0, OwnerSource::send).has_value());
}

TEST(Late, IsTheTimeFromTheFinToItsTransition) {
  const auto finding = run(late_story().events).finding(Rule::late);
  EXPECT_TRUE(says(finding, "this kernel processed the FIN 300 ms after it arrived")) << finding_text(finding);
  expect_downgraded_by_a_gap(late_story(), Rule::late, Confidence::likely);
}

std::optional<Finding> fin_taken_after(std::int64_t pause, std::uint16_t event_flags, bool again) {
  Stream stream;
  Side c = client_of(stream);
  connects(c);
  const Side before = c;
  c.in(FA, 0, event_flags);
  if (again) {
    c.refuses(before);
    stream.wait(pause);
    c.in(FA, 0, TW_EVENT_RETRANSMISSION);
  } else {
    stream.wait(pause);
  }
  c.to(State::close_wait);
  return run(stream.events).finding(Rule::late);
}

TEST(Late, AFinThatWaitedForAMissingSegmentOrCameAgainIsNot) {
  EXPECT_TRUE(fin_taken_after(200 * ms, 0, false).has_value());
  EXPECT_FALSE(fin_taken_after(90 * ms, 0, false).has_value());
  EXPECT_FALSE(fin_taken_after(200 * ms, TW_EVENT_OUT_OF_ORDER, false).has_value());
  EXPECT_FALSE(fin_taken_after(200 * ms, 0, true).has_value());
}

TEST(BytesDisagree, SaysHowMuchWentAnotherWay) {
  const auto finding = run(bytes_disagree_story().events).finding(Rule::bytes_disagree);
  EXPECT_TRUE(says(finding, "1500 bytes and the wire showed only 500: 1000 went another way")) << finding_text(finding);
  EXPECT_EQ(finding->confidence, Confidence::likely);
  EXPECT_FALSE(run(with_gap(bytes_disagree_story().events)).finding(Rule::bytes_disagree).has_value());
}

TEST(BytesDisagree, WholeCountsThatAgreeAreNone) {
  for (const Story& story : all_stories()) {
    if (story.name == "bytes disagree") continue;
    EXPECT_FALSE(run(story.events).finding(Rule::bytes_disagree).has_value()) << story.name;
  }
}

TEST(BytesDisagree, AByteSentAgainIsNotCountedTwice) {
  const RunResult reported = run(tx_drop_story().events);
  EXPECT_EQ(reported.life().wire->tx_bytes, 40U);
  EXPECT_FALSE(reported.finding(Rule::bytes_disagree).has_value());
}

// The parent listens and accepts; a child that was forked serves.
TEST(AcceptQueueFull, AChildThatServesIsNotWhoDoesNotAccept) {
  for (const bool child : {true, false}) {
    Stream stream;
    listens(stream);
    Side c = server_of(stream);
    syns_meet(c, {.accept = 2, .syns = 0, .limit = 1}, 2);
    accepts(c);
    c.in(PA, 50);
    c.used(child ? worker : nginx, OwnerSource::receive);
    closes_second(c, child ? worker : nginx);
    const auto finding = run(stream.events).finding(Rule::accept_queue_full);
    EXPECT_TRUE(says(finding, "nginx[80] does not accept")) << finding_text(finding);
  }
}

TEST(SlowHandshake, AnAckThatThisMachineDroppedDidNotComeLate) {
  for (const bool dropped : {true, false}) {
    Stream stream;
    listens(stream);
    Side c = server_of(stream);
    is_asked(c);
    const Side before = c;
    if (dropped) {
      c.in(A, 0, TW_EVENT_HANDSHAKE_ACK);
      c.drop(drop_netfilter, false, A);
      c.refuses(before);
    }
    stream.wait(1 * s);
    c.out(SA, 0, TW_EVENT_RETRANSMISSION, [&](Segment& g) { g.seq = c.isn(); });
    c.retransmit(0, 0, 0, [&](Retransmit& r) {
      r.synack = 1;
      r.seq = c.isn();
    });
    c.in(A, 0, TW_EVENT_HANDSHAKE_ACK);
    c.view = SocketKind::full;
    c.state = State::listen;
    c.to(State::syn_recv);
    c.to(State::established);
    const auto finding = run(stream.events).finding(Rule::slow_handshake);
    ASSERT_TRUE(finding.has_value());
    EXPECT_EQ(says(finding, "the peer's ACK came"), !dropped) << finding_text(finding);
    EXPECT_EQ(finding->confidence, dropped ? Confidence::likely : Confidence::certain);
  }
}

}  // namespace
}  // namespace tcpwitness::testing
