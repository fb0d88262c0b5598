// SPDX-License-Identifier: Apache-2.0
// Findings: for each rule one story that makes it true and one that makes it almost true.
#include <gtest/gtest.h>

#include "judge/judge.hpp"
#include "unit/says.hpp"

namespace tcpwitness::testing {
namespace {

TEST(Keepalive, UnansweredProbesEndInTimeout) {
  const RunResult reported = run(keepalive_death_story().events, trace_settings());
  const auto finding = reported.finding(Rule::keepalive);
  EXPECT_TRUE(says(finding,
                   "3 of 3 keep-alive probes left eth0, no answer arrived: connection declared dead after 5.00 s as "
                   "configured (2 s idle, 1 s interval, 3 probes)"))
      << (finding ? sentence(*finding) : "");
  EXPECT_EQ(finding->confidence, Confidence::certain);
  const auto entries = reported.entries_of<KeepaliveEntry>();
  ASSERT_EQ(entries.size(), 4U);
  EXPECT_EQ(entries.back().second.what, KeepaliveEntry::What::gave_up);
}

// tcp_keepalive_timer(): with TCP_USER_TIMEOUT the count of probes ends nothing.
TEST(Keepalive, BeforeItsLastProbeItIsTheUserTimeoutThatIsOver) {
  const auto explanation = [](std::uint8_t probes) {
    Stream stream;
    Side c = client_of(stream);
    keepalive_on(c);
    c.extra.keepalive_probes = probes;
    c.extra.user_timeout_ms = 2500;
    connects(c);
    stream.wait(1 * s);
    for (std::uint8_t i = 0; i < 2; ++i) {
      c.extra.icsk_probes_out = i;
      sends_probe(c);
      stream.wait(1 * s);
    }
    c.out(RA);
    c.kernel_reset(ResetDirection::sent, reason_keepalive);
    c.extra.sk_err = 110;
    c.to(State::close);
    c.error(110);
    return run(stream.events).life().explanation;
  };
  EXPECT_TRUE(explanation(9).contains("the kernel gave up when TCP_USER_TIMEOUT (2.50 s) was over")) << explanation(9);
  EXPECT_FALSE(explanation(2).contains("TCP_USER_TIMEOUT")) << explanation(2);
}

TEST(Keepalive, AnOtherSilenceThanConfiguredIsNotCalledSo) {
  Story story = keepalive_death_story();
  for (Event& event : story.events) {
    if (auto* error = std::get_if<SocketError>(&event.body)) error->cb.since_received_ms = 9000;
    if (auto* change = std::get_if<StateChange>(&event.body)) change->cb.since_received_ms = 9000;
  }
  const auto finding = run(story.events).finding(Rule::keepalive);
  const auto death = found<arguments::Keepalive>(finding).death;
  ASSERT_TRUE(death.has_value()) << finding_text(finding);
  EXPECT_EQ(death->silence_ms, 9000);
  EXPECT_FALSE(death->as_configured);
}

TEST(Keepalive, AnsweredProbesAreCountedAndKillNobody) {
  const RunResult reported = run(keepalive_answered_story().events, trace_settings());
  const auto probes = found<arguments::Keepalive>(reported.finding(Rule::keepalive));
  EXPECT_EQ(probes.sent, 2U);
  EXPECT_EQ(probes.answered, 2U);
  EXPECT_FALSE(probes.death.has_value());
  EXPECT_EQ(reported.life().outcome, Outcome::completed);
}

// The answers come by an interface that is not traced.
TEST(Keepalive, IsNotUnansweredWhereTheOtherDirectionWasNotSeen) {
  const auto finding = run(without_arrivals(keepalive_answered_story().events)).finding(Rule::keepalive);
  EXPECT_TRUE(says(finding, "sent, no segment of the peer was seen;")) << finding_text(finding);
  EXPECT_FALSE(says(finding, "answered")) << finding_text(finding);
}

TEST(Keepalive, DeathIsPredictedOneIntervalAfterTheLastAllowedProbe) {
  const auto entries = run(keepalive_death_story().events, trace_settings()).entries_of<KeepaliveEntry>();
  ASSERT_GE(entries.size(), 3U);
  EXPECT_EQ(entries[0].second.dead_at_ns - entries[0].first.ts_ns, 3 * s);
  EXPECT_EQ(entries[2].second.dead_at_ns - entries[2].first.ts_ns, 1 * s);
}

TEST(Keepalive, AProbeWithDataQueuedIsAZeroWindowProbe) {
  Stream stream;
  Side c = client_of(stream);
  keepalive_on(c);
  connects(c);
  c.write_seq += 10;
  sends_probe(c);
  const RunResult reported = run(stream.events, trace_settings());
  EXPECT_FALSE(reported.finding(Rule::keepalive).has_value());
  EXPECT_TRUE(reported.finding(Rule::zero_window).has_value());
  EXPECT_EQ(reported.entries_of<ProbeEntry>().size(), 1U);
}

TEST(Keepalive, AProbeFromAProcessThatLeavesRepairIsNeither) {
  Stream stream;
  Side c = client_of(stream);
  connects(c);
  c.out(A, 0, TW_EVENT_KEEPALIVE, [&](Segment& g) {
    g.seq = c.snd_una - 1;
    g.socket.flags = TW_CB_OWNED;
  });
  const RunResult reported = run(stream.events, trace_settings());
  EXPECT_FALSE(reported.finding(Rule::keepalive).has_value());
  EXPECT_FALSE(reported.finding(Rule::zero_window).has_value());
}

TEST(Keepalive, FromTheWireAloneItIsOnlyLikely) {
  Story story = keepalive_answered_story();
  std::erase_if(story.events, [](const Event& e) { return !std::holds_alternative<Segment>(e.body); });
  for (Event& event : story.events) {
    std::get<Segment>(event.body).socket = {};
    std::get<Segment>(event.body).socket.type = SocketKind::unknown;
  }
  CorrelatorSettings settings = life_settings();
  settings.has_kernel = false;
  EXPECT_EQ(run(story.events, settings).finding(Rule::keepalive)->confidence, Confidence::likely);
  const auto one_way = run(without_arrivals(story.events), settings).finding(Rule::keepalive);
  EXPECT_EQ(one_way->confidence, Confidence::inconclusive) << "a probe into a closed window has the same numbers";
}

// Tracing began while the window was closed: the answer to the first probe shows it.
TEST(ZeroWindow, AProbeThatAClosedWindowAnswersIsNoKeepalive) {
  const auto reported = [](std::uint16_t window, bool in, bool alone) {
    Stream stream;
    Side c = client_of(stream);
    const std::uint16_t flags = window == 0 ? TW_EVENT_KEEPALIVE_ACK | TW_EVENT_ZERO_WINDOW : TW_EVENT_KEEPALIVE_ACK;
    c.found(SocketKind::full, State::established);
    if (in) {
      c.in(A, 0, TW_EVENT_KEEPALIVE, [&](Segment& g) { g.seq = c.rcv_nxt - 1; });
      c.out(A, 0, flags, [&](Segment& g) { g.window = window; });
    } else {
      c.out(A, 0, TW_EVENT_KEEPALIVE, [&](Segment& g) { g.seq = c.snd_una - 1; });
      c.in(A, 0, flags, [&](Segment& g) { g.window = window; });
    }
    stream.wait(1 * s);
    return alone ? run(wire_alone(stream.events), wire_settings()) : run(stream.events, trace_settings());
  };
  for (const bool in : {true, false}) {
    for (const bool alone : {true, false}) {
      if (!in && !alone) continue;  // the sending kernel has it
      EXPECT_FALSE(reported(0, in, alone).finding(Rule::keepalive).has_value()) << in << alone;
      const auto window = found<arguments::ZeroWindow>(reported(0, in, alone).finding(Rule::zero_window));
      EXPECT_EQ((in ? window.local : window.peer)->probes, 1U) << in << alone;
      EXPECT_TRUE(reported(500, in, alone).finding(Rule::keepalive).has_value()) << in << alone;
    }
  }
}

TEST(ZeroWindow, NamesWhoseWindowWasClosedAndForHowLong) {
  const auto finding = run(zero_window_story().events).finding(Rule::zero_window);
  EXPECT_TRUE(says(finding, "the receive window of the peer was closed for 2.00 s"));
  const auto window = found<arguments::ZeroWindow>(finding);
  ASSERT_TRUE(window.peer.has_value());
  EXPECT_EQ(window.peer->closed_ns / s, 2);
  EXPECT_EQ(window.peer->probes, 2U);
  EXPECT_EQ(window.waiting_bytes, 300U);
  EXPECT_FALSE(window.local.has_value());
}

TEST(ZeroWindow, AFinBehindWhatWaitsIsNoByte) {
  const auto waiting = [](std::uint32_t bytes, bool closes) {
    Stream stream;
    Side c = client_of(stream);
    connects(c);
    c.out(PA, 500);
    c.in(A, 0, TW_EVENT_ZERO_WINDOW, [](Segment& g) { g.window = 0; });
    c.write_seq += bytes + (closes ? 1 : 0);
    if (closes) c.to(State::fin_wait1, curl);
    stream.wait(1 * s);
    sends_probe(c);
    return found<arguments::ZeroWindow>(run(stream.events).finding(Rule::zero_window)).waiting_bytes;
  };
  EXPECT_EQ(waiting(300, true), 300U);
  EXPECT_EQ(waiting(300, false), 300U);
  EXPECT_EQ(waiting(0, true), 0U) << "the FIN alone";
}

TEST(ZeroWindow, IsThisSidesProcessWhenWeAdvertisedIt) {
  Stream stream;
  Side c = client_of(stream);
  connects(c);
  c.in(PA, 500);
  c.out(A, 0, TW_EVENT_ZERO_WINDOW, [](Segment& g) { g.window = 0; });
  stream.wait(3 * s);
  c.in(A, 0, TW_EVENT_KEEPALIVE, [&](Segment& g) { g.seq = c.rcv_nxt - 1; });
  const RunResult reported = run(stream.events, trace_settings());
  const auto window = found<arguments::ZeroWindow>(reported.finding(Rule::zero_window));
  EXPECT_FALSE(window.peer.has_value());
  ASSERT_TRUE(window.local.has_value());
  EXPECT_EQ(window.local_process.comm, "curl");
  EXPECT_EQ(window.local->now, arguments::ClosedWindow::Now::closed) << "the connection goes on";
  EXPECT_FALSE(reported.finding(Rule::keepalive).has_value());
}

TEST(ZeroWindow, NeverOpensAgainOnceTheConnectionHasEnded) {
  Stream stream;
  Side c = client_of(stream);
  connects(c);
  c.in(PA, 500);
  c.out(A, 0, TW_EVENT_ZERO_WINDOW, [](Segment& g) { g.window = 0; });
  stream.wait(3 * s);
  c.in(R);
  c.kernel_reset(ResetDirection::received, reset_reason_unknown);
  c.extra.sk_err = ECONNRESET;
  c.to(State::close);
  c.destroy();
  const auto window = found<arguments::ZeroWindow>(run(stream.events).finding(Rule::zero_window));
  EXPECT_EQ(window.local.value().now, arguments::ClosedWindow::Now::never_opened);
}

TEST(ZeroWindow, AMomentWithoutProbesIsFlowControlAtWork) {
  Stream stream;
  Side c = client_of(stream);
  connects(c);
  c.in(PA, 500);
  c.out(A, 0, TW_EVENT_ZERO_WINDOW, [](Segment& g) { g.window = 0; });
  stream.wait(5 * ms);
  c.out(A, 0, TW_EVENT_WINDOW_OPEN);
  closes_first(c, curl);
  EXPECT_FALSE(run(stream.events).finding(Rule::zero_window).has_value());
}

TEST(ZeroWindow, TheWindowOfARstClosesNothing) {
  Stream stream;
  Side c = client_of(stream);
  connects(c);
  c.in(RA, 0, 0, [](Segment& g) { g.window = 0; });
  EXPECT_FALSE(run(stream.events).finding(Rule::zero_window).has_value());
}

TEST(Retransmission, CausesFollowTheOrderOfEvidence) {
  const auto cause = [](std::uint8_t ca, std::uint8_t pending, std::uint8_t retransmits) {
    Stream stream;
    Side c = client_of(stream);
    connects(c);
    c.out(PA, 10);
    c.retransmit(ca, pending, retransmits);
    return run(stream.events, trace_settings()).entries_of<RetransmitEntry>().at(0).second.cause;
  };
  EXPECT_EQ(cause(3, 1, 0), RetransmitKind::fast);
  EXPECT_EQ(cause(4, 0, 1), RetransmitKind::rto);
  EXPECT_EQ(cause(4, 0, 0), RetransmitKind::zero_window_rto);
  EXPECT_EQ(cause(4, 1, 1), RetransmitKind::loss_recovery);
  EXPECT_EQ(cause(0, 5, 0), RetransmitKind::tail_loss);
  EXPECT_EQ(cause(1, 1, 0), RetransmitKind::unknown);
}

TEST(Retransmission, SynIsNamedBeforeAnythingElse) {
  const RunResult reported = run(no_answer_story().events, trace_settings());
  for (const auto& [entry, body] : reported.entries_of<RetransmitEntry>()) EXPECT_EQ(body.cause, RetransmitKind::syn);
  EXPECT_EQ(reported.entries_of<RetransmitEntry>().back().second.attempt, 3U);
  EXPECT_EQ(reported.life().retransmits, 3U);
  const auto again = found<arguments::Retransmission>(reported.finding(Rule::retransmission)).by_kernel.value();
  ASSERT_EQ(again.causes.size(), 1U);
  EXPECT_EQ(again.causes[0].kind, RetransmitKind::syn);
  EXPECT_EQ(again.causes[0].count, 3U);
}

TEST(Retransmission, ThatNeverLeftIsSaidSo) {
  Stream stream;
  Side c = client_of(stream);
  connects(c);
  c.out(PA, 10);
  c.retransmit(4, 0, 1, [](Retransmit& r) { r.err = -1; });
  const auto finding = run(stream.events).finding(Rule::retransmission);
  EXPECT_EQ(found<arguments::Retransmission>(finding).by_kernel.value().refused, 1U);
  EXPECT_TRUE(says(finding, "1 of them never left"));
}

TEST(Retransmission, NewDataIsNone) {
  EXPECT_FALSE(run(close_first_story().events).finding(Rule::retransmission).has_value());
}

TEST(TimeWait, OnlyTheActiveCloserWaits) {
  EXPECT_TRUE(run(close_first_story().events).finding(Rule::time_wait).has_value());
  EXPECT_FALSE(run(close_second_story().events).finding(Rule::time_wait).has_value());
}

TEST(TimeWait, BothWaitAfterASimultaneousClose) {
  const auto finding = run(simultaneous_close_story().events).finding(Rule::time_wait);
  EXPECT_TRUE(found<arguments::TimeWait>(finding).with_peer);
  EXPECT_EQ(finding->confidence, Confidence::certain);
}

std::vector<Event> stuck(std::int64_t lasts, bool closes) {
  Stream stream;
  listens(stream);
  Side c = server_of(stream);
  accepts(c);
  c.in(FA);
  c.to(State::close_wait);
  stream.wait(lasts);
  if (closes) {
    c.to(State::last_ack, nginx);
  } else {
    c.out(PA, 1);
  }
  return stream.events;
}

// The kernel is asked who has it open, a moment before it is reported.
std::optional<Finding> stuck_with_descriptor(std::initializer_list<Caller> holders, std::uint32_t idle_ms = 9500) {
  Stream stream;
  listens(stream);
  Side c = server_of(stream);
  accepts(c);
  c.in(FA);
  c.to(State::close_wait);
  stream.wait(9500 * ms);
  for (const Caller& holder : holders) c.used(holder, OwnerSource::snapshot, idle_ms, 19);
  stream.wait(2 * s);
  c.out(PA, 1);
  return run(stream.events).finding(Rule::close_wait_stuck);
}

TEST(CloseWaitStuck, NamesTheDescriptorThatIsStillOpen) {
  const auto finding = stuck_with_descriptor({nginx, worker});
  EXPECT_TRUE(says(finding, "nginx[80] has not closed fd 19 (CLOSE_WAIT)")) << finding_text(finding);
  EXPECT_EQ(finding->confidence, Confidence::certain);
}

// The FIN came before accept(): the newest control block is older than it.
std::optional<Finding> stuck_accepted_late(bool used, bool shown) {
  Stream stream;
  listens(stream);
  Side c = server_of(stream);
  accepts(c);
  c.extra.details = TW_CB_UNACCEPTED;
  c.in(FA);
  c.to(State::close_wait);
  if (used) c.used(nginx, OwnerSource::receive);
  stream.wait(9500 * ms);
  if (shown) c.used(nginx, OwnerSource::snapshot, 9500, 19);
  stream.wait(2 * s);
  c.out(A);
  return run(stream.events).finding(Rule::close_wait_stuck);
}

TEST(CloseWaitStuck, SaysThatNobodyHasAcceptedOnlyWhereNothingShowsThatSomebodyHas) {
  using arguments::CloseWaitStuck;
  EXPECT_FALSE(found<CloseWaitStuck>(stuck_accepted_late(false, false)).accepted);
  EXPECT_TRUE(found<CloseWaitStuck>(stuck_accepted_late(true, false)).accepted);
  const auto shown = found<CloseWaitStuck>(stuck_accepted_late(false, true));
  EXPECT_TRUE(shown.accepted);
  EXPECT_EQ(shown.process.pid, 80U);
  EXPECT_EQ(shown.fd, 19);
}

TEST(CloseWaitStuck, NamesTheChildThatHasItWhereTheParentHasClosed) {
  const auto finding = stuck_with_descriptor({worker});
  EXPECT_TRUE(says(finding, "nginx-worker[81] has not closed fd 19 (CLOSE_WAIT)")) << finding_text(finding);
  EXPECT_EQ(finding->confidence, Confidence::certain);
}

TEST(CloseWaitStuck, NamesNobodyOfSeveralThatHaveIt) {
  const auto finding = stuck_with_descriptor({worker, curl});
  EXPECT_TRUE(says(finding, "more than one process has not closed (CLOSE_WAIT)")) << finding_text(finding);
}

TEST(CloseWaitStuck, IsSilentWhileTheHalfThatIsOpenGoesOnSending) {
  EXPECT_FALSE(stuck_with_descriptor({nginx}, 100).has_value());
}

TEST(CloseWaitStuck, IsToldWhileItLastsAndNamesTheProcess) {
  const RunResult reported = run(stuck(11 * s, false));
  const auto reports = reported.all<FindingReport>();
  const auto finding = reported.finding(Rule::close_wait_stuck);
  EXPECT_TRUE(says(finding, "the peer's FIN arrived 11.0 s ago; nginx[80] has not closed (CLOSE_WAIT)"))
      << finding_text(finding);
  EXPECT_EQ(finding->confidence, Confidence::likely);
  EXPECT_EQ(std::count_if(reports.begin(), reports.end(),
                          [](const auto& r) { return r.finding.rule == Rule::close_wait_stuck; }),
            1);
}

TEST(CloseWaitStuck, IsCertainOnceTheProcessHasClosed) {
  const RunResult reported = run(stuck(11 * s, true));
  const auto& findings = reported.life().findings;
  const auto found =
      std::find_if(findings.begin(), findings.end(), [](const Finding& f) { return f.rule == Rule::close_wait_stuck; });
  ASSERT_NE(found, findings.end());
  EXPECT_EQ(found->confidence, Confidence::certain);
}

// What the end adds to a finding that was reported before it.
TEST(CloseWaitStuck, IsReportedAgainWhereTheEndShowsMore) {
  std::vector<Confidence> reported;
  for (const FindingReport& report : run(stuck(11 * s, true)).all<FindingReport>())
    if (report.finding.rule == Rule::close_wait_stuck) reported.push_back(report.finding.confidence);
  EXPECT_EQ(reported, (std::vector{Confidence::likely, Confidence::certain}));
}

// A RST, a timer or ss -K ends it while the process still has it open.
TEST(CloseWaitStuck, WhatAnotherEndsItsProcessHasNotClosed) {
  enum class By : std::uint8_t { process, reset, other_process };
  const auto ends = [](By by) {
    Stream stream;
    listens(stream);
    Side c = server_of(stream);
    accepts(c);
    c.used(nginx, OwnerSource::receive);
    c.in(FA);
    c.to(State::close_wait);
    stream.wait(11 * s);
    if (by == By::reset) c.in(R);
    if (by == By::reset) c.kernel_reset(ResetDirection::received, reset_reason_unknown);
    if (by != By::reset) c.kernel_reset(ResetDirection::sent, reason_abort_on_close, by == By::process ? nginx : curl);
    c.extra.sk_err = by == By::reset ? EPIPE : by == By::other_process ? ECONNABORTED : 0;
    c.to(State::close, by == By::process ? nginx : by == By::other_process ? curl : nobody);
    if (by == By::other_process) c.error(ECONNABORTED);
    c.destroy();
    const Life life = run(stream.events, life_settings(), 1 * s).life();
    const auto at = std::ranges::find(life.findings, Rule::close_wait_stuck, &Finding::rule);
    return at != life.findings.end() ? std::optional(*at) : std::nullopt;
  };
  for (const By by : {By::process, By::reset, By::other_process}) {
    const auto finding = ends(by);
    ASSERT_TRUE(finding.has_value()) << static_cast<int>(by);
    EXPECT_EQ(finding->confidence, Confidence::certain);
    const auto stuck = found<arguments::CloseWaitStuck>(finding);
    EXPECT_EQ(stuck.closed, by == By::process) << static_cast<int>(by);
    EXPECT_EQ(stuck.ended, by != By::process) << static_cast<int>(by);
    EXPECT_EQ(says(finding, "nginx[80] had not closed when the connection ended, 11.0 s later"), by != By::process)
        << finding_text(finding);
  }
}

// It answers behind the peer's FIN, and closes `idle_ms` after the last byte.
std::optional<Finding> answers_and_closes(std::uint32_t idle_ms, bool looked = false, bool wire = true) {
  Stream stream;
  listens(stream);
  Side c = server_of(stream);
  accepts(c);
  c.used(nginx, OwnerSource::receive);
  c.in(FA);
  c.to(State::close_wait);
  c.out(PA, 10);
  c.in(A);
  stream.wait(9500 * ms);
  if (looked) c.used(nginx, OwnerSource::snapshot, std::min(idle_ms, 9500U), 19);
  stream.wait(2 * s);
  c.to(State::last_ack, nginx);
  c.out(FA);
  if (wire) {
    c.times.first_ns[1] = static_cast<std::uint64_t>(stream.now - 11 * s);
    c.times.since_ms[1] = idle_ms;
  }
  c.in(A, 0, TW_EVENT_FIN_ACK);
  c.to(State::close);
  c.destroy();
  const Life life = run(stream.events, life_settings(), 1 * s).life();
  EXPECT_EQ(life.outcome, Outcome::completed);
  const auto at = std::ranges::find(life.findings, Rule::close_wait_stuck, &Finding::rule);
  return at != life.findings.end() ? std::optional(*at) : std::nullopt;
}

TEST(CloseWaitStuck, OneByteBehindTheFinMakesNoStream) {
  for (const bool looked : {true, false}) {
    const auto finding = answers_and_closes(11'000, looked);
    ASSERT_TRUE(finding.has_value());
    EXPECT_EQ(finding->confidence, Confidence::certain);
  }
  EXPECT_FALSE(answers_and_closes(200).has_value()) << "it went on sending";
  EXPECT_FALSE(answers_and_closes(200, true).has_value());
}

TEST(CloseWaitStuck, WithoutPacketsTheLookAtItsDescriptorShowsThatItSendsNothing) {
  EXPECT_TRUE(answers_and_closes(11'000, true, false).has_value());
  EXPECT_FALSE(answers_and_closes(200, true, false).has_value());
  EXPECT_FALSE(answers_and_closes(11'000, false, false).has_value()) << "nobody looked";
}

// Half closed before the run began.
TEST(CloseWaitStuck, WhatWasFoundSoIsOneOnlyWhereItSendsNothing) {
  for (const bool sends : {true, false}) {
    Stream stream;
    Side c = server_of(stream);
    c.found(SocketKind::full, State::close_wait);
    stream.wait(11 * s);
    if (sends) c.out(PA, 10);
    if (sends) c.in(A);
    c.to(State::last_ack, nginx);
    const Life life = run(stream.events).life();
    const bool told = std::ranges::count(life.findings, Rule::close_wait_stuck, &Finding::rule) != 0;
    EXPECT_EQ(told, !sends) << "at its end";
  }
}

TEST(CloseWaitStuck, IsNotSaidJustBeforeItsTime) {
  EXPECT_FALSE(run(stuck(9 * s, true)).finding(Rule::close_wait_stuck).has_value());
}

TEST(ResetOrigin, NamesTheProcessThatDiedWithUnreadData) {
  const auto reset = found<arguments::Reset>(run(killed_unread_story().events).finding(Rule::reset_origin));
  EXPECT_EQ(reset.how, arguments::Reset::How::process_died);
  EXPECT_EQ(reset.process.pid, 42U);
}

TEST(ResetOrigin, PeerIsNeverCertainFromOneEnd) {
  Story story = peer_reset_story();
  EXPECT_EQ(run(story.events).finding(Rule::reset_origin)->confidence, Confidence::likely);
  std::erase_if(story.events, [](const Event& e) { return std::holds_alternative<Reset>(e.body); });
  EXPECT_EQ(run(story.events).finding(Rule::reset_origin)->confidence, Confidence::likely);
}

TEST(ResetOrigin, ARstThatNoSocketSentIsAFirewalls) {
  Stream stream;
  Side c = client_of(stream);
  connects(c);
  c.in(PA, 10);
  c.view = SocketKind::none;
  c.out(RA);
  const auto finding = run(stream.events).finding(Rule::reset_origin);
  EXPECT_EQ(found<arguments::Reset>(finding).how, arguments::Reset::How::firewall_here);
  EXPECT_EQ(finding->confidence, Confidence::likely);
}

TEST(ResetOrigin, ARstThatTcpRefusedHasNoneToTell) {
  Stream stream;
  Side c = client_of(stream);
  connects(c);
  c.in(R, 0, 0, [](Segment& g) { g.seq += 999; });  // in the window, not at its start: a challenge ACK answers it
  closes_first(c, curl);
  const RunResult reported = run(stream.events);
  EXPECT_EQ(reported.life().outcome, Outcome::completed);
  EXPECT_FALSE(reported.finding(Rule::reset_origin).has_value());
}

TEST(HalfOpen, AForgottenConnectionIsLikely) {
  const auto finding = run(forgotten_story().events).finding(Rule::half_open);
  ASSERT_TRUE(finding.has_value());
  EXPECT_EQ(finding->confidence, Confidence::likely);
}

TEST(HalfOpen, AProcessThatBreaksOffSendsRstWithAckAndIsNot) {
  EXPECT_FALSE(run(peer_reset_story().events).finding(Rule::half_open).has_value());
}

TEST(HalfOpen, WithoutSilenceIsNotSaid) {
  Stream stream;
  Side c = client_of(stream);
  connects(c);
  c.out(PA, 10);
  c.in(R);
  c.kernel_reset(ResetDirection::received, reset_reason_unknown);
  c.extra.sk_err = 104;
  c.to(State::close);
  EXPECT_FALSE(run(stream.events).finding(Rule::half_open).has_value());
}

std::vector<Event> stray(bool look_up_finds_none) {
  Stream stream;
  Side c = server_of(stream);
  c.view = look_up_finds_none ? SocketKind::none : SocketKind::unknown;
  c.in(A, 0, 0, [](Segment& g) { g.ack = 4242; });
  Reset reset{};
  reset.header = c.header(TW_KIND_RESET);
  reset.header.cookie = 0;
  reset.tuple = c.tuple();
  reset.direction = ResetDirection::sent;
  reset.answers_segment = 1;
  reset.skb_seq = c.peer_isn();
  reset.reason = look_up_finds_none ? reason_no_socket : reset_reason_unknown;
  stream.add(reset);
  c.view = SocketKind::control;
  c.out(R, 0, 0, [](Segment& g) { g.seq = 4242; });
  return stream.events;
}

TEST(StraySegment, GetsARstAndTheKernelSaysWhy) {
  const RunResult reported = run(stray(true), trace_settings());
  EXPECT_TRUE(reported.lives().empty());
  const auto finding = reported.finding(Rule::stray_segment);
  EXPECT_TRUE(says(finding, "answered by RST (the kernel says NO_SOCKET)")) << (finding ? sentence(*finding) : "");
  EXPECT_EQ(finding->confidence, Confidence::certain);
  EXPECT_EQ(finding->evidence.size(), 3U);
  for (const Entry& entry : reported.entries()) EXPECT_EQ(entry.conn, 0U);
}

// A SYN to a service address; the answer passes its NAT by. acks: what the SYN-ACK acknowledges, beside its number.
std::optional<Finding> answered_by_another(std::uint32_t acks, std::string_view by, std::uint16_t port = 80) {
  Stream stream;
  Side c = client_of(stream);
  c.to(State::syn_sent, curl);
  c.out(S);
  Side other(stream, 0, "10.0.0.1", 40000, by, port, 0, 900, false);
  other.view = SocketKind::none;
  other.in(SA, 0, 0, [&](Segment& g) { g.ack = c.isn() + acks; });
  other.view = SocketKind::control;
  other.out(R, 0, 0, [&](Segment& g) { g.seq = c.isn() + acks; });
  stream.wait(1 * s);
  c.out(S, 0, TW_EVENT_RETRANSMISSION, [&](Segment& g) { g.seq = c.isn(); });
  return run(stream.events).finding(Rule::stray_segment);
}

TEST(StraySegment, CanBeTheAnswerToASynThatWentElsewhere) {
  const auto finding = answered_by_another(1, "10.0.0.9");
  EXPECT_TRUE(
      says(finding, "; it acknowledges the SYN that went to 10.0.0.2:80: the answer comes from another address"))
      << (finding ? sentence(*finding) : "none");
  EXPECT_TRUE(says(answered_by_another(1, "10.0.0.2", 8080), "to 10.0.0.2:80: the answer comes from another port"));
  const auto other = answered_by_another(2, "10.0.0.9");
  ASSERT_TRUE(other.has_value());
  EXPECT_FALSE(says(other, "the answer")) << "the number is another one";
}

// On an Internet host that is every scanner.
TEST(StraySegment, IsNotShownWhereProcessesAreSelected) {
  CorrelatorSettings settings = trace_settings();
  settings.pid = 4711;
  EXPECT_TRUE(run(stray(true), settings).reports.empty());
  settings.pid = 0;
  settings.of_process = [](const Process&) { return true; };
  const RunResult reported = run(stray(true), settings);
  EXPECT_TRUE(reported.reports.empty());
  EXPECT_NE(reported.summary.events[TW_KIND_SEGMENT], 0U);
}

// A bare ACK for a listener, which the kernel resets.
TEST(StraySegment, IsShownWhereTheListenerIsOfASelectedProcess) {
  Stream stream;
  listens(stream);
  Side c = server_of(stream);
  c.view = SocketKind::listener;
  Reset reset{};
  reset.header = c.header(TW_KIND_RESET);
  reset.header.cookie = 3;
  reset.tuple = c.tuple();
  reset.direction = ResetDirection::sent;
  reset.has_socket = 1;
  reset.cb.flags = TW_CB_PRESENT;
  reset.cb.state = State::listen;
  stream.add(reset);
  CorrelatorSettings settings = trace_settings();
  settings.comm = "nginx";
  EXPECT_EQ(run(stream.events, settings).entries().size(), 1U);
  settings.comm = "curl";
  EXPECT_TRUE(run(stream.events, settings).entries().empty());
}

TEST(StraySegment, IsNotCertainWithoutTheKernelsWord) {
  EXPECT_EQ(run(stray(false)).finding(Rule::stray_segment)->confidence, Confidence::likely);
}

TEST(StraySegment, AnAckInTimeWaitIsNone) {
  Stream stream;
  Side c = client_of(stream);
  connects(c);
  closes_first(c, curl);
  c.view = SocketKind::time_wait;
  c.in(FA, 0, TW_EVENT_RETRANSMISSION);
  c.out(A);
  EXPECT_FALSE(run(stream.events).finding(Rule::stray_segment).has_value());
}

TEST(Kernel, AloneGivesNoFindingThatNeedsTheWire) {
  for (Story& story : std::vector<Story>{keepalive_death_story(), zero_window_story(), forgotten_story()}) {
    std::erase_if(story.events, [](const Event& e) { return std::holds_alternative<Segment>(e.body); });
    CorrelatorSettings settings = life_settings();
    settings.has_wire = false;
    const RunResult reported = run(story.events, settings);
    EXPECT_FALSE(reported.finding(Rule::keepalive).has_value()) << story.name;
    EXPECT_FALSE(reported.finding(Rule::zero_window).has_value()) << story.name;
    EXPECT_FALSE(reported.finding(Rule::half_open).has_value()) << story.name;
  }
}

}  // namespace
}  // namespace tcpwitness::testing
