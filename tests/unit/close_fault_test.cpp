// SPDX-License-Identifier: Apache-2.0
// close_fault_test.cpp: a peer that does not close, an orphan that is forgotten, data for a side that has closed.
#include "pipeline/live_correlator.hpp"
#include "unit/says.hpp"

namespace tcpwitness::testing {
namespace {

RunResult run_with(const std::vector<Event>& events, std::int64_t after_ns) {
  return run(events, life_settings(), after_ns);
}

TEST(FinWait2Timeout, IsToldWhenTheKernelsTimeIsUp) {
  Stream stream;
  closes_for_good(stream);
  const RunResult reported = run_with(stream.events, 5 * s);
  const Life life = reported.life();
  EXPECT_EQ(life.outcome, Outcome::fin_wait2_timeout);
  EXPECT_EQ(life.closed_by, ClosedBy::local);
  EXPECT_GE(life.duration_ns, 3 * s);
  EXPECT_LT(life.duration_ns, 4 * s);
  EXPECT_TRUE(life.explanation.contains("waited in FIN_WAIT2 until its time was up (3 s)")) << life.explanation;
}

TEST(FinWait2Timeout, BeforeItsTimeItIsOpen) {
  Stream stream;
  closes_for_good(stream);
  const Life life = run_with(stream.events, 2 * s).life();
  EXPECT_EQ(life.outcome, Outcome::open);
  EXPECT_GE(life.duration_ns, 2 * s);
  EXPECT_TRUE(life.explanation.contains("the peer has not closed yet")) << life.explanation;
}

TEST(FinWait2Timeout, AFinInTimeIsAnOrderlyClose) {
  EXPECT_EQ(run_with(orphan_close_story().events, 100 * ms).life().outcome, Outcome::completed);
}

// Nothing in the kernel takes the flow of a mini-socket whose peer never closes. The two FINs take it where it does.
TEST(FinWait2Timeout, ItsFlowIsTakenOutOfTheMap) {
  for (const bool closed : {false, true}) {
    Stream stream;
    if (!closed) closes_for_good(stream);
    const std::vector<Event> events = closed ? orphan_close_story().events : stream.events;
    LiveCorrelator correlator(life_settings(), kernel_names());
    Reports reports;
    for (const Event& event : events) correlator.feed(event, reports);
    correlator.advance(events.back().ts_ns + 5 * s, reports);
    const std::vector<FlowToDelete> flows = correlator.flows_to_delete();
    ASSERT_EQ(flows.size(), closed ? 0U : 1U);
    if (closed) continue;
    EXPECT_EQ(flows[0].key.remote.port, 80);
    EXPECT_TRUE(flows[0].isn_in && flows[0].isn_out) << "so that no later connection's is taken";
    EXPECT_TRUE(correlator.flows_to_delete().empty()) << "once";
  }
}

// What came late found no socket: the RST is that of a host without this connection.
TEST(FinWait2Timeout, ARstForLateDataIsNotThisConnectionsEnd) {
  Stream stream;
  Side c = closes_for_good(stream);
  stream.wait(3 * s + 100 * ms);
  c.view = SocketKind::none;
  c.in(PA, 6);
  c.kernel_reset_without_socket(reason_no_socket);
  const Life life = run_with(stream.events, 100 * ms).life();
  EXPECT_EQ(life.outcome, Outcome::fin_wait2_timeout);
  EXPECT_LT(life.duration_ns, 3 * s + 90 * ms);
}

// The FIN's look-up found the socket itself, or was not needed, and then the socket became the mini-socket that has it.
TEST(FinWait2, TheFinOfAMomentAgoReachesTheMiniSocket) {
  const auto closes = [](SocketKind found, std::uint8_t flags) {
    Stream stream;
    Side c = client_of(stream);
    leaves_mini_socket(c);
    c.view = found;
    c.state = State::fin_wait2;
    c.in(flags);
    return run_with(stream.events, 100 * ms).life();
  };
  for (const SocketKind found : {SocketKind::full, SocketKind::unknown, SocketKind::time_wait}) {
    EXPECT_EQ(closes(found, FA).outcome, Outcome::completed) << static_cast<int>(found);
    EXPECT_EQ(closes(found, FA).states.back(), State::time_wait) << static_cast<int>(found);
    EXPECT_EQ(closes(found, A).outcome, Outcome::open) << static_cast<int>(found);
  }
  EXPECT_EQ(closes(SocketKind::none, FA).outcome, Outcome::open) << "it found nobody";
}

// While the mini-socket is there it is the one that refuses the data, and the RST's time is the end.
TEST(FinWait2Timeout, DataForTheMiniSocketIsAReset) {
  Stream stream;
  Side c = closes_for_good(stream);
  stream.wait(2 * s);
  c.view = SocketKind::time_wait;
  c.state = State::fin_wait2;
  c.in(PA, 6);
  c.kernel_reset(ResetDirection::sent, reason_timewait, nobody, true);
  c.view = SocketKind::control;
  c.out(R);
  const RunResult reported = run_with(stream.events, 100 * ms);
  EXPECT_EQ(reported.life().outcome, Outcome::reset_by_local);
  EXPECT_GE(reported.life().duration_ns, 2 * s);
  EXPECT_TRUE(reported.life().explanation.contains("the peer sent data 2.0")) << reported.life().explanation;
  EXPECT_FALSE(reported.life().explanation.contains("before its time")) << "its socket was there";
  EXPECT_FALSE(reported.finding(Rule::write_after_peer_closed).has_value()) << "the other side wrote";
}

// shutdown(), the peer's ACK, and then close() with data unread: the same transition as to a mini-socket, and a RST of
// its own behind it.
TEST(FinWait2Reset, WithUnreadDataTheSocketItselfEndsByARst) {
  const auto closes = [](const Caller& by, bool reset) {
    Stream stream;
    Side c = client_of(stream);
    connects(c);
    c.out(PA, 10);
    c.in(PA, 20);
    c.to(State::fin_wait1, curl);
    c.out(FA);
    c.in(A);
    c.to(State::fin_wait2);
    stream.wait(1 * s);
    c.to(State::close, by);
    if (reset) {
      c.out(RA);
      c.kernel_reset(ResetDirection::sent, reason_abort_on_close, by, false);
    }
    return run_with(stream.events, 100 * ms);
  };
  const RunResult lives_on = closes(curl, true);
  EXPECT_EQ(lives_on.life().outcome, Outcome::reset_by_local);
  EXPECT_TRUE(lives_on.life().explanation.contains("closed with unread data")) << lives_on.life().explanation;
  EXPECT_FALSE(lives_on.life().explanation.contains("the peer sent data")) << lives_on.life().explanation;
  EXPECT_EQ(lives_on.life().states.back(), TcpState::close);
  const RunResult killed = closes(killed_curl, true);
  EXPECT_EQ(killed.life().outcome, Outcome::aborted);
  EXPECT_TRUE(killed.life().explanation.contains("a RST behind its FIN")) << killed.life().explanation;
  EXPECT_EQ(closes(curl, false).life().outcome, Outcome::open) << "a mini-socket waits for the peer's FIN";
}

// Linux 6.1 reports no reset by a mini-socket: then the RST is what shows it, by its number, in its time.
TEST(FinWait2Timeout, ARstOfTheMiniSocketIsTheEndWithoutAReportToo) {
  const auto after = [](std::int64_t time, std::uint32_t off_by) {
    Stream stream;
    Side c = closes_for_good(stream);
    stream.wait(time);
    c.view = time < 3 * s ? SocketKind::time_wait : SocketKind::none;
    c.state = State::fin_wait2;
    c.in(PA, 6);
    c.view = SocketKind::control;
    c.snd_nxt += off_by;
    c.out(R);
    return run_with(stream.events, 800 * ms);
  };
  const RunResult reported = after(2 * s, 0);
  EXPECT_EQ(reported.life().outcome, Outcome::reset_by_local);
  EXPECT_GE(reported.life().duration_ns, 2 * s);
  const auto origin = reported.finding(Rule::reset_origin);
  ASSERT_TRUE(origin.has_value());
  EXPECT_EQ(origin->confidence, Confidence::likely) << "the kernel has not said so";
  EXPECT_EQ(after(2 * s, 1).life().outcome, Outcome::open) << "another number: of no concern to this connection";
  EXPECT_EQ(after(3 * s + 100 * ms, 0).life().outcome, Outcome::fin_wait2_timeout) << "there was no socket any more";
}

// As with --wire none: no segment is seen, and the destroyed socket has no counters of any.
std::vector<Event> without_packets(std::vector<Event> events) {
  std::erase_if(events, [](const Event& e) { return std::holds_alternative<Segment>(e.body); });
  for (Event& event : events) {
    if (auto* destroyed = std::get_if<SocketDestroyed>(&event.body)) destroyed->has_wire = 0;
    if (auto* found = std::get_if<SocketFound>(&event.body)) found->has_wire = 0;
  }
  return events;
}

// The sockets in FIN_WAIT2 are listed: this one is among them or not.
void lists_fin_wait2(Stream& stream, Side& c, bool there) {
  SocketFound all{};
  all.header.kind = TW_KIND_SOCKET;
  all.header.ts_ns = static_cast<std::uint64_t>(stream.now);
  all.type = SocketKind::none;
  all.cb.state = State::fin_wait2;
  const TimeNs begun = stream.now;
  if (there) c.found(SocketKind::time_wait, State::fin_wait2);
  stream.add(all);
  stream.events.back().ts_ns = begun;
}

TEST(FinWait2Unseen, IsNotCompletedBeforeTheKernelWasAsked) {
  Stream stream;
  closes_for_good(stream);
  const Life life = run_with(without_packets(stream.events), 500 * ms).life();
  EXPECT_EQ(life.outcome, Outcome::unknown);
  EXPECT_TRUE(life.explanation.contains("whether the peer's FIN came does not show")) << life.explanation;
}

TEST(FinWait2Unseen, IsWhatComesByAnotherInterfaceToo) {
  Stream stream;
  Side c = closes_for_good(stream);
  EXPECT_EQ(run_with(without_arrivals(stream.events), 500 * ms).life().outcome, Outcome::unknown);
  EXPECT_EQ(run_with(without_arrivals(stream.events), 5 * s).life().outcome, Outcome::unknown) << "no timeout either";
  stream.wait(1 * s);
  lists_fin_wait2(stream, c, false);
  EXPECT_EQ(run_with(without_arrivals(stream.events), 100 * ms).life().outcome, Outcome::completed);
}

TEST(FinWait2Unseen, LeftBeforeItsTimeItIsCompleted) {
  Stream stream;
  Side c = closes_for_good(stream);
  stream.wait(1 * s);
  lists_fin_wait2(stream, c, false);
  EXPECT_EQ(run_with(without_packets(stream.events), 100 * ms).life().outcome, Outcome::completed);
}

TEST(FinWait2Unseen, StillThereItIsOpen) {
  Stream stream;
  Side c = closes_for_good(stream);
  stream.wait(1 * s);
  lists_fin_wait2(stream, c, true);
  EXPECT_EQ(run_with(without_packets(stream.events), 100 * ms).life().outcome, Outcome::open);
}

TEST(FinWait2Unseen, ThereAtTheEndOfItsTimeItTimedOut) {
  for (const bool late : {true, false}) {
    Stream stream;
    Side c = closes_for_good(stream, 30000);
    stream.wait(1 * s);
    lists_fin_wait2(stream, c, true);
    stream.wait(late ? 28 * s : 10 * s);
    lists_fin_wait2(stream, c, true);
    const Life life = run_with(without_packets(stream.events), late ? 10 * s : 30 * s).life();
    EXPECT_EQ(life.outcome, late ? Outcome::fin_wait2_timeout : Outcome::unknown)
        << "seen 20 s before, it may have closed";
  }
}

// What is gone only after its time can have been ended by either.
TEST(FinWait2Unseen, GoneBehindItsTimeIsNoProofOfAFin) {
  Stream stream;
  Side c = closes_for_good(stream);
  stream.wait(3 * s + 50 * ms);
  lists_fin_wait2(stream, c, false);
  EXPECT_EQ(run_with(without_packets(stream.events), 5 * s).life().outcome, Outcome::unknown);
}

// The list begins before the socket is closed and ends behind it.
TEST(FinWait2Unseen, AListThatBeganBeforeSaysNothing) {
  Stream stream;
  Side c = closes_for_good(stream);
  lists_fin_wait2(stream, c, false);
  stream.events.back().ts_ns -= 1 * s;
  EXPECT_EQ(run_with(without_packets(stream.events), 100 * ms).life().outcome, Outcome::unknown);
}

// FIN_WAIT1, while the FIN itself waits behind data: the peer's leaves first, and ours acknowledges it.
TEST(ClosedBy, AFinBehindDataIsNotTheFirst) {
  for (const bool waits : {true, false}) {
    Stream stream;
    Side c = client_of(stream);
    connects(c);
    c.out(PA, 10);
    c.to(State::fin_wait1, curl);
    if (!waits) c.out(FA);
    c.acked_by_peer = waits ? c.snd_nxt : c.snd_nxt - 1;
    c.in(FA);
    c.to(State::closing);
    if (waits) c.out(FA, 0, TW_EVENT_FIN_ACK);
    if (!waits) c.out(A, 0, TW_EVENT_FIN_ACK);
    c.in(A, 0, TW_EVENT_FIN_ACK);
    c.to(State::close);
    c.destroy();
    const Life life = run_with(stream.events, 100 * ms).life();
    EXPECT_EQ(life.outcome, Outcome::completed);
    EXPECT_EQ(life.closed_by, waits ? ClosedBy::peer : ClosedBy::both) << "FINs that cross";
    EXPECT_TRUE(life.explanation.contains("both wait in TIME_WAIT")) << life.explanation;
    const auto waiting = std::ranges::find(life.findings, Rule::time_wait, &Finding::rule);
    ASSERT_NE(waiting, life.findings.end());
    EXPECT_TRUE(found<arguments::TimeWait>(*waiting).with_peer);
  }
}

// SO_LINGER 0 in LAST_ACK: neither a RST nor the FIN again.
TEST(GivenUp, AFinThatNobodyRepeatsIsNoCompletedClose) {
  for (const bool acknowledged : {false, true}) {
    Stream stream;
    Side c = client_of(stream);
    connects(c);
    c.in(FA);
    c.to(State::close_wait);
    c.out(A, 0, TW_EVENT_FIN_ACK);
    c.to(State::last_ack, curl);
    c.out(FA);
    if (acknowledged) c.in(A, 0, TW_EVENT_FIN_ACK);
    c.to(State::close, curl, [](StateChange& e) { e.actor.flags |= TW_ACTOR_OWNED; });
    c.destroy();
    const Life life = run_with(stream.events, 100 * ms).life();
    EXPECT_EQ(life.outcome, acknowledged ? Outcome::completed : Outcome::unknown);
    EXPECT_EQ(life.explanation.contains("curl[42] closed the socket before the peer had acknowledged"), !acknowledged)
        << life.explanation;
  }
}

// Its FIN was lost, and the peer closed seconds later by itself.
TEST(ClosedBy, WithoutPacketsTheTransitionsShowWhichFinWasFirst) {
  for (const std::int64_t apart : {3 * s, 10 * ms}) {
    Stream stream;
    Side c = client_of(stream);
    c.to(State::syn_sent, curl);
    c.to(State::established);
    c.to(State::fin_wait1, curl);
    stream.wait(apart);
    c.to(State::closing);
    c.to(State::close);
    c.destroy();
    const Life life = run_with(stream.events, 100 * ms).life();
    EXPECT_EQ(life.closed_by, apart == 3 * s ? ClosedBy::local : ClosedBy::both);
  }
}

// ---- What comes for the mini-socket of an orphan in FIN_WAIT2 ----

RunResult reaches_mini_socket(const std::function<void(Side&)>& comes, std::int64_t after_ns = 100 * ms) {
  Stream stream;
  Side c = closes_for_good(stream);
  stream.wait(500 * ms);
  c.view = SocketKind::time_wait;
  c.state = State::fin_wait2;
  comes(c);
  return run(stream.events, trace_settings(), after_ns);
}

// It takes nothing of it, and is gone.
void refuses_by_reset(Side& c) {
  c.kernel_reset(ResetDirection::sent, reason_timewait, nobody, true);
  c.view = SocketKind::control;
  c.out(R);
}

// A segment that TCP does not get: the firewall drops it, or what else `reason` says.
void in_dropped(Side& c, std::uint8_t flags, std::uint32_t reason = drop_netfilter) {
  const Side before = c;
  c.in(flags);
  c.drop(reason, false, flags);
  c.refuses(before);
}

TEST(MiniSocket, RefusesAFinThatIsNotAlone) {
  constexpr std::uint32_t len = 8;
  const auto with_data = [](Side& c) { c.in(FA, len); };
  const auto behind_hole = [](Side& c) {
    c.peer_nxt += len;
    c.in(FA);
  };
  const auto full = [](Side& c) {
    c.view = SocketKind::full;
    c.in(FA, len);
  };
  for (const std::function<void(Side&)>& comes : {std::function<void(Side&)>(with_data), {behind_hole}, {full}}) {
    const RunResult reported = reaches_mini_socket([&](Side& c) {
      comes(c);
      refuses_by_reset(c);
    });
    EXPECT_EQ(reported.life().outcome, Outcome::reset_by_local);
    EXPECT_TRUE(reported.life().explanation.contains("the peer sent data")) << reported.life().explanation;
    EXPECT_FALSE(reported.finding(Rule::time_wait).has_value());
  }
}

TEST(MiniSocket, TakesAFinBehindWhatItHasAlready) {
  const RunResult reported = reaches_mini_socket([](Side& c) {
    c.rcv_nxt += 10;
    c.peer_nxt = c.rcv_nxt - 10;
    c.in(FA, 10);
  });
  EXPECT_EQ(reported.life().outcome, Outcome::completed);
  EXPECT_TRUE(reported.finding(Rule::time_wait).has_value());
}

// Linux 6.1 reports no RST of a mini-socket: without the RST on the wire its time goes on.
TEST(MiniSocket, WhatItDidNotTakeDoesNotKeepIt) {
  const RunResult reported = reaches_mini_socket([](Side& c) { c.in(FA, 8); }, 5 * s);
  EXPECT_EQ(reported.life().outcome, Outcome::fin_wait2_timeout);
}

// The hook shows it while the socket is there still, and then the socket becomes the mini-socket.
TEST(MiniSocket, OfAFinOnItsWayTakesWhatItWouldTakeOtherwise) {
  const auto closes = [](std::uint32_t len, bool dropped) {
    Stream stream;
    Side c = client_of(stream);
    connects(c);
    c.to(State::fin_wait1, curl);
    c.out(FA);
    c.in(A, 0, TW_EVENT_FIN_ACK);
    c.to(State::fin_wait2);
    const Side before = c;
    c.in(FA, len);
    Side after = c;
    c.refuses(before);
    c.to(State::close, curl, [](StateChange& e) { e.fin_timeout_ms = 3000; });
    if (dropped) after.drop(drop_netfilter, false, FA, len);
    if (len != 0) refuses_by_reset(c);
    return run_with(stream.events, 5 * s).life();
  };
  EXPECT_EQ(closes(0, false).outcome, Outcome::completed);
  EXPECT_EQ(closes(8, false).outcome, Outcome::reset_by_local);
  EXPECT_EQ(closes(0, true).outcome, Outcome::fin_wait2_timeout);
}

TEST(MiniSocket, IsNotEndedByAFinThatWasDropped) {
  for (const std::uint32_t reason : {drop_netfilter, drop_csum, drop_paws}) {
    const auto drops = [&](Side& c) { in_dropped(c, FA, reason); };
    const Life life = reaches_mini_socket(drops).life();
    EXPECT_EQ(life.outcome, Outcome::open);
    EXPECT_EQ(life.states.back(), State::fin_wait2);
    const Life forgotten = reaches_mini_socket(drops, 5 * s).life();
    EXPECT_EQ(forgotten.outcome, Outcome::fin_wait2_timeout);
    EXPECT_TRUE(forgotten.explanation.contains("but its own FIN was dropped on this machine")) << forgotten.explanation;
  }
  // Of a FIN that it took the kernel's reason has no name.
  constexpr std::uint32_t not_specified = 2;
  EXPECT_EQ(reaches_mini_socket([](Side& c) { in_dropped(c, FA, not_specified); }).life().outcome, Outcome::completed);
  EXPECT_EQ(reaches_mini_socket([](Side& c) {
              c.in(FA);
              c.peer_nxt += 100;
              c.drop(drop_netfilter, false, FA);
            })
                .life()
                .outcome,
            Outcome::completed)
      << "another segment was dropped";
}

TEST(MiniSocket, TakesTheFinThatComesAgain) {
  const RunResult reported = reaches_mini_socket([](Side& c) {
    in_dropped(c, FA);
    c.stream().wait(200 * ms);
    c.in(FA, 0, TW_EVENT_RETRANSMISSION);
  });
  EXPECT_EQ(reported.life().outcome, Outcome::completed);
  const std::vector<State> states{State::syn_sent, State::established, State::fin_wait1, State::fin_wait2,
                                  State::time_wait};
  EXPECT_EQ(reported.life().states, states);
}

TEST(MiniSocket, IsEndedByARstThatReachesIt) {
  EXPECT_EQ(reaches_mini_socket([](Side& c) { c.in(R); }).life().outcome, Outcome::reset_by_peer);
  const auto goes_on = [](const std::function<void(Side&)>& resets) {
    return reaches_mini_socket([&](Side& c) {
             resets(c);
             c.stream().wait(200 * ms);
             c.in(FA);
             c.out(A, 0, TW_EVENT_FIN_ACK);
           })
        .life()
        .outcome;
  };
  EXPECT_EQ(goes_on([](Side& c) { in_dropped(c, R); }), Outcome::completed);
  EXPECT_EQ(goes_on([](Side& c) { c.in(R, 0, 0, [](Segment& g) { g.seq -= 1; }); }), Outcome::completed)
      << "before its window";
  EXPECT_EQ(goes_on([](Side& c) { c.in(R); }), Outcome::reset_by_peer);
}

TEST(Request, IsEndedByARstThatReachesIt) {
  for (const bool dropped : {true, false}) {
    Stream stream;
    listens(stream);
    Side c = server_of(stream);
    c.view = SocketKind::listener;
    c.in(S);
    c.view = SocketKind::request;
    c.state = State::new_syn_recv;
    c.out(SA);
    dropped ? in_dropped(c, R) : void(c.in(R));
    if (dropped) {
      stream.wait(300 * ms);
      c.in(A, 0, TW_EVENT_HANDSHAKE_ACK);
      c.view = SocketKind::full;
      c.state = State::listen;
      c.to(State::syn_recv);
      c.to(State::established);
      closes_second(c, nginx);
    }
    const RunResult reported = run_with(stream.events, 100 * ms);
    ASSERT_EQ(reported.lives().size(), 1U);
    EXPECT_EQ(reported.life().outcome, dropped ? Outcome::completed : Outcome::reset_by_peer);
  }
}

// The kernel's word on the last RST is missing: the one that the firewall dropped was not it.
TEST(Outcome, ARstThatWasDroppedEndsNothingLater) {
  for (const bool dropped : {true, false}) {
    Stream stream;
    Side c = client_of(stream);
    connects(c);
    dropped ? in_dropped(c, R) : void(c.in(R));
    stream.wait(1 * s);
    c.to(State::close);
    EXPECT_EQ(run_with(stream.events, 3 * s).life().outcome, dropped ? Outcome::unknown : Outcome::reset_by_peer);
  }
}

// Its FIN came, and this machine's firewall dropped it, each time.
TEST(PeerNotClosing, IsNotToldOfAFinThatWasDroppedHere) {
  for (const TimeNs comes_after : {1 * s, 11 * s}) {
    Stream stream;
    Side c = client_of(stream);
    connects(c);
    c.to(State::fin_wait1, curl);
    c.out(FA);
    c.in(A, 0, TW_EVENT_FIN_ACK);
    c.to(State::fin_wait2);
    stream.wait(comes_after);
    in_dropped(c, FA);
    stream.wait(12 * s - comes_after);
    c.found(SocketKind::full, State::fin_wait2);
    const Life life = run_with(stream.events, 3 * s).life();
    EXPECT_EQ(life.outcome, Outcome::open);
    const auto at = std::ranges::find(life.findings, Rule::peer_not_closing, &Finding::rule);
    ASSERT_EQ(at != life.findings.end(), comes_after > 10 * s);
    if (at != life.findings.end()) {
      EXPECT_LT(found<arguments::PeerNotClosing>(*at).lasted_ns, 12 * s) << "until it came";
    }
  }
}

TEST(PeerNotClosing, IsToldWhileItLasts) {
  Stream stream;
  Side c = closes_for_good(stream, 60000);
  stream.wait(9 * s + 500 * ms);
  c.found(SocketKind::time_wait, State::fin_wait2);
  const auto finding = run_with(stream.events, 3 * s).finding(Rule::peer_not_closing);
  EXPECT_TRUE(says(finding, "10.0.0.2:80 has acknowledged it")) << finding_text(finding);
  EXPECT_EQ(finding->confidence, Confidence::certain);
}

TEST(PeerNotClosing, IsReportedOnceWhileOnlyItsTimeGrows) {
  Stream stream;
  Side c = closes_for_good(stream, 20000);
  stream.wait(9 * s + 500 * ms);
  c.found(SocketKind::time_wait, State::fin_wait2);
  const RunResult reported = run_with(stream.events, 15 * s);
  EXPECT_EQ(reported.life().outcome, Outcome::fin_wait2_timeout);
  EXPECT_EQ(std::ranges::count_if(reported.all<FindingReport>(),
                                  [](const auto& r) { return r.finding.rule == Rule::peer_not_closing; }),
            1);
}

TEST(PeerNotClosing, IsNotCertainUnseen) {
  Stream stream;
  closes_for_good(stream, 60000);
  const auto finding = run_with(stream.events, 13 * s).finding(Rule::peer_not_closing);
  ASSERT_TRUE(finding.has_value());
  EXPECT_EQ(finding->confidence, Confidence::likely);
}

TEST(PeerNotClosing, IsNotToldBeforeItsTime) {
  Stream stream;
  closes_for_good(stream, 60000);
  EXPECT_FALSE(run_with(stream.events, 9 * s).finding(Rule::peer_not_closing).has_value());
}

// A list of the sockets shows it in FIN_WAIT2: since when is not known.
TEST(PeerNotClosing, WhatWasFoundSoLastsAtLeastSoLong) {
  for (const bool closed_both : {true, false}) {
    Stream stream;
    Side c = client_of(stream);
    if (closed_both) c.extra.flags = TW_CB_DEAD;
    c.found(SocketKind::full, State::fin_wait2);
    stream.wait(9 * s + 500 * ms);
    c.found(SocketKind::full, State::fin_wait2);
    const auto finding = run_with(stream.events, 3 * s).finding(Rule::peer_not_closing);
    EXPECT_TRUE(says(finding, "at least 1")) << finding_text(finding);
    EXPECT_EQ(finding->confidence, closed_both ? Confidence::certain : Confidence::likely);
  }
}

// Its sending side was closed long before, and answers came until now.
TEST(PeerNotClosing, CountsFromWhereBothDirectionsWereClosed) {
  struct Case {
    TimeNs after_close;
    bool looked;  // since
  };
  for (const auto& [after_close, looked] : {Case{5 * s, true}, Case{12 * s, true}, Case{12 * s, false}}) {
    Stream stream;
    Side c = client_of(stream);
    connects(c);
    c.out(PA, 10);
    c.to(State::fin_wait1, curl);
    c.out(FA);
    c.in(A, 0, TW_EVENT_FIN_ACK);
    c.to(State::fin_wait2);
    for (int i = 0; i < 20; ++i) {
      stream.wait(1 * s);
      c.in(PA, 1000);
    }
    c.found(SocketKind::full, State::fin_wait2);  // before the close: it shows nothing of what comes behind it
    c.extra.flags = TW_CB_DEAD;
    c.to(State::close, curl, [](StateChange& e) { e.fin_timeout_ms = 60000; });
    c.destroy();
    stream.wait(after_close - 500 * ms);
    if (looked) c.found(SocketKind::time_wait, State::fin_wait2);
    const auto finding = run_with(stream.events, looked ? 500 * ms : after_close).finding(Rule::peer_not_closing);
    ASSERT_EQ(finding.has_value(), after_close > 10 * s) << finding_text(finding);
    if (!finding) continue;
    EXPECT_EQ(finding->confidence, looked ? Confidence::certain : Confidence::likely);
    const auto waits = found<arguments::PeerNotClosing>(finding);
    EXPECT_TRUE(waits.both_directions);
    EXPECT_LT(waits.lasted_ns, 13 * s);
  }
}

// shutdown(SHUT_WR): the peer goes on sending, as is its right.
TEST(PeerNotClosing, AHalfClosedConnectionThatReceivesIsFine) {
  for (const bool receives : {true, false}) {
    Stream stream;
    Side c = client_of(stream);
    connects(c);
    c.out(PA, 10);
    c.to(State::fin_wait1, curl);
    c.out(FA);
    c.in(A, 0, TW_EVENT_FIN_ACK);
    c.to(State::fin_wait2);
    for (int i = 0; i < 12; ++i) {
      stream.wait(1 * s);
      if (receives) c.in(PA, 1000);
      if (i == 8) {
        stream.wait(500 * ms);
        c.found(SocketKind::full, State::fin_wait2);
      }
    }
    const auto finding = run_with(stream.events, 4 * s).finding(Rule::peer_not_closing);
    EXPECT_EQ(finding.has_value(), !receives) << finding_text(finding);
    if (finding) {
      EXPECT_EQ(finding->confidence, Confidence::likely);
    }
  }
}

TEST(WriteAfterPeerClosed, SaysWhoClosedFirstAndWhatIsLost) {
  const RunResult reported = run(write_after_close_story().events);
  const auto finding = reported.finding(Rule::write_after_peer_closed);
  EXPECT_TRUE(says(finding, "10.0.0.2:80 sent its FIN first; 5.00 s later curl[42] sent 50 bytes"))
      << finding_text(finding);
  EXPECT_EQ(finding->confidence, Confidence::certain);
  EXPECT_EQ(finding->evidence.size(), 3U);
}

TEST(WriteAfterPeerClosed, IsNotToldWhereThePeerStillTookData) {
  const RunResult reported = run(write_after_close_story(10).events);
  EXPECT_EQ(reported.life().outcome, Outcome::reset_by_peer);
  EXPECT_FALSE(reported.finding(Rule::write_after_peer_closed).has_value());
}

// Its process had closed one direction, read what came, and broke off before its TCP's delayed ACK.
TEST(WriteAfterPeerClosed, IsNotToldWhereTheRstAcknowledges) {
  for (const bool acknowledges : {true, false}) {
    std::vector<Event> events = write_after_close_story().events;
    std::uint32_t written = 0;
    for (Event& event : events) {
      auto* g = std::get_if<Segment>(&event.body);
      if (g == nullptr) continue;
      if (g->outgoing() && g->len != 0) written = g->seq;
      if ((g->flags & R) == 0) continue;
      g->flags = RA;
      g->ack = written + (acknowledges ? 50 : 0);
    }
    const auto finding = run(events).finding(Rule::write_after_peer_closed);
    ASSERT_EQ(finding.has_value(), !acknowledges);
    if (acknowledges) continue;
    EXPECT_EQ(finding->confidence, Confidence::likely) << "it breaks off, and need not have got anything";
  }
}

TEST(WriteAfterPeerClosed, IsNotToldOfAnOrderlyAnswerIntoAHalfClosedConnection) {
  Stream stream;
  listens(stream);
  Side c = server_of(stream);
  accepts(c);
  c.in(PA, 50);
  c.used(nginx, OwnerSource::receive);
  c.in(FA);
  c.to(State::close_wait);
  c.out(A, 0, TW_EVENT_FIN_ACK);
  stream.wait(1 * s);
  c.out(PA, 1000);
  c.in(A);
  c.to(State::last_ack, nginx);
  c.out(FA);
  c.in(A, 0, TW_EVENT_FIN_ACK);
  c.to(State::close);
  c.destroy();
  EXPECT_FALSE(run(stream.events).finding(Rule::write_after_peer_closed).has_value());
}

TEST(WriteAfterPeerClosed, AGapTakesTheCertainty) {
  expect_downgraded_by_a_gap(write_after_close_story(), Rule::write_after_peer_closed, Confidence::certain);
}

// Children that were forked behind connect() use it, too: which one wrote does not show.
TEST(WriteAfterPeerClosed, NamesNobodyWhereAChildUsesTheConnectionToo) {
  for (const bool shared : {true, false}) {
    Stream stream;
    Side c = client_of(stream);
    connects(c);
    if (shared) c.used(worker, OwnerSource::send);
    c.out(PA, 50);
    c.in(PA, 70);
    c.in(FA);
    c.to(State::close_wait);
    stream.wait(5 * s);
    c.out(PA, 50);
    c.in(R, 0, 0, [&](Segment& g) { g.seq = c.rcv_nxt; });
    c.kernel_reset(ResetDirection::received, reset_reason_unknown);
    c.extra.sk_err = EPIPE;
    c.to(State::close);
    c.error(EPIPE);
    const auto finding = run(stream.events).finding(Rule::write_after_peer_closed);
    EXPECT_EQ(says(finding, "a process that was not identified sent 50"), shared) << finding_text(finding);
    EXPECT_EQ(says(finding, "curl[42] sent 50"), !shared) << finding_text(finding);
  }
}

}  // namespace
}  // namespace tcpwitness::testing
